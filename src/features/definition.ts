// How a feature is declared: an aggregate of a field over an entity's events in an exact sliding window.
//
// A declaration is data. The engine compiles a list of them into a plan (one ring of events per entity, one moving tail
// per window), the tests compile the same list into SQL for DuckDB, and the reasons read it to speak of the feature.

/** Whose past events are aggregated; `transaction` means the event alone, no history. */
export const ENTITY_KINDS = ['payer', 'card', 'device', 'payee', 'pair', 'terminal', 'place'] as const;
export type EntityKind = (typeof ENTITY_KINDS)[number];

export const AGGREGATES = [
  /** a property of the event alone; `field` says which */
  'value',
  'count',
  'sum',
  'mean',
  'std',
  'min',
  'max',
  /** of the last 31 amounts of the window, among its last 256 events */
  'median',
  'distinct',
  /** this event's amount ÷ the window's mean (the event itself excluded) */
  'ratio-to-mean',
  /** this event's amount ÷ the window's median (the event itself excluded) */
  'ratio-to-median',
  'ratio-to-max',
  /** (this event's amount − mean) ÷ std of the window (the event itself excluded); the std is at least 5 % of the mean */
  'z-score',
  /** ms since the entity was first seen (it is forgotten after `idleMs` without an event) */
  'age',
  /** ms since the entity's previous event (that passes the filter) */
  'time-since-last',
  /** 1 if the entity has not been seen before */
  'is-new',
  /** share of the window's events that pass the filter */
  'share',
  /** share of the window's events within one hour of this event's hour of the day, Lima time */
  'hour-share',
  /** Shannon entropy of the hour of the day over the window, bits */
  'hour-entropy',
  /** km/h from the place of the entity's newest event to this one; times less than a minute apart count as a minute */
  'speed',
  /** money out ÷ money in of the payer (or payee) account over the window */
  'pass-through',
  /** events in the window, among its last 256, with exactly this amount */
  'same-amount',
  /** labels known after the delay: number of labelled frauds */
  'fraud-count',
  /** labels known after the delay: frauds ÷ events */
  'fraud-rate',
  /** (frauds + prior × weight) ÷ (events + weight) */
  'fraud-rate-smoothed',
  /** length of the entity's current unbroken run of frauds, as known after the delay, among the window's last 256 events */
  'fraud-run-length',
  /** ms since that run began */
  'fraud-run-age',
  /** ms since the last event known to be genuine */
  'time-since-genuine',
  /** ms since the last event known to be fraud */
  'time-since-fraud',
] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** Which of an entity's events count. */
export const FILTERS = [
  'all',
  'approved',
  'declined',
  'security',
  'cash',
  'night',
  'weekend',
  'round-amount',
  'near-threshold',
  /** far above the payer's own habit when it was made: see habit.ts */
  'off-habit',
  /** approved payments that were not off-habit */
  'habit',
  'cross-border',
] as const;
export type Filter = (typeof FILTERS)[number];

export type Unit =
  | 'count'
  | 'minor'
  | 'ratio'
  | 'deviations'
  | 'ms'
  | 'km/h'
  | 'boolean'
  | 'hour'
  | 'bits'
  | 'category';

export interface Bilingual {
  readonly es: string;
  readonly en: string;
}

export interface FeatureDefinition {
  /** Unique, stable, snake case with the window last: `payer_amount_mean_30d`. */
  readonly id: string;
  readonly entity: EntityKind | 'transaction';
  readonly aggregate: Aggregate;
  /** What is aggregated: `amount`, or the entity kind or small category that `distinct` counts, or the event's own property. */
  readonly field: string | null;
  /** Length of the window `(t − windowMs, t]`; null where the aggregate has none. */
  readonly windowMs: number | null;
  /** The window is moved back: `(t − delayMs − windowMs, t − delayMs]`; labels are used only there. */
  readonly delayMs: number;
  readonly filter: Filter;
  /** `fraud-rate-smoothed` only: the rate assumed without evidence and how many events that assumption weighs. */
  readonly smoothing?: { readonly prior: number; readonly weight: number };
  readonly unit: Unit;
  /** The value where there is no history or no such entity: a number, or NaN, which the trees treat as missing. */
  readonly missing: number;
  readonly meaning: Bilingual;
}

/** Which of the features hold category codes, as positions among those given. */
export function categoricalColumns(definitions: readonly Pick<FeatureDefinition, 'unit'>[]): number[] {
  return definitions.flatMap(({ unit }, column) => (unit === 'category' ? [column] : []));
}
