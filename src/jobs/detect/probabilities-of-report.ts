// What the report says of the risks as probabilities: whether they hold, and what decisions by them cost.
import { DEFAULT_HOLD_AT_RISK, decideAction } from '../../decisions/decision.ts';
import type { CostPoint, ReliabilityPoint, ReportCosts } from '../../report/report-data.ts';
import type { RuleAction } from '../../rules/rule.ts';
import { type CostSteps, cheapestStep, costOfActions, costSteps } from '../../training/metrics/cost.ts';
import { rareReliabilityTable } from '../../training/metrics/reliability.ts';
import type { Detection } from './detect.ts';

const DAY_MS = 86_400_000;
const CURVE_POINTS = 200;

/** @param rows labelled, scored with a probability by a model that did not learn from them */
export function reliabilityOf({ table, scores }: Detection, rows: readonly number[]): ReliabilityPoint[] {
  const labels = Uint8Array.from(rows, (row) => table.labels[row]);
  return rareReliabilityTable(
    labels,
    Float32Array.from(rows, (row) => scores.risk[row]),
  ).map(({ rows: count, meanProbability, fraudRate, interval }) => ({
    rows: count,
    frauds: Math.round(fraudRate * count),
    meanProbability,
    ...interval,
  }));
}

/**
 * @param given as of `reliabilityOf`
 * @param flagged 1 for the flagged rows of the table
 * @returns null where they span no time
 */
export function costsOfReport(
  { table, scores, decide, verdictOf, costs }: Detection,
  given: readonly number[],
  flagged: Uint8Array,
): ReportCosts | null {
  const rows = given.filter((row) => !Number.isNaN(table.worthsMinor[row]));
  const timesMs = rows.map((row) => table.timesMs[row]);
  const days = timesMs.length === 0 ? 0 : (timesMs[timesMs.length - 1] - timesMs[0]) / DAY_MS;
  if (!(days > 0)) return null;
  const costed = {
    labels: Uint8Array.from(rows, (row) => table.labels[row]),
    risk: Float32Array.from(rows, (row) => scores.risk[row]),
    worthsMinor: Float64Array.from(rows, (row) => table.worthsMinor[row]),
  };
  const pointOf = (actionOf: (index: number) => RuleAction): CostPoint => {
    const { totalMinor, flagged: count } = costOfActions(costed, actionOf, costs);
    return { flaggedPerDay: count / days, costPerDayMinor: totalMinor / days };
  };
  const actionBy = (index: number, by: Detection['decide']) =>
    decideAction(costed.risk[index], true, costed.worthsMinor[index], by);
  const steps = costSteps(costed, costs, DEFAULT_HOLD_AT_RISK);
  const stepPoint = (step: number): CostPoint => ({
    flaggedPerDay: steps.flagged[step] / days,
    costPerDayMinor: steps.costsMinor[step] / days,
  });
  const cheapest = cheapestStep(steps);
  return {
    days,
    costs,
    curve: thinned(steps, cheapest).map(stepPoint),
    chosen: pointOf((index) => (flagged[rows[index]] === 1 ? verdictOf(rows[index]).action : 'approve')),
    chosenByCost: decide.costs !== undefined,
    cheapest: { ...stepPoint(cheapest), threshold: steps.thresholds[cheapest] },
    byCost: pointOf((index) =>
      actionBy(index, { reviewAtRisk: Number.POSITIVE_INFINITY, holdAtRisk: Number.POSITIVE_INFINITY, costs }),
    ),
    approveAllPerDayMinor: steps.costsMinor[0] / days,
  };
}

/** Steps about evenly apart on a logarithmic axis of what they flag, with the cheapest among them. */
function thinned({ flagged }: CostSteps, cheapest: number): number[] {
  const kept: number[] = [];
  const apart = Math.max(1, flagged[flagged.length - 1]) ** (1 / CURVE_POINTS);
  let next = 1;
  for (let step = 1; step < flagged.length; step++) {
    if (flagged[step] < next && step !== cheapest && step !== flagged.length - 1) continue;
    kept.push(step);
    next = Math.max(flagged[step] + 1, flagged[step] * apart);
  }
  return kept;
}
