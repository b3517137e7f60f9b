// What a sentence is made from: one feature of one transaction, and a look at its neighbours in the same row.
import type { Transaction } from '../../domain/transaction.ts';
import type { Aggregate, EntityKind, FeatureDefinition } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
import type { Texts } from './format.ts';

/** A feature whose value is out of the ordinary. */
export interface Finding {
  readonly code: ReasonCode;
  /** How far from ordinary, in (0, 1]; chooses among windows and statistics that say the same thing. */
  readonly strength: number;
  /** In words; a dozen findings say the same thing, and one of them is heard. */
  readonly say: () => Texts;
}

/** A feature that belongs to an entity of the transaction. */
export interface EntityFeature {
  readonly definition: FeatureDefinition;
  readonly entity: EntityKind;
  readonly value: number;
}

export interface Row {
  readonly definitions: readonly FeatureDefinition[];
  readonly values: Float64Array | Float32Array;
  readonly transaction: Transaction;
  /** Currency of the features in minor units. */
  readonly currency: string;
  readonly utcOffsetMinutes: number;
  /** A lower bound of how far back the data reaches; infinite where nothing tells. */
  readonly knownPastMs: number;
  /** How far back the data reaches, where it was said; infinite where not. */
  readonly dataPastMs: number;
}

/** Where a catalogue has what sentences ask for; found once, since there are hundreds of features and every row asks. */
interface CatalogueIndex {
  readonly amount: number;
  readonly hour: number;
  readonly ages: readonly number[];
  readonly ageOf: ReadonlyMap<EntityKind | 'transaction', number>;
  /** Features that differ in their window alone, with a window, by `statisticOf`. */
  readonly windows: ReadonlyMap<string, readonly WindowedFeature[]>;
  /** Places of neighbours that have been asked for, at most one for each feature and aggregate; −1 for none. */
  readonly neighbours: Map<string, number>;
}

interface WindowedFeature {
  readonly windowMs: number;
  readonly index: number;
}

const INDEXES = new WeakMap<readonly FeatureDefinition[], CatalogueIndex>();
const STATISTICS = new WeakMap<FeatureDefinition, string>();

/** The same for features that differ in their window alone. */
export function statisticOf(definition: FeatureDefinition): string {
  let key = STATISTICS.get(definition);
  if (key === undefined) {
    const { entity, aggregate, field, filter, delayMs } = definition;
    key = `${entity} ${aggregate} ${field} ${filter} ${delayMs}`;
    STATISTICS.set(definition, key);
  }
  return key;
}

function indexOf(definitions: readonly FeatureDefinition[]): CatalogueIndex {
  const known = INDEXES.get(definitions);
  if (known !== undefined) return known;
  const windows = new Map<string, WindowedFeature[]>();
  const ageOf = new Map<EntityKind | 'transaction', number>();
  const ages: number[] = [];
  definitions.forEach((definition, index) => {
    const { entity, aggregate, windowMs } = definition;
    if (aggregate === 'age') {
      ages.push(index);
      if (!ageOf.has(entity)) ageOf.set(entity, index);
    }
    if (windowMs === null) return;
    const key = statisticOf(definition);
    windows.set(key, [...(windows.get(key) ?? []), { windowMs, index }]);
  });
  const property = (name: string) =>
    definitions.findIndex(
      ({ entity, aggregate, field }) => entity === 'transaction' && aggregate === 'value' && field === name,
    );
  const index = {
    amount: property('amount'),
    hour: property('hour'),
    ages,
    ageOf,
    windows,
    neighbours: new Map<string, number>(),
  };
  INDEXES.set(definitions, index);
  return index;
}

/** The row's own hour of the day; NaN where it has none. */
export function hourOf({ definitions, values }: Pick<Row, 'definitions' | 'values'>): number {
  const { hour } = indexOf(definitions);
  return hour < 0 ? Number.NaN : values[hour];
}

/** The greatest age in the row; NaN where none is known. */
export function greatestAge({ definitions, values }: Pick<Row, 'definitions' | 'values'>): number {
  let oldest = Number.NaN;
  for (const index of indexOf(definitions).ages) {
    if (values[index] >= 0) oldest = Math.max(values[index], oldest || 0);
  }
  return oldest;
}

/** The transaction's amount as the features see it: in the reference currency where the row has it. */
export function amountOf(row: Row): number {
  const { amount } = indexOf(row.definitions);
  const own = row.transaction.amountMinor;
  const value = amount < 0 ? own : row.values[amount];
  // A matrix in float32 rounds large amounts: the transaction has the exact one.
  const same = Math.fround(value) === Math.fround(own);
  return same || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER) ? own : value;
}

/** A neighbour: the same entity, field, filter and delay, another aggregate or window; NaN where the row has none. */
export function neighbour(row: Row, of: FeatureDefinition, aggregate: Aggregate, windowMs: number | null): number {
  const { neighbours } = indexOf(row.definitions);
  const key = `${of.entity} ${of.field} ${of.filter} ${of.delayMs} ${aggregate} ${windowMs}`;
  const index = neighbours.get(key) ?? placeOfNeighbour(row.definitions, of, aggregate, windowMs);
  neighbours.set(key, index);
  return index < 0 ? Number.NaN : row.values[index];
}

/** −1 where there is none. */
function placeOfNeighbour(
  definitions: readonly FeatureDefinition[],
  of: FeatureDefinition,
  aggregate: Aggregate,
  windowMs: number | null,
): number {
  return definitions.findIndex(
    (other) =>
      other.entity === of.entity &&
      other.aggregate === aggregate &&
      other.windowMs === windowMs &&
      other.delayMs === of.delayMs &&
      other.filter === of.filter &&
      (other.field === of.field || aggregate === 'count' || aggregate === 'age'),
  );
}

export interface LongerWindow {
  readonly windowMs: number;
  readonly value: number;
}

/** The same statistic over the longest window of the row, if that is longer than the feature's own. */
export function longestWindow(row: Row, of: FeatureDefinition): LongerWindow | null {
  if (of.windowMs === null) return null;
  let longest: LongerWindow | null = null;
  for (const { windowMs, index } of indexOf(row.definitions).windows.get(statisticOf(of)) ?? []) {
    const value = row.values[index];
    if (windowMs > (longest?.windowMs ?? of.windowMs) && Number.isFinite(value)) longest = { windowMs, value };
  }
  return longest;
}

export interface Habit {
  /** Events (or money) per ms outside the feature's own window. */
  readonly perMs: number;
  /** Length of the long window, or the entity's age where that is shorter. */
  readonly spanMs: number;
}

/** How much of an additive statistic is usual: what the longest window has beyond this one, per unit of time. */
export function habitOf(row: Row, of: FeatureDefinition, value: number): Habit | null {
  const longer = longestWindow(row, of);
  if (longer === null || of.windowMs === null) return null;
  const ageIndex = indexOf(row.definitions).ageOf.get(of.entity);
  const age = ageIndex === undefined ? Number.NaN : row.values[ageIndex];
  const past = (age > 0 ? Math.min(age, row.knownPastMs) : row.knownPastMs) - of.delayMs;
  const spanMs = Math.min(longer.windowMs, past);
  // Too short a past outside the window says nothing of the habit.
  if (spanMs < 2 * of.windowMs) return null;
  return { perMs: Math.max(0, longer.value - value) / (spanMs - of.windowMs), spanMs };
}

/** A growing ratio as a strength: 0 at 1, 1 at `full` and beyond. */
export function strengthOf(ratio: number, full: number): number {
  return Math.max(0.01, Math.min(1, Math.log(ratio) / Math.log(full)));
}
