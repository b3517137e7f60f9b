// Rows whose anomalies are known: two features of each are moved far away from where they belong.
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import type { TrainingData } from '../../src/models/detector.ts';
import { createMatrix, rowOf } from '../../src/models/matrix.ts';

export interface PlantedRows {
  readonly data: TrainingData & { readonly labels: Uint8Array };
  /** By row, the features that were moved; none for ordinary rows. */
  readonly planted: readonly (readonly number[])[];
}

export const PLANTED_FEATURES = 2;
const COLUMNS = 12;
/** The first columns follow one factor. */
const CORRELATED_COLUMNS = 4;
const LOADING = 0.8;
/** Standard deviations. */
const FAR = 6;

/**
 * Normal columns, the first of them correlated, the last third skewed as amounts are; the very last is a flag that is never
 * moved.
 *
 * @param share of the rows, anomalous
 */
export function plantAnomalies(rows: number, share: number, seed: number): PlantedRows {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, COLUMNS);
  const labels = new Uint8Array(rows);
  const planted = Array.from({ length: rows }, (_, index) => {
    const deviations = ordinaryDeviations(prng);
    const anomalous = prng.nextFloat() < share;
    const moved = anomalous ? drawPair(COLUMNS - 1, prng) : [];
    labels[index] = Number(anomalous);
    // Upwards, so that skewed columns go where they are unusual.
    for (const column of moved) deviations[column] += FAR;
    rowOf(matrix, index).set(deviations.map(featureValue));
    return moved;
  });
  const features = Array.from({ length: COLUMNS }, (_, column) => `f${column}`);
  return { data: { matrix, features, labels, validation: null }, planted };
}

function ordinaryDeviations(prng: Prng): number[] {
  const factor = prng.nextNormal();
  return Array.from({ length: COLUMNS }, (_, column) => {
    if (column === COLUMNS - 1) return Number(prng.nextFloat() < 0.3);
    const own = prng.nextNormal();
    return column < CORRELATED_COLUMNS ? LOADING * factor + Math.sqrt(1 - LOADING ** 2) * own : own;
  });
}

function featureValue(deviation: number, column: number): number {
  if (column === COLUMNS - 1 || column < (2 * COLUMNS) / 3) return deviation;
  return 100 * Math.exp(0.5 * deviation);
}

function drawPair(below: number, prng: Prng): number[] {
  const first = prng.nextBelow(below);
  return [first, (first + 1 + prng.nextBelow(below - 1)) % below];
}
