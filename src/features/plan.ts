// Compiles the definitions of one entity kind into a plan of flat arrays that the store walks for every event.
//
// Windows with the same length and delay are shared. A lane is a delay: its head says which events have become visible
// (all of them on lane 0, those at least 7 days old on a lane delayed by 7 days), and every window of the lane has a
// tail behind that head. Each window lists the running counters it keeps; the counters live in the entity's record.
import { type Aggregate, type EntityKind, type FeatureDefinition, FILTERS, type Filter } from './definition.ts';
import { flagOf, labelFlagOf } from './event-flags.ts';
import { OFF_HABIT } from './habit.ts';
import { RECORD_HEADER } from './slot-table.ts';

/** Integer fields of a record after the table's own. */
export const RING_BASE = RECORD_HEADER;
/** Size class + 1 of the ring; 0 for no ring. */
export const RING_CLASS = RECORD_HEADER + 1;
/** Sequence numbers (they wrap at 2^32) of the oldest retained event and one past the newest. */
export const FIRST = RECORD_HEADER + 2;
export const END = RECORD_HEADER + 3;
export const HEADS = RECORD_HEADER + 4;

/** Float fields of a record. */
export const NEWEST_MS = 0;
export const FIRST_SEEN_MS = 1;
/** The time that the windows stand at. */
export const POSITION_MS = 2;
const FLOAT_HEADER = 3;
/** At the place offset: latitude, longitude, time of the last event with coordinates (time 0 bits unset: NaN is none). */
const PLACE_FIELDS = 4;

/** Value columns for distinct counts: other entities' slots, or small codes of the event. */
export const DISTINCT_FIELDS = [
  'payer',
  'card',
  'device',
  'payee',
  'pair',
  'terminal',
  'place',
  'ip',
  /** payee, or terminal where there is no payee */
  'counterparty',
  'mcc',
  'country',
  'channel',
  'currency',
] as const;
export type DistinctField = (typeof DISTINCT_FIELDS)[number];

export interface Operation {
  readonly aggregate: Aggregate;
  readonly column: number;
  readonly window: number;
  readonly flag: number;
  /** Record offsets of the counters that the aggregate reads; −1 where it needs none. */
  readonly count: number;
  readonly sum: number;
  readonly square: number;
  readonly extra: number;
  readonly missing: number;
  readonly prior: number;
  readonly weight: number;
}

export interface KindPlan {
  readonly kind: EntityKind | 'ip';
  readonly lanes: number;
  readonly windows: number;
  readonly laneDelayMs: Float64Array;
  /** Windows `laneStart[l] … laneStart[l + 1]` belong to lane l. */
  readonly laneStart: Int32Array;
  readonly windowLane: Int32Array;
  /** An event leaves the window at this age: delay + length. */
  readonly windowSpanMs: Float64Array;
  /** Integer offset of the first tail. */
  readonly tails: number;
  readonly counts: CounterList;
  readonly sums: CounterList;
  readonly squares: CounterList;
  /** Integer offset of 24 hour counters, or −1. */
  readonly hours: Int32Array;
  /** Two integers each: the count, and how it is kept (see entity-windows.ts). */
  readonly distinct: CounterList;
  readonly distinctFields: readonly DistinctField[];
  readonly lastSeenFlags: Int32Array;
  readonly lastSeenOffsets: Int32Array;
  readonly placeOffset: number;
  readonly needsAmounts: boolean;
  readonly needsRing: boolean;
  /** Some feature asks for the greatest or least amount; all of them with this one filter. */
  readonly extremes: boolean;
  readonly extremeFlag: number;
  readonly intStride: number;
  readonly floatStride: number;
  /** Longest window with its delay. */
  readonly longestSpanMs: number;
  /** Written before the event is inserted: they exclude it. */
  readonly before: readonly Operation[];
  /** Written after the event is inserted: they include it. */
  readonly after: readonly Operation[];
  /** Running counters of the habit rule (payer only); null where nobody asks. */
  readonly habit: Operation | null;
}

