// Detectors exported to ONNX score in ONNX Runtime as they score here.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { createAutoencoderDetector } from '../../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../../src/models/blend/unsupervised-ensemble.ts';
import { copod } from '../../src/models/copod/copod.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import { ecod } from '../../src/models/ecod/ecod.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { halfSpaceTrees } from '../../src/models/half-space-trees/half-space-trees.ts';
import { hbos } from '../../src/models/hbos/hbos.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
import { knn } from '../../src/models/knn/knn.ts';
import { loda } from '../../src/models/loda/loda.ts';
import { createMatrix, type Matrix } from '../../src/models/matrix.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { pca } from '../../src/models/pca/pca.ts';
import type { PreparationMethod } from '../../src/models/preparation/preparation.ts';
import { robustCovariance } from '../../src/models/robust-covariance/robust-covariance.ts';
import type { GraphTensor } from '../../src/ports.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { largestDifference } from './fixtures.ts';
import { hardRows, outputInOnnx } from './onnx-rows.ts';

const runtime = createGraphRuntime();
const data = makeTrainingData(800, 3);
async function exportedOutput(detector: FittedDetector, rows: Matrix, output: string): Promise<GraphTensor> {
  const [model] = await exportDetector(detector.name, detector.save(), 'onnx', null);
  return outputInOnnx(model.bytes, rows, output);
}

/** The last column: the fraud's where each class has one. */
async function scoresInOnnx(detector: FittedDetector, rows: Matrix, output: string): Promise<Float32Array> {
  const tensor = await exportedOutput(detector, rows, output);
  const columns = tensor.dims[1];
  return Float32Array.from({ length: rows.rows }, (_, row) => Number(tensor.data[row * columns + columns - 1]));
}

describe('a detector exported to ONNX', () => {
  it('is the same boosted trees, at thresholds and with missing values too', async () => {
    const fitted = gbdt.fit(data, { rounds: 60, minSamplesPerLeaf: 5 }, 1);
    const rows = hardRows(6, data.matrix.values);
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
    const rows = hardRows(6, data.matrix.values);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBeLessThan(2e-6);
  });

  it.each([1, 2, 5])('is the same forest of oblique splits through %i + 1 columns', async (extensionLevel) => {
    const fitted = isolationForest.fit(data, { trees: 30, extensionLevel }, 1);
    const rows = hardRows(6, data.matrix.values);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBeLessThan(1e-7);
  });

  it('is the forest that learned from one row, whose score is ½', async () => {
    const values = data.matrix.values.subarray(0, data.matrix.columns);
    const single = { ...data, matrix: { rows: 1, columns: data.matrix.columns, values }, labels: null };
    const fitted = isolationForest.fit(single, { trees: 3 }, 1);
    const rows = hardRows(6);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBe(0);
  });

  const unlabelled = { ...data, labels: null, categorical: [1] };
  it.each<[string, () => FittedDetector]>([
    ['ecod', () => ecod.fit(unlabelled, {}, 1)],
    ['copod', () => copod.fit(unlabelled, {}, 1)],
    ['hbos', () => hbos.fit(unlabelled, {}, 1)],
    ['loda', () => loda.fit(unlabelled, {}, 1)],
    ['pca', () => pca.fit(unlabelled, {}, 1)],
    ['robust covariance', () => robustCovariance.fit(unlabelled, {}, 1)],
    ['half-space trees', () => halfSpaceTrees.fit(unlabelled, {}, 1)],
    ['unsupervised ensemble', () => unsupervisedEnsemble.fit(unlabelled, {}, 1)],
    ['autoencoder', () => createAutoencoderDetector(runtime).fit(unlabelled, {}, 1)],
    [
      'autoencoder of ranks',
      () => createAutoencoderDetector(runtime).fit(unlabelled, { method: 'quantile-normal' }, 1),
    ],
  ])('is the same without labels, tail by tail: %s', async (_, learn) => {
    const fitted = learn();
    const rows = hardRows(6, data.matrix.values);
    const scores = await scoresInOnnx(fitted, rows, 'scores');
    expect(new Set(scores).size).toBeGreaterThan(100);
    expect(largestDifference(scores, fitted.score(rows))).toBeLessThan(1e-7);
  });

  it.each([ecod, hbos, loda, pca, halfSpaceTrees])('is $name where no column varies', async (detector) => {
    const constant = { ...unlabelled, matrix: { rows: 50, columns: 6, values: new Float32Array(300).fill(3) } };
    const fitted = detector.fit(constant, {}, 1);
    const rows = hardRows(6);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBe(0);
  });

  it.each([
    ['nothing but categories', { ...unlabelled, categorical: [0, 1, 2, 3, 4, 5] }],
    ['nothing that varies', { ...unlabelled, matrix: { rows: 50, columns: 6, values: new Float32Array(300).fill(3) } }],
  ])('is an autoencoder of %s', async (_, training) => {
    const fitted = createAutoencoderDetector(runtime).fit(training, {}, 1);
    const rows = hardRows(6, data.matrix.values);
    expect(largestDifference(await scoresInOnnx(fitted, rows, 'scores'), fitted.score(rows))).toBe(0);
  });

  it.each([
    ['autoencoder', createAutoencoderDetector(runtime)],
    ['unsupervised-ensemble', unsupervisedEnsemble],
  ] as const)('is what an earlier version stored, far beyond its training rows too: %s', async (name, detector) => {
    const stored = JSON.parse(readFileSync(new URL(`../registry/${name}-format-1.json`, import.meta.url), 'utf8'));
    const fitted = detector.load({
      ...stored.artefact,
      binary: new Uint8Array(Buffer.from(stored.artefact.binary ?? stored.binary, 'base64')),
    });
    const given = ((stored.values ?? stored.rows.flat()) as (number | null)[]).map((value) => value ?? Number.NaN);
    const values = Float32Array.from([1, -3, 1000].flatMap((factor) => given.map((value) => factor * value)));
    const rows = { rows: values.length / fitted.features.length, columns: fitted.features.length, values };
    const scores = await scoresInOnnx(fitted, rows, 'scores');
    expect(new Set(scores).size).toBeGreaterThan(rows.rows / 2);
    expect(largestDifference(scores, fitted.score(rows))).toBeLessThan(1e-7);
  });

  it('gives the embedding of an autoencoder, too', async () => {
    const fitted = createAutoencoderDetector(runtime).fit(unlabelled, {}, 1);
    const rows = hardRows(6);
    const embedding = await exportedOutput(fitted, rows, 'embedding');
    expect(embedding.dims).toEqual([rows.rows, 8]);
    expect(largestDifference(embedding.data as Float32Array, fitted.extract(rows).values)).toBe(0);
  });

  it('is not made of training rows', async () => {
    const fitted = knn.fit(unlabelled, {}, 1);
    await expect(exportDetector('knn', fitted.save(), 'onnx', null)).rejects.toThrow(/training rows/);
  });

  it.each<PreparationMethod>(['standardise', 'signed-log', 'quantile-normal', 'piecewise-linear'])(
    'is the same network on raw features: %s, several members, categories',
    async (method) => {
      const detector = createNetworkDetector(runtime);
      const options = { epochs: 2, batchRows: 64, members: 2, preparation: { method } };
      const fitted = detector.fit({ ...data, categorical: [1] }, options, 1);
      const rows = hardRows(6, data.matrix.values);
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
