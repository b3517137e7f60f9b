// Reads the features of the open entity from its record and ring.
//
// `emit` runs twice for an event: before it is inserted, for what compares the event with the past (ratios, z-score, time
// since the last one), and after, for what includes it (counts, sums, means). A window is `(t − W, t]`.
import { haversineKm } from '../domain/geo.ts';
import type { EntityStore } from './entity-store.ts';
import type { FoldEvent } from './event.ts';
import { labelFlagOf } from './event-flags.ts';
import { sampleDeviation } from './exact-moments.ts';
import { HOUR_MS, MINUTE_MS } from './limits.ts';
import { FIRST, FIRST_SEEN_MS, HEADS, type Operation } from './plan.ts';
import { greatest, least } from './ring-extremes.ts';

/** The median is that of the last so many amounts of the window … */
export const MEDIAN_AMOUNTS = 31;
/** … found among the last so many events; repeated amounts and fraud runs look back as far. */
export const LOOK_BACK_EVENTS = 256;
/** A search for the last known fraud or an earlier event looks back further. */
const FAR_LOOK_BACK_EVENTS = 4096;
/** The spread in a z-score is at least this share of the mean, so that a constant habit does not divide by zero. */
export const SPREAD_FLOOR_SHARE = 0.05;
/** Two places within a minute are compared as if a minute apart. */
const SPEED_FLOOR_MS = MINUTE_MS;

const amountsScratch = new Float64Array(MEDIAN_AMOUNTS);

/** Writes the given operations' values; the store's open entity is the event's, positioned at its time. */
export function emit(
  store: EntityStore,
  operations: readonly Operation[],
  event: FoldEvent,
  created: boolean,
  out: Float64Array,
  offset: number,
): void {
  for (let i = 0; i < operations.length; i++) {
    const operation = operations[i];
    const value = evaluate(store, operation, event, created);
    out[offset + operation.column] = Number.isNaN(value) ? operation.missing : value;
  }
}

/** NaN where there is nothing to say. */
function evaluate(store: EntityStore, operation: Operation, event: FoldEvent, created: boolean): number {
  const { ints, int, floats, float } = store;
  switch (operation.aggregate) {
    case 'count':
      return matching(store, operation);
    case 'sum':
      return floats[float + operation.sum];
    case 'mean':
      return floats[float + operation.sum] / matching(store, operation);
    case 'std':
      return deviation(store, operation);
    case 'ratio-to-mean':
      return ratio(event.amount, floats[float + operation.sum] / matching(store, operation));
    case 'z-score':
      return zScore(store, operation, event.amount);
    case 'distinct':
      return ints[int + operation.extra];
    case 'share':
      return matching(store, operation) / inWindow(store, operation.window);
    case 'max':
      return finite(greatest(store, tailOf(store, operation.window), headOf(store, operation.window)));
    case 'min':
      return finite(least(store, tailOf(store, operation.window), headOf(store, operation.window)));
    case 'ratio-to-max':
      return ratio(
        event.amount,
        finite(greatest(store, tailOf(store, operation.window), headOf(store, operation.window))),
      );
    case 'median':
      return median(store, operation);
    case 'ratio-to-median':
      return ratio(event.amount, median(store, operation));
    case 'same-amount':
      return sameAmount(store, operation, event.amount);
    case 'time-since-last':
      return timeSinceLast(store, operation, event.timeMs);
    case 'age':
      return event.timeMs - floats[float + FIRST_SEEN_MS];
    case 'is-new':
      return created ? 1 : 0;
    case 'hour-share':
      return hourShare(store, operation, event.hour);
    case 'hour-entropy':
      return hourEntropy(store, operation);
    case 'speed':
      return speed(store, operation, event);
    case 'fraud-count':
      return ints[int + operation.count];
    case 'fraud-rate':
      return ints[int + operation.count] / labelledEvents(store, operation);
    case 'fraud-rate-smoothed':
      return (
        (ints[int + operation.count] + operation.prior * operation.weight) /
        (labelledEvents(store, operation) + operation.weight)
      );
    default:
      return evaluateLabelHistory(store, operation, event);
  }
}

function evaluateLabelHistory(store: EntityStore, operation: Operation, event: FoldEvent): number {
  const frauds = store.ints[store.int + operation.count];
  switch (operation.aggregate) {
    case 'fraud-run-length':
      return frauds === 0 ? 0 : fraudRun(store, operation, event.timeMs, true);
    case 'fraud-run-age':
      return frauds === 0 ? Number.NaN : fraudRun(store, operation, event.timeMs, false);
    case 'time-since-fraud':
      return frauds === 0 ? Number.NaN : timeSinceLabel(store, operation, event.timeMs, true);
    case 'time-since-genuine':
      return timeSinceLabel(store, operation, event.timeMs, false);
    default:
      throw new TypeError(`no rule for the aggregate ${operation.aggregate}`);
  }
}

function tailOf(store: EntityStore, window: number): number {
  return store.ints[store.int + store.plan.tails + window];
}

function headOf(store: EntityStore, window: number): number {
  return store.ints[store.int + HEADS + store.plan.windowLane[window]];
}

function inWindow(store: EntityStore, window: number): number {
  return (headOf(store, window) - tailOf(store, window)) | 0;
}

/** Events of the window that pass the operation's filter. */
function matching(store: EntityStore, operation: Operation): number {
  return operation.count < 0 ? inWindow(store, operation.window) : store.ints[store.int + operation.count];
}

/** Events of the delayed window that a fraud rate is a share of. */
function labelledEvents(store: EntityStore, { window, extra }: Operation): number {
  return extra < 0 ? inWindow(store, window) : store.ints[store.int + extra];
}

function ratio(value: number, base: number): number {
  return base > 0 ? value / base : Number.NaN;
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.NaN;
}

