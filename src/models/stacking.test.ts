import { expect, test } from 'vitest';
import { createPrng } from '../lib/prng.ts';
import { fitStacking, probabilityOf, stackedLogOdds } from './stacking.ts';

function sample(rows: number, bias: number, slopes: readonly number[], seed: number) {
  const prng = createPrng(seed);
  const inputs = slopes.map(() => Float64Array.from({ length: rows }, () => prng.nextNormal()));
  const labels = Uint8Array.from({ length: rows }, (_, row) => {
    const logOdds = slopes.reduce((sum, slope, i) => sum + slope * inputs[i][row], bias);
    return prng.nextFloat() < probabilityOf(logOdds) ? 1 : 0;
  });
  return { inputs, labels, weights: new Float64Array(rows).fill(1) };
}

test('recovers the weights that made the labels', () => {
  const { bias, weights } = fitStacking(sample(50_000, -2, [1.5, 0.5], 1));
  expect(bias).toBeCloseTo(-2, 1);
  expect(weights[0]).toBeCloseTo(1.5, 1);
  expect(weights[1]).toBeCloseTo(0.5, 1);
});

test('an input that speaks against fraud gets no weight', () => {
  const { weights } = fitStacking(sample(20_000, -1, [1, -1], 2));
  expect(weights[0]).toBeGreaterThan(0.5);
  expect(weights[1]).toBe(0);
});

test('is calibrated in the large: mean probability equals the base rate', () => {
  const rows = sample(20_000, -3, [1, 0.3], 3);
  const stacking = fitStacking(rows);
  let sum = 0;
  for (let row = 0; row < rows.labels.length; row++) {
    sum += probabilityOf(stackedLogOdds(stacking, [rows.inputs[0][row], rows.inputs[1][row]]));
  }
  const frauds = rows.labels.reduce((total, label) => total + label, 0);
  expect(sum / frauds).toBeCloseTo(1, 3);
});

test('classes that separate completely still give finite weights', () => {
  const inputs = [Float64Array.of(-2, -1, 1, 2)];
  const { bias, weights } = fitStacking({
    inputs,
    labels: Uint8Array.of(0, 0, 1, 1),
    weights: Float64Array.of(1, 1, 1, 1),
  });
  expect(Number.isFinite(bias)).toBe(true);
  expect(Number.isFinite(weights[0])).toBe(true);
});
