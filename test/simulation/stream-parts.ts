// What the simulated stream decides with: a few features of the default catalogue, three sets of rules, a small model that
// is trained once. Real parts, only small.
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { DEFAULT_GOVERNOR } from '../../src/decisions/governor.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { createFeatureEngine } from '../../src/features/engine.ts';
import { readRuleFile } from '../../src/jobs/rules/check-rules.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { liveVersions } from '../../src/jobs/stream/live-versions.ts';
import { trainModel } from '../../src/jobs/train.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { FeatureTable } from '../../src/pipeline/feature-table.ts';
import { withLateLabels } from '../../src/pipeline/late-labels.ts';
import { type PartitionSetup, partitionSetup, type VersionSource } from '../../src/pipeline/stream/versions.ts';
import type { StoredModel } from '../../src/registry/model-store.ts';
import { ModelError } from '../../src/registry/packed-model.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';

const FEATURES: ReadonlySet<string> = new Set([
  ...['amount', 'night', 'payer_count_1h', 'payer_count_1d', 'payer_amount_mean_7d', 'payer_distinct_counterparty_1d'],
  ...['payer_is_new', 'payer_claim_count_30d', 'payee_count_1d', 'payee_distinct_payer_1d', 'terminal_fraud_count_7d'],
  ...['terminal_fraud_rate_smoothed_7d'],
]);
const DEFINITIONS = defaultCatalogue.filter(({ id }) => FEATURES.has(id));
const MAX_IDS = 8192;
export const MODEL = 'chico@1';
const HOUR_MS = 3_600_000;

const rule = (id: string, version: number, action: string, when: string) => `  - id: ${id}
    version: ${version}
    name: { es: Regla de prueba, en: Test rule }
    owner: pruebas
    severity: high
    reason: ABANICO_SALIDA
    action: ${action}
    when: ${when}
`;

/** Files of rules that are right. */
export const RULES: readonly string[] = [
  `rules:\n${rule('many-in-an-hour', 1, 'review', 'payer_count_1h >= 2')}${rule('large', 1, 'decline', 'amount > 3000')}`,
  `rules:\n${rule('many-in-an-hour', 2, 'hold', 'payer_count_1h >= 3 or payee_distinct_payer_1d >= 3')}`,
  `rules:\n${rule('frauds-at-terminal', 1, 'challenge', 'terminal_fraud_count_7d >= 1')}${rule('above-habit', 1, 'decline', 'amount > 2 * payer_amount_mean_7d')}`,
];

/** And such as cannot be used anywhere. */
export const BROKEN_RULES: readonly string[] = [
  'rules: [',
  `rules:\n${rule('misspelt', 1, 'review', 'payer_cuont_1h >= 2')}`,
  `rules:\n${rule('without-action', 1, 'explode', 'amount > 1')}`,
];

let trained: StoredModel | null = null;

function smallModel(): StoredModel {
  if (trained !== null) return trained;
  const prng = createPrng(5);
  const engine = withLateLabels(createFeatureEngine(DEFINITIONS));
  const table = new FeatureTable(DEFINITIONS.length, {
    memoryLimitBytes: 1e8,
    openStore: () => {
      throw new Error('too many rows for a small model');
    },
  });
  for (let row = 0; row < 2000; row++) {
    const isFraud = prng.nextFloat() < 0.05;
    const transaction = createTransaction({
      ...{ isFraud, operation: isFraud ? 'transfer' : 'purchase' },
      ...{ id: `m-${row}`, eventTimeMs: row * 1_000_000, currency: 'PEN', payerId: `p${prng.nextBelow(8)}` },
      ...{ amountMinor: 100 + prng.nextBelow(isFraud ? 900_000 : 300_000), payeeId: `b${prng.nextBelow(5)}` },
    });
    table.add(engine, transaction);
  }
  const { model, decide } = trainModel({
    features: { definitions: DEFINITIONS, table, engine, rules: null },
    detectors: detectorChoices('gbdt,hbos', detectorsHere()),
    ...{ labelDelayMs: 0, maxTrainingRows: 2000, costs: DEFAULT_COSTS, seed: 1, onProgress: () => undefined },
    thresholds: { by: 'share', reviewShare: 0.05 },
  });
  trained = {
    ...{ id: MODEL, model },
    description: {
      ...{ createdAt: '', utcOffsetMinutes: -300, reviewAtRisk: decide.reviewAtRisk, metrics: {} },
      trainedOn: { rows: 2000, fromMs: 0, toMs: 0, seed: 1 },
    },
  };
  return trained;
}

export function simulatedSetup(): PartitionSetup {
  const governor = {
    ...DEFAULT_GOVERNOR,
    windowMs: 6 * HOUR_MS,
    maxBlockedShare: 0.3,
    minTransactions: 8,
    maxAlerts: 40,
  };
  return partitionSetup(
    DEFINITIONS,
    { latenessMs: 24 * HOUR_MS, jumpMs: 20 * 24 * HOUR_MS, jumpConfirmations: 3 },
    { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl },
    { governor: { ...governor, calmMs: HOUR_MS }, wording: { referenceCurrency: 'PEN' }, maxIds: MAX_IDS },
  );
}

/**
 * @param reach called before a model is loaded; may throw what a store throws
 * @param through what becomes of each detector in this process
 */
export function simulatedVersions(
  reach: () => Promise<void>,
  through: (detector: FittedDetector) => FittedDetector = (detector) => detector,
): VersionSource {
  return liveVersions({
    ...{ model: null, control: null },
    rules: { ...NO_RULES, placed: readRuleFile({ path: 'initial.yaml', text: RULES[0] }).rules, detectors: ['hbos'] },
    async loadModel(id) {
      await reach();
      if (id !== MODEL) throw new ModelError(`there is no model '${id}'; there are ${MODEL}`);
      const stored = smallModel();
      const parts = stored.model.parts.map((part) => ({ ...part, detector: through(part.detector) }));
      return { ...stored, model: { ...stored.model, parts } };
    },
  });
}
