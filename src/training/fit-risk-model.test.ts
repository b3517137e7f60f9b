import { expect, test } from 'vitest';
import { scoreRisk } from '../decisions/risk-model.ts';
import { handbookCatalogue } from '../features/catalogue/handbook.ts';
import { createPrng } from '../lib/prng.ts';
import type { FittedDetector, TrainingData } from '../models/detector.ts';
import { createMatrix, takeRows } from '../models/matrix.ts';
import { type DetectorChoice, fitRiskModel } from './fit-risk-model.ts';

const ROWS = 4000;
const HOUR_MS = 3_600_000;

/** Fraud is likelier where the first feature is high; the labels of the last rows are not known yet. */
function createTable() {
  const prng = createPrng(5);
  const matrix = createMatrix(ROWS, 2);
  const labels = new Int8Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    labels[row] = prng.nextFloat() < 0.05 ? 1 : 0;
    matrix.values[row * 2] = prng.nextFloat() * 0.6 + (labels[row] === 1 ? 0.35 : 0);
    matrix.values[row * 2 + 1] = prng.nextFloat();
  }
  const timesMs = Float64Array.from({ length: ROWS }, (_, row) => row * HOUR_MS);
  return { rows: ROWS, timesMs, labels, matrix, take: (rows: Uint32Array) => takeRows(matrix, rows) };
}

/** Scores a row by its first feature and remembers what it was fitted on. */
function probe(name: string, supervised: boolean, seen: TrainingData[]): DetectorChoice {
  return {
    name,
    supervised,
    columns: supervised ? null : [0],
    fit(data) {
      seen.push(data);
      const { columns } = data.matrix;
      const detector: Partial<FittedDetector> = {
        name,
        features: data.features,
        score: ({ rows, values }) =>
          Float32Array.from({ length: rows }, (_, row) => Math.min(0.999, values[row * columns])),
      };
      return detector as FittedDetector;
    },
  };
}

const definitions = handbookCatalogue.slice(0, 2);
const options = { definitions, endMs: ROWS * HOUR_MS, labelDelayMs: 0, stackingShare: 0.25, maxRows: 1e6, seed: 1 };

test('with labels the risk is a calibrated probability', () => {
  const table = createTable();
  const model = fitRiskModel(table, { ...options, detectors: [probe('trees', true, []), probe('forest', false, [])] });
  expect(model.stacking).not.toBe(null);
  const { risk } = scoreRisk(model, table.matrix);
  const frauds = table.labels.reduce((sum, label) => sum + label, 0);
  expect(risk.reduce((sum, p) => sum + p, 0) / frauds).toBeGreaterThan(0.8);
  expect(risk.reduce((sum, p) => sum + p, 0) / frauds).toBeLessThan(1.2);
});

test('a supervised detector sees only labels known before the end, and not the rows it is combined on', () => {
  const seen: TrainingData[] = [];
  const endMs = 2000 * HOUR_MS;
  fitRiskModel(createTable(), {
    ...options,
    endMs,
    labelDelayMs: 400 * HOUR_MS,
    detectors: [probe('trees', true, seen)],
  });
  // Labels until hour 1600; the last quarter of the period (which begins at hour 4: its first rows are not trusted) is
  // for the stacking.
  expect(seen[0].matrix.rows).toBe(1201);
});

test('an unsupervised detector gets no labels and only its columns', () => {
  const seen: TrainingData[] = [];
  fitRiskModel(createTable(), { ...options, detectors: [probe('forest', false, seen)] });
  expect(seen[0].labels).toBe(null);
  expect(seen[0].matrix.columns).toBe(1);
  expect(seen[0].features).toEqual([definitions[0].id]);
});

test('without labels the risk is one minus a p-value', () => {
  const table = createTable();
  table.labels.fill(-1);
  const model = fitRiskModel(table, { ...options, detectors: [probe('trees', true, []), probe('forest', false, [])] });
  expect(model.stacking).toBe(null);
  expect(model.parts.map(({ detector }) => detector.name)).toEqual(['forest']);
  const { risk, ranking } = scoreRisk(model, table.matrix);
  const best = ranking.indexOf(Math.max(...ranking));
  expect(risk[best]).toBeGreaterThan(0.999);
  expect(risk.filter((value) => value > 0.99).length).toBeCloseTo(ROWS * 0.01, -1);
});

test('sampling genuine rows does not change the base rate', () => {
  const table = createTable();
  const detectors = [probe('trees', true, [])];
  const all = scoreRisk(fitRiskModel(table, { ...options, detectors }), table.matrix).risk;
  const sampled = scoreRisk(fitRiskModel(table, { ...options, detectors, maxRows: 500 }), table.matrix).risk;
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(mean(sampled) / mean(all)).toBeGreaterThan(0.7);
  expect(mean(sampled) / mean(all)).toBeLessThan(1.4);
});

test('too few labels and no other detector is an error that says so', () => {
  const table = createTable();
  table.labels.fill(0);
  expect(() => fitRiskModel(table, { ...options, detectors: [probe('trees', true, [])] })).toThrow(
    'There are only 0 labelled frauds',
  );
});

test('reference scores for later rows come from rows that no detector was fitted on', () => {
  const table = createTable();
  const seen: TrainingData[] = [];
  const fitted = (outOfSampleReference: boolean) =>
    fitRiskModel(table, { ...options, outOfSampleReference, detectors: [probe('forest', false, seen)] }).parts[0].tail;
  const last = fitted(true).scores;
  const all = fitted(false).scores;
  expect(seen.map(({ matrix }) => matrix.rows)).toEqual([ROWS - last.length, ROWS]);
  expect(all.length).toBe(ROWS);
  const lastRows = Float32Array.from({ length: last.length }, (_, i) => {
    return Math.min(0.999, table.matrix.values[(ROWS - last.length + i) * 2]);
  });
  expect([...last]).toEqual([...lastRows.sort()]);
  expect(last.length).toBeCloseTo(ROWS * options.stackingShare, -2);
});

test('where all rows are of one time they are their own reference', () => {
  const table = createTable();
  table.timesMs.fill(HOUR_MS);
  const model = fitRiskModel(table, {
    ...options,
    outOfSampleReference: true,
    detectors: [probe('forest', false, [])],
  });
  expect(model.parts[0].tail.scores.length).toBe(ROWS);
});
