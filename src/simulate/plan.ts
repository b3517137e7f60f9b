// What is going to happen: the kinds of event, one day's plan in columns, and the queue of events beyond it.
//
// Genuine events of a day are planned in typed arrays (about 30 bytes each) and turned into transactions one by one in
// time order, so memory holds one day's plan and not one day's transactions. Events of fraud cases, errors and their
// consequences (a mule forwards what it received) wait in a heap ordered by time.
import type { Transaction } from '../domain/transaction.ts';
import { assert } from '../lib/assert.ts';

export const KIND = {
  walletToPerson: 0,
  walletToShop: 1,
  cardAtShop: 2,
  cardOnWeb: 3,
  subscription: 4,
  cashMachine: 5,
  agentWithdrawal: 6,
  agentDeposit: 7,
  branchWithdrawal: 8,
  transfer: 9,
  bill: 10,
  topUp: 11,
  rent: 12,
  payroll: 13,
  pension: 14,
  severance: 15,
  remittance: 16,
  taxPayment: 17,
  loanPayment: 18,
  loanDisbursement: 19,
  exchangeSale: 20,
  supplier: 21,
  supplierBatch: 22,
  supplierHigh: 23,
  settlement: 24,
  ownerDraw: 25,
  balanceLookup: 26,
  loginFailed: 27,
  deviceEnrolment: 28,
  passwordReset: 29,
  limitChange: 30,
  payeeAdded: 31,
  simChange: 32,
  paymentClaim: 33,
  cardRefund: 34,
  transactionTax: 35,
  branchDeposit: 36,
  fee: 37,
  reversal: 38,
  exchangePurchase: 39,
  employeeLookup: 40,
  adjustment: 41,
} as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

/** A person is its number; a business b is written −1 − b. */
export type Party = number;
export const NOBODY: Party = -2_147_483_648;

export function business(index: number): Party {
  return -1 - index;
}

export function isBusiness(party: Party): boolean {
  return party < 0 && party !== NOBODY;
}

export interface Label {
  readonly typology: string;
  /** When it is reported, if the event is earlier. */
  readonly reportMs: number;
}

/** An event of an episode; `fields` replace what the usual rendering gives. */
export interface PlannedEvent {
  readonly timeMs: number;
  readonly kind: Kind;
  readonly payer: Party;
  readonly payee: Party;
  readonly amountMinor: number;
  /** Share of the payer's balance to pay instead of `amountMinor`; 0 to pay the amount. */
  readonly balanceShare: number;
  /** Shop terminal, machine or agent number, or −1. */
  readonly terminal: number;
  readonly label: Label | null;
  readonly isHardNegative: boolean;
  readonly fields: Partial<Transaction> | null;
  /** What it brings about; not called if the event could not take place. */
  readonly onDone: ((transaction: Transaction) => void) | null;
}

const DAY_INDEX_LIMIT = 16_777_216;

export class DayPlan {
  #capacity = 1 << 14;
  #length = 0;
  #msOfDay = new Int32Array(this.#capacity);
  #order = new Float64Array(this.#capacity);
  kind = new Uint8Array(this.#capacity);
  payer = new Int32Array(this.#capacity);
  payee = new Int32Array(this.#capacity);
  amountMinor = new Float64Array(this.#capacity);
  terminal = new Int32Array(this.#capacity);
  hardNegative = new Uint8Array(this.#capacity);

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  add(
    msOfDay: number,
    kind: Kind,
    payer: Party,
    payee: Party,
    amountMinor: number,
    terminal = -1,
    hardNegative = 0,
  ): void {
    if (this.#length === this.#capacity) this.#grow();
    const at = this.#length++;
    this.#msOfDay[at] = msOfDay;
    this.kind[at] = kind;
    this.payer[at] = payer;
    this.payee[at] = payee;
    this.amountMinor[at] = amountMinor;
    this.terminal[at] = terminal;
    this.hardNegative[at] = hardNegative;
  }

  msOfDay(at: number): number {
    return this.#msOfDay[at]!;
  }

  /** Row numbers in order of time, ties in order of planning: row = key mod 2^24. Valid until the next `add`. */
  sorted(): Float64Array {
    assert(this.#length < DAY_INDEX_LIMIT, 'a simulated day holds at most 16 million events');
    for (let i = 0; i < this.#length; i++) this.#order[i] = this.#msOfDay[i]! * DAY_INDEX_LIMIT + i;
    return this.#order.subarray(0, this.#length).sort();
  }

  static rowOf(key: number): number {
    return key % DAY_INDEX_LIMIT;
  }

  #grow(): void {
    this.#capacity *= 2;
    const grown = <T extends Int32Array | Uint8Array | Float64Array>(old: T, larger: T): T => {
      larger.set(old);
      return larger;
    };
    this.#msOfDay = grown(this.#msOfDay, new Int32Array(this.#capacity));
    this.#order = new Float64Array(this.#capacity);
    this.kind = grown(this.kind, new Uint8Array(this.#capacity));
    this.payer = grown(this.payer, new Int32Array(this.#capacity));
    this.payee = grown(this.payee, new Int32Array(this.#capacity));
    this.amountMinor = grown(this.amountMinor, new Float64Array(this.#capacity));
    this.terminal = grown(this.terminal, new Int32Array(this.#capacity));
    this.hardNegative = grown(this.hardNegative, new Uint8Array(this.#capacity));
  }
}

/** Something that happens at a time: an event to render, a transaction that is ready, or an action of an episode. */
export type Pending =
  | { readonly timeMs: number; readonly event: PlannedEvent }
  | { readonly timeMs: number; readonly ready: Transaction }
  | { readonly timeMs: number; readonly action: () => void };

const QUEUE_LIMIT = 4_000_000;

/** A binary heap by time, ties in order of arrival. */
export class EventQueue {
  readonly #items: Pending[] = [];
  readonly #arrival: number[] = [];
  #next = 0;

  get size(): number {
    return this.#items.length;
  }

  get nextTimeMs(): number {
    return this.#items.length === 0 ? Number.POSITIVE_INFINITY : this.#items[0]!.timeMs;
  }

  push(item: Pending): void {
    assert(this.#items.length < QUEUE_LIMIT, 'more than 4 million events are waiting: episodes do not end');
    this.#items.push(item);
    this.#arrival.push(this.#next++);
    let at = this.#items.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): Pending {
    const first = this.#items[0]!;
    const last = this.#items.pop()!;
    const lastArrival = this.#arrival.pop()!;
    if (this.#items.length > 0) {
      this.#items[0] = last;
      this.#arrival[0] = lastArrival;
      this.#sink();
    }
    return first;
  }

  #sink(): void {
    let at = 0;
    for (;;) {
      let least = at;
      const left = 2 * at + 1;
      if (left < this.#items.length && this.#isBefore(left, least)) least = left;
      if (left + 1 < this.#items.length && this.#isBefore(left + 1, least)) least = left + 1;
      if (least === at) return;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const difference = this.#items[a]!.timeMs - this.#items[b]!.timeMs;
    return difference < 0 || (difference === 0 && this.#arrival[a]! < this.#arrival[b]!);
  }

  #swap(a: number, b: number): void {
    const item = this.#items[a]!;
    this.#items[a] = this.#items[b]!;
    this.#items[b] = item;
    const arrival = this.#arrival[a]!;
    this.#arrival[a] = this.#arrival[b]!;
    this.#arrival[b] = arrival;
  }
}
