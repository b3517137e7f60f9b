// The anomalies in groups of like ones, so that an analyst reads a pattern once and not forty times.
//
// Alike are anomalies with the same reasons in like proportions: every detector has them, and they can be told. Groups by
// the autoencoder's embedding match the simulator's typologies about as well (docs/decisions/0011), but say nothing.
import { groupRows } from '../../models/clustering/group-rows.ts';
import { createMatrix, type Matrix, rowOf } from '../../models/matrix.ts';
import type { AnomalyGroup, Channel, MoneyTotal } from '../../report/report-data.ts';
import type { Anomaly, Detection } from './detect.ts';

export interface GroupedAnomalies {
  readonly groups: readonly AnomalyGroup[];
  /** For each anomaly of the detection the number of its group; null where it is in none. */
  readonly groupOf: readonly (number | null)[];
}

/** More rows than this on a page are no overview. */
const MOST_GROUPS = 10;
/** Fewer anomalies are read one by one. */
const LEAST_ANOMALIES = 12;
/** Fewer are no pattern. */
const LEAST_IN_GROUP = 3;
/** A reason is shared where this part of the group has it. */
const SHARED_FROM = 0.3;
const SHARED_REASONS = 3;
const CHANNELS_TOLD = 2;
const EXAMPLES = 3;
/** Hours are those of so much of the group. */
const HOURS_SHARE = 0.75;
const HOUR_MS = 3_600_000;

export function groupAnomalies(
  { anomalies, utcOffsetMinutes }: Pick<Detection, 'anomalies' | 'utcOffsetMinutes'>,
  seed: number,
): GroupedAnomalies {
  const none = { groups: [], groupOf: anomalies.map(() => null) };
  if (anomalies.length < LEAST_ANOMALIES) return none;
  const telling = tellingOf(anomalies);
  const assignment = groupRows(reasonMatrix(anomalies, telling), { mostGroups: MOST_GROUPS, seed });
  if (assignment === null) return none;
  const members = new Map<number, number[]>();
  assignment.forEach((group, index) => {
    const own = members.get(group);
    if (own === undefined) members.set(group, [index]);
    else own.push(index);
  });
  const bySize = [...members.values()]
    .filter(({ length }) => length >= LEAST_IN_GROUP)
    .sort((a, b) => b.length - a.length || a[0] - b[0]);
  const groupOf: (number | null)[] = anomalies.map(() => null);
  bySize.forEach((indices, group) => {
    for (const index of indices) groupOf[index] = group + 1;
  });
  return {
    groups: bySize.map((indices, group) => ({
      number: group + 1,
      examples: indices.slice(0, EXAMPLES).map((index) => index + 1),
      ...describe(
        indices.map((index) => anomalies[index]),
        telling,
        utcOffsetMinutes,
      ),
    })),
    groupOf,
  };
}

/**
 * By reason code, −log of the share of anomalies that have it: what nearly all of them share does not tell them apart (as
 * with the words of texts: Sparck Jones, Journal of Documentation 28, 1972).
 */
function tellingOf(anomalies: readonly Anomaly[]): ReadonlyMap<string, number> {
  const shares = sharesOf(codesOf(anomalies), anomalies.length + 1);
  return new Map(shares.map(({ value, share }) => [value, -Math.log(share)]));
}

function codesOf(anomalies: readonly Anomaly[]): string[] {
  return anomalies.flatMap(({ reasons }) => reasons.map(({ code }) => code));
}

/**
 * One row per anomaly, one column per reason code, rows of length 1: the square root of the reason's weight, so that a
 * weak one is not lost beside a strong one, times how telling it is.
 */
function reasonMatrix(anomalies: readonly Anomaly[], telling: ReadonlyMap<string, number>): Matrix {
  const columnOf = new Map([...telling.keys()].map((code, column) => [code, column]));
  const matrix = createMatrix(anomalies.length, telling.size);
  anomalies.forEach(({ reasons }, index) => {
    const row = rowOf(matrix, index);
    for (const { code, weight } of reasons) row[columnOf.get(code)!] = Math.sqrt(weight) * telling.get(code)!;
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) row.set(row.map((value) => value / length));
  });
  return matrix;
}

function describe(
  members: readonly Anomaly[],
  telling: ReadonlyMap<string, number>,
  utcOffsetMinutes: number,
): Omit<AnomalyGroup, 'number' | 'examples'> {
  const known = members.filter(({ transaction }) => transaction.isFraud !== null);
  const channels = members.flatMap(({ transaction: { channel } }): Channel[] => (channel === null ? [] : [channel]));
  const reasons = sharesOf(codesOf(members), members.length).filter(({ share }) => share >= SHARED_FROM);
  return {
    count: members.length,
    amounts: totalsOf(members).sort((one, other) => other.rows - one.rows),
    labels:
      known.length === 0
        ? null
        : { known: known.length, positive: known.filter(({ transaction }) => transaction.isFraud).length },
    reasons: reasons
      .sort((one, other) => other.share * telling.get(other.value)! - one.share * telling.get(one.value)!)
      .slice(0, SHARED_REASONS)
      .map(({ value, share }) => ({ code: value, share })),
    channels: sharesOf(channels, members.length)
      .slice(0, CHANNELS_TOLD)
      .map(({ value, share }) => ({ channel: value, share })),
    hours: hoursOf(members, utcOffsetMinutes),
  };
}

/** How often each value occurs, most often first, as a share of `total`. */
function sharesOf<Value extends string>(values: readonly Value[], total: number): { value: Value; share: number }[] {
  const counts = new Map<Value, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .map(([value, count]) => ({ value, share: count / total }))
    .sort((a, b) => b.share - a.share || (a.value < b.value ? -1 : 1));
}

function hoursOf(members: readonly Anomaly[], utcOffsetMinutes: number): AnomalyGroup['hours'] {
  const perHour = new Uint32Array(24);
  for (const { transaction } of members) {
    const localHours = Math.floor((transaction.eventTimeMs + utcOffsetMinutes * 60_000) / HOUR_MS);
    perHour[((localHours % 24) + 24) % 24] += 1;
  }
  const within = (from: number, length: number) => {
    let sum = 0;
    for (let hour = from; hour < from + length; hour++) sum += perHour[hour % 24];
    return sum / members.length;
  };
  let length = 1;
  for (; length < 24; length++) {
    const starts = Array.from(perHour, (_, from) => within(from, length));
    const most = Math.max(...starts);
    const from = starts.indexOf(most);
    if (most >= HOURS_SHARE) return { from, to: (from + length) % 24, share: most };
  }
  return { from: 0, to: 0, share: 1 };
}

export function totalsOf(anomalies: readonly Anomaly[]): MoneyTotal[] {
  const totals = new Map<string, { rows: number; amountMinor: number }>();
  for (const { transaction } of anomalies) {
    const total = totals.get(transaction.currency) ?? { rows: 0, amountMinor: 0 };
    total.rows += 1;
    total.amountMinor += transaction.amountMinor;
    totals.set(transaction.currency, total);
  }
  return [...totals].map(([currency, total]) => ({ currency, ...total }));
}
