// Confidence intervals of sums, by resampling whole units: customers, or days.
//
// A customer's transactions hang together (one fraud makes several), so rows resampled one by one would look surer than
// they are. Each unit is weighted by a Poisson(1) number, which for many units is the bootstrap itself (Hanley and
// MacGibbon, "Creating non-parametric bootstrap samples using Poisson frequencies", 2006) and needs no sample to be kept:
// units in which nothing happened add nothing in any replicate and are left out.
import type { Prng } from '../../lib/prng.ts';
import { createPrng } from '../../lib/prng.ts';

export const BOOTSTRAP_UNITS = ['customer', 'day'] as const;
export type BootstrapUnit = (typeof BOOTSTRAP_UNITS)[number];

/** Of 95 % of the replicates. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

export const REPLICATES = 500;
/** Further units count as one: intervals are then too wide rather than too narrow. */
const MAX_UNITS = 500_000;
const TAIL = 0.025;

/** Sums of several quantities, kept by unit. */
export class UnitSums {
  readonly #quantities: number;
  readonly #units = new Map<string, Float64Array>();
  #rest: Float64Array | null = null;

  constructor(quantities: number) {
    this.#quantities = quantities;
  }

  /** Where the unit's sums are added to. */
  of(unit: string): Float64Array {
    const known = this.#units.get(unit);
    if (known !== undefined) return known;
    if (this.#units.size >= MAX_UNITS) {
      this.#rest ??= new Float64Array(this.#quantities);
      return this.#rest;
    }
    const sums = new Float64Array(this.#quantities);
    this.#units.set(unit, sums);
    return sums;
  }

  total(): Float64Array {
    const total = new Float64Array(this.#quantities);
    for (const sums of this.#all()) for (let q = 0; q < total.length; q++) total[q] += sums[q];
    return total;
  }

  /** One array of sums per replicate. The same seed gives the same ones. */
  replicates(seed: number): Float64Array[] {
    const all = this.#all();
    const root = createPrng(seed);
    return Array.from({ length: REPLICATES }, (_, replicate) => {
      const prng = root.fork(replicate);
      const sums = new Float64Array(this.#quantities);
      for (const unit of all) {
        const weight = poissonOfOne(prng);
        if (weight === 0) continue;
        for (let q = 0; q < sums.length; q++) sums[q] += weight * unit[q];
      }
      return sums;
    });
  }

  #all(): readonly Float64Array[] {
    return [...this.#units.values(), ...(this.#rest === null ? [] : [this.#rest])];
  }
}

/** What lies between the 2.5th and the 97.5th percentile; NaN values (a share of nothing) are left out. */
export function intervalOf(values: Iterable<number>): Interval {
  const sorted = Float64Array.from([...values].filter((value) => !Number.isNaN(value))).sort();
  if (sorted.length === 0) return { low: Number.NaN, high: Number.NaN };
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { low: at(TAIL), high: at(1 - TAIL) };
}

function poissonOfOne(prng: Prng): number {
  const drawn = prng.nextFloat();
  let weight = 0;
  let probability = 1 / Math.E;
  let below = probability;
  while (drawn >= below && weight < 16) {
    weight += 1;
    probability /= weight;
    below += probability;
  }
  return weight;
}
