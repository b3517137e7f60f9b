// The value of a record of the stream → a transaction: the canonical schema, checked to the last field.
//
// Fields may be left out or null; unknown ones are refused, for a misspelt field is a signal that nobody sees. Card numbers
// in clear become tokens here, before anything is kept, unless who asks seals them.
import { isUtf8 } from 'node:buffer';
import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { isValidPan } from '../../domain/pan.ts';
import { createTransaction, type Transaction, TransactionSchema } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import { cardToken } from '../card-token.ts';

/** What a producer must give; the rest is null when it is left out. */
const REQUIRED: readonly string[] = ['id', 'eventTimeMs', 'amountMinor', 'currency'];

const { properties } = TransactionSchema;
const validator = Compile(
  Type.Object(
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [
        name,
        REQUIRED.includes(name) ? schema : Type.Optional(schema),
      ]),
    ),
    { additionalProperties: false },
  ),
);

/** A quick answer for what is right; what is wrong is told by the validator. Made from the same schema. */
type FieldCheck = (value: unknown) => boolean;
const CHECKS: ReadonlyMap<string, FieldCheck> = new Map(
  Object.entries(properties).map(([name, schema]) => [name, checkOf(schema as unknown as SchemaNode)]),
);

interface SchemaNode {
  readonly type?: string;
  readonly anyOf?: readonly SchemaNode[];
  readonly enum?: readonly string[];
  readonly items?: SchemaNode;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxItems?: number;
}

const MOST_BYTES = 64 * 1024;
const MOST_FIELDS_TOLD = 3;
const SEPARATORS = /[ -]/g;

/** @throws InputError VALUE_TOO_LARGE, VALUE_NOT_UTF8, VALUE_NOT_JSON, or as `transactionOf` does */
export function decodeJsonTransaction(bytes: Uint8Array): Transaction {
  return transactionOf(decodeJson(bytes, MOST_BYTES));
}

/** @throws InputError VALUE_TOO_LARGE, VALUE_NOT_UTF8, VALUE_NOT_JSON */
export function decodeJson(bytes: Uint8Array, mostBytes: number): unknown {
  if (bytes.length > mostBytes) {
    throw new InputError('VALUE_TOO_LARGE', `The value has ${bytes.length} bytes, at most ${mostBytes}`, 'Send less');
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!isUtf8(text)) throw new InputError('VALUE_NOT_UTF8', 'The value is not text in UTF-8', 'Send JSON in UTF-8');
  try {
    return JSON.parse(text.toString('utf8'));
  } catch {
    throw new InputError('VALUE_NOT_JSON', 'The value is not JSON', 'Send one JSON object per record');
  }
}

/** The same with a card's number as it came: for who seals it. @throws as `decodeJsonTransaction` does */
export function decodeClearTransaction(bytes: Uint8Array): Transaction {
  return clearTransactionOf(decodeJson(bytes, MOST_BYTES));
}

/** With a card's number as it came. @throws as `transactionOf` does */
export function clearTransactionOf(value: unknown): Transaction {
  if (!isTransaction(value) && !validator.Check(value)) throw invalid(value);
  const given = value as Partial<Transaction> & Pick<Transaction, 'id' | 'eventTimeMs' | 'amountMinor' | 'currency'>;
  return createTransaction(given);
}

/** @throws InputError VALUE_INVALID naming the fields, without their values, which may be personal */
export function transactionOf(value: unknown): Transaction {
  const transaction = clearTransactionOf(value);
  const { cardId } = transaction;
  if (cardId === null || cardId.length < 12 || !isValidPan(cardId.replace(SEPARATORS, ''))) return transaction;
  return { ...transaction, cardId: cardToken(cardId) };
}

function isTransaction(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  for (const name in value) {
    const check = CHECKS.get(name);
    if (check?.((value as Record<string, unknown>)[name]) !== true) return false;
  }
  return REQUIRED.every((name) => name in value);
}

/** Lengths are in UTF-16 units, which is never fewer than the schema's characters: at the limit the validator decides. */
function checkOf({ type, anyOf, enum: values, items, ...limits }: SchemaNode): FieldCheck {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY, maxItems = Number.POSITIVE_INFINITY } = limits;
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = limits;
  if (anyOf !== undefined) {
    const [some, ...others] = anyOf.map(checkOf);
    return (value) => some(value) || others.some((check) => check(value));
  }
  if (values !== undefined) {
    const known: ReadonlySet<unknown> = new Set(values);
    return (value) => known.has(value);
  }
  const pattern = limits.pattern === undefined ? null : new RegExp(limits.pattern, 'u');
  switch (type) {
    case 'null':
      return (value) => value === null;
    case 'boolean':
      return (value) => typeof value === 'boolean';
    case 'string':
      return (value) =>
        typeof value === 'string' &&
        value.length >= minLength &&
        value.length <= maxLength &&
        (pattern === null || pattern.test(value));
    case 'integer':
      return (value) => Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
    case 'number':
      return (value) => typeof value === 'number' && value >= minimum && value <= maximum;
    case 'array': {
      const check = checkOf(items!);
      return (value) => Array.isArray(value) && value.length <= maxItems && value.every(check);
    }
    default:
      throw new TypeError(`no check for a field of type ${type}`);
  }
}

function invalid(value: unknown): InputError {
  const problems = validator.Errors(value).map(({ instancePath, keyword, params, message }) => {
    const missing =
      keyword === 'required' ? (params as { requiredProperties?: string[] }).requiredProperties : undefined;
    const unknown =
      keyword === 'additionalProperties'
        ? (params as { additionalProperties?: string[] }).additionalProperties
        : undefined;
    const field = instancePath.slice(1).replaceAll('/', '.');
    if (missing !== undefined) return `${missing.join(', ')} missing`;
    if (unknown !== undefined) return `${unknown.map((name) => name.slice(0, 40)).join(', ')} unknown`;
    return field === '' ? message : `${field} ${message}`;
  });
  const told = [...new Set(problems)].slice(0, MOST_FIELDS_TOLD).join('; ');
  return new InputError('VALUE_INVALID', `Not a transaction: ${told}`, 'The fields are those of docs/domain.md');
}
