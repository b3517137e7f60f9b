// The transaction being made: one mutable draft, filled and copied for every event.
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { isBusiness, type Party } from './plan.ts';
import type { World } from './world.ts';

export type Draft = { -readonly [K in keyof Transaction]: Transaction[K] };

const NO_FACTORS: Transaction['authFactors'] = [];

export function createDraft(): Draft {
  return createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' });
}

/** Back to an approved transfer in soles about which nothing is known but its time and amount. */
export function resetDraft(draft: Draft, timeMs: number, amountMinor: number): void {
  draft.eventTimeMs = timeMs;
  draft.ingestTimeMs = timeMs;
  draft.amountMinor = amountMinor;
  draft.currency = 'PEN';
  draft.operation = 'transfer';
  draft.rail = null;
  draft.channel = null;
  draft.cardId = null;
  draft.deviceId = null;
  draft.ipAddress = null;
  draft.terminalId = null;
  draft.merchantId = null;
  draft.mcc = null;
  draft.entryMode = null;
  draft.ubigeo = null;
  draft.latitude = null;
  draft.longitude = null;
  draft.country = 'PE';
  draft.concept = null;
  draft.authFactors = NO_FACTORS;
  draft.status = 'approved';
  draft.responseCode = '00';
  draft.externalId = null;
  draft.balanceAfterMinor = null;
  draft.isFraud = false;
  draft.typology = null;
  draft.authExemption = null;
  draft.labelTimeMs = null;
}

export function setParties(draft: Draft, world: World, payer: Party, payee: Party): void {
  const { population, commerce } = world;
  if (payer >= 0) {
    draft.payerId = population.id[payer]!;
    draft.payerName = population.name[payer]!;
    draft.payerDocument = population.document[payer]!;
    draft.payerAccount = population.account[payer]!;
  } else {
    const from = isBusiness(payer) ? commerce.businesses[-1 - payer]! : null;
    draft.payerId = from?.id ?? null;
    draft.payerName = from?.name ?? null;
    draft.payerDocument = from?.document ?? null;
    draft.payerAccount = from?.account ?? null;
  }
  if (payee >= 0) {
    draft.payeeId = population.id[payee]!;
    draft.payeeName = population.name[payee]!;
    draft.payeeDocument = population.document[payee]!;
    draft.payeeAccount = population.account[payee]!;
  } else {
    const to = isBusiness(payee) ? commerce.businesses[-1 - payee]! : null;
    draft.payeeId = to?.id ?? null;
    draft.payeeName = to?.name ?? null;
    draft.payeeDocument = to?.document ?? null;
    draft.payeeAccount = to?.account ?? null;
  }
}
