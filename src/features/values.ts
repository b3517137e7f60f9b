// Features of the event alone, without history.
import { isGratificacionWindow, isHoliday, isPaydayWindow, isSaleCampaign } from '../domain/calendar.ts';
import { isValidCci, looksLikeCci } from '../domain/cci.ts';
import { isPlausibleDocument } from '../domain/documents.ts';
import { matchExtortion } from '../domain/lexicon.ts';
import { CHANNELS, ENTRY_MODES, OPERATIONS, RAILS, STATUSES, type Transaction } from '../domain/transaction.ts';
import type { FeatureDefinition } from './definition.ts';
import type { FoldEvent } from './event.ts';
import { flagOf } from './event-flags.ts';

/** NaN means missing. */
type Reader = (tx: Transaction, event: FoldEvent) => number;

const flag =
  (bit: number): Reader =>
  (_, event) =>
    (event.flags & bit) !== 0 ? 1 : 0;

/** Position in a closed list, as the category's code. */
function codeIn(values: readonly string[], read: (tx: Transaction) => string | null): Reader {
  const codes = new Map<string | null, number>(values.map((value, code) => [value, code]));
  return (tx) => codes.get(read(tx)) ?? Number.NaN;
}

const onDay =
  (is: (day: number) => boolean): Reader =>
  (_, event) =>
    is(event.day) ? 1 : 0;

function isInvalidDocument(document: string | null): number {
  return document === null ? Number.NaN : Number(!isPlausibleDocument(document));
}

/** Share of the payer's balance that the payment took; above 1 where it left a debt. */
function balanceShare({ amountMinor, balanceAfterMinor }: Transaction): number {
  if (balanceAfterMinor === null) return Number.NaN;
  const before = balanceAfterMinor + amountMinor;
  return before > 0 ? amountMinor / before : Number.NaN;
}

/** Properties of an event that a feature with the aggregate 'value' may name as its field. */
const READERS: Readonly<Record<string, Reader>> = {
  amount: (_, event) => event.amount,
  'log-amount': (_, event) => Math.log1p(Math.max(0, event.amount)),
  'negative-amount': (tx) => (tx.amountMinor < 0 ? 1 : 0),
  hour: (_, event) => event.hour,
  weekday: (_, event) => event.weekday,
  weekend: flag(flagOf('weekend')),
  night: flag(flagOf('night')),
  holiday: onDay(isHoliday),
  payday: onDay(isPaydayWindow),
  bonus: onDay(isGratificacionWindow),
  'sale-campaign': onDay(isSaleCampaign),
  'round-amount': flag(flagOf('round-amount')),
  'near-threshold': flag(flagOf('near-threshold')),
  'off-habit': flag(flagOf('off-habit')),
  security: flag(flagOf('security')),
  'foreign-currency': (_, event) => (event.isForeign ? 1 : 0),
  'cross-border': (tx, event) => (tx.country === null ? Number.NaN : flag(flagOf('cross-border'))(tx, event)),
  operation: codeIn(OPERATIONS, (tx) => tx.operation),
  rail: codeIn(RAILS, (tx) => tx.rail),
  channel: codeIn(CHANNELS, (tx) => tx.channel),
  'entry-mode': codeIn(ENTRY_MODES, (tx) => tx.entryMode),
  status: codeIn(STATUSES, (tx) => tx.status),
  mcc: (tx) => (tx.mcc === null ? Number.NaN : Number(tx.mcc)),
  'auth-factors': (tx) => tx.authFactors.length,
  'concept-length': (tx) => tx.concept?.length ?? 0,
  'extortion-word': (tx) => (tx.concept !== null && matchExtortion(tx.concept) !== null ? 1 : 0),
  'invalid-payee-account': (tx) =>
    tx.payeeAccount === null || !looksLikeCci(tx.payeeAccount) ? Number.NaN : Number(!isValidCci(tx.payeeAccount)),
  'invalid-payer-document': (tx) => isInvalidDocument(tx.payerDocument),
  'invalid-payee-document': (tx) => isInvalidDocument(tx.payeeDocument),
  'missing-counterparty': (tx) => (tx.payeeId === null && tx.terminalId === null && tx.merchantId === null ? 1 : 0),
  'ingest-lag': (tx) => (tx.ingestTimeMs === null ? Number.NaN : tx.ingestTimeMs - tx.eventTimeMs),
  'balance-share': balanceShare,
};

export interface ValuePlan {
  readonly readers: readonly Reader[];
  readonly columns: Int32Array;
  readonly missing: Float64Array;
}

/** @throws RangeError naming a feature whose field is not known. */
export function compileValues(definitions: readonly FeatureDefinition[]): ValuePlan {
  const columns: number[] = [];
  const readers: Reader[] = [];
  definitions.forEach(({ id, entity, aggregate, field }, column) => {
    if (entity !== 'transaction') return;
    const reader = field === null ? undefined : READERS[field];
    if (aggregate !== 'value' || reader === undefined) {
      throw new RangeError(
        `feature ${id}: no such property of a transaction: ${String(field)}; known are ${Object.keys(READERS).join(', ')}`,
      );
    }
    columns.push(column);
    readers.push(reader);
  });
  return {
    readers,
    columns: Int32Array.from(columns),
    missing: Float64Array.from(columns, (column) => definitions[column].missing),
  };
}

/** Writes each value feature; NaN from a reader means missing. */
export function writeValues(
  plan: ValuePlan,
  tx: Transaction,
  event: FoldEvent,
  out: Float64Array,
  offset: number,
): void {
  for (let i = 0; i < plan.readers.length; i++) {
    const value = plan.readers[i](tx, event);
    out[offset + plan.columns[i]] = Number.isNaN(value) ? plan.missing[i] : value;
  }
}