/** Per window a run of counters: `start[w] … start[w + 1]`, each with a flag (or value column) and a record offset. */
export interface CounterList {
  readonly start: Int32Array;
  readonly what: Int32Array;
  readonly offset: Int32Array;
}

const BEFORE: ReadonlySet<Aggregate> = new Set([
  'ratio-to-mean',
  'ratio-to-median',
  'ratio-to-max',
  'z-score',
  'time-since-last',
  'is-new',
  'hour-share',
  'speed',
]);
const LABELLED: ReadonlySet<Aggregate> = new Set([
  'fraud-count',
  'fraud-rate',
  'fraud-rate-smoothed',
  'fraud-run-length',
  'fraud-run-age',
  'time-since-genuine',
  'time-since-fraud',
]);
const WITHOUT_WINDOW: ReadonlySet<Aggregate> = new Set(['age', 'time-since-last', 'is-new', 'speed']);
const EXTREMES: ReadonlySet<Aggregate> = new Set(['min', 'max', 'ratio-to-max']);
const NEEDS_SUM: ReadonlySet<Aggregate> = new Set(['sum', 'mean', 'std', 'ratio-to-mean', 'z-score', 'pass-through']);
const NEEDS_SQUARE: ReadonlySet<Aggregate> = new Set(['std', 'z-score']);
const READS_AMOUNTS: ReadonlySet<Aggregate> = new Set([
  'min',
  'max',
  'median',
  'ratio-to-median',
  'ratio-to-max',
  'same-amount',
]);

export interface WindowKey {
  readonly windowMs: number;
  readonly delayMs: number;
}

interface Counter {
  readonly window: number;
  readonly what: number;
  readonly offset: number;
}

/** What one definition asks of a kind's record; `column` is the place in the output, −1 for a hidden helper. */
export interface Request {
  readonly definition: Pick<FeatureDefinition, 'id' | 'aggregate' | 'field' | 'windowMs' | 'delayMs' | 'filter'> &
    Partial<Pick<FeatureDefinition, 'missing' | 'smoothing'>>;
  readonly column: number;
}

class PlanBuilder {
  readonly windows: WindowKey[];
  readonly lanes: number[];
  readonly counts: Counter[] = [];
  readonly sums: Counter[] = [];
  readonly squares: Counter[] = [];
  readonly distinct: Counter[] = [];
  readonly distinctFields: DistinctField[] = [];
  readonly lastSeen: { flag: number; offset: number }[] = [];
  readonly hours: Int32Array;
  readonly tails: number;
  nextInt: number;
  nextFloat = FLOAT_HEADER;
  placeOffset = -1;

  constructor(keys: readonly WindowKey[]) {
    const unique = new Map(keys.map((key) => [`${key.delayMs}/${key.windowMs}`, key]));
    this.windows = [...unique.values()].sort((a, b) => a.delayMs - b.delayMs || a.windowMs - b.windowMs);
    this.lanes = [...new Set([0, ...this.windows.map((window) => window.delayMs)])].sort((a, b) => a - b);
    this.hours = new Int32Array(this.windows.length).fill(-1);
    this.tails = HEADS + this.lanes.length;
    this.nextInt = this.tails + this.windows.length;
  }

  windowOf(windowMs: number, delayMs: number): number {
    return this.windows.findIndex((window) => window.windowMs === windowMs && window.delayMs === delayMs);
  }

  /** Offset of a counter of a window, made on first use. `size` integers or floats. */
  counter(list: Counter[], window: number, what: number, kind: 'int' | 'float', size = 1): number {
    const known = list.find((counter) => counter.window === window && counter.what === what);
    if (known !== undefined) return known.offset;
    const offset = kind === 'int' ? this.nextInt : this.nextFloat;
    if (kind === 'int') this.nextInt += size;
    else this.nextFloat += size;
    list.push({ window, what, offset });
    return offset;
  }

