// Which rows of a scored table are flagged: a share of them, the riskiest; or those that money says to review or hold.
//
// A share is also what "one in a thousand" means here: the table ranks the rows it was made from, and among themselves the
// thousandth part is exactly that. Rows to come are another matter; `train --flag-one-in` compares them with rows that
// the detectors did not learn from.
import { DEFAULT_HOLD_AT_RISK, type DecisionThresholds, decideAction } from '../../decisions/decision.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { InputError } from '../../lib/errors.ts';
import type { FeatureTable } from '../../pipeline/feature-table.ts';
import { riskiestRows, segmentAt, type TableScores } from './score-table.ts';

export interface FlagOptions {
  /** Share of the rows that is flagged, in (0, 1]; with `byCost` only of those without a worth. */
  readonly reviewShare: number;
  readonly byCost: boolean;
  readonly costs: DecisionCosts;
}

export interface Flagging {
  /** Riskiest first. */
  readonly flagged: Uint32Array;
  /** How a flagged row is decided. */
  readonly decide: DecisionThresholds;
}

/** @throws InputError for decisions by cost where the risks are no probabilities */
export function flagRows(
  table: FeatureTable,
  scores: TableScores,
  { reviewShare, byCost, costs }: FlagOptions,
): Flagging {
  const riskiest = riskiestRows(scores.ranking, Math.ceil(table.rows * reviewShare));
  const levels = { reviewAtRisk: 0, holdAtRisk: DEFAULT_HOLD_AT_RISK };
  if (!byCost) return { flagged: riskiest, decide: levels };
  if (scores.segments.some(({ model }) => model.stacking === null)) {
    throw new InputError(
      'COSTS_NEED_LABELS',
      'Decisions by cost need probabilities, and the file has too few labelled frauds to learn them',
      'Leave out --thresholds cost: a share of the transactions is flagged then',
    );
  }
  const { timesMs, worthsMinor } = table;
  const decide = { ...levels, reviewAtRisk: scores.risk[riskiest[riskiest.length - 1]], costs };
  const flagged = riskiestRows(scores.ranking, table.rows).filter(
    (row) =>
      segmentAt(scores.segments, timesMs[row]) >= 0 &&
      decideAction(scores.risk[row], true, worthsMinor[row], decide) !== 'approve',
  );
  return { flagged, decide };
}
