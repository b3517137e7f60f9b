// The simulator of Peru: labelled synthetic transactions in the order in which the bank receives them.
//
// Each day is planned (habits, calendar), sorted, and turned into transactions one by one, merged with the queue of
// what fraud cases, errors and their consequences have put on the time line. The same options give the same bits on
// every machine: 32-bit integer randomness and IEEE additions, multiplications, divisions and square roots only.
import { dayNumberOfIso, MS_PER_DAY, startOfLimaDayMs } from '../domain/calendar.ts';
import type { Transaction } from '../domain/transaction.ts';
import { assert } from '../lib/assert.ts';
import { createPrng } from '../lib/prng.ts';
import { Campaigns } from './campaigns.ts';
import { createCommerce } from './commerce.ts';
import type { Draft } from './draft.ts';
import { FAULTS } from './errors/all.ts';
import { Faults } from './errors/faults.ts';
import { Habits } from './habits.ts';
import { DayPlan, EventQueue, type Kind } from './plan.ts';
import { createPopulation } from './population.ts';
import { Renderer } from './render.ts';
import { Routines } from './routines.ts';
import { RECIPES } from './typologies/all.ts';
import { STREAM, type World } from './world.ts';

export interface SimulationOptions {
  /** Persons, 10 to 10 million. */
  readonly customers: number;
  /** Simulated days in Lima, at least 1. */
  readonly days: number;
  /** Any integer; its low 32 bits count. */
  readonly seed: number;
  /** First day, yyyy-mm-dd in Lima; 2026-01-05 if not given. */
  readonly startDate?: string;
  /** Frauds ÷ transactions aimed at, 0–0.05; about .002 if not given. */
  readonly fraudRate?: number;
  /** Operational errors ÷ transactions aimed at, 0–0.05; about .0007 if not given. */
  readonly errorRate?: number;
  /** Told the id of each genuine transaction that was made to look like a typology: for measuring, never for a feature. */
  readonly onLookAlike?: (id: string) => void;
}

export interface SimulationSummary {
  rows: number;
  frauds: number;
  errors: number;
  /** Genuine transactions that were made to look like a typology. */
  hardNegatives: number;
  byTypology: Record<string, number>;
}

export interface Simulator {
  /** Batches of at most BATCH_ROWS transactions, ordered by ingest time. Can be walked once. */
  batches(): Generator<Transaction[]>;
  /** Counts so far; complete when `batches` has ended. */
  summary(): SimulationSummary;
}

const BATCH_ROWS = 4096;
const MIN_CUSTOMERS = 10;
const MAX_CUSTOMERS = 10_000_000;
const DEFAULT_START = '2026-01-05';
const DEFAULT_FRAUD_RATE = 0.002;
const DEFAULT_ERROR_RATE = 0.0007;

function checkOptions(options: SimulationOptions): void {
  const { customers, days, startDate } = options;
  if (!Number.isInteger(customers) || customers < MIN_CUSTOMERS || customers > MAX_CUSTOMERS) {
    throw new RangeError(`customers is ${customers}: give a whole number from ${MIN_CUSTOMERS} to ${MAX_CUSTOMERS}`);
  }
  if (!Number.isInteger(days) || days < 1 || days > 3660) {
    throw new RangeError(`days is ${days}: give a whole number from 1 to 3660`);
  }
  if (!Number.isInteger(options.seed)) throw new RangeError(`seed is ${options.seed}: give a whole number`);
  if (startDate !== undefined && !/^\d{4}-\d{2}-\d{2}$/.test(startDate)) {
    throw new RangeError(`startDate is "${startDate}": give a date as yyyy-mm-dd`);
  }
  for (const [name, rate] of [
    ['fraudRate', options.fraudRate],
    ['errorRate', options.errorRate],
  ] as const) {
    if (rate !== undefined && !(rate >= 0 && rate <= 0.05)) {
      throw new RangeError(`${name} is ${rate}: give a share from 0 to 0.05`);
    }
  }
}

/** @throws RangeError on options out of range; the message says which and what is allowed. */
export function createSimulator(options: SimulationOptions): Simulator {
  checkOptions(options);
  const simulation = new Simulation(options);
  return { batches: () => simulation.batches(), summary: () => simulation.summary() };
}

class Simulation {
  readonly #world: World;
  readonly #plan = new DayPlan();
  readonly #renderer: Renderer;
  readonly #habits: Habits;
  readonly #routines: Routines;
  readonly #campaigns: Campaigns;
  readonly #faults: Faults;
  #batch: Transaction[] = [];
  #rows = 0;
  #frauds = 0;
  #errors = 0;
  #hardNegatives = 0;
  readonly #byTypology = new Map<string, number>();
  readonly #lookAlikes = new WeakSet<Transaction>();
  readonly #onLookAlike: (id: string) => void;
  #started = false;

