// The threshold that fills the analysts' day, and how the alerts vary around it from day to day.
import { InputError } from '../../lib/errors.ts';
import { capacityThreshold } from '../metrics/cost.ts';

const DAY_MS = 86_400_000;

export interface CapacityThreshold {
  /** Rows at or above it are flagged. */
  readonly threshold: number;
  /** Whole days of 24 hours, from the first row's time, that it was chosen on. */
  readonly days: number;
  /** Alerts on those days; the mean is at most the capacity. */
  readonly alertsPerDay: {
    readonly mean: number;
    readonly standardDeviation: number;
    readonly least: number;
    readonly greatest: number;
  };
}

/**
 * The lowest threshold that flags at most `capacityPerDay` rows a day on average over the whole days of the rows; rows of a
 * last part of a day are left out.
 *
 * @param startMs where the first day begins; rows before it are left out
 * @param endMs where the rows end
 * @throws InputError if there is no whole day, or so many rows share the greatest score that any threshold flags too many
 */
export function chooseByCapacity(
  scores: Float32Array,
  timesMs: Float64Array,
  startMs: number,
  endMs: number,
  capacityPerDay: number,
): CapacityThreshold {
  const days = Math.floor((endMs - startMs) / DAY_MS);
  if (days < 1) {
    throw new InputError(
      'PERIOD_TOO_SHORT',
      'The later transactions span less than a day, too little to choose a threshold by alerts per day',
      'Train on a longer period, or choose by --review-share',
    );
  }
  const dayOf = (row: number) => Math.floor((timesMs[row] - startMs) / DAY_MS);
  const rows = Uint32Array.from(scores.keys()).filter((row) => dayOf(row) >= 0 && dayOf(row) < days);
  const threshold = capacityThreshold(
    Float32Array.from(rows, (row) => scores[row]),
    days,
    capacityPerDay,
  );
  if (threshold === Number.POSITIVE_INFINITY) {
    throw new InputError(
      'CAPACITY_TOO_SMALL',
      `More transactions share the greatest risk than ${capacityPerDay} a day`,
      'Give a greater --review-capacity-per-day',
    );
  }
  const alerts = new Float64Array(days);
  for (const row of rows) if (scores[row] >= threshold) alerts[dayOf(row)] += 1;
  const mean = alerts.reduce((sum, count) => sum + count, 0) / days;
  const variance = alerts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / days;
  return {
    threshold,
    days,
    alertsPerDay: {
      mean,
      standardDeviation: Math.sqrt(variance),
      least: Math.min(...alerts),
      greatest: Math.max(...alerts),
    },
  };
}
