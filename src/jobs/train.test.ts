// Training end to end on made-up feature rows: what the model decides with, and what is said of it.
import { describe, expect, it } from 'vitest';
import { DEFAULT_COSTS } from '../decisions/money-policy.ts';
import { createRuleVocabulary } from '../decisions/rule-names.ts';
import { createTransaction } from '../domain/transaction.ts';
import { handbookCatalogue } from '../features/catalogue/handbook.ts';
import type { FeatureEngine } from '../features/engine.ts';
import { createPrng } from '../lib/prng.ts';
import type { FittedDetector } from '../models/detector.ts';
import { createDecider, foldBatch } from '../pipeline/decide-transactions.ts';
import { FeatureTable } from '../pipeline/feature-table.ts';
import { compileRuleSet } from '../rules/rule-set.ts';
import type { DetectorChoice } from '../training/fit-risk-model.ts';
import { type TrainOptions, trainModel } from './train.ts';

const ROWS = 20_000;
const HOUR_MS = 3_600_000;
const definitions = handbookCatalogue.slice(0, 2);

/** The first feature is the probability that the label is drawn with; it is read from the id. */
const engine = {
  width: definitions.length,
  fold(transaction, out, offset = 0) {
    out[offset] = Number(transaction.id);
    out[offset + 1] = 0;
    return 'ok';
  },
} as Pick<FeatureEngine, 'fold' | 'width'> as FeatureEngine;

const transaction = (probability: number, row: number, isFraud: boolean | null, amountMinor: number) =>
  createTransaction({
    ...{ id: String(probability), eventTimeMs: row * HOUR_MS, amountMinor, currency: 'PEN', isFraud },
  });

function createTable(isLabelled: boolean): FeatureTable {
  const prng = createPrng(2);
  const table = new FeatureTable(2, {
    memoryLimitBytes: 1e9,
    openStore: () => {
      throw new Error('not needed');
    },
  });
  for (let row = 0; row < ROWS; row++) {
    const probability = 0.001 + 0.9 * prng.nextFloat() ** 30;
    const isFraud = prng.nextFloat() < probability;
    table.add(engine, transaction(probability, row, isLabelled ? isFraud : null, 100 * (1 + prng.nextBelow(2000))));
  }
  return table;
}

/** Scores a row by its first feature. */
const firstFeature: DetectorChoice = {
  name: 'first-feature',
  supervised: true,
  columns: null,
  fit: ({ features }) =>
    ({
      name: 'first-feature',
      features,
      score: ({ rows, columns, values }) => Float32Array.from({ length: rows }, (_, row) => values[row * columns]),
      explain: () => ({ contributions: Float64Array.of(1, 0), base: 0 }),
    }) as Partial<FittedDetector> as FittedDetector,
};

function train(table: FeatureTable, options: Pick<TrainOptions, 'thresholds'> & Partial<TrainOptions>) {
  return trainModel({
    features: { definitions, table, engine, rules: null },
    detectors: [firstFeature],
    labelDelayMs: 0,
    maxTrainingRows: ROWS,
    costs: DEFAULT_COSTS,
    seed: 1,
    onProgress: () => {},
    ...options,
  });
}

describe('with labels', () => {
  const table = createTable(true);

  it('the risk is told beside what happened, and holds', () => {
    const { metrics } = train(table, { thresholds: { by: 'share', reviewShare: 0.01 } });
    const reliability = metrics.reliability!;
    expect(metrics.calibration).toBe('as-is');
    expect(reliability.reduce((sum, { rows }) => sum + rows, 0)).toBe(metrics.evaluatedRows);
    const held = reliability.filter(
      ({ meanProbability, interval }) => interval.low <= meanProbability && meanProbability <= interval.high,
    );
    expect(held.length / reliability.length).toBeGreaterThan(0.75);
  });

  it('decisions by cost are cheaper than those by share and by capacity, and are what the model decides', () => {
    const costOf = (thresholds: TrainOptions['thresholds']) =>
      train(table, { thresholds }).metrics.policy!.costPerDay!.policySoles;
    const { model, decide, thresholds, metrics } = train(table, { thresholds: { by: 'cost', reviewShare: 0.01 } });
    const byCost = metrics.policy!.costPerDay!;
    expect(thresholds).toEqual({ by: 'cost', reviewShare: 0.01, costs: DEFAULT_COSTS });
    expect(byCost.policySoles).toBeLessThan(costOf({ by: 'share', reviewShare: 0.01 }));
    expect(byCost.policySoles).toBeLessThan(costOf({ by: 'capacity', reviewCapacityPerDay: 2 }));
    expect(byCost.policySoles).toBeLessThan(byCost.approveAllSoles);
    const batch = [1, 100, 2_000_00, 50_000_00].map((amountMinor) => transaction(0.05, ROWS, null, amountMinor));
    const { set } = compileRuleSet([], createRuleVocabulary(definitions, []));
    const policy = { thresholds: decide, control: null, severest: null };
    const decider = createDecider({ rules: set!, model, policy, overrides: [] }, definitions);
    const decideRow = decider.open(foldBatch(batch, engine));
    expect(batch.map((_, row) => decideRow(row).verdict.action)).toEqual(['approve', 'approve', 'review', 'hold']);
  });
});

describe('without labels', () => {
  const table = createTable(false);
  const unsupervised = { detectors: [{ ...firstFeature, supervised: false }] };

  it('one in N of the later rows is flagged, within the errors of counting', () => {
    const { decide, thresholds, metrics } = train(table, {
      ...unsupervised,
      thresholds: { by: 'one-in', flagOneIn: 50 },
    });
    if (thresholds.by !== 'one-in') throw new Error('not as wished');
    const { rows, share } = thresholds.measured;
    expect(rows).toBe(metrics.evaluatedRows);
    // Reference rows and later rows are about as many, and both are samples.
    expect(Math.abs(share - 0.02)).toBeLessThan(4 * Math.sqrt((0.02 * 0.98 * 2) / rows));
    expect(decide.reviewAtRisk).toBeCloseTo(0.98, 6);
    expect(metrics.policy).toMatchObject({ heldPerDay: 0, costPerDay: null });
    expect(metrics.reliability).toBe(null);
  });

  it('there are no decisions by cost', () => {
    const thresholds = { by: 'cost', reviewShare: 0.01 } as const;
    expect(() => train(table, { ...unsupervised, thresholds })).toThrow('need probabilities');
  });
});
