// Operational errors that one record shows by itself: wrong check digits, missing parties, impossible dates, broken
// text, test data. Pure and quick: it runs on every transaction and answers with a bit mask.
//
// Errors that need several records (duplicates, replayed batches, shifted decimals) belong to the features and rules.

import { limaDayNumber, MS_PER_DAY } from '../domain/calendar.ts';
import { cciCurrencyHint, isValidCci, looksLikeCci } from '../domain/cci.ts';
import { isDigits } from '../domain/digits.ts';
import { isPlaceholderDni, parseDni } from '../domain/dni.ts';
import { documentKind } from '../domain/documents.ts';
import { entityOf } from '../domain/entities.ts';
import { isPossibleItf } from '../domain/itf.ts';
import { limitExceededBy } from '../domain/limits.ts';
import { isTestPan } from '../domain/pan.ts';
import { isValidRuc } from '../domain/ruc.ts';
import { SECURITY_OPERATIONS, type Transaction } from '../domain/transaction.ts';
import { isBrokenText } from './broken-text.ts';
import type { ReasonCode } from './reason-codes.ts';

/** The codes, in the order of their bits. */
export const QUALITY_CODES = [
  'CCI_INVALIDO',
  'CCI_ENTIDAD_DESCONOCIDA',
  'RUC_INVALIDO',
  'DNI_INVALIDO',
  'CONTRAPARTE_AUSENTE',
  'FECHA_INCONSISTENTE',
  'SIGNO_INVERTIDO',
  'POSIBLE_ERROR_DE_MONEDA',
  'LIMITE_EXCEDIDO',
  'CODIFICACION_ROTA',
  'DATOS_DE_PRUEBA',
  'ITF_INCORRECTO',
] as const satisfies readonly ReasonCode[];

export type QualityCode = (typeof QUALITY_CODES)[number];

const BIT = Object.fromEntries(QUALITY_CODES.map((code, index) => [code, 1 << index])) as Record<QualityCode, number>;

/** The findings of a transaction as bits, bit i for QUALITY_CODES[i]; 0 for a clean record. */
export function qualityMask(tx: Transaction): number {
  return (
    accountBits(tx.payerAccount, tx) |
    accountBits(tx.payeeAccount, tx) |
    documentBits(tx.payerDocument) |
    documentBits(tx.payeeDocument) |
    (isCounterpartyMissing(tx) ? BIT.CONTRAPARTE_AUSENTE : 0) |
    (isDateInconsistent(tx) ? BIT.FECHA_INCONSISTENTE : 0) |
    (isSignReversed(tx) ? BIT.SIGNO_INVERTIDO : 0) |
    (isCurrencySuspect(tx) ? BIT.POSIBLE_ERROR_DE_MONEDA : 0) |
    (isAboveLimit(tx) ? BIT.LIMITE_EXCEDIDO : 0) |
    (hasBrokenText(tx) ? BIT.CODIFICACION_ROTA : 0) |
    (isTestData(tx) ? BIT.DATOS_DE_PRUEBA : 0) |
    (isItfWrong(tx) ? BIT.ITF_INCORRECTO : 0)
  );
}

/** The codes whose bits are set, in the order of QUALITY_CODES. */
export function codesOfMask(mask: number): QualityCode[] {
  if (mask === 0) return [];
  return QUALITY_CODES.filter((code) => (mask & BIT[code]) !== 0);
}

/** The findings of a transaction as codes; empty for a clean record. */
export function qualityFindings(tx: Transaction): QualityCode[] {
  return codesOfMask(qualityMask(tx));
}

const SPREADSHEET_NUMBER = /^\d(?:\.\d+)?E\+\d+$/i;
const CCE_RAILS: ReadonlySet<string> = new Set(['cce-immediate', 'cce-deferred']);
const LONGEST_OWN_ACCOUNT = 18;

