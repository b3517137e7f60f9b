// Texts to the values of fields that are neither amounts nor times: ids, codes, enumerations, labels, factors.
import { parseCurrency } from '../../domain/money.ts';
import { isValidPan } from '../../domain/pan.ts';
import {
  AUTH_FACTORS,
  CHANNELS,
  ENTRY_MODES,
  OPERATIONS,
  RAILS,
  STATUSES,
  TransactionSchema,
} from '../../domain/transaction.ts';
import { cardToken } from '../card-token.ts';
import type { FieldMapping, FieldName } from './mapping-file.ts';

/** Why a text is not a value of its field. */
export class Refusal {
  readonly reason: string;
  readonly message: string;
  constructor(reason: string, message: string) {
    this.reason = reason;
    this.message = message;
  }
}

export type TextValue = string | boolean | readonly string[] | null;

const ENUMERATIONS: Partial<Record<FieldName, ReadonlySet<string>>> = {
  operation: new Set(OPERATIONS),
  rail: new Set(RAILS),
  channel: new Set(CHANNELS),
  entryMode: new Set(ENTRY_MODES),
  status: new Set(STATUSES),
};
/** How Peruvian systems write the codes, folded to lower case without accents, blanks as hyphens. */
const SYNONYMS: Readonly<Record<string, string>> = {
  compra: 'purchase',
  consumo: 'purchase',
  transferencia: 'transfer',
  retiro: 'cash-withdrawal',
  'retiro-de-efectivo': 'cash-withdrawal',
  withdrawal: 'cash-withdrawal',
  deposito: 'cash-deposit',
  deposit: 'cash-deposit',
  'pago-de-servicios': 'bill-payment',
  recarga: 'top-up',
  planilla: 'payroll',
  remesa: 'remittance',
  devolucion: 'refund',
  extorno: 'reversal',
  reversa: 'reversal',
  comision: 'fee',
  'cambio-de-moneda': 'currency-exchange',
  tarjeta: 'card',
  efectivo: 'cash',
  movil: 'app',
  'banca-movil': 'app',
  mobile: 'app',
  internet: 'web',
  'banca-por-internet': 'web',
  online: 'ecommerce',
  cajero: 'atm',
  'cajero-automatico': 'atm',
  agente: 'agent',
  ventanilla: 'branch',
  agencia: 'branch',
  oficina: 'branch',
  aprobada: 'approved',
  aprobado: 'approved',
  exitosa: 'approved',
  exitoso: 'approved',
  rechazada: 'declined',
  rechazado: 'declined',
  denegada: 'declined',
  denegado: 'declined',
  extornada: 'reversed',
  extornado: 'reversed',
  anulada: 'reversed',
};

const FACTORS: ReadonlySet<string> = new Set(AUTH_FACTORS);

const TRUE_WORDS: ReadonlySet<string> = new Set([
  '1',
  'true',
  't',
  'yes',
  'y',
  'si',
  'sí',
  's',
  'fraud',
  'fraude',
  '1.0',
]);
const FALSE_WORDS: ReadonlySet<string> = new Set([
  '0',
  'false',
  'f',
  'no',
  'n',
  'genuine',
  'legitimo',
  'legítimo',
  '0.0',
]);

/** Fixed-width codes that spreadsheets strip of their leading zeros. */
const DIGIT_CODES: Partial<Record<FieldName, number>> = { mcc: 4, ubigeo: 6 };

const MAX_LENGTHS = readMaxLengths();

/** Longest text of each field, from the schema. */
function readMaxLengths(): ReadonlyMap<string, number> {
  const lengths = new Map<string, number>();
  for (const [name, schema] of Object.entries(TransactionSchema.properties)) {
    const parts = (schema as { anyOf?: object[] }).anyOf ?? [schema];
    for (const part of parts) {
      const { maxLength } = part as { maxLength?: number };
      if (maxLength !== undefined) lengths.set(name, maxLength);
    }
  }
  return lengths;
}

/** How texts of a column become values of a field; `null` in, `null` out is the caller's. */
export function converterFor(field: FieldName, mapping: FieldMapping): (text: string) => TextValue | Refusal {
  const convert = baseConverter(field);
  const tokenise = mapping.token === true;
  const { values } = mapping;
  return (text) => {
    if (values !== undefined) {
      const replaced = values.get(text);
      if (replaced === null) return null;
      if (replaced !== undefined) return convert(replaced);
    }
    if (tokenise || (field === 'cardId' && isValidPan(text.replace(/[ -]/g, '')))) return cardToken(text);
    return convert(text);
  };
}

function baseConverter(field: FieldName): (text: string) => TextValue | Refusal {
  const allowed = ENUMERATIONS[field];
  if (allowed !== undefined) return (text) => readEnumeration(field, allowed, text);
  const width = DIGIT_CODES[field];
  if (width !== undefined) return (text) => readDigits(field, width, text);
  if (field === 'currency') return readCurrency;
  if (field === 'country') return readCountry;
  if (field === 'isFraud') return readBoolean;
  if (field === 'authFactors') return readFactors;
  const maxLength = MAX_LENGTHS.get(field) ?? 64;
  const reason = field === 'id' ? 'ID_INVALID' : 'FIELD_INVALID';
  return (text) =>
    text.length <= maxLength || [...text].length <= maxLength
      ? text
      : new Refusal(reason, `${field} has ${text.length} characters; at most ${maxLength} are allowed`);
}

function readEnumeration(field: string, allowed: ReadonlySet<string>, text: string): string | Refusal {
  if (allowed.has(text)) return text;
  const folded = foldCode(text);
  if (allowed.has(folded)) return folded;
  const known = SYNONYMS[folded];
  if (known !== undefined && allowed.has(known)) return known;
  return new Refusal('FIELD_INVALID', `${field} must be one of ${[...allowed].join(', ')}`);
}

function foldCode(text: string): string {
  return text
    .trim()
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toLowerCase()
    .replace(/[ _]+/g, '-');
}

function readDigits(field: string, width: number, text: string): string | Refusal {
  const digits = text.replace(/\.0$/, '').padStart(width, '0');
  if (digits.length === width && /^\d+$/.test(digits)) return digits;
  return new Refusal('FIELD_INVALID', `${field} must be ${width} digits`);
}

function readCurrency(text: string): string | Refusal {
  return parseCurrency(text) ?? new Refusal('CURRENCY_INVALID', 'currency must be an ISO 4217 code such as PEN or USD');
}

function readCountry(text: string): string | Refusal {
  const folded = text.toUpperCase();
  return /^[A-Z]{2}$/.test(folded)
    ? folded
    : new Refusal('FIELD_INVALID', 'country must be two letters (ISO 3166-1), such as PE');
}

function readBoolean(text: string): boolean | Refusal {
  const folded = text.toLowerCase();
  if (TRUE_WORDS.has(folded)) return true;
  if (FALSE_WORDS.has(folded)) return false;
  return new Refusal('LABEL_INVALID', 'isFraud must be 0 or 1, true or false, yes or no, sí or no');
}

function readFactors(text: string): readonly string[] | Refusal {
  const factors = text
    .split(/[|+]/)
    .map((factor) => factor.trim())
    .filter((factor) => factor !== '');
  const unknown = factors.find((factor) => !FACTORS.has(factor));
  if (unknown !== undefined || factors.length > 8) {
    return new Refusal('FIELD_INVALID', `authFactors must be up to 8 of ${AUTH_FACTORS.join(', ')}, joined by '|'`);
  }
  return Object.freeze(factors);
}
