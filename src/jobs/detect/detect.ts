// The main job: from a file of transactions to ranked, explained anomalies.
//
// One pass reads the rows, folds their features and evaluates the rules; models are fitted and every row is scored with a
// model, and with an evidence of the rules, that knew only its past; a second pass fetches the riskiest transactions, which are explained and handed to the report.

import { qualityMask } from '../../decisions/data-quality.ts';
import type { DecisionThresholds } from '../../decisions/decision.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { createQualityTally, type QualitySummary } from '../../decisions/quality-summary.ts';
import { decisionReasons } from '../../decisions/reasons/decision-reasons.ts';
import { type Reason, reasonsFor } from '../../decisions/reasons/reasons.ts';
import { explainRisk } from '../../decisions/risk-model.ts';
import type { Verdict } from '../../decisions/verdict.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { KnownDetector } from '../../models/detectors.ts';
import type { ReasonWording } from '../../pipeline/explain-decision.ts';
import type { FeatureTable, FeatureTableOptions } from '../../pipeline/feature-table.ts';
import type { FiredRules } from '../../pipeline/rule-watch.ts';
import type { ReadSummary, TransactionReader } from '../../ports.ts';
import { unsupervisedOf } from '../../training/detector-choices.ts';
import { periodOf } from '../../training/time-line.ts';
import { readFeatures, reasonWording } from '../read-features.ts';
import type { EvaluatedRules } from '../rules/rules-over-features.ts';
import { type FetchedTransactions, fetchTransactions } from './fetch-transactions.ts';
import { type FlagOptions, flagRows } from './flag-rows.ts';
import { fitSegments, learnEvidence, scoreTable, segmentAt, type TableScores, withRules } from './score-table.ts';
import { startSecondThread, type ThreadEntry } from './second-thread.ts';
import { verdictsOf } from './verdicts.ts';