/** A number that should be a CCI: 19 digits (a lost zero), 20, more, or what a spreadsheet made of it. */
function accountBits(account: string | null, tx: Transaction): number {
  if (account === null) return 0;
  if (looksLikeCci(account)) {
    if (!isValidCci(account)) return BIT.CCI_INVALIDO;
    return entityOf(account) === null ? BIT.CCI_ENTIDAD_DESCONOCIDA : 0;
  }
  const isNumberRuined = SPREADSHEET_NUMBER.test(account);
  const isTooLong = tx.rail !== null && CCE_RAILS.has(tx.rail) && account.length > LONGEST_OWN_ACCOUNT;
  const lostZero = account.length === 19 && isValidCci(`0${account}`);
  return isNumberRuined || isTooLong || lostZero ? BIT.CCI_INVALIDO : 0;
}

function documentBits(document: string | null): number {
  if (document === null) return 0;
  if (isDigits(document, 8)) return isPlaceholderDni(document) ? BIT.DNI_INVALIDO : 0;
  switch (documentKind(document)) {
    case 'ruc':
      return isValidRuc(document) ? 0 : BIT.RUC_INVALIDO;
    case 'dni': {
      const dni = parseDni(document);
      return dni === null || isPlaceholderDni(dni) ? BIT.DNI_INVALIDO : 0;
    }
    default:
      return 0;
  }
}

const PLACEHOLDERS: ReadonlySet<string> = new Set([
  'NULL',
  'NONE',
  'N/A',
  'NA',
  'NN',
  'N.N.',
  'S/N',
  'SIN NOMBRE',
  'DESCONOCIDO',
  'UNDEFINED',
  'VACIO',
]);
/** Dashes and dots of any length; zeros and crosses from three on, because "0" may be somebody's number. */
const FILLER = /^(?:[-_.\s]*|[-_.\s0xX]{3,})$/;
const LONGEST_PLACEHOLDER = 11;

function isPresent(text: string | null): boolean {
  if (text === null) return false;
  const first = text.charCodeAt(0);
  if (first >= 49 && first <= 57) return true;
  if (FILLER.test(text)) return false;
  return text.length > LONGEST_PLACEHOLDER || !PLACEHOLDERS.has(text.trim().toUpperCase());
}

/** Operations that have somebody on each side. */
const TWO_SIDED: ReadonlySet<string> = new Set(['transfer', 'remittance', 'payroll', 'bill-payment', 'purchase']);

function isCounterpartyMissing(tx: Transaction): boolean {
  if (!TWO_SIDED.has(tx.operation)) return false;
  const payer =
    isPresent(tx.payerId) || isPresent(tx.payerAccount) || isPresent(tx.payerDocument) || tx.cardId !== null;
  const payee =
    isPresent(tx.payeeId) ||
    isPresent(tx.payeeAccount) ||
    isPresent(tx.payeeDocument) ||
    isPresent(tx.merchantId) ||
    isPresent(tx.terminalId);
  return !payer || !payee || (tx.payeeName !== null && !isPresent(tx.payeeName));
}

const MINUTE_MS = 60_000;
const LIMA_OFFSET_MS = 5 * 60 * MINUTE_MS;
const CLOCK_DRIFT_MS = 5 * MINUTE_MS;
const EARLIEST_EVENT_MS = 30 * 365 * MS_PER_DAY;
const LATEST_EVENT_MS = 130 * 365 * MS_PER_DAY;

/** How late a record may arrive: instant rails stay within a day even after an outage, the others wait for batches. */
const INSTANT_RAILS: ReadonlySet<string> = new Set(['yape', 'plin', 'e-money', 'cce-immediate']);
const INSTANT_DELAY_MS = MS_PER_DAY;
const ANY_DELAY_MS = 35 * MS_PER_DAY;
/** Where a record normally arrives at once, one that is five hours late to the half minute has the wrong time zone. */
const PROMPT_RAILS: ReadonlySet<string> = new Set([...INSTANT_RAILS, 'card', 'cash', 'internal']);
const ZONE_TOLERANCE_MS = MINUTE_MS / 2;

