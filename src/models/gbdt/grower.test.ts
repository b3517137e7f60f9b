import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { binMatrix } from './binned-matrix.ts';
import { findLeaf } from './ensemble.ts';
import { createGrower } from './grower.ts';
import { buildHistogram, type PackedGradients, planHistograms, subtractHistogram } from './histogram.ts';
import { computeGradients } from './objective.ts';
import { DEFAULT_GBDT_OPTIONS } from './options.ts';
import { gradientOf, hessianOf } from './splitting.ts';

const ROWS = 2000;
const COLUMNS = 9;

/** Narrow and wide columns, ties and missing values. */
function makeMatrix(seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(ROWS, COLUMNS);
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++) {
      const normal = prng.nextNormal();
      const value = column % 3 === 0 ? Math.round(3 * normal) : normal;
      rowOf(matrix, row)[column] = column > 5 && prng.nextFloat() < 0.2 ? Number.NaN : value;
    }
  }
  return matrix;
}

function makeGradients(matrix: Matrix): { gradients: PackedGradients; margins: Float64Array; labels: Uint8Array } {
  const margins = Float64Array.from({ length: ROWS }, (_, row) => Math.sin(row) - 1);
  const labels = Uint8Array.from(margins, (_, row) =>
    rowOf(matrix, row)[1] + 2 * Math.cos(9 * row * row) > 0.3 ? 1 : 0,
  );
  const gradients: PackedGradients = {
    packed: new Float64Array(ROWS),
    gradientUnit: 0,
    hessianUnit: 0,
    rowHessian: 0,
  };
  const weights = new Float32Array(ROWS).fill(1);
  expect(computeGradients(margins, { labels, weights }, new Float64Array(ROWS), 77, gradients)).toBe(true);
  return { gradients, margins, labels };
}

describe('packed gradients', () => {
  it('are the gradients and hessians of the logistic loss, rounded, with sums that agree', () => {
    const { gradients, margins, labels } = makeGradients(makeMatrix(1));
    const { packed, gradientUnit, hessianUnit } = gradients;
    const errors = [0, 0];
    packed.forEach((sum, row) => {
      const p = 1 / (1 + Math.exp(-margins[row]));
      const gradientError = gradientOf(sum) - (p - labels[row]) / gradientUnit;
      const hessianError = hessianOf(sum) - (p * (1 - p)) / hessianUnit;
      expect(Math.abs(gradientError)).toBeLessThan(1);
      expect(Math.abs(hessianError)).toBeLessThanOrEqual(1);
      errors[0] += gradientError;
      errors[1] += hessianError;
    });
    // Dithering spreads the errors: their sum is far below one unit per row.
    expect(Math.abs(errors[0])).toBeLessThan(0.05 * ROWS);
    expect(Math.abs(errors[1])).toBeLessThan(0.05 * ROWS);
  });
});

describe('histograms', () => {
  it.each([16, 4096])('equal sums over the rows, also by subtraction (%d bins)', (maxBins) => {
    const matrix = makeMatrix(2);
    const binned = binMatrix(matrix, maxBins, createPrng(1));
    const { packed } = makeGradients(matrix).gradients;
    const plan = planHistograms(binned, new Uint8Array(COLUMNS).fill(1));
    const histogramOf = (rows: Uint32Array) => {
      const histogram = new Float64Array(binned.cells);
      buildHistogram(
        plan,
        rows,
        Float64Array.from(rows, (row) => packed[row]),
        histogram,
      );
      return histogram;
    };
    const all = Uint32Array.from({ length: ROWS }, (_, row) => row);
    const child = all.filter((row) => row % 3 === 0);
    const other = all.filter((row) => row % 3 !== 0);
    const byForce = new Float64Array(binned.cells - 1);
    for (const row of other) {
      for (const { word, shift, mask, offset } of binned.features) {
        byForce[offset + ((binned.words[word].bins[row] >>> shift) & mask)] += packed[row];
      }
    }
    const subtracted = histogramOf(all);
    subtractHistogram(subtracted, histogramOf(child));
    expect(subtracted.subarray(0, -1)).toEqual(byForce);
    expect(histogramOf(other).subarray(0, -1)).toEqual(byForce);
  });
});

describe('a grown tree', () => {
  it.each([16, 256, 4096])('sends each training row by its numbers to the leaf it grew in (%d bins)', (maxBins) => {
    const matrix = makeMatrix(3);
    const binned = binMatrix(matrix, maxBins, createPrng(1));
    const { gradients } = makeGradients(matrix);
    const options = {
      ...DEFAULT_GBDT_OPTIONS,
      maxLeaves: 40,
      maxDepth: 12,
      minSamplesPerLeaf: 7,
      minHessianPerLeaf: 0,
    };
    const grower = createGrower(binned, null, options);
    grower.rows.set(Uint32Array.from({ length: ROWS }, (_, row) => row));
    const { tree, leaves } = grower.grow(gradients, ROWS, new Uint8Array(COLUMNS).fill(1));
    expect(leaves.length).toBe(40);
    expect(leaves.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(ROWS);
    for (const { from, to, value } of leaves) {
      expect(to - from).toBeGreaterThanOrEqual(7);
      for (let i = from; i < to; i++) {
        const leaf = findLeaf(tree, matrix.values, grower.rows[i] * COLUMNS, 0);
        expect(tree.value[leaf]).toBe(value);
        expect(tree.cover[leaf]).toBe(to - from);
      }
    }
    for (let node = 0; node < tree.nodes; node++) {
      if (tree.column[node] < 0) continue;
      expect(tree.cover[tree.left[node]] + tree.cover[tree.right[node]]).toBe(tree.cover[node]);
      expect(tree.gain[node]).toBeGreaterThan(0);
    }
  });
});
