// Turns a planned event into a transaction: who, with what, where, through which rail, and the payer's balance after it.
//
// Genuine events and those of fraud cases pass through the same code, so a case differs only in what its recipe changes.

import { itfMinor } from '../domain/itf.ts';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import type { Prng } from '../lib/prng.ts';
import { type Draft, Dresser } from './dress.ts';
import { isBusiness, KIND, type Kind, type Party, type PlannedEvent } from './plan.ts';
import { drawChance } from './sampling.ts';
import type { World } from './world.ts';

/** Yape's and Plin's daily cap, and the CCE's per immediate transfer, céntimos (peru.md §2.1–2.2). */
export const WALLET_DAY_CAP_MINOR = 200_000;
export const IMMEDIATE_CAP_MINOR = 3_000_000;
const TAXED_FROM_MINOR = 100_000;
export class Renderer {
  readonly #world: World;
  readonly #dresser: Dresser;
  readonly #draft: Draft;
  /** Paid by wallet today, céntimos. */
  readonly #walletOut: Float64Array;
  readonly #cardSales: Float64Array;
  #prng: Prng;

  constructor(world: World) {
    this.#world = world;
    this.#dresser = new Dresser(world);
    this.#draft = this.#dresser.draft;
    this.#walletOut = new Float64Array(world.population.size);
    this.#cardSales = new Float64Array(world.commerce.businesses.length);
    this.#prng = world.root;
  }

  startDay(day: number, prng: Prng): void {
    this.#prng = prng;
    this.#dresser.startDay(day, prng);
    this.#walletOut.fill(0);
  }

  /** Card sales of a shop since the last call, céntimos: what the acquirer owes it. */
  takeCardSales(shop: number): number {
    const sales = this.#cardSales[shop]!;
    this.#cardSales[shop] = 0;
    return sales;
  }

  /** The next operation number of a rail. */
  freshNumber(rail: Transaction['rail']): string {
    return this.#dresser.freshNumber(rail);
  }

  /** An event of an episode. @returns null if it could not take place (no money and nothing attempted). */
  renderEvent(event: PlannedEvent): Transaction | null {
    let amount = event.amountMinor;
    if (event.balanceShare > 0) {
      amount = Math.floor((this.#world.population.balance[event.payer]! * event.balanceShare) / 10) * 10;
      if (event.amountMinor > 0) amount = Math.min(amount, event.amountMinor);
      // Cash comes in notes of S/ 20.
      if (event.kind === KIND.cashMachine) amount = Math.floor(amount / 2000) * 2000;
      if (amount < 500) return null;
    }
    const transaction = this.render(
      event.kind,
      event.payer,
      event.payee,
      amount,
      event.timeMs,
      event.terminal,
      event.fields,
    );
    if (transaction === null) return null;
    if (event.label !== null) {
      const label = transaction as Draft;
      label.isFraud = true;
      label.typology = event.label.typology;
      label.labelTimeMs = Math.max(event.label.reportMs, event.timeMs + 600_000);
    }
    return transaction;
  }

  render(
    kind: Kind,
    payer: Party,
    payee: Party,
    amountMinor: number,
    timeMs: number,
    terminal: number,
    fields: Partial<Transaction> | null,
  ): Transaction | null {
    const draft = this.#draft;
    this.#dresser.reset(timeMs, amountMinor);
    this.#dresser.setParties(payer, payee);
    this.#dresser.setOperation(kind, payer, payee, terminal);
    if (fields !== null) Object.assign(draft, fields);
    if (!this.#settle(kind, payer, payee, fields)) return null;
    return createTransaction(draft);
  }

  /** The line of ITF that goes with a debit of a person's account, or null where none is due. */
  transactionTax(parent: Transaction): PlannedEvent | null {
    if (parent.amountMinor < TAXED_FROM_MINOR || parent.status !== 'approved' || parent.currency !== 'PEN') return null;
    if (parent.balanceAfterMinor === null || parent.payerId?.startsWith('P') !== true || parent.cardId !== null)
      return null;
    const payer = Number(parent.payerId.slice(1)) - 10_000_000;
    return {
      timeMs: parent.eventTimeMs + 900,
      kind: KIND.transactionTax,
      payer,
      payee: -1 - this.#world.commerce.taxOffice,
      amountMinor: itfMinor(parent.amountMinor),
      balanceShare: 0,
      terminal: -1,
      label: null,
      isHardNegative: false,
      fields: { externalId: `${parent.externalId}T` },
      onDone: null,
    };
  }

  /** Moves the money. @returns false if the payer knows that there is not enough and does not try. */
  #settle(kind: Kind, payer: Party, payee: Party, fields: Partial<Transaction> | null): boolean {
    const draft = this.#draft;
    const { population } = this.#world;
    const balances = population.balance;
    const isDeposit = kind === KIND.agentDeposit || kind === KIND.branchDeposit;
    const onCredit = draft.cardId !== null && payer >= 0 && draft.cardId === population.creditCard[payer];
    const soles =
      draft.currency === 'USD' ? Math.round(draft.amountMinor * this.#world.exchangeRate) : draft.amountMinor;
    const isEpisode = fields !== null;
    // An episode may fix the outcome, such as a limit that failed to hold.
    const isOpen = fields?.status === undefined;
    const isWallet = draft.rail === 'yape' || draft.rail === 'plin';
    if (isOpen && draft.status === 'approved' && soles > 0 && payer >= 0 && !isDeposit && !onCredit) {
      if (soles > balances[payer]!) {
        if (!isEpisode && !drawChance(this.#prng, 0.3)) return false;
        draft.status = 'declined';
        draft.responseCode = draft.rail === 'card' || draft.rail === 'cash' ? '51' : 'AM04';
      } else if (isWallet && this.#walletOut[payer]! + soles > WALLET_DAY_CAP_MINOR) {
        if (!isEpisode && !drawChance(this.#prng, 0.3)) return false;
        draft.status = 'declined';
        draft.responseCode = 'AM02';
      }
    }
    if (draft.status === 'approved' && soles > 0) {
      if (payer >= 0 && isDeposit && payee < 0) balances[payer] += soles;
      else if (payer >= 0 && !onCredit && !isDeposit) {
        balances[payer] -= soles;
        if (isWallet) this.#walletOut[payer] += soles;
      }
      if (payee >= 0) balances[payee] += soles;
      if (draft.channel === 'pos' && isBusiness(payee)) this.#cardSales[-1 - payee] += soles;
    }
    if (payer >= 0 && !onCredit) draft.balanceAfterMinor = balances[payer]!;
    return true;
  }
}