  hourCounters(window: number): number {
    if (this.hours[window] < 0) {
      this.hours[window] = this.nextInt;
      this.nextInt += 24;
    }
    return this.hours[window];
  }

  lastSeenOffset(flag: number): number {
    const known = this.lastSeen.find((entry) => entry.flag === flag);
    if (known !== undefined) return known.offset;
    const offset = this.nextFloat++;
    this.lastSeen.push({ flag, offset });
    return offset;
  }

  place(): number {
    if (this.placeOffset < 0) {
      this.placeOffset = this.nextFloat;
      this.nextFloat += PLACE_FIELDS;
    }
    return this.placeOffset;
  }

  distinctColumn(field: DistinctField): number {
    const known = this.distinctFields.indexOf(field);
    return known >= 0 ? known : this.distinctFields.push(field) - 1;
  }

  list(counters: readonly Counter[]): CounterList {
    const sorted = [...counters].sort((a, b) => a.window - b.window || a.offset - b.offset);
    const start = new Int32Array(this.windows.length + 1);
    for (const counter of sorted) start[counter.window + 1]++;
    for (let w = 0; w < this.windows.length; w++) start[w + 1] += start[w];
    return {
      start,
      what: Int32Array.from(sorted, (counter) => counter.what),
      offset: Int32Array.from(sorted, (counter) => counter.offset),
    };
  }
}

function fail(id: string, why: string): never {
  throw new RangeError(`feature ${id}: ${why}`);
}

function compileOperation(builder: PlanBuilder, { definition, column }: Request): Operation {
  const { id, aggregate, windowMs, delayMs, filter, field } = definition;
  const window = windowMs === null ? -1 : builder.windowOf(windowMs, delayMs);
  const flag = flagOf(filter);
  const countOf = (what: Filter) =>
    what === 'all' || window < 0 ? -1 : builder.counter(builder.counts, window, flagOf(what), 'int');
  let extra = -1;
  let count = LABELLED.has(aggregate) ? -1 : countOf(filter);
  if (aggregate.startsWith('fraud-') || aggregate === 'time-since-fraud') {
    count = builder.counter(builder.counts, window, labelFlagOf(true, flag), 'int');
  }
  if (LABELLED.has(aggregate)) {
    if (filter !== 'all' && filter !== 'habit') fail(id, `labels are told for all events or for habit, not ${filter}`);
    extra = countOf(filter);
  }
  if (aggregate === 'distinct') {
    const known = DISTINCT_FIELDS.find((candidate) => candidate === field);
    if (known === undefined)
      fail(id, `cannot count distinct ${String(field)}; known are ${DISTINCT_FIELDS.join(', ')}`);
    if (filter !== 'all' || delayMs !== 0) fail(id, 'distinct takes neither a filter nor a delay');
    extra = builder.counter(builder.distinct, window, builder.distinctColumn(known), 'int', 2);
  }
  if (aggregate === 'hour-share' || aggregate === 'hour-entropy') {
    if (filter !== 'all') fail(id, 'the hour profile takes no filter');
    extra = builder.hourCounters(window);
  }
  if (aggregate === 'time-since-last') extra = builder.lastSeenOffset(flag);
  if (aggregate === 'speed') extra = builder.place();
  return {
    aggregate,
    column,
    window,
    flag,
    count,
    sum: NEEDS_SUM.has(aggregate) ? builder.counter(builder.sums, window, flag, 'float') : -1,
    square: NEEDS_SQUARE.has(aggregate) ? builder.counter(builder.squares, window, flag, 'float', 2) : -1,
    extra,
    missing: definition.missing ?? Number.NaN,
    prior: definition.smoothing?.prior ?? 0.01,
    weight: definition.smoothing?.weight ?? 10,
  };
}

