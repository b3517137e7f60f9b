// Operational errors: when one begins and which of the passing genuine transactions it spoils.
//
// Each kind of error has a credit of rows that grows day by day, as the fraud recipes have. A fault is armed at a moment
// of the day, sees every genuine transaction that is emitted, and is disarmed when it has spoilt its share.
import { startOfLimaDayMs } from '../../domain/calendar.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { Prng } from '../../lib/prng.ts';
import { ROWS_PER_PERSON_DAY } from '../campaigns.ts';
import type { Draft } from '../draft.ts';
import { personOfId } from '../population.ts';
import type { Renderer } from '../render.ts';
import { drawLognormal, drawUniform } from '../sampling.ts';
import { DAY, HOUR, type Stage } from '../stage.ts';
import type { World } from '../world.ts';

/** What a fault did with a row: nothing, changed or copied it, or keeps it back for later. */
export type Outcome = 'untouched' | 'spoilt' | 'held';

export interface ArmedFault {
  /** Looks at a genuine transaction, which it may change in place. */
  see(transaction: Draft): Outcome;
  /** Rows still to spoil. */
  left: number;
  readonly untilMs: number;
}

export interface Fault {
  readonly typology: string;
  /** Relative share of the erroneous rows. */
  readonly share: number;
  readonly rows: readonly [smallest: number, largest: number];
  /** A fault that spoils passing rows, or null if it has put events of its own on the time line. */
  arm(desk: Desk, rows: number): ArmedFault | null;
}

const SAVING_DAYS = 15;

/** What a fault works with. */
export class Desk {
  readonly world: World;
  readonly stage: Stage;
  readonly prng: Prng;
  readonly typology: string;
  readonly startMs: number;
  readonly #renderer: Renderer;

  constructor(world: World, stage: Stage, renderer: Renderer, typology: string, startMs: number) {
    this.world = world;
    this.stage = stage;
    this.prng = stage.prng;
    this.typology = typology;
    this.startMs = startMs;
    this.#renderer = renderer;
  }

  /** Marks a row as erroneous; errors are found in hours. */
  mark(transaction: Draft, seenMs = transaction.ingestTimeMs ?? transaction.eventTimeMs): void {
    transaction.isFraud = true;
    transaction.typology = this.typology;
    transaction.labelTimeMs = Math.floor(seenMs + 600_000 + drawLognormal(this.prng, 6 * HOUR, 0.9));
  }

  /** Puts a transaction on the time line; its ingest time will be `timeMs`. */
  later(timeMs: number, transaction: Transaction): void {
    this.world.queue.push({ timeMs: Math.floor(timeMs), ready: transaction });
  }

  freshNumber(transaction: Transaction): string {
    return this.#renderer.freshNumber(transaction.rail);
  }

  taxOffice(): Partial<Transaction> {
    const { id, name, document, account } = this.world.commerce.businesses[this.world.commerce.taxOffice]!;
    return { payeeId: id, payeeName: name, payeeDocument: document, payeeAccount: account };
  }

  /** The person behind an id, or −1. */
  personOf(id: string | null): number {
    return id?.startsWith('P') === true ? personOfId(id) : -1;
  }

  /** Takes a posted amount back, as if it had been refused. */
  undo(transaction: Draft): void {
    const { balance, creditCard } = this.world.population;
    const payer = this.personOf(transaction.payerId);
    const payee = this.personOf(transaction.payeeId);
    if (payer >= 0 && transaction.cardId !== creditCard[payer]) {
      balance[payer]! += transaction.amountMinor;
      if (transaction.balanceAfterMinor !== null) transaction.balanceAfterMinor += transaction.amountMinor;
    }
    if (payee >= 0) balance[payee]! -= transaction.amountMinor;
  }

  armed(rows: number, hours: number, see: (transaction: Draft) => Outcome): ArmedFault {
    return { see, left: rows, untilMs: this.startMs + hours * HOUR };
  }
}

interface Account {
  credit: number;
  wanted: number;
}

export class Faults {
  readonly #world: World;
  readonly #faults: readonly Fault[];
  readonly #renderer: Renderer;
  readonly #accounts: Account[];
  readonly #dailyRows: number;
  readonly #totalShare: number;
  readonly #createStage: (prng: Prng, day: number) => Stage;
  #armed: { fault: ArmedFault; account: Account }[] = [];

  constructor(
    world: World,
    faults: readonly Fault[],
    errorRate: number,
    renderer: Renderer,
    createStage: (prng: Prng, day: number) => Stage,
    stream: Prng,
  ) {
    this.#world = world;
    this.#faults = faults;
    this.#renderer = renderer;
    this.#createStage = createStage;
    this.#dailyRows = world.population.size * ROWS_PER_PERSON_DAY * errorRate;
    this.#totalShare = faults.reduce((sum, fault) => sum + fault.share, 0);
    this.#accounts = faults.map((fault, n) => ({
      credit: drawUniform(stream.fork(n), 0.3, 1) * fault.rows[0],
      wanted: fault.rows[0],
    }));
  }

  planDay(day: number, stream: Prng): void {
    for (let n = 0; n < this.#faults.length; n++) {
      const fault = this.#faults[n]!;
      const account = this.#accounts[n]!;
      const daily = (this.#dailyRows * fault.share) / this.#totalShare;
      const prng = stream.fork(n);
      account.credit += daily;
      for (let started = 0; daily > 0 && account.credit >= account.wanted && started < 100; started++) {
        const rows = Math.floor(account.wanted);
        account.credit -= rows;
        const [smallest, largest] = fault.rows;
        account.wanted = Math.floor(
          drawUniform(prng, smallest, Math.max(smallest, Math.min(largest, daily * SAVING_DAYS)) + 1),
        );
        const timeMs = startOfLimaDayMs(day) + Math.floor(drawUniform(prng, 0.25, 0.85) * DAY);
        const stage = this.#createStage(prng.fork(started), day);
        const action = () =>
          this.#arm(fault, account, new Desk(this.#world, stage, this.#renderer, fault.typology, timeMs), rows);
        this.#world.queue.push({ timeMs, action });
      }
    }
  }

  #arm(fault: Fault, account: Account, desk: Desk, rows: number): void {
    const armed = fault.arm(desk, rows);
    if (armed !== null) this.#armed.push({ fault: armed, account });
  }

  /** @returns false if the row is kept back. */
  see(transaction: Draft, nowMs: number): boolean {
    if (this.#armed.length === 0 || transaction.isFraud === true) return true;
    let done = false;
    let outcome: Outcome = 'untouched';
    for (const { fault } of this.#armed) {
      if (fault.left > 0 && nowMs < fault.untilMs) outcome = fault.see(transaction);
      if (outcome !== 'untouched') fault.left--;
      if (fault.left <= 0 || nowMs >= fault.untilMs) done = true;
      if (outcome !== 'untouched') break;
    }
    if (done) this.#disarm(nowMs);
    return outcome !== 'held';
  }

  #disarm(nowMs: number): void {
    for (const { fault, account } of this.#armed) {
      if (nowMs >= fault.untilMs) account.credit += Math.max(0, fault.left);
    }
    this.#armed = this.#armed.filter(({ fault }) => fault.left > 0 && nowMs < fault.untilMs);
  }
}
