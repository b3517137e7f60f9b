// Detectors exported to ONNX score in ONNX Runtime as they score here.
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { createPrng } from '../../src/lib/prng.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
import { createMatrix, type Matrix } from '../../src/models/matrix.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import type { PreparationMethod } from '../../src/models/preparation/preparation.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { largestDifference } from './fixtures.ts';

const runtime = createGraphRuntime();
const data = makeTrainingData(800, 3);
const EXTREMES = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38, 0, -0, 1e-45];

/** Unseen rows, rows with extremes anywhere, and rows whose values are values of the training rows: thresholds among them. */
function hardRows(thresholds: ArrayLike<number> = []): Matrix {
  const unseen = makeTrainingData(2000, 4).matrix;
  const prng = createPrng(9);
  const rows = createMatrix(unseen.rows, unseen.columns);
  rows.values.set(unseen.values);
  for (let i = 0; i < rows.values.length; i++) {
    const drawn = prng.nextFloat();
    if (drawn < 0.1) rows.values[i] = EXTREMES[prng.nextBelow(EXTREMES.length)];
    else if (drawn < 0.3 && thresholds.length > 0) rows.values[i] = thresholds[prng.nextBelow(thresholds.length)];
  }
  return rows;
}

async function scoresInOnnx(detector: FittedDetector, rows: Matrix, output: string): Promise<Float32Array> {
  const [model] = await exportDetector(detector.name, detector.save(), 'onnx', null);
  const session = runtime.open(model.bytes);
  const tensor = session.run({ inputs: { data: rows.values, dims: [rows.rows, rows.columns] } })[output];
  const columns = tensor.dims[1];
  session.close();
  return Float32Array.from({ length: rows.rows }, (_, row) => Number(tensor.data[row * columns + columns - 1]));
}

describe('a detector exported to ONNX', () => {
  it('is the same boosted trees, at thresholds and with missing values too', async () => {
    const fitted = gbdt.fit(data, { rounds: 60, minSamplesPerLeaf: 5 }, 1);
    const rows = hardRows(data.matrix.values);
    const scores = await scoresInOnnx(fitted, rows, 'probabilities');
    expect(new Set(scores).size).toBeGreaterThan(150);
    expect(largestDifference(scores, fitted.score(rows))).toBeLessThan(2e-6);
  });

  it('sends each row at a threshold of a tree, and just beside it, the same way', async () => {
    const one = gbdt.fit(data, { rounds: 1, minSamplesPerLeaf: 5 }, 1);
    const { decodeEnsemble } = await import('../../src/models/gbdt/artefact.ts');
    const { column, threshold } = decodeEnsemble(one.save());
    const rows = createMatrix(column.length * 3, data.matrix.columns);
    const bits = new Int32Array(1);
    const float = new Float32Array(bits.buffer);
    column.forEach((split, node) => {
      for (const step of [-1, 0, 1]) {
        float[0] = threshold[node];
        bits[0] += step;
        const row = 3 * node + step + 1;
        rows.values.set(data.matrix.values.subarray(0, rows.columns), row * rows.columns);
        if (split >= 0) rows.values[row * rows.columns + split] = float[0];
      }
    });
    expect(largestDifference(await scoresInOnnx(one, rows, 'probabilities'), one.score(rows))).toBeLessThan(1e-7);
  });

  it('is the same isolation forest', async () => {
    const fitted = isolationForest.fit(data, { trees: 60 }, 1);
    const rows = hardRows(data.matrix.values);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBeLessThan(2e-6);
  });

  it('is refused where the forest has oblique splits', async () => {
    const extended = isolationForest.fit(data, { trees: 5, extensionLevel: 2 }, 1);
    await expect(exportDetector('isolation-forest', extended.save(), 'onnx', null)).rejects.toThrow(/oblique splits/);
  });

  it('is the forest that learned from one row, whose score is ½', async () => {
    const values = data.matrix.values.subarray(0, data.matrix.columns);
    const single = { ...data, matrix: { rows: 1, columns: data.matrix.columns, values }, labels: null };
    const fitted = isolationForest.fit(single, { trees: 3 }, 1);
    const rows = hardRows();
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBe(0);
  });

  it.each<PreparationMethod>(['standardise', 'signed-log', 'quantile-normal', 'piecewise-linear'])(
    'is the same network on raw features: %s, several members, categories',
    async (method) => {
      const detector = createNetworkDetector(runtime);
      const options = { epochs: 2, batchRows: 64, members: 2, preparation: { method } };
      const fitted = detector.fit({ ...data, categorical: [1] }, options, 1);
      const rows = hardRows(data.matrix.values);
      const scores = await scoresInOnnx(fitted, rows, 'probability');
      expect(new Set(scores).size).toBeGreaterThan(500);
      expect(largestDifference(scores, fitted.score(rows))).toBeLessThan(1e-5);
    },
  );

  it('asks which of several networks a file of one is to hold', async () => {
    const fitted = createNetworkDetector(runtime).fit(data, { epochs: 1, members: 2 }, 1);
    await expect(exportDetector('network', fitted.save(), 'keras', null)).rejects.toThrow(/mean of 2 networks/);
    await expect(exportDetector('network', fitted.save(), 'keras', 3)).rejects.toThrow(/member from 1 to 2/);
    const [, beside] = await exportDetector('network', fitted.save(), 'pt', 2);
    expect(beside.suffix).toBe('.preparation.json');
    expect(JSON.parse(new TextDecoder().decode(beside.bytes))).toMatchObject({ features: data.features });
    await expect(exportDetector('gbdt', fitted.save(), 'keras', null)).rejects.toThrow(/only a network is exported/);
  });
});
