// The demonstration: a simulated bank whose first weeks are learned from and whose next days are decided as they happen.
import { DEFAULT_COSTS } from '../decisions/money-policy.ts';
import { REFERENCE_RATES_TO_PEN } from '../domain/exchange-rates.ts';
import { SECURITY_OPERATIONS, type Transaction } from '../domain/transaction.ts';
import { defaultCatalogue } from '../features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../features/engine.ts';
import { createDecider, foldBatch } from '../pipeline/decide-transactions.ts';
import { type Decision, decideBatch } from '../pipeline/explain-decision.ts';
import { FeatureTable, type FeatureTableOptions } from '../pipeline/feature-table.ts';
import { type FeatureFold, withLateLabels } from '../pipeline/late-labels.ts';
import type { RuleWatch } from '../pipeline/rule-watch.ts';
import { createSimulator } from '../simulate/simulator.ts';
import type { DetectorChoice } from '../training/fit-risk-model.ts';
import { watchRules } from './read-features.ts';
import { type EvaluatedRules, NO_RULES, rulesOverFeatures } from './rules/rules-over-features.ts';
import { trainModel } from './train.ts';

export interface DemoOptions extends FeatureTableOptions {
  readonly customers: number;
  /** Days that are learned from. */
  readonly historyDays: number;
  /** Days that are decided live. */
  readonly liveDays: number;
  readonly seed: number;
  readonly labelDelayMs: number;
  readonly reviewShare: number;
  readonly detectors: readonly DetectorChoice[];
  readonly rules: EvaluatedRules | null;
  readonly onProgress: (what: string, share: number) => void;
  readonly onTrained: (training: DemoTraining) => void;
  /** Awaited after each batch, so that the pace is the caller's. */
  readonly onDecisions: (decisions: readonly Decision[], totals: DemoTotals) => Promise<void>;
}

export interface DemoTraining {
  readonly rows: number;
  readonly frauds: number;
  readonly features: number;
  readonly averagePrecision: number | null;
  readonly reviewAtRisk: number;
}

export interface DemoTotals {
  rows: number;
  flagged: number;
  flaggedFrauds: number;
  frauds: number;
  /** Céntimos of frauds flagged and of all, in PEN. */
  caughtMinor: number;
  fraudMinor: number;
}

const DAY_MS = 86_400_000;
const BATCH_ROWS = 64;

/** Runs to the end of the simulated days. */
export async function runDemo(options: DemoOptions): Promise<DemoTotals> {
  const days = options.historyDays + options.liveDays;
  const simulator = createSimulator({ customers: options.customers, days, seed: options.seed });
  const engine = withLateLabels(createFeatureEngine(defaultCatalogue, { exchangeRates: REFERENCE_RATES_TO_PEN }));
  const watch = options.rules === null ? null : watchRules(engine, defaultCatalogue, options.rules);
  const table = new FeatureTable(defaultCatalogue.length, options);
  const totals: DemoTotals = { rows: 0, flagged: 0, flaggedFrauds: 0, frauds: 0, caughtMinor: 0, fraudMinor: 0 };
  let live: ((batch: readonly Transaction[]) => Promise<void>) | null = null;
  let firstMs = Number.NaN;
  let frauds = 0;
  for (const batch of simulator.batches()) {
    for (let start = 0; start < batch.length; start += BATCH_ROWS) {
      const part = batch.slice(start, start + BATCH_ROWS);
      if (Number.isNaN(firstMs)) firstMs = part[0].eventTimeMs;
      const elapsedMs = arrivalMs(part[0]) - firstMs;
      if (live === null && elapsedMs >= options.historyDays * DAY_MS)
        live = startLive(options, engine, watch, table, frauds, totals);
      if (live !== null) await live(part);
      else {
        for (const transaction of part) {
          table.add(watch ?? engine, transaction);
          if (transaction.isFraud === true) frauds += 1;
        }
        options.onProgress('learning the habits', elapsedMs / (options.historyDays * DAY_MS));
      }
    }
  }
  return totals;
}

function startLive(
  options: DemoOptions,
  engine: FeatureFold,
  watch: RuleWatch | null,
  table: FeatureTable,
  frauds: number,
  totals: DemoTotals,
) {
  const { model, decide, metrics } = trainModel({
    features: { definitions: defaultCatalogue, table, engine, rules: watch?.firedRules() ?? null },
    detectors: options.detectors,
    labelDelayMs: options.labelDelayMs,
    maxTrainingRows: table.rows,
    thresholds: { by: 'share', reviewShare: options.reviewShare },
    costs: DEFAULT_COSTS,
    seed: options.seed,
    onProgress: options.onProgress,
  });
  options.onTrained({
    rows: table.rows,
    frauds,
    features: defaultCatalogue.length,
    averagePrecision: metrics.averagePrecision,
    reviewAtRisk: decide.reviewAtRisk,
  });
  table.close();
  const rules = rulesOverFeatures(options.rules ?? NO_RULES, {
    definitions: defaultCatalogue,
    scored: model.parts.map(({ detector }) => detector.name),
  });
  const policy = { thresholds: decide, control: null, severest: null };
  const decider = createDecider({ rules, model, policy, overrides: [] }, defaultCatalogue);
  return async (batch: readonly Transaction[]) => {
    const decisions = decideBatch(foldBatch(batch, engine), decider, { referenceCurrency: 'PEN' });
    for (const decision of decisions) count(totals, decision);
    await options.onDecisions(decisions, totals);
  };
}

function count(totals: DemoTotals, { transaction, action }: Decision): void {
  const flagged = action !== 'approve';
  const amountMinor = transaction.currency === 'PEN' ? Math.abs(transaction.amountMinor) : 0;
  totals.rows += 1;
  if (flagged) totals.flagged += 1;
  if (transaction.isFraud !== true || SECURITY_OPERATIONS.has(transaction.operation)) return;
  totals.frauds += 1;
  totals.fraudMinor += amountMinor;
  if (!flagged) return;
  totals.flaggedFrauds += 1;
  totals.caughtMinor += amountMinor;
}

/** When the bank received it: the order of the stream. */
function arrivalMs(transaction: Transaction): number {
  return transaction.ingestTimeMs ?? transaction.eventTimeMs;
}
