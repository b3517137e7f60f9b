// What rules are mined from: frauds that nothing catches, and a sample of genuine transactions that nothing stops.
import { createPrng, type Prng } from '../../lib/prng.ts';

/** One transaction as it was when it was decided. */
export interface MinedRow {
  /** In the order of the features. */
  readonly numbers: Float64Array;
  /** In the order of the texts. */
  readonly texts: readonly (string | null)[];
  /** Céntimos of soles; NaN where it is not known. */
  readonly worthMinor: number;
  readonly customer: string;
  readonly week: number;
}

/** Keeps a uniform sample of all rows it is given (Vitter's algorithm R). */
export class RowSample {
  readonly rows: MinedRow[] = [];
  seen = 0;
  readonly #most: number;
  readonly #prng: Prng;

  constructor(most: number, seed: number) {
    this.#most = most;
    this.#prng = createPrng(seed);
  }

  /** @param make called only for a row that is kept */
  offer(make: () => MinedRow): void {
    this.seen += 1;
    if (this.rows.length < this.#most) {
      this.rows.push(make());
      return;
    }
    const place = this.#prng.nextBelow(this.seen);
    if (place < this.#most) this.rows[place] = make();
  }

  /** How many transactions one row stands for. */
  get weight(): number {
    return this.rows.length === 0 ? 1 : this.seen / this.rows.length;
  }
}
