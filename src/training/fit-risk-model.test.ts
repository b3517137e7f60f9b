import { expect, test } from 'vitest';
import { scoreRisk } from '../decisions/risk-model.ts';
import { handbookCatalogue } from '../features/catalogue/handbook.ts';
import { createPrng } from '../lib/prng.ts';
import { AS_IS } from '../models/calibration.ts';
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

/** Remembers its rows: those look ordinary to it, and any other row the more unusual the greater its first value. */
const nearestFitted: DetectorChoice = {
  name: 'memory',
  supervised: false,
  columns: null,
  fit(data) {
    const seen = new Set(data.matrix.values);
    const detector: Partial<FittedDetector> = {
      name: 'memory',
      features: data.features,
      score: ({ rows, columns, values }) =>
        Float32Array.from({ length: rows }, (_, row) => {
          const value = values[row * columns];
          return seen.has(value) ? 0 : value;
        }),
    };
    return detector as FittedDetector;
  },
};

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

test('a curve bends the stacked probability where it foretells later rows better, and only there', () => {
  const rows = 20_000;
  const fitted = (fraudProbability: (score: number) => number) => {
    const prng = createPrng(8);
    const matrix = createMatrix(rows, 2);
    const labels = new Int8Array(rows);
    for (let row = 0; row < rows; row++) {
      matrix.values[row * 2] = prng.nextFloat();
      labels[row] = prng.nextFloat() < fraudProbability(matrix.values[row * 2]) ? 1 : 0;
    }
    const timesMs = Float64Array.from({ length: rows }, (_, row) => row);
    const table = { rows, timesMs, labels, take: (taken: Uint32Array) => takeRows(matrix, taken) };
    const model = fitRiskModel(table, { ...options, endMs: rows, detectors: [probe('trees', true, [])] });
    const logLoss = (risk: Float32Array) =>
      risk.reduce((sum, p, row) => sum - Math.log(Math.max(1e-6, labels[row] === 1 ? p : 1 - p)), 0);
    const [chosen, asIs] = [model, { ...model, calibration: AS_IS }].map((each) => scoreRisk(each, matrix));
    return { model, chosen, asIs, logLossRatio: logLoss(chosen.risk) / logLoss(asIs.risk) };
  };
  // Straight in the log-odds of the score, which is what the stacking fits; and bent.
  const straight = fitted((score) => 1 / (1 + Math.exp(2 - 0.8 * Math.log(score / (1 - score)))));
  expect(straight.model.calibration.kind).toBe('as-is');
  const bent = fitted((score) => 1 / (1 + Math.exp(5 + 4 * Math.log1p(-score))));
  expect(bent.model.calibration.kind).toBe('beta');
  expect(bent.logLossRatio).toBeLessThan(0.985);
  expect(bent.chosen.ranking).toEqual(bent.asIs.ranking);
  // A threshold of the risk can part what the ranking parts.
  expect(new Set(bent.chosen.risk).size).toBeGreaterThan(0.9 * new Set(bent.chosen.ranking).size);
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

test('where nothing drifts, one in N of later rows has a p-value of 1/N or less, though the detector was fitted on others', () => {
  const prng = createPrng(12);
  const rows = 60_000;
  const matrix = createMatrix(rows, 2);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = prng.nextFloat();
  const table = {
    rows,
    timesMs: Float64Array.from({ length: rows }, (_, row) => row),
    labels: new Int8Array(rows).fill(-1),
    take: (taken: Uint32Array) => takeRows(matrix, taken),
  };
  const trained = fitRiskModel(table, {
    ...options,
    endMs: rows / 2,
    outOfSampleReference: true,
    detectors: [nearestFitted],
  });
  const later = takeRows(
    matrix,
    Uint32Array.from({ length: rows / 2 }, (_, i) => rows / 2 + i),
  );
  const { risk } = scoreRisk(trained, later);
  const references = trained.parts[0].tail.scores.length;
  for (const oneIn of [20, 100]) {
    const share = risk.filter((each) => each >= Math.fround(1 - 1 / oneIn)).length / later.rows;
    const variance = (1 / oneIn) * (1 - 1 / oneIn) * (1 / later.rows + 1 / references);
    expect(Math.abs(share - 1 / oneIn)).toBeLessThan(4 * Math.sqrt(variance));
  }
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
