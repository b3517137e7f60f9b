// What the streaming benchmarks decide with: models trained on simulated Peru, rules, and its transactions as records.
import { decodeControl, decodeLabel } from '../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../src/adapters/formats/transaction-value.ts';
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../src/cli/rule-files.ts';
import { DEFAULT_COSTS } from '../src/decisions/money-policy.ts';
import { REFERENCE_RATES_TO_PEN } from '../src/domain/exchange-rates.ts';
import type { Transaction } from '../src/domain/transaction.ts';
import { defaultCatalogue } from '../src/features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../src/features/engine.ts';
import { watchRules } from '../src/jobs/read-features.ts';
import { type EvaluatedRules, NO_RULES } from '../src/jobs/rules/rules-over-features.ts';
import { type StreamSetup, streamSetup } from '../src/jobs/stream/stream-setup.ts';
import { trainModel } from '../src/jobs/train.ts';
import { FeatureTable } from '../src/pipeline/feature-table.ts';
import { withLateLabels } from '../src/pipeline/late-labels.ts';
import type { StoredModel } from '../src/registry/model-store.ts';
import { createSimulator } from '../src/simulate/simulator.ts';
import { detectorChoices } from '../src/training/detector-choices.ts';

export const DECODERS = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };

export interface BenchStream extends StreamSetup {
  /** In their order of arrival, without labels. */
  readonly transactions: readonly Transaction[];
  readonly detectors: readonly string[];
}

export interface BenchStreamOptions {
  readonly detectors: string;
  readonly rules: number;
  readonly customers: number;
  /** Learned from. */
  readonly historyDays: number;
  /** Streamed. */
  readonly liveDays: number;
  readonly seed: number;
}

export interface TrainedStream extends Pick<BenchStream, 'transactions'> {
  readonly model: StoredModel;
  readonly rules: EvaluatedRules;
}

/** The customers whose transactions are streamed are the ones that the model learned from; the state begins empty. */
export async function benchStream(options: BenchStreamOptions): Promise<BenchStream> {
  const { model, rules, transactions } = await trainedStream(options);
  const setup = streamSetup({
    ...{ model, rules, catalogue: null, decoders: DECODERS },
    loadModel: async () => model,
  });
  return { ...setup, transactions, detectors: model.model.parts.map(({ detector }) => detector.name) };
}

export async function trainedStream(options: BenchStreamOptions): Promise<TrainedStream> {
  const { customers, historyDays, liveDays, seed } = options;
  const { rules: placed } = await readPlacedRules(BUILT_IN_RULES);
  const known = detectorsHere();
  const rules: EvaluatedRules = {
    ...{ ...NO_RULES, placed: placed.slice(0, options.rules) },
    detectors: known.map(({ name }) => name),
  };
  const engine = withLateLabels(createFeatureEngine(defaultCatalogue, { exchangeRates: REFERENCE_RATES_TO_PEN }));
  const watch = watchRules(engine, defaultCatalogue, rules);
  const table = new FeatureTable(defaultCatalogue.length, {
    memoryLimitBytes: 4e9,
    openStore: () => {
      throw new Error('rows do not fit in memory: simulate fewer');
    },
  });
  const transactions: Transaction[] = [];
  let firstMs = Number.NaN;
  for (const batch of createSimulator({ customers, days: historyDays + liveDays, seed }).batches()) {
    for (const transaction of batch) {
      if (Number.isNaN(firstMs)) firstMs = transaction.eventTimeMs;
      if (transaction.eventTimeMs < firstMs + historyDays * 86_400_000) table.add(watch, transaction);
      else transactions.push({ ...transaction, isFraud: null, typology: null, labelTimeMs: null });
    }
  }
  const { model, decide } = trainModel({
    features: { definitions: defaultCatalogue, table, engine, rules: watch.firedRules() },
    detectors: detectorChoices(options.detectors, known),
    ...{ labelDelayMs: 3 * 86_400_000, maxTrainingRows: 150_000, costs: DEFAULT_COSTS, seed },
    thresholds: { by: 'share', reviewShare: 0.005 },
    onProgress: () => undefined,
  });
  const stored: StoredModel = {
    ...{ id: 'bench@1', model },
    description: {
      ...{ createdAt: '', utcOffsetMinutes: -300, reviewAtRisk: decide.reviewAtRisk, metrics: {} },
      trainedOn: { rows: table.rows, fromMs: 0, toMs: 0, seed },
    },
  };
  table.close();
  return { model: stored, rules, transactions };
}

/** As a bank would send it: what is missing is left out. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  const given = Object.fromEntries(Object.entries(transaction).filter(([, value]) => value !== null));
  return new TextEncoder().encode(JSON.stringify(given));
}
