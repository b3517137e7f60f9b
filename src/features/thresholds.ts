// Limits that people stay just under: rails' own limits and the ones of the law, as reference data with their sources.
//
// Structuring (pitufeo) splits a sum so that each part stays below a limit; honest amounts heap there too (a wallet's
// default limit), so this is a signal among others. Values in minor units; peru.md §2 and §3.3 say where from.
import type { Transaction } from '../domain/transaction.ts';

export interface AmountThreshold {
  readonly id: string;
  /** null: every rail. */
  readonly rail: Transaction['rail'];
  /** Only cash operations. */
  readonly cashOnly: boolean;
  readonly currency: 'PEN' | 'USD';
  readonly limitMinor: number;
}

/** Share of a limit from which an amount counts as near it. */
export const NEAR_FROM = 0.9;

export const AMOUNT_THRESHOLDS: readonly AmountThreshold[] = [
  { id: 'yape-otp', rail: 'yape', cashOnly: false, currency: 'PEN', limitMinor: 500_00 },
  { id: 'yape-day', rail: 'yape', cashOnly: false, currency: 'PEN', limitMinor: 2_000_00 },
  { id: 'plin-day', rail: 'plin', cashOnly: false, currency: 'PEN', limitMinor: 2_000_00 },
  { id: 'simplified-e-money', rail: 'e-money', cashOnly: false, currency: 'PEN', limitMinor: 3_300_00 },
  { id: 'immediate-transfer', rail: 'cce-immediate', cashOnly: false, currency: 'PEN', limitMinor: 30_000_00 },
  { id: 'immediate-transfer-usd', rail: 'cce-immediate', cashOnly: false, currency: 'USD', limitMinor: 10_000_00 },
  { id: 'deferred-transfer', rail: 'cce-deferred', cashOnly: false, currency: 'PEN', limitMinor: 420_000_00 },
  { id: 'deferred-transfer-usd', rail: 'cce-deferred', cashOnly: false, currency: 'USD', limitMinor: 75_000_00 },
  { id: 'means-of-payment', rail: null, cashOnly: true, currency: 'PEN', limitMinor: 2_000_00 },
  { id: 'means-of-payment-usd', rail: null, cashOnly: true, currency: 'USD', limitMinor: 500_00 },
  { id: 'operations-register-usd', rail: null, cashOnly: true, currency: 'USD', limitMinor: 10_000_00 },
  { id: 'operations-register', rail: null, cashOnly: true, currency: 'PEN', limitMinor: 34_000_00 },
];

function isCash(tx: Transaction): boolean {
  return tx.rail === 'cash' || tx.operation === 'cash-deposit' || tx.operation === 'cash-withdrawal';
}

/** In [90 %, 100 %] of a limit that applies to the operation; exactly at a limit counts. */
export function isNearThreshold(tx: Transaction): boolean {
  if (tx.amountMinor <= 0) return false;
  for (const threshold of AMOUNT_THRESHOLDS) {
    if (tx.amountMinor > threshold.limitMinor || tx.amountMinor < NEAR_FROM * threshold.limitMinor) continue;
    if (threshold.currency !== tx.currency) continue;
    if (threshold.rail !== null && threshold.rail !== tx.rail) continue;
    if (threshold.cashOnly && !isCash(tx)) continue;
    return true;
  }
  return false;
}
