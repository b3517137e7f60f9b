// A small labelled matrix made by seed, with the troubles of real data: missing values, a constant column, ties, few frauds.
import { createPrng } from '../../src/lib/prng.ts';
import type { TrainingData } from '../../src/models/detector.ts';
import { createMatrix, rowOf } from '../../src/models/matrix.ts';

export const CHECK_FEATURES = ['amount', 'count', 'ratio', 'constant', 'age', 'flag'] as const;

/** About 10 % frauds: some far from everything, some a mixture of amount and count, some newcomers, whose age is missing. */
export function makeTrainingData(rows: number, seed: number): TrainingData {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, CHECK_FEATURES.length);
  const labels = new Uint8Array(rows);
  for (let i = 0; i < rows; i++) {
    const row = rowOf(matrix, i);
    const far = prng.nextFloat() < 0.05;
    const amount = 50 + 30 * prng.nextNormal() + (far ? 300 : 0);
    const count = prng.nextBelow(9) + (far ? 6 : 0);
    const newcomer = prng.nextFloat() < 0.2;
    const fraud = far || (amount > 90 && count > 5) || (newcomer && prng.nextFloat() < 0.2);
    row.set([amount, count, prng.nextNormal(), 7, newcomer ? Number.NaN : prng.nextFloat() * 1000, prng.nextBelow(2)]);
    labels[i] = fraud ? 1 : 0;
  }
  return { matrix, features: CHECK_FEATURES, labels, validation: null };
}