function isDateInconsistent(tx: Transaction): boolean {
  const { eventTimeMs, ingestTimeMs } = tx;
  if (eventTimeMs < EARLIEST_EVENT_MS || eventTimeMs > LATEST_EVENT_MS) return true;
  if (ingestTimeMs === null) return false;
  const delayMs = ingestTimeMs - eventTimeMs;
  if (delayMs < -CLOCK_DRIFT_MS) return true;
  if (tx.rail === null || !PROMPT_RAILS.has(tx.rail) || tx.channel === 'batch') return delayMs > ANY_DELAY_MS;
  const allowedMs = INSTANT_RAILS.has(tx.rail) ? INSTANT_DELAY_MS : ANY_DELAY_MS;
  return delayMs > allowedMs || Math.abs(delayMs - LIMA_OFFSET_MS) <= ZONE_TOLERANCE_MS;
}

/** Refunds and reversals are written with a minus by some systems, and rightly. */
function isSignReversed(tx: Transaction): boolean {
  return tx.amountMinor < 0 && tx.operation !== 'refund' && tx.operation !== 'reversal';
}

function isCurrencySuspect(tx: Transaction): boolean {
  const account = tx.payeeAccount;
  if (account === null || tx.operation === 'currency-exchange' || !looksLikeCci(account)) return false;
  const hint = cciCurrencyHint(account);
  return hint !== null && hint !== tx.currency && isValidCci(account);
}

function isAboveLimit(tx: Transaction): boolean {
  if (tx.status !== 'approved' || tx.rail === null || SECURITY_OPERATIONS.has(tx.operation)) return false;
  return limitExceededBy(tx.amountMinor, tx.currency, tx.rail, limaDayNumber(tx.eventTimeMs)) !== null;
}

function hasBrokenText(tx: Transaction): boolean {
  return (
    isBrokenText(tx.payerName, 'name') || isBrokenText(tx.payeeName, 'name') || isBrokenText(tx.concept, 'sentence')
  );
}

const TEST_NAME = /\b(?:prueba|test|testing|dummy|asdf|qwerty)\b/i;
const TEST_CONCEPT = /^\s*(?:prueba|test|testing|dummy|asdf\w*|qwerty)(?:\s*\d*)?\s*$/i;
const TEST_DNI = '12345678';
/** Where people write the concept themselves: "prueba" there is a person trying a wallet with S/ 1. */
const PERSONAL_CHANNELS: ReadonlySet<string> = new Set(['app', 'web', 'ussd']);

function isTestData(tx: Transaction): boolean {
  return (
    tx.payerDocument === TEST_DNI ||
    tx.payeeDocument === TEST_DNI ||
    (tx.payerName !== null && TEST_NAME.test(tx.payerName)) ||
    (tx.payeeName !== null && TEST_NAME.test(tx.payeeName)) ||
    (tx.concept !== null && !isWrittenByPerson(tx) && TEST_CONCEPT.test(tx.concept)) ||
    (tx.cardId !== null && isTestCard(tx.cardId))
  );
}

function isWrittenByPerson(tx: Transaction): boolean {
  return tx.channel !== null && PERSONAL_CHANNELS.has(tx.channel);
}

/** A published test number, in clear or masked as "411111******1111"; synthetic 9604 numbers are for demonstrations. */
function isTestCard(cardId: string): boolean {
  if (cardId.startsWith('411111') && cardId.endsWith('1111')) return true;
  return isTestPan(cardId) && !cardId.startsWith('9604');
}

const ITF_WORD = /\bitf\b/i;

/** A tax line that says ITF and is no multiple of S/ 0.05 matches no amount; other taxes are free. */
function isItfWrong(tx: Transaction): boolean {
  if (tx.operation !== 'tax' || tx.currency !== 'PEN' || tx.concept === null) return false;
  return ITF_WORD.test(tx.concept) && !isPossibleItf(tx.amountMinor);
}
