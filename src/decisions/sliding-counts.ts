// What was decided within a sliding window of event time, counted: a ring of buckets, exact to one of them. Plain data, which
// can be stored as JSON and goes on from there.

export const BUCKETS = 60;
const COUNTS = ['transactions', 'blocked', 'alerts', 'degraded', 'late'] as const;
type Count = (typeof COUNTS)[number];

/** Of the transactions in the window. */
export type WindowFigures = Readonly<Record<Count, number>>;

export interface SlidingCounts {
  /** The newest bucket's number (event time ÷ width of a bucket); null before the first event. */
  newest: number | null;
  /** Rings of `BUCKETS`: what happened in each part of the window. */
  readonly rings: Readonly<Record<Count, number[]>>;
  /** Sums of the rings. */
  readonly total: Record<Count, number>;
}

export function createSlidingCounts(): SlidingCounts {
  const ring = () => new Array<number>(BUCKETS).fill(0);
  return {
    newest: null,
    rings: { transactions: ring(), blocked: ring(), alerts: ring(), degraded: ring(), late: ring() },
    total: { transactions: 0, blocked: 0, alerts: 0, degraded: 0, late: 0 },
  };
}

/** Counts one event with what it `is`; one older than the window is left out. */
export function countEvent(
  counts: SlidingCounts,
  timeMs: number,
  windowMs: number,
  is: Readonly<Record<Exclude<Count, 'transactions'>, boolean>>,
): void {
  const bucket = Math.floor(timeMs / (windowMs / BUCKETS));
  forget(counts, bucket);
  if (bucket <= counts.newest! - BUCKETS) return;
  const place = placeOf(bucket);
  add(counts, 'transactions', place, 1);
  if (is.blocked) add(counts, 'blocked', place, 1);
  if (is.alerts) add(counts, 'alerts', place, 1);
  if (is.degraded) add(counts, 'degraded', place, 1);
  if (is.late) add(counts, 'late', place, 1);
}

/** Empties the buckets that time has left behind. */
function forget(counts: SlidingCounts, bucket: number): void {
  const { newest } = counts;
  if (newest !== null && bucket <= newest) return;
  counts.newest = bucket;
  if (newest === null) return;
  for (let next = Math.max(newest + 1, bucket - BUCKETS + 1); next <= bucket; next++) {
    const place = placeOf(next);
    for (const count of COUNTS) add(counts, count, place, -counts.rings[count][place]);
  }
}

function add({ rings, total }: SlidingCounts, count: Count, place: number, more: number): void {
  rings[count][place] += more;
  total[count] += more;
}

function placeOf(bucket: number): number {
  return ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
}
