// Drawing from the distributions that the simulator uses, from uniform numbers and exact arithmetic only.
import { exactExp, exactLog } from '../lib/exact-math.ts';
import type { Prng } from '../lib/prng.ts';

/** e^(ln(median) + sigma·Z), the median given by itself. */
export function drawLognormal(prng: Prng, median: number, sigma: number): number {
  return median * exactExp(sigma * prng.nextNormal());
}

/** Exponential with the given mean. */
export function drawExponential(prng: Prng, mean: number): number {
  return -mean * exactLog(1 - prng.nextFloat());
}

/** Poisson by inversion; meant for a mean of a few units, capped at 60. */
export function drawPoisson(prng: Prng, mean: number): number {
  const uniform = prng.nextFloat();
  let probability = exactExp(-mean);
  let cumulative = probability;
  let count = 0;
  while (uniform > cumulative && count < 60) {
    count++;
    probability *= mean / count;
    cumulative += probability;
  }
  return count;
}

/** Uniform integer in [low, high], both included. */
export function drawInteger(prng: Prng, low: number, high: number): number {
  return low + prng.nextBelow(high - low + 1);
}

/** Uniform in [low, high). */
export function drawUniform(prng: Prng, low: number, high: number): number {
  return low + (high - low) * prng.nextFloat();
}

export function drawChance(prng: Prng, probability: number): boolean {
  return prng.nextUint32() < probability * 4294967296;
}

export function drawFrom<T>(prng: Prng, values: readonly T[]): T {
  return values[prng.nextBelow(values.length)]!;
}

/** A fixed discrete distribution answered by one table look-up; `resolution` cells, so weights are rounded to 1/resolution. */
export interface WeightTable {
  readonly cells: Uint16Array;
}

const TABLE_CELLS = 4096;

export function createWeightTable(weights: ArrayLike<number>): WeightTable {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  const cells = new Uint16Array(TABLE_CELLS);
  let index = 0;
  let cumulative = weights[0]!;
  for (let cell = 0; cell < TABLE_CELLS; cell++) {
    while (((cell + 0.5) / TABLE_CELLS) * total > cumulative && index < weights.length - 1) {
      index++;
      cumulative += weights[index]!;
    }
    cells[cell] = index;
  }
  return { cells };
}

export function drawWeighted(prng: Prng, table: WeightTable): number {
  return table.cells[prng.nextUint32() >>> 20]!;
}

/** A text of `digits` hexadecimal digits that looks hashed, from two numbers. */
export function hexToken(a: number, b: number): string {
  let x = Math.imul(a ^ 0x2545f491, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca77);
  x ^= x >>> 15;
  x = Math.imul(x, 0x2c1b3c6d);
  x ^= x >>> 12;
  let y = Math.imul(b ^ 0x632be59b, 0xc2b2ae35) ^ Math.imul(a + 0x1b873593, 0x27d4eb2f);
  y ^= y >>> 13;
  y = Math.imul(y, 0x297a2d39);
  y ^= y >>> 15;
  return (x >>> 0).toString(16).padStart(8, '0') + (y >>> 0).toString(16).padStart(8, '0');
}
