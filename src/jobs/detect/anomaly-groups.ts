// The anomalies in groups of like ones, so that an analyst reads a pattern once and not forty times.
//
// Alike are anomalies with the same reasons in like proportions: that is what an analyst asks of them, every detector has
// them, and groups by an autoencoder's embedding told the simulator's typologies apart less well (docs/decisions/0011).
import type { Reason } from '../../decisions/reasons/reason.ts';
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
const SHARED_REASONS = 4;
const CHANNELS_TOLD = 2;
const EXAMPLES = 5;
/** Hours are those of so much of the group. */
const HOURS_SHARE = 0.75;
const HOUR_MS = 3_600_000;

export function groupAnomalies(
  { anomalies, utcOffsetMinutes }: Pick<Detection, 'anomalies' | 'utcOffsetMinutes'>,
  seed: number,
): GroupedAnomalies {
  const none = { groups: [], groupOf: anomalies.map(() => null) };
  if (anomalies.length < LEAST_ANOMALIES) return none;
  const assignment = groupRows(reasonMatrix(anomalies.map(({ reasons }) => reasons)), { mostGroups: MOST_GROUPS, seed });
  if (assignment === null) return none;
  const members = new Map<number, number[]>();
  assignment.forEach((group, index) => {
    members.set(group, [...(members.get(group) ?? []), index]);
  });
  const bySize = [...members.values()]
    .filter(({ length }) => length >= LEAST_IN_GROUP)
    .sort((a, b) => b.length - a.length || a[0] - b[0]);
  const groupOf: (number | null)[] = anomalies.map(() => null);
  bySize.forEach((indices, group) => {
    for (const index of indices) groupOf[index] = group + 1;
  });
  return { groups: bySize.map((indices, group) => describe(group + 1, indices, anomalies, utcOffsetMinutes)), groupOf };
}

/**
 * One row per anomaly, one column per reason code, rows of length 1: the square root of the reason's weight, so that a
 * weak one is not lost beside a strong one, times −log of the share of anomalies that have it, for what nearly all of
 * them share does not tell them apart (as with the words of texts: Sparck Jones, Journal of Documentation 28, 1972).
 */
function reasonMatrix(reasonsOf: readonly (readonly Reason[])[]): Matrix {
  const shares = sharesOf(
    reasonsOf.flatMap((reasons) => reasons.map(({ code }) => code)),
    reasonsOf.length + 1,
  );
  const columnOf = new Map(shares.map(({ value, share }, column) => [value, { column, telling: -Math.log(share) }]));
  const matrix = createMatrix(reasonsOf.length, shares.length);
  reasonsOf.forEach((reasons, index) => {
    const row = rowOf(matrix, index);
    for (const { code, weight } of reasons) {
      const { column, telling } = columnOf.get(code)!;
      row[column] = Math.sqrt(weight) * telling;
    }
    const length = Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
    if (length > 0) row.forEach((value, column) => row.set([value / length], column));
  });
  return matrix;
}

function describe(
  number: number,
  indices: readonly number[],
  anomalies: readonly Anomaly[],
  utcOffsetMinutes: number,
): AnomalyGroup {
  const members = indices.map((index) => anomalies[index]);
  const known = members.filter(({ transaction }) => transaction.isFraud !== null);
  const channels = members.flatMap(({ transaction: { channel } }): Channel[] => (channel === null ? [] : [channel]));
  return {
    number,
    count: members.length,
    amounts: totalsOf(members),
    labels:
      known.length === 0
        ? null
        : { known: known.length, positive: known.filter(({ transaction }) => transaction.isFraud).length },
    reasons: sharesOf(
      members.flatMap(({ reasons }) => reasons.map(({ code }) => code)),
      members.length,
    )
      .filter(({ share }, index) => index === 0 || share >= SHARED_FROM)
      .slice(0, SHARED_REASONS)
      .map(({ value, share }) => ({ code: value, share })),
    channels: sharesOf(channels, members.length)
      .slice(0, CHANNELS_TOLD)
      .map(({ value, share }) => ({ channel: value, share })),
    hours: hoursOf(members, utcOffsetMinutes),
    examples: indices.slice(0, EXAMPLES).map((index) => index + 1),
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
