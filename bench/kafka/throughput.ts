// How fast workers drain a backlog: the committed ends of the decisions, asked once a second, and the workers' memory.
import type { StreamLog } from '../../src/ports.ts';
import type { WorkerProcess } from './worker-process.ts';

export interface Sample {
  /** Since the first sample with a decision. */
  readonly seconds: number;
  /** Committed offsets of the decisions since the watch began: decisions, and a marker of each commit in each partition. */
  readonly offsets: number;
  /** Of all workers together, as is the next. */
  readonly residentBytes: number;
  readonly processorSeconds: number;
}

export interface WatchOptions {
  readonly log: StreamLog;
  readonly decisions: string;
  readonly workers: readonly WorkerProcess[];
  /** Waiting decisions when the workers started. */
  readonly backlog: number;
}

const SAMPLE_MS = 1000;
const START_LIMIT_MS = 180_000;
/** The group may give a worker nothing: after so long with decisions the others are measured without it. */
const SHARING_LIMIT_MS = 15_000;
/** Near its end without a move for so long, the backlog is drained; markers hide the end itself. */
const QUIET_MS = 5000;
const NEARLY = 0.98;
/** Decisions among which markers are counted. */
const COUNTED_RECORDS = 100_000;
const READ_RECORDS = 10_000;

export class DecisionWatch {
  readonly #options: WatchOptions;
  #bases: readonly { readonly partition: number; readonly end: number }[] = [];
  #beganMs = Number.NaN;
  #firstMs = Number.NaN;
  #movedMs = Number.NaN;
  #offsets = 0;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Before the workers start. */
  async begin(): Promise<void> {
    this.#beganMs = performance.now();
    this.#bases = await this.#options.log.bounds(this.#options.decisions);
  }

  /** Until decisions come, and every worker has partitions or the group has had time to share them out. */
  async untilStarted(): Promise<void> {
    const { workers } = this.#options;
    const limitMs = performance.now() + START_LIMIT_MS;
    const isShared = () => workers.every((worker) => worker.partitions() > 0);
    while (this.#offsets === 0 || (!isShared() && performance.now() - this.#firstMs < SHARING_LIMIT_MS)) {
      if (performance.now() > limitMs) throw new Error(`no decisions in ${START_LIMIT_MS / 1000} s`);
      await this.#sample();
    }
  }

  /** Samples until the time is over or the backlog is drained; the first is of now. */
  async samples(seconds: number): Promise<Sample[]> {
    const samples = [await this.#sample(0)];
    while (samples.at(-1)!.seconds - samples[0].seconds < seconds) {
      samples.push(await this.#sample());
      if (this.#isDrained()) break;
    }
    const moving = samples.findLastIndex(({ offsets }, index) => index === 0 || offsets > samples[index - 1].offsets);
    return samples.slice(0, moving + 1);
  }

  /** @throws Error where that takes longer than it may */
  async untilDrained(limitSeconds: number): Promise<void> {
    const limitMs = performance.now() + limitSeconds * 1000;
    while (!this.#isDrained()) {
      if (performance.now() > limitMs) throw new Error(`the backlog was not drained in ${limitSeconds} s more`);
      await this.#sample();
    }
  }

  /** From `begin` to the last decision, the start of the workers and their first compilations included. */
  drainSeconds(): number {
    return (this.#movedMs - this.#beganMs) / 1000;
  }

  #isDrained(): boolean {
    const reached = this.#offsets >= this.#options.backlog * NEARLY;
    return reached && performance.now() - this.#movedMs > QUIET_MS;
  }

  /** What of the offsets are decisions and not markers, 0–1, by the first partition's first 100,000 decisions of this watch. */
  async decisionsPerOffset(): Promise<number> {
    const { log, decisions } = this.#options;
    const { partition, end: start } = this.#bases[0];
    let count = 0;
    let offset = start;
    while (count < COUNTED_RECORDS) {
      const records = await log.read({ topic: decisions, partition, offset }, READ_RECORDS, 0);
      if (records.length === 0) break;
      count += records.length;
      offset = records.at(-1)!.offset + 1;
    }
    return count / (offset - start);
  }

  async #sample(afterMs = SAMPLE_MS): Promise<Sample> {
    const { workers } = this.#options;
    await Promise.race([
      new Promise((resolve) => setTimeout(resolve, afterMs)),
      ...workers.map(({ failed }) => failed),
    ]);
    const offsets = await this.#written();
    const nowMs = performance.now();
    if (offsets > this.#offsets) {
      if (this.#offsets === 0) this.#firstMs = nowMs;
      this.#movedMs = nowMs;
      this.#offsets = offsets;
    }
    return {
      ...{ seconds: (nowMs - this.#firstMs) / 1000, offsets },
      residentBytes: workers.reduce((sum, worker) => sum + worker.residentBytes(), 0),
      processorSeconds: workers.reduce((sum, worker) => sum + worker.processorSeconds(), 0),
    };
  }

  async #written(): Promise<number> {
    const { log, decisions } = this.#options;
    const bounds = await log.bounds(decisions);
    return bounds.reduce((sum, { end }, index) => sum + end - this.#bases[index].end, 0);
  }
}

export interface Rates {
  /** Offsets a second, of the whole and the median of the samples. */
  readonly whole: number;
  readonly median: number;
  /** Offsets for each second that the workers had a processor: what else runs on the machine counts less. */
  readonly perProcessorSecond: number;
}

export function ratesOf(samples: readonly Sample[]): Rates {
  if (samples.length < 2) return { whole: Number.NaN, median: Number.NaN, perProcessorSecond: Number.NaN };
  const between = (from: Sample, to: Sample) => (to.offsets - from.offsets) / (to.seconds - from.seconds);
  const each = samples.slice(1).map((sample, index) => between(samples[index], sample));
  const first = samples[0];
  const last = samples.at(-1)!;
  return {
    whole: between(first, last),
    median: each.sort((a, b) => a - b)[each.length >> 1],
    perProcessorSecond: (last.offsets - first.offsets) / (last.processorSeconds - first.processorSeconds),
  };
}
