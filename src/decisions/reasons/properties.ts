// Sentences on properties of the event alone: those that are worth saying where they hold.
import type { Transaction } from '../../domain/transaction.ts';
import type { ReasonCode } from '../reason-codes.ts';
import { clockOf } from './event.ts';
import type { Finding, Row } from './evidence.ts';
import { duration, money, percent } from './format.ts';

type Property = (value: number, row: Row) => Finding | null;

const HOUR_MS = 3_600_000;
const DIGITAL_CHANNELS: ReadonlySet<Transaction['channel']> = new Set(['app', 'web', 'ecommerce', 'ussd']);
/** A payment that takes less of the balance than this is ordinary. */
const MOST_OF_BALANCE = 0.8;

const amountText = ({ transaction }: Row): string => money(transaction.amountMinor, transaction.currency);

/** A property that holds or not. */
function holds(code: ReasonCode, strength: number, es: (row: Row) => string, en: (row: Row) => string): Property {
  return (value, row) => (value === 1 ? { code, strength, say: () => ({ es: es(row), en: en(row) }) } : null);
}

const PROPERTIES: Readonly<Record<string, Property>> = {
  night: holds(
    'HORA_INUSUAL',
    0.2,
    (row) => `Operación de madrugada (${clockOf(row)})`,
    (row) => `Transaction at night (${clockOf(row)})`,
  ),
  'round-amount': holds(
    'MONTO_REDONDO',
    0.2,
    (row) => `Monto redondo: ${amountText(row)}`,
    (row) => `Round amount: ${amountText(row)}`,
  ),
  'near-threshold': holds(
    'CERCA_DE_UMBRAL',
    0.5,
    (row) => `Monto de ${amountText(row)}, justo debajo de un umbral`,
    (row) => `Amount of ${amountText(row)}, just below a threshold`,
  ),
  'off-habit': holds(
    'MONTO_FUERA_DE_PERFIL',
    0.3,
    (row) => `Monto de ${amountText(row)}, muy por encima de lo habitual del cliente`,
    (row) => `Amount of ${amountText(row)}, far above the customer's habit`,
  ),
  'negative-amount': holds(
    'SIGNO_INVERTIDO',
    0.6,
    (row) => `Monto negativo: ${amountText(row)}`,
    (row) => `Negative amount: ${amountText(row)}`,
  ),
  'cross-border': holds('PAIS_NUEVO', 0.4, abroad('Operación en el extranjero'), abroad('Transaction abroad')),
  'extortion-word': holds(
    'LEXICO_EXTORSION',
    0.6,
    () => 'El concepto contiene un término asociado a extorsión',
    () => 'The concept contains a term linked to extortion',
  ),
  'invalid-payee-account': holds(
    'CCI_INVALIDO',
    0.7,
    () => 'El CCI del beneficiario no es válido',
    () => "The payee's CCI is not valid",
  ),
  'invalid-payer-document': holds(
    'DNI_INVALIDO',
    0.5,
    () => 'El documento del ordenante no es válido',
    () => "The payer's document is not valid",
  ),
  'invalid-payee-document': holds(
    'DNI_INVALIDO',
    0.5,
    () => 'El documento del beneficiario no es válido',
    () => "The payee's document is not valid",
  ),
  'missing-counterparty': holds(
    'CONTRAPARTE_AUSENTE',
    0.5,
    () => 'La operación no indica contraparte',
    () => 'The transaction names no counterparty',
  ),
  'balance-share': balanceShare,
  'ingest-lag': ingestLag,
  'auth-factors': authFactors,
  'entry-mode': (_, { transaction }) =>
    transaction.entryMode === 'fallback'
      ? {
          code: 'FALLBACK_BANDA',
          strength: 0.6,
          say: () => ({
            es: 'Tarjeta con chip leída por la banda (fallback)',
            en: 'Chip card read by its stripe (fallback)',
          }),
        }
      : null,
  status: (_, { transaction }) =>
    transaction.status === 'declined'
      ? {
          code: 'RECHAZOS_PREVIOS',
          strength: 0.2,
          say: () => ({
            es: 'La operación fue rechazada',
            en: 'The transaction was declined',
          }),
        }
      : null,
};

/** What the property says; null where it is ordinary or has nothing to say. */
export function property(field: string | null, value: number, row: Row): Finding | null {
  return field !== null && Object.hasOwn(PROPERTIES, field) ? PROPERTIES[field](value, row) : null;
}

function abroad(text: string): (row: Row) => string {
  return ({ transaction: { country } }) => (country === null ? text : `${text} (${country})`);
}

function balanceShare(value: number): Finding | null {
  if (!(value >= MOST_OF_BALANCE)) return null;
  const beyond = value > 1;
  return {
    code: 'MONTO_FUERA_DE_PERFIL',
    strength: 0.4,
    say: () => {
      const part = percent(value);
      return {
        es: beyond ? 'El pago supera el saldo de la cuenta' : `El pago toma el ${part.es} del saldo de la cuenta`,
        en: beyond
          ? "The payment exceeds the account's balance"
          : `The payment takes ${part.en} of the account's balance`,
      };
    },
  };
}

function ingestLag(value: number): Finding | null {
  if (!(Math.abs(value) >= HOUR_MS)) return null;
  const length = duration(Math.abs(value));
  const late = value > 0;
  return {
    code: 'FECHA_INCONSISTENTE',
    strength: 0.5,
    say: () => ({
      es: late ? `Recibida ${length.es} después de su fecha` : `Recibida ${length.es} antes de su fecha`,
      en: late ? `Received ${length.en} after its date` : `Received ${length.en} before its date`,
    }),
  };
}

/** No factor at all is more often a field that the file lacks than a payment without authentication. */
function authFactors(value: number, { transaction }: Row): Finding | null {
  if (value !== 1 || !DIGITAL_CHANNELS.has(transaction.channel)) return null;
  return {
    code: 'SIN_SEGUNDO_FACTOR',
    strength: 0.4,
    say: () => ({
      es: 'Canal digital con un solo factor de autenticación',
      en: 'Digital channel with a single authentication factor',
    }),
  };
}
