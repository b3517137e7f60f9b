// The in-process pipeline: transactions in order → features → risk → decision, with reasons for those that are flagged.
import { type DecisionThresholds, decideAction } from '../decisions/decision.ts';
import type { DecisionAction } from '../decisions/decision-action.ts';
import { type Reason, type ReasonInput, reasonsFor } from '../decisions/reasons/reasons.ts';
import { explainRisk, learnRow, type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { worthInSolesMinor } from '../domain/exchange-rates.ts';
import type { Transaction } from '../domain/transaction.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../models/matrix.ts';
import type { FeatureFold } from './late-labels.ts';

export interface Decision {
  readonly transaction: Transaction;
  /** In [0, 1]. */
  readonly risk: number;
  readonly action: DecisionAction;
  /** Empty for approved transactions. */
  readonly reasons: readonly Reason[];
}

/** What the reasons must know of the data beyond the row: its local time and the currency of its features. */
export type ReasonWording = Pick<ReasonInput, 'utcOffsetMinutes' | 'historyStartMs' | 'referenceCurrency'>;

/** Decides the batch in its order; the engine's state moves on past it. */
export function scoreTransactions(
  batch: readonly Transaction[],
  engine: FeatureFold,
  model: RiskModel,
  thresholds: DecisionThresholds,
  wording: ReasonWording,
): Decision[] {
  return decideRows(batch, foldBatch(batch, engine, model), model, thresholds, wording);
}

/**
 * As `scoreTransactions`, and what of the model learns online moves on too, row by row: each row is decided and explained
 * by what was learned before it. Where nothing learns online the decisions are the same bits.
 */
export function scoreAndLearn(
  batch: readonly Transaction[],
  engine: FeatureFold,
  model: RiskModel,
  thresholds: DecisionThresholds,
  wording: ReasonWording,
): Decision[] {
  const matrix = foldBatch(batch, engine, model);
  return batch.flatMap((transaction, row) => {
    const decisions = decideRows([transaction], sliceRows(matrix, row, row + 1), model, thresholds, wording);
    learnRow(model, matrix, row);
    return decisions;
  });
}

function foldBatch(batch: readonly Transaction[], engine: FeatureFold, { definitions }: RiskModel): Matrix {
  const matrix = createMatrix(batch.length, definitions.length);
  const row = new Float64Array(definitions.length);
  batch.forEach((transaction, index) => {
    engine.fold(transaction, row, 0);
    matrix.values.set(row, index * definitions.length);
  });
  return matrix;
}

function decideRows(
  transactions: readonly Transaction[],
  matrix: Matrix,
  model: RiskModel,
  thresholds: DecisionThresholds,
  wording: ReasonWording,
): Decision[] {
  const { definitions } = model;
  const { risk } = scoreRisk(model, matrix);
  return transactions.map((transaction, index) => {
    const worthMinor = worthInSolesMinor(transaction.amountMinor, transaction.currency);
    const action = decideAction(risk[index], model.stacking !== null, worthMinor, thresholds);
    if (action === 'approve') return { transaction, risk: risk[index], action, reasons: [] };
    const values = rowOf(matrix, index);
    const contributions = explainRisk(model, matrix, index);
    return {
      transaction,
      risk: risk[index],
      action,
      reasons: reasonsFor({ definitions, values, contributions, transaction, ...wording }),
    };
  });
}
