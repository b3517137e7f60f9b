// The degraded mode: what the next records are decided without, so that decisions come in time.
//
// A batch has a budget of time and every step a deadline, a share of it. Where a detector, or the reasons, miss theirs, or
// all steps together the budget, the slowest of those parts is left out. Never the rules, nor the last detector for want of
// time. It is tried again after a rest, on a few records; every attempt in vain doubles the rest, so that a detector that
// stays slow costs little. A detector that fails is left out at once, the last one too, and tried again in the same way.
//
// A pure state machine: durations and times come in as arguments. What it decides is written down (left-out.ts).
import { REASONS } from '../explain-decision.ts';
import { STEPS, type Step, type StepTimes } from './step-times.ts';

export interface DegradedModeSettings {
  /** Of a batch, but for waiting on the log. */
  readonly budgetMs: number;
  /** Up to so many records have the budget; larger batches have it in proportion. */
  readonly budgetRecords: number;
  /** Before a part is tried again, the first time and at most. */
  readonly restMs: number;
  readonly mostRestMs: number;
  /** On so many records it is tried. */
  readonly probeRecords: number;
}

export const DEFAULT_DEGRADED_MODE: DegradedModeSettings = {
  ...{ budgetMs: 120, budgetRecords: 64, restMs: 10_000, mostRestMs: 600_000, probeRecords: 16 },
};

/** Deadlines, shares of the budget. For `detect` it is that of one detector; to commit is to wait for the log. */
export const DEADLINES: Readonly<Record<Step, number>> = {
  ...{ decode: 0.2, deduplicate: 0.1, features: 0.4, detect: 0.5, decide: 0.3, reasons: 0.4, emit: 0.2, commit: 1 },
};

export interface RunMeasured {
  /** Transactions that were decided. */
  readonly records: number;
  readonly times: StepTimes;
  /** Detectors that failed. */
  readonly failed: readonly string[];
}

export interface NextRun {
  readonly leftOut: readonly string[];
  /** More are not to be decided so at once. */
  readonly mostRecords: number;
}

interface Resting {
  restMs: number;
  /** Otherwise it takes part, on trial. */
  isOut: boolean;
  /** When it is tried again, or no longer on trial. */
  untilMs: number;
}

/** Of the last runs so many must have been too slow. */
const WINDOW = 8;
const STRIKES = 3;
/** So many times what it may take: once is enough. */
const FAR_TOO_SLOW = 4;
/** A part with less of the time than this is not what makes it slow. */
const LEAST_SHARE = 0.1;

export class DegradedMode {
  readonly #settings: DegradedModeSettings;
  /** By part; only those that were left out of late. */
  readonly #parts = new Map<string, Resting>();
  /** Detectors that have answered: the first time they load and compile what they need, and are not judged. */
  readonly #warm = new Set<string>();
  #recent: boolean[] = [];
  #probing: string | null = null;

  constructor(settings: DegradedModeSettings = DEFAULT_DEGRADED_MODE) {
    this.#settings = settings;
  }

  next(nowMs: number): NextRun {
    for (const [name, part] of this.#parts) if (!part.isOut && this.#isDue(part, nowMs)) this.#parts.delete(name);
    const out = [...this.#parts].filter(([, { isOut }]) => isOut);
    this.#probing = out.find(([, part]) => this.#isDue(part, nowMs))?.[0] ?? null;
    const leftOut = out.map(([name]) => name).filter((name) => name !== this.#probing);
    return { leftOut, mostRecords: this.#probing === null ? Number.POSITIVE_INFINITY : this.#settings.probeRecords };
  }

  /** @returns the steps that missed their deadline */
  observe({ records, times, failed }: RunMeasured, nowMs: number): Step[] {
    if (records === 0) return [];
    for (const name of failed) this.#leaveOut(name, nowMs);
    const allowedMs = this.#settings.budgetMs * Math.max(1, records / this.#settings.budgetRecords);
    const totalMs = STEPS.reduce((sum, step) => (step === 'commit' ? sum : sum + times.steps[step]), 0);
    const parts = partsOf(times, failed);
    const late = parts.filter((part) => part.tookMs > part.share * allowedMs);
    // Reasons ask the detectors, too: a slow one is what makes them slow.
    const lateDetectors = late.filter(({ name }) => name !== REASONS);
    const [slowest] = (lateDetectors.length > 0 ? lateDetectors : parts).toSorted((a, b) => b.tookMs - a.tookMs);
    const missed = STEPS.filter((step) => longest(step, times) > DEADLINES[step] * allowedMs);
    const isLate = late.length > 0 || totalMs > allowedMs;
    const isWarm = [...times.detectors.keys()].every((name) => this.#warm.has(name));
    for (const name of times.detectors.keys()) this.#warm.add(name);
    if (!isWarm) return missed;
    if (this.#probing !== null) this.#judgeProbe(this.#probing, isLate, failed, nowMs);
    else if (isLate && slowest.tookMs > LEAST_SHARE * totalMs) {
      this.#strike(slowest.name, totalMs > FAR_TOO_SLOW * allowedMs, nowMs);
    } else this.#note(isLate);
    return missed;
  }

  #judgeProbe(name: string, isLate: boolean, failed: readonly string[], nowMs: number): void {
    this.#probing = null;
    if (failed.includes(name)) return;
    const part = this.#parts.get(name);
    if (isLate || part === undefined) this.#leaveOut(name, nowMs);
    else Object.assign(part, { isOut: false, untilMs: nowMs + part.restMs });
  }

  #strike(name: string, isFar: boolean, nowMs: number): void {
    this.#note(true);
    const part = this.#parts.get(name);
    const isOnTrial = part !== undefined && !part.isOut && !this.#isDue(part, nowMs);
    const strikes = this.#recent.filter((isLate) => isLate).length;
    if (isFar || isOnTrial || strikes >= STRIKES) this.#leaveOut(name, nowMs);
  }

  #note(isLate: boolean): void {
    this.#recent = [...this.#recent.slice(1 - WINDOW), isLate];
  }

  /** Again, where it was lately: for twice as long. */
  #leaveOut(name: string, nowMs: number): void {
    const { restMs, mostRestMs } = this.#settings;
    const before = this.#parts.get(name);
    const isAgain = before !== undefined && (before.isOut || !this.#isDue(before, nowMs));
    const rest = isAgain ? Math.min(mostRestMs, before.restMs * 2) : restMs;
    this.#parts.set(name, { restMs: rest, isOut: true, untilMs: nowMs + rest });
    this.#recent = [];
  }

  /** Also where the clock was set back. */
  #isDue({ untilMs, restMs }: Resting, nowMs: number): boolean {
    return nowMs >= untilMs || nowMs < untilMs - restMs;
  }
}

/** What its deadline is for. */
function longest(step: Step, { steps, detectors }: StepTimes): number {
  return step === 'detect' ? Math.max(0, ...detectors.values()) : steps[step];
}

/** What may be left out for want of time. */
function partsOf({ steps, detectors }: StepTimes, failed: readonly string[]) {
  const answered = [...detectors].filter(([name]) => !failed.includes(name));
  const optional = answered.length < 2 ? [] : answered;
  return [
    ...optional.map(([name, tookMs]) => ({ name, tookMs, share: DEADLINES.detect })),
    { name: REASONS, tookMs: steps.reasons, share: DEADLINES.reasons },
  ];
}
