// What people are told of a decision: its risk, the rules that had a say and, where it is not simply approved, the reasons.
import { decisionReasons } from '../decisions/reasons/decision-reasons.ts';
import { type Reason, type ReasonInput, reasonsFor } from '../decisions/reasons/reasons.ts';
import { type ExplanationPace, explainRisk } from '../decisions/risk-model.ts';
import type { DecidedBy } from '../decisions/verdict.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { RuleAction } from '../rules/rule.ts';
import { type DecidedRow, type Decider, type FoldedBatch, sliceBatch } from './decide-transactions.ts';

export interface Decision {
  readonly transaction: Transaction;
  readonly action: RuleAction;
  readonly by: DecidedBy;
  /** Of model and rules, in [0, 1]; NaN without a model. */
  readonly risk: number;
  /** The model's own. */
  readonly modelRisk: number;
  /** `id@version` of the rules that had a say. */
  readonly rules: readonly string[];
  /** The decisive first; empty for approved transactions. */
  readonly reasons: readonly Reason[];
}

/** What the reasons must know of the data beyond the row: its local time and the currency of its features. */
export type ReasonWording = Pick<ReasonInput, 'utcOffsetMinutes' | 'historyStartMs' | 'referenceCurrency'>;

/** Among what is left out: what the model has to say of a decision. Its rules' reasons are always told. */
export const REASONS = 'reasons';

/** Decides the batch in its order; nothing is learned from it. */
export function decideBatch(batch: FoldedBatch, decider: Decider, wording: ReasonWording): Decision[] {
  const decide = decider.open(batch);
  return batch.transactions.map((_, row) => explainRow(decide(row), batch, row, decider, wording));
}

/**
 * As `decideBatch`, and what of the model learns online moves on too, row by row: each row is decided and explained by
 * what was learned before it. Where nothing learns online the decisions are the same bits.
 */
export function decideAndLearn(batch: FoldedBatch, decider: Decider, wording: ReasonWording): Decision[] {
  return batch.transactions.map((_, row) => {
    const [decision] = decideBatch(sliceBatch(batch, row, row + 1), decider, wording);
    decider.learn(batch, row);
    return decision;
  });
}

/**
 * What is told of one row that was decided.
 *
 * @param leftOut detectors that were not asked, and `REASONS`
 */
export function explainRow(
  { transaction, verdict, input }: DecidedRow,
  batch: FoldedBatch,
  row: number,
  decider: Decider,
  wording: ReasonWording,
  pace: ExplanationPace = 'thorough',
  leftOut: readonly string[] = [],
): Decision {
  const { action, by, risk, modelRisk, hits } = verdict;
  const rules = hits.map(({ rule }) => rule);
  const reasons =
    action === 'approve'
      ? []
      : decisionReasons(modelReasons(input, batch, row, decider, wording, pace, leftOut), verdict);
  return { transaction, action, by, risk, modelRisk, rules, reasons };
}

function modelReasons(
  { transaction, scores }: DecidedRow['input'],
  batch: FoldedBatch,
  row: number,
  { version: { model }, modelRow }: Decider,
  wording: ReasonWording,
  pace: ExplanationPace,
  leftOut: readonly string[],
): Reason[] {
  const matrix = modelRow(batch, row);
  if (model === null || matrix === null || leftOut.includes(REASONS)) return [];
  const contributions = explainRisk(model, matrix, 0, pace, { known: scores, leftOut });
  return reasonsFor({
    ...{ definitions: model.definitions, values: matrix.values, contributions, transaction, ...wording },
  });
}