export interface DetectOptions extends FeatureTableOptions, FlagOptions {
  /** Opens the file from its beginning; called twice. */
  readonly open: () => Promise<TransactionReader>;
  /** Name of the feature catalogue; null for what the file's mapping asks for. */
  readonly catalogue: string | null;
  /** null where none take part. */
  readonly rules: EvaluatedRules | null;
  /** Names separated by commas. */
  readonly detectors: string;
  readonly known: readonly KnownDetector[];
  /** The module that the second thread runs. */
  readonly secondThread: ThreadEntry;
  /** How many of the flagged rows get a chart of the payer's history. */
  readonly top: number;
  /** A label is known this long after its transaction. */
  readonly labelDelayMs: number;
  /** At most this many rows are used per fit. */
  readonly maxTrainingRows: number;
  readonly seed: number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface Anomaly {
  readonly row: number;
  readonly transaction: Transaction;
  /** Of model and rules, and what is done by it. */
  readonly verdict: Verdict;
  /** The risk is a probability (there were labels to calibrate it on). */
  readonly calibrated: boolean;
  readonly reasons: readonly Reason[];
  readonly byDetector: readonly { readonly name: string; readonly score: number; readonly threshold: number }[];
}

export interface Detection {
  readonly read: ReadSummary;
  readonly utcOffsetMinutes: number;
  readonly definitions: readonly FeatureDefinition[];
  readonly table: FeatureTable;
  readonly scores: TableScores;
  readonly quality: QualitySummary;
  /** Riskiest first. */
  readonly flagged: Uint32Array;
  /** How the risk of a flagged row is decided. */
  readonly decide: DecisionThresholds;
  /** What is done with a flagged row, by its risk and its rules. */
  readonly verdictOf: (row: number) => Verdict;
  /** What decisions are counted with. */
  readonly costs: DecisionCosts;
  /** The flagged rows that were explained, riskiest first (at most `MAX_EXPLAINED`). */
  readonly anomalies: readonly Anomaly[];
  readonly histories: FetchedTransactions['histories'];
  /** Share of the explained rows' risk that each feature accounts for, by definition. */
  readonly drivers: Float64Array;
  readonly currencies: ReadonlyMap<string, { rows: number; amountMinor: number }>;
}

/** Explaining takes a fraction of a millisecond a row; a list beyond this length is not read by anyone. */
const MAX_EXPLAINED = 10_000;

export async function detect(options: DetectOptions): Promise<Detection> {
  const quality = createQualityTally();
  const currencies = new Map<string, { rows: number; amountMinor: number }>();
  const reader = await options.open();
  const { definitions, table, rules } = await readFeatures(reader, {
    ...options,
    onProgress: (share) => options.onProgress('reading and features', share),
    onBatch: (batch) => {
      for (const transaction of batch) {
        quality.add(qualityMask(transaction), transaction.id);
        countCurrency(currencies, transaction);
      }
    },
  });
  const scores = await fitAndScore(table, definitions, rules, options);
  const { flagged, decide: thresholds } = flagRows(table, scores, options);
  const explained = flagged.subarray(0, MAX_EXPLAINED);
  const payersWanted = new Set(
    Array.from(flagged.subarray(0, options.top), (row) => table.payers[row]).filter((payer) => payer !== 0),
  );
  const fetched = await fetchTransactions(await options.open(), explained, table.payers, payersWanted, (share) =>
    options.onProgress('fetching what was found', share),
  );
  const wording = { ...reasonWording(reader), historyStartMs: periodOf(table.timesMs)[0] };
  const verdictOf = verdictsOf(table, scores, rules, thresholds);
  const found = { table, scores, verdictOf, definitions, fetched, wording };
  const { anomalies, drivers } = explainRows(found, explained, flagged);
  return {
    read: reader.summary(),
    utcOffsetMinutes: reader.utcOffsetMinutes,
    definitions,
    table,
    scores,
    quality: quality.summary(),
    flagged,
    decide: thresholds,
    verdictOf,
    costs: options.costs,
    anomalies,
    histories: fetched.histories,
    drivers,
    currencies,
  };
}

async function fitAndScore(
  table: FeatureTable,
  definitions: readonly FeatureDefinition[],
  rules: FiredRules | null,
  options: DetectOptions,
): Promise<TableScores> {
  const second = startSecondThread(options.secondThread);
  try {
    options.onProgress('training', 0);
    const segmentOptions = {
      ...options,
      definitions,
      unsupervised: unsupervisedOf(options.detectors, options.known),
      maxRows: options.maxTrainingRows,
    };
    const fitted = await fitSegments(table, segmentOptions, second);
    const segments = rules === null ? fitted : learnEvidence(table, fitted, rules, options.labelDelayMs);
    const scores = await scoreTable(table, segments, second, (share) => options.onProgress('scoring', share));
    return rules === null ? scores : withRules(table, scores, rules);
  } finally {
    await second.stop();
  }
}

interface Found {
  readonly table: FeatureTable;
  readonly scores: TableScores;
  readonly verdictOf: Detection['verdictOf'];
  readonly definitions: readonly FeatureDefinition[];
  readonly fetched: FetchedTransactions;
  readonly wording: ReasonWording;
}

function explainRows(found: Found, rows: Uint32Array, flagged: Uint32Array) {
  const { table, scores, verdictOf, definitions, fetched, wording } = found;
  const ascending = Uint32Array.from(rows).sort();
  const matrix = table.take(ascending);
  const drivers = new Float64Array(definitions.length);
  const thresholds = detectorThresholds(scores, flagged.length);
  const byRow = new Map<number, Anomaly>();
  for (const [index, row] of ascending.entries()) {
    const segment = segmentAt(scores.segments, table.timesMs[row]);
    const { model } = scores.segments[segment];
    const contributions = explainRisk(model, matrix, index);
    for (let column = 0; column < drivers.length; column++) drivers[column] += Math.max(0, contributions[column]);
    const transaction = fetched.byRow.get(row);
    if (transaction === undefined)
      throw new Error(`row ${row} was not read again: the file changed while it was processed`);
    const values = matrix.values.subarray(index * matrix.columns, (index + 1) * matrix.columns);
    const verdict = verdictOf(row);
    byRow.set(row, {
      row,
      transaction,
      verdict,
      calibrated: isCalibrated(scores, table.timesMs[row]),
      reasons: decisionReasons(reasonsFor({ definitions, values, contributions, transaction, ...wording }), verdict),
      byDetector: [...scores.byDetector]
        .filter(([, column]) => !Number.isNaN(column[row]))
        .map(([name, column]) => ({ name, score: column[row], threshold: thresholds.get(name) ?? 1 })),
    });
  }
  return { anomalies: Array.from(rows, (row) => byRow.get(row)!), drivers };
}

function isCalibrated({ segments }: TableScores, timeMs: number): boolean {
  return segments[segmentAt(segments, timeMs)].model.stacking !== null;
}

/** For each detector the score that as many of its rows reach as are flagged: above it, it agrees. */
function detectorThresholds(scores: TableScores, count: number): Map<string, number> {
  const thresholds = new Map<string, number>();
  for (const [name, column] of scores.byDetector) {
    const scored = column.filter((score) => !Number.isNaN(score)).sort();
    const share = count / column.length;
    thresholds.set(name, scored[Math.max(0, scored.length - Math.max(1, Math.round(scored.length * share)))] ?? 1);
  }
  return thresholds;
}

function countCurrency(currencies: Map<string, { rows: number; amountMinor: number }>, transaction: Transaction): void {
  const total = currencies.get(transaction.currency);
  if (total === undefined) currencies.set(transaction.currency, { rows: 1, amountMinor: transaction.amountMinor });
  else {
    total.rows += 1;
    total.amountMinor += transaction.amountMinor;
  }
}
