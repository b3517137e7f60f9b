// The in-process pipeline: transactions in order → features → risk → decision, with reasons for those that are flagged.
import { type DecisionThresholds, decideAction } from '../decisions/decision.ts';
import type { DecisionAction } from '../decisions/decision-action.ts';
import { type Reason, type ReasonInput, reasonsFor } from '../decisions/reasons/reasons.ts';
import { explainRisk, type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { worthInSolesMinor } from '../domain/exchange-rates.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { FeatureEngine } from '../features/engine.ts';
import { createMatrix } from '../models/matrix.ts';

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
  engine: FeatureEngine,
  model: RiskModel,
  thresholds: DecisionThresholds,
  wording: ReasonWording,
): Decision[] {
  const { definitions } = model;
  const matrix = createMatrix(batch.length, definitions.length);
  const row = new Float64Array(definitions.length);
  batch.forEach((transaction, index) => {
    engine.fold(transaction, row, 0);
    matrix.values.set(row, index * definitions.length);
  });
  const { risk } = scoreRisk(model, matrix);
  return batch.map((transaction, index) => {
    const worthMinor = worthInSolesMinor(transaction.amountMinor, transaction.currency);
    const action = decideAction(risk[index], model.stacking !== null, worthMinor, thresholds);
    if (action === 'approve') return { transaction, risk: risk[index], action, reasons: [] };
    const values = matrix.values.subarray(index * matrix.columns, (index + 1) * matrix.columns);
    const contributions = explainRisk(model, matrix, index);
    return {
      transaction,
      risk: risk[index],
      action,
      reasons: reasonsFor({ definitions, values, contributions, transaction, ...wording }),
    };
  });
}