function deviation(store: EntityStore, operation: Operation): number {
  const { floats, float } = store;
  const squares = float + operation.square;
  return sampleDeviation(
    matching(store, operation),
    floats[float + operation.sum],
    floats[squares],
    floats[squares + 1],
  );
}

/** Deviations of an amount from the window's mean; the spread is at least a share of the mean and one minor unit. */
function zScore(store: EntityStore, operation: Operation, amount: number): number {
  const mean = store.floats[store.float + operation.sum] / matching(store, operation);
  const spread = deviation(store, operation);
  return (amount - mean) / Math.max(spread, SPREAD_FLOOR_SHARE * Math.abs(mean), 1);
}

/** Mean, spread and number of the payer's habitual amounts, for the habit rule. */
export function habitOf(store: EntityStore, operation: Operation): { events: number; mean: number; std: number } {
  const events = matching(store, operation);
  return { events, mean: store.floats[store.float + operation.sum] / events, std: deviation(store, operation) };
}

function median(store: EntityStore, { window, flag }: Operation): number {
  const { amounts, flags, base, mask } = store;
  const tail = tailOf(store, window);
  let s = headOf(store, window);
  let n = 0;
  for (let steps = LOOK_BACK_EVENTS; s !== tail && n < MEDIAN_AMOUNTS && steps > 0; steps--) {
    s = (s - 1) | 0;
    const at = base + (s & mask);
    if ((flags[at] & flag) === 0) continue;
    const amount = amounts[at];
    let place = n++;
    for (; place > 0 && amountsScratch[place - 1] > amount; place--) amountsScratch[place] = amountsScratch[place - 1];
    amountsScratch[place] = amount;
  }
  if (n === 0) return Number.NaN;
  const middle = n >> 1;
  return (n & 1) === 1 ? amountsScratch[middle] : (amountsScratch[middle - 1] + amountsScratch[middle]) / 2;
}

function sameAmount(store: EntityStore, { window, flag }: Operation, amount: number): number {
  const { amounts, flags, base, mask } = store;
  const tail = tailOf(store, window);
  let same = 0;
  let s = headOf(store, window);
  for (let steps = LOOK_BACK_EVENTS; s !== tail && steps > 0; steps--) {
    s = (s - 1) | 0;
    const at = base + (s & mask);
    if (amounts[at] === amount && (flags[at] & flag) !== 0) same++;
  }
  return same;
}

function timeSinceLast(store: EntityStore, { extra, flag }: Operation, timeMs: number): number {
  const last = store.floats[store.float + extra];
  if (!(last > timeMs)) return timeMs - last;
  if (store.ringClass < 0) return Number.NaN;
  const { ints, int, flags, base, mask } = store;
  const first = ints[int + FIRST];
  let s = ints[int + HEADS];
  for (let steps = FAR_LOOK_BACK_EVENTS; s !== first && steps > 0; steps--) {
    s = (s - 1) | 0;
    if ((flags[base + (s & mask)] & flag) !== 0) return timeMs - store.timeOf(s);
  }
  return Number.NaN;
}

function hourShare(store: EntityStore, { window, extra }: Operation, hour: number): number {
  const { ints } = store;
  const hours = store.int + extra;
  const near = ints[hours + ((hour + 23) % 24)] + ints[hours + hour] + ints[hours + ((hour + 1) % 24)];
  return near / inWindow(store, window);
}

function hourEntropy(store: EntityStore, { window, extra }: Operation): number {
  const events = inWindow(store, window);
  if (events === 0) return Number.NaN;
  let entropy = 0;
  for (let hour = 0; hour < 24; hour++) {
    const count = store.ints[store.int + extra + hour];
    if (count > 0) entropy -= (count / events) * Math.log2(count / events);
  }
  return entropy;
}

function speed(store: EntityStore, { extra }: Operation, event: FoldEvent): number {
  const { floats } = store;
  const at = store.float + extra;
  if (floats[at + 3] !== 1 || Number.isNaN(event.latitude) || Number.isNaN(event.longitude)) return Number.NaN;
  const km = haversineKm(floats[at], floats[at + 1], event.latitude, event.longitude);
  return km / (Math.max(Math.abs(event.timeMs - floats[at + 2]), SPEED_FLOOR_MS) / HOUR_MS);
}

/** Length of the unbroken run of known frauds at the window's head, or ms since the first of them. */
function fraudRun(store: EntityStore, { window, flag }: Operation, timeMs: number, length: boolean): number {
  const { flags, base, mask } = store;
  const genuine = labelFlagOf(false, flag);
  const fraud = labelFlagOf(true, flag);
  const tail = tailOf(store, window);
  let run = 0;
  let began = Number.NaN;
  let s = headOf(store, window);
  for (let steps = LOOK_BACK_EVENTS; s !== tail && steps > 0; steps--) {
    s = (s - 1) | 0;
    const label = flags[base + (s & mask)];
    if ((label & genuine) !== 0) break;
    if ((label & fraud) === 0) continue;
    run++;
    began = s;
  }
  if (length) return run;
  return run === 0 ? Number.NaN : timeMs - store.timeOf(began);
}

function timeSinceLabel(store: EntityStore, { window, flag }: Operation, timeMs: number, isFraud: boolean): number {
  const { flags, base, mask } = store;
  const label = labelFlagOf(isFraud, flag);
  const tail = tailOf(store, window);
  let s = headOf(store, window);
  for (let steps = FAR_LOOK_BACK_EVENTS; s !== tail && steps > 0; steps--) {
    s = (s - 1) | 0;
    if ((flags[base + (s & mask)] & label) !== 0) return timeMs - store.timeOf(s);
  }
  return Number.NaN;
}
