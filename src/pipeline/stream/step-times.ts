// How long the steps of a run of records took: what metrics show, and what the degraded mode goes by. Nothing else does.

/** In the order in which a batch goes through them. Decoders also check and normalise; `reasons` is all that is told of rows. */
export const STEPS = [
  ...(['decode', 'deduplicate', 'features', 'detect', 'decide', 'reasons', 'emit', 'commit'] as const),
] as const;
export type Step = (typeof STEPS)[number];

export interface StepTimes {
  /** ms; a step that did not take place has 0. */
  readonly steps: Readonly<Record<Step, number>>;
  /** ms of each detector that was asked, those that failed included; parts of `detect`. */
  readonly detectors: ReadonlyMap<string, number>;
}

/** Measures one run. Clocks jump: what would be less than nothing is nothing. */
export class StepWatch implements StepTimes {
  readonly steps: Record<Step, number> = {
    ...{ decode: 0, deduplicate: 0, features: 0, detect: 0, decide: 0, reasons: 0, emit: 0, commit: 0 },
  };
  readonly detectors = new Map<string, number>();
  readonly #now: () => number;

  /** @param now ms, of a clock that only goes forward */
  constructor(now: () => number) {
    this.#now = now;
  }

  measure<T>(step: Step, work: () => T): T {
    const startedMs = this.#now();
    try {
      return work();
    } finally {
      this.steps[step] += this.#since(startedMs);
    }
  }

  async measureWait<T>(step: Step, work: () => Promise<T>): Promise<T> {
    const startedMs = this.#now();
    try {
      return await work();
    } finally {
      this.steps[step] += this.#since(startedMs);
    }
  }

  measureDetector<T>(name: string, work: () => T): T {
    const startedMs = this.#now();
    try {
      return work();
    } finally {
      this.detectors.set(name, (this.detectors.get(name) ?? 0) + this.#since(startedMs));
    }
  }

  #since(startedMs: number): number {
    return Math.max(0, this.#now() - startedMs);
  }
}