  constructor(options: SimulationOptions) {
    this.#onLookAlike = options.onLookAlike ?? (() => undefined);
    const root = createPrng(options.seed);
    const population = createPopulation(options.customers, root.fork(STREAM.population));
    const startDay = dayNumberOfIso(options.startDate ?? DEFAULT_START);
    this.#world = {
      population,
      commerce: createCommerce(population, root.fork(STREAM.commerce)),
      queue: new EventQueue(),
      root,
      startDay,
      endDay: startDay + options.days,
      travelUntil: new Int32Array(options.customers).fill(-1),
      travelPlace: new Uint8Array(options.customers),
      exchangeRate: 3.36,
    };
    this.#renderer = new Renderer(this.#world);
    this.#habits = new Habits(this.#world);
    this.#routines = new Routines(this.#world, this.#renderer, root.fork(STREAM.routines));
    this.#campaigns = new Campaigns(
      this.#world,
      RECIPES,
      options.fraudRate ?? DEFAULT_FRAUD_RATE,
      root.fork(STREAM.campaigns),
    );
    this.#faults = new Faults(
      this.#world,
      FAULTS,
      options.errorRate ?? DEFAULT_ERROR_RATE,
      this.#renderer,
      (prng, day) => this.#campaigns.stage(prng, day),
      root.fork(STREAM.errors),
    );
  }

  summary(): SimulationSummary {
    const codes = [...this.#byTypology.keys()].sort();
    return {
      rows: this.#rows,
      frauds: this.#frauds,
      errors: this.#errors,
      hardNegatives: this.#hardNegatives,
      byTypology: Object.fromEntries(codes.map((code) => [code, this.#byTypology.get(code)!])),
    };
  }

  *batches(): Generator<Transaction[]> {
    assert(!this.#started, 'a simulator can be walked once: create another for a second run');
    this.#started = true;
    for (let day = this.#world.startDay; day < this.#world.endDay; day++) {
      this.#startDay(day);
      const midnight = startOfLimaDayMs(day);
      for (const key of this.#plan.sorted()) {
        const row = DayPlan.rowOf(key);
        const timeMs = midnight + this.#plan.msOfDay(row);
        while (this.#world.queue.nextTimeMs <= timeMs) this.#takePending();
        this.#takePlanned(row, timeMs);
        if (this.#batch.length >= BATCH_ROWS) yield this.#takeBatch();
      }
      while (this.#world.queue.nextTimeMs < midnight + MS_PER_DAY) this.#takePending();
    }
    if (this.#batch.length > 0) yield this.#takeBatch();
  }

  #startDay(day: number): void {
    const { root } = this.#world;
    const step = root.fork(STREAM.rate).fork(day).nextNormal();
    this.#world.exchangeRate = Math.min(3.8, Math.max(3.3, this.#world.exchangeRate * (1 + 0.003 * step)));
    this.#plan.clear();
    this.#renderer.startDay(day, root.fork(STREAM.rendering).fork(day));
    this.#habits.planDay(this.#plan, day, root.fork(STREAM.habits).fork(day));
    this.#routines.planDay(this.#plan, day, root.fork(STREAM.routines).fork(day));
    this.#campaigns.planDay(day, root.fork(STREAM.episodes).fork(day));
    this.#faults.planDay(day, root.fork(STREAM.errors).fork(day));
  }

  #takePlanned(row: number, timeMs: number): void {
    const plan = this.#plan;
    const transaction = this.#renderer.render(
      plan.kind[row]! as Kind,
      plan.payer[row]!,
      plan.payee[row]!,
      plan.amountMinor[row]!,
      timeMs,
      plan.terminal[row]!,
      null,
    );
    if (transaction === null) return;
    if (plan.hardNegative[row] === 1) this.#markLookAlike(transaction);
    this.#post(transaction, timeMs);
  }

  #takePending(): void {
    const pending = this.#world.queue.pop();
    if ('action' in pending) pending.action();
    else if ('ready' in pending) {
      const transaction: Draft = pending.ready;
      transaction.ingestTimeMs = pending.timeMs;
      this.#emit(transaction);
    } else {
      const { event } = pending;
      const transaction = this.#renderer.renderEvent(event);
      if (transaction === null) return;
      if (event.isHardNegative) this.#markLookAlike(transaction);
      this.#post(transaction, pending.timeMs);
      event.onDone?.(transaction);
    }
  }

  #markLookAlike(transaction: Transaction): void {
    this.#hardNegatives++;
    this.#lookAlikes.add(transaction);
  }

  /** A transaction is on its way: it may meet an error, and a tax may follow it. */
  #post(transaction: Draft, timeMs: number): void {
    const tax = this.#renderer.transactionTax(transaction);
    if (tax !== null) this.#world.queue.push({ timeMs: tax.timeMs, event: tax });
    if (this.#faults.see(transaction, timeMs)) this.#emit(transaction);
  }

  #emit(transaction: Draft): void {
    this.#rows++;
    transaction.id = `X${String(1_000_000_000 + this.#rows)}`;
    if (transaction.typology !== null) {
      if (transaction.typology.startsWith('F')) this.#frauds++;
      else this.#errors++;
      this.#byTypology.set(transaction.typology, (this.#byTypology.get(transaction.typology) ?? 0) + 1);
    }
    // An error may have struck it on its way.
    if (this.#lookAlikes.has(transaction) && transaction.isFraud !== true) this.#onLookAlike(transaction.id);
    this.#batch.push(transaction);
  }

  #takeBatch(): Transaction[] {
    const batch = this.#batch;
    this.#batch = [];
    return batch;
  }
}