function checkRequest({ definition }: Request): void {
  const { id, aggregate, windowMs, delayMs, filter } = definition;
  if (!FILTERS.includes(filter)) fail(id, `unknown filter ${filter}; known are ${FILTERS.join(', ')}`);
  if (aggregate === 'value') fail(id, "the aggregate 'value' belongs to the entity 'transaction'");
  if (WITHOUT_WINDOW.has(aggregate) !== (windowMs === null)) {
    fail(id, `${aggregate} ${windowMs === null ? 'needs a window' : 'has no window: windowMs must be null'}`);
  }
  if (windowMs !== null && !(windowMs > 0 && Number.isInteger(windowMs)))
    fail(id, 'windowMs must be a positive integer');
  if (!(delayMs >= 0 && Number.isInteger(delayMs))) fail(id, 'delayMs must be zero or a positive integer');
  if (LABELLED.has(aggregate) && delayMs === 0) fail(id, 'a label is never known at once: delayMs must be positive');
}

/** @throws RangeError naming the feature and what is wrong with its definition. */
export function compilePlan(kind: EntityKind | 'ip', requests: readonly Request[], withHabit: boolean): KindPlan {
  for (const request of requests) checkRequest(request);
  const all = withHabit ? [...requests, { definition: OFF_HABIT.definition, column: -1 }] : [...requests];
  const keys = all.flatMap(({ definition: { windowMs, delayMs } }) =>
    windowMs === null ? [] : [{ windowMs, delayMs }],
  );
  const builder = new PlanBuilder(keys);
  const operations = requests.map((request) => compileOperation(builder, request));
  const habit = withHabit ? compileOperation(builder, { definition: OFF_HABIT.definition, column: -1 }) : null;
  const { windows, lanes } = builder;
  const laneOf = (window: WindowKey) => lanes.indexOf(window.delayMs);
  const extremes = requests.filter(({ definition }) => EXTREMES.has(definition.aggregate));
  for (const { definition } of extremes) {
    if (definition.filter !== extremes[0].definition.filter) {
      fail(
        definition.id,
        `min, max and ratio-to-max of one entity share one filter, here ${extremes[0].definition.filter}`,
      );
    }
  }
  const emitted = operations.filter((operation) => operation.column >= 0 && operation.aggregate !== 'pass-through');
  return {
    kind,
    lanes: lanes.length,
    windows: windows.length,
    laneDelayMs: Float64Array.from(lanes),
    laneStart: Int32Array.from([...lanes, 0], (_, l) => windows.filter((window) => laneOf(window) < l).length),
    windowLane: Int32Array.from(windows, laneOf),
    windowSpanMs: Float64Array.from(windows, (window) => window.delayMs + window.windowMs),
    tails: builder.tails,
    counts: builder.list(builder.counts),
    sums: builder.list(builder.sums),
    squares: builder.list(builder.squares),
    hours: builder.hours,
    distinct: builder.list(builder.distinct),
    distinctFields: builder.distinctFields,
    lastSeenFlags: Int32Array.from(builder.lastSeen, (entry) => entry.flag),
    lastSeenOffsets: Int32Array.from(builder.lastSeen, (entry) => entry.offset),
    placeOffset: builder.placeOffset,
    needsAmounts: builder.sums.length > 0 || operations.some((operation) => READS_AMOUNTS.has(operation.aggregate)),
    needsRing: windows.length > 0,
    extremes: extremes.length > 0,
    extremeFlag: extremes.length > 0 ? flagOf(extremes[0].definition.filter) : 0,
    intStride: builder.nextInt,
    floatStride: builder.nextFloat,
    longestSpanMs: Math.max(0, ...windows.map((window) => window.delayMs + window.windowMs)),
    before: emitted.filter(({ aggregate }) => BEFORE.has(aggregate)),
    after: emitted.filter(({ aggregate }) => !BEFORE.has(aggregate)),
    habit,
  };
}
