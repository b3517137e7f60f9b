import { expect, it } from 'vitest';
import { createGraphRuntime } from '../../adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { createAutoencoderDetector } from './autoencoder.ts';

const detector = createAutoencoderDetector(createGraphRuntime());
const OPTIONS = { hidden: 16, bottleneck: 3, epochs: 30, batchRows: 64, learningRate: 5e-3 };
const FEATURES = ['size', 'kind', 'twin of kind'];

/** The size goes with the kind, 0 … 3, and the twin of the kind is always the same kind. */
function rowsOf(rows: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, 3);
  for (let row = 0; row < rows; row++) {
    const kind = prng.nextBelow(4);
    rowOf(matrix, row).set([kind * 10 + prng.nextNormal(), kind, kind]);
  }
  return matrix;
}

const data = { matrix: rowsOf(1500, 1), features: FEATURES, categorical: [1, 2], labels: null, validation: null };
const fitted = detector.fit(data, OPTIONS, 4);

it('finds a category that does not go with the rest, and names it', () => {
  const ordinary = fitted.score(rowsOf(200, 2)).toSorted()[190];
  const odd = Float32Array.of(30, 3, 0);
  expect(fitted.score({ rows: 1, columns: 3, values: odd })[0]).toBeGreaterThan(ordinary);
  const usual = fitted.explain(Float32Array.of(30, 3, 3)).contributions;
  expect(fitted.explain(odd).contributions[2]).toBeGreaterThan(usual[2] + 1);
});

it('takes a code that it never saw for the rarest', () => {
  const contributionOf = (code: number) => fitted.explain(Float32Array.of(20, 2, code)).contributions[2];
  expect(contributionOf(17)).toBeGreaterThan(contributionOf(2) + 1);
});

it('learns from categories alone', () => {
  const only = { ...data, features: FEATURES.slice(1), categorical: [0, 1] };
  const matrix = createMatrix(1500, 2);
  for (let row = 0; row < 1500; row++) rowOf(matrix, row).set(rowOf(data.matrix, row).subarray(1));
  const scores = detector
    .fit({ ...only, matrix }, OPTIONS, 1)
    .score({ rows: 2, columns: 2, values: Float32Array.of(1, 1, 1, 3) });
  expect(scores[1]).toBeGreaterThan(scores[0]);
});

it('puts like rows near each other in the embedding', () => {
  const { values, columns, rows } = fitted.extract({
    rows: 3,
    columns: 3,
    values: Float32Array.of(0.2, 0, 0, -0.2, 0, 0, 30, 3, 3),
  });
  expect([rows, columns]).toEqual([3, OPTIONS.bottleneck]);
  const distance = (a: number, b: number) =>
    Math.hypot(...Array.from({ length: columns }, (_, i) => values[a * columns + i] - values[b * columns + i]));
  expect(distance(0, 1)).toBeLessThan(distance(0, 2) / 2);
});

it('refuses a share of swapped values that is none', () => {
  for (const swapShare of [-0.1, 1, Number.NaN]) {
    expect(() => detector.fit(data, { ...OPTIONS, swapShare }, 1)).toThrow(/swapShare/);
  }
});
