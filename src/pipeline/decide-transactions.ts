// Transactions in order → features → scores and rules → one verdict each. Everything that decides does it through this, so
// that what is replayed is what would have been done.
//
// A batch is folded once; any number of versions (rules, model, policy) then decide it from the same features. What the
// model learns online moves on only where it is told to, row by row: each is decided by what was learned before it.
import { doubtsOf } from '../decisions/combined-risk.ts';
import { codesOfMask, qualityMask } from '../decisions/data-quality.ts';
import { ASK_ALL, type Asking, learnRow, type RiskModel, type RiskScores, scoreRisk } from '../decisions/risk-model.ts';
import type { RuleInput } from '../decisions/rule-names.ts';
import {
  decide,
  hitsOf,
  type RuleOverride,
  type Verdict,
  type VerdictInput,
  type VerdictPolicy,
} from '../decisions/verdict.ts';
import { worthInSolesMinor } from '../domain/exchange-rates.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { FeatureDefinition } from '../features/definition.ts';
import type { FoldResult } from '../features/engine.ts';
import { createMatrix, type Matrix } from '../models/matrix.ts';
import type { Rule } from '../rules/rule.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import type { FeatureFold } from './late-labels.ts';

export interface FoldedBatch {
  readonly transactions: readonly Transaction[];
  /** Row by row, in the order of the engine's definitions. */
  readonly features: Float64Array;
  readonly width: number;
  readonly results: readonly FoldResult[];
  readonly findings: readonly (readonly string[])[];
  /** Céntimos of soles, NaN where it is not known. */
  readonly worthsMinor: Float64Array;
}

/** All that decides besides the transactions so far. */
export interface DecisionVersion {
  /** Compiled with a vocabulary over the engine's definitions and the model's detectors, in their order. */
  readonly rules: RuleSet<RuleInput>;
  readonly model: RiskModel | null;
  readonly policy: VerdictPolicy;
  readonly overrides: readonly RuleOverride[];
}

/** One transaction decided; `fired` and the scores of `input` are filled anew for the next. */
export interface DecidedRow {
  readonly transaction: Transaction;
  readonly given: VerdictInput;
  readonly verdict: Verdict;
  readonly fired: Uint8Array;
  readonly input: RuleInput;
}

export interface Decider {
  readonly version: DecisionVersion;
  /** Scores the batch at once; what it returns decides one of its rows. */
  open(batch: FoldedBatch, asking?: Asking): (row: number) => DecidedRow;
  /** The row's features as the model reads them, one row; null without a model. */
  modelRow(batch: FoldedBatch, row: number): Matrix | null;
  /** What of the model learns online moves on past the row. */
  learn(batch: FoldedBatch, row: number): void;
}

const NO_HITS: ReturnType<typeof hitsOf> = { hits: [], silenced: [] };

/** The engine's state moves on past the batch. */
export function foldBatch(transactions: readonly Transaction[], engine: FeatureFold): FoldedBatch {
  const { width } = engine;
  const features = new Float64Array(transactions.length * width);
  const results = transactions.map((transaction, row) => engine.fold(transaction, features, row * width));
  const findings = transactions.map((transaction) => codesOfMask(qualityMask(transaction)));
  const worthsMinor = Float64Array.from(transactions, ({ amountMinor, currency }) =>
    worthInSolesMinor(amountMinor, currency),
  );
  return { transactions, features, width, results, findings, worthsMinor };
}

/** Rows `[from, to)` as a batch of their own, over the same memory. */
export function sliceBatch(batch: FoldedBatch, from: number, to: number): FoldedBatch {
  const { width } = batch;
  return {
    transactions: batch.transactions.slice(from, to),
    features: batch.features.subarray(from * width, to * width),
    width,
    results: batch.results.slice(from, to),
    findings: batch.findings.slice(from, to),
    worthsMinor: batch.worthsMinor.subarray(from, to),
  };
}

/** @param definitions the engine's, in their order */
export function createDecider(version: DecisionVersion, definitions: readonly FeatureDefinition[]): Decider {
  const { rules, model, policy } = version;
  const columns = model === null ? null : columnsOf(model, definitions);
  const calibrated = model !== null && model.stacking !== null;
  const isOverridden = overrideCheck(version.overrides);
  const doubts = doubtsOf(rules.rules, model);
  const fired = new Uint8Array(rules.rules.length);
  const scores = new Float64Array(model?.parts.length ?? 0);
  return {
    version,
    open(batch, asking = ASK_ALL) {
      const { transactions, features, width, findings, worthsMinor } = batch;
      const scored = model === null || columns === null ? null : scoreRisk(model, matrixOf(batch, columns), asking);
      return (row) => {
        const transaction = transactions[row];
        if (scored !== null) takeScores(scored, row, scores);
        const risk = scored === null ? Number.NaN : scored.risk[row];
        const offset = row * width;
        const input: RuleInput = { transaction, features, offset, risk, scores, findings: findings[row], fired };
        const count = rules.evaluate(input, transaction.eventTimeMs, fired);
        const { hits, silenced } =
          count === 0
            ? NO_HITS
            : hitsOf(
                ...([rules.rules, fired, doubts] as const),
                (rule) => isOverridden(rule, transaction),
                (rule) => rules.listed(rule, input),
              );
        const given: VerdictInput = {
          ...{ id: transaction.id, modelRisk: risk, unscored: model !== null, calibrated },
          ...{ amountMinor: worthsMinor[row], hits, silenced },
        };
        const verdict = decide(given, policy);
        // What is flagged may be explained later, when the scores are another row's.
        const kept = verdict.action === 'approve' ? input : { ...input, scores: scores.slice() };
        return { transaction, given, verdict, fired, input: kept };
      };
    },
    modelRow,
    learn(batch, row) {
      const matrix = modelRow(batch, row);
      if (model !== null && matrix !== null) learnRow(model, matrix, 0);
    },
  };

  function modelRow(batch: FoldedBatch, row: number): Matrix | null {
    return columns === null ? null : matrixOf(sliceBatch(batch, row, row + 1), columns);
  }
}

function columnsOf(model: RiskModel, definitions: readonly FeatureDefinition[]): Int32Array {
  const places = new Map(definitions.map(({ id }, column) => [id, column]));
  return Int32Array.from(model.definitions, ({ id }) => {
    const column = places.get(id);
    if (column === undefined) throw new RangeError(`the engine does not compute ${id}, which the model reads`);
    return column;
  });
}

function matrixOf({ transactions, features, width }: FoldedBatch, columns: Int32Array): Matrix {
  const matrix = createMatrix(transactions.length, columns.length);
  for (let row = 0; row < transactions.length; row++) {
    for (let i = 0; i < columns.length; i++) {
      matrix.values[row * columns.length + i] = features[row * width + columns[i]];
    }
  }
  return matrix;
}

function takeScores({ parts }: RiskScores, row: number, into: Float64Array): void {
  for (let i = 0; i < parts.length; i++) into[i] = parts[i][row];
}

function overrideCheck(overrides: readonly RuleOverride[]): (rule: Rule, transaction: Transaction) => boolean {
  const byRule = new Map<string, RuleOverride[]>();
  for (const override of overrides) {
    byRule.set(override.ruleId, [...(byRule.get(override.ruleId) ?? []), override]);
  }
  return ({ id }, transaction) =>
    byRule
      .get(id)
      ?.some(({ field, value, untilMs }) => transaction[field] === value && transaction.eventTimeMs < untilMs) ?? false;
}
