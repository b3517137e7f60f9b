// How many records are taken at once: few while there are few (each waits for none), many while the stream is behind, as
// long as a batch stays within its budget of time.

export interface BatchSizeSettings {
  readonly fewest: number;
  readonly most: number;
  /** What a batch should take at most, ms. */
  readonly budgetMs: number;
}

export const DEFAULT_BATCH_SIZE: BatchSizeSettings = { fewest: 64, most: 4096, budgetMs: 120 };

/** Of what the newest batch says. */
const WEIGHT = 0.2;

export class BatchSize {
  readonly #settings: BatchSizeSettings;
  /** ms a record; NaN before the first batch. */
  #cost = Number.NaN;

  constructor(settings: BatchSizeSettings = DEFAULT_BATCH_SIZE) {
    this.#settings = settings;
  }

  get records(): number {
    const { fewest, most, budgetMs } = this.#settings;
    if (Number.isNaN(this.#cost)) return fewest;
    return Math.max(fewest, Math.min(most, Math.floor(budgetMs / this.#cost)));
  }

  observe(records: number, tookMs: number): void {
    if (records === 0) return;
    const { fewest, budgetMs } = this.#settings;
    // Clocks jump: back is not fast, and hours ahead is no slower than what calls for the fewest.
    if (!(tookMs >= 0)) return;
    const cost = Math.min(Math.max(tookMs / records, 1e-6), budgetMs / fewest);
    this.#cost = Number.isNaN(this.#cost) ? cost : this.#cost + WEIGHT * (cost - this.#cost);
  }
}
