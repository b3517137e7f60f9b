// Turns a planned event into a transaction: who, with what, where, through which rail, and the payer's balance after it.
//
// Genuine events and those of fraud cases pass through the same code, so a case differs only in what its recipe changes.

import { itfMinor } from '../domain/itf.ts';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import type { Prng } from '../lib/prng.ts';
import { type Draft, resetDraft, setParties } from './draft.ts';
import { Dresser } from './dress.ts';
import { isBusiness, KIND, type Kind, NOBODY, type Party, type PlannedEvent } from './plan.ts';
import { deviceToken, personOfId } from './population.ts';
import { drawChance, drawFrom } from './sampling.ts';
import type { World } from './world.ts';

/** What a wallet may send in a day, céntimos (docs/simulator.md). */
const WALLET_DAY_CAP_MINOR = 200_000;
/** A credit line's refusals: no funds, limit, do not honour, wrong CVV. */
const CREDIT_DECLINES = ['51', '51', '61', '05', '82'] as const;
const TAXED_FROM_MINOR = 100_000;
/** Whether an owner takes wallet payments in the own name instead of the shop's. */
export function isPaidInPerson(owner: number): boolean {
  return owner >= 0 && owner % 2 === 0;
}

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
      // Most people round down what they take, thieves too.
      else if (amount > 20_000 && event.timeMs % 4 !== 0) amount = Math.floor(amount / 1000) * 1000;
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
    if (kind === KIND.deviceEnrolment && fields === null) this.#changeDevice(payer);
    resetDraft(draft, timeMs, amountMinor);
    setParties(draft, this.#world, payer, payee);
    this.#dresser.setOperation(kind, payer, payee, terminal);
    let credited = kind === KIND.walletToShop ? this.#payOwner(payee) : payee;
    if (fields !== null) {
      Object.assign(draft, fields);
      if (fields.payeeId) credited = personOfId(fields.payeeId);
    }
    if (!this.#settle(kind, payer, credited, fields)) return null;
    return createTransaction(draft);
  }

  /** The line of ITF that goes with a debit of a person's account, or null where none is due. */
  transactionTax(parent: Transaction): PlannedEvent | null {
    if (parent.amountMinor < TAXED_FROM_MINOR || parent.status !== 'approved' || parent.currency !== 'PEN') return null;
    if (parent.balanceAfterMinor === null || parent.payerId?.startsWith('P') !== true || parent.cardId !== null)
      return null;
    const payer = personOfId(parent.payerId);
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

  #changeDevice(person: Party): void {
    if (person < 0) return;
    this.#world.population.device[person] = deviceToken(this.#prng.nextUint32(), person);
  }

  /** Half of the shops that people own are paid into the owner's own wallet. @returns who is credited */
  #payOwner(payee: Party): Party {
    const { owner } = this.#world.commerce.businesses[-1 - payee]!;
    if (!isPaidInPerson(owner)) return payee;
    const draft = this.#draft;
    const { population } = this.#world;
    draft.payeeId = population.id[owner]!;
    draft.payeeName = population.name[owner]!;
    draft.payeeDocument = population.document[owner]!;
    draft.payeeAccount = population.account[owner]!;
    return owner;
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
    if (isOpen && onCredit && draft.status === 'approved' && drawChance(this.#prng, 0.025)) {
      draft.status = 'declined';
      draft.responseCode = drawFrom(this.#prng, CREDIT_DECLINES);
    }
    if (draft.status === 'approved' && soles > 0) {
      if (payer >= 0 && isDeposit && payee === NOBODY) balances[payer] += soles;
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
