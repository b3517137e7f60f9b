// The values of labels and of changes, as JSON.
import { type ControlRecord, LABELLED_FIELDS, type LabelRecord } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import { decodeJson, transactionOf } from './transaction-value.ts';

const MOST_LABEL_BYTES = 64 * 1024;
/** A whole set of rules. */
const MOST_CONTROL_BYTES = 1024 * 1024;
const VERSIONED = /^[^@/\\]{1,100}@[0-9]{1,9}$/;
const LABEL_KEYS: ReadonlySet<string> = new Set([...LABELLED_FIELDS, 'isFraud']);

/**
 * `{ id, eventTimeMs, amountMinor, currency, payerId, …, isFraud }`: the verdict, and what identifies the transaction where
 * it was counted.
 *
 * @throws InputError LABEL_INVALID, or as `transactionOf` does
 */
export function decodeLabel(bytes: Uint8Array): LabelRecord {
  const value = objectOf(decodeJson(bytes, MOST_LABEL_BYTES), 'LABEL_INVALID', 'A label');
  const unknown = Object.keys(value).filter((key) => !LABEL_KEYS.has(key));
  if (unknown.length > 0 || typeof value.isFraud !== 'boolean') {
    throw new InputError(
      'LABEL_INVALID',
      unknown.length > 0 ? `A label has no field ${unknown[0].slice(0, 40)}` : 'isFraud must be true or false',
      `Its fields are isFraud and those of the transaction: ${LABELLED_FIELDS.join(', ')}`,
    );
  }
  const { isFraud, ...fields } = value;
  return { transaction: transactionOf(fields), isFraud };
}

/**
 * `{ model?: "name@version" | null, rules?: [{ path, text }] }`
 *
 * @throws InputError CONTROL_INVALID
 */
export function decodeControl(bytes: Uint8Array): ControlRecord {
  const value = objectOf(decodeJson(bytes, MOST_CONTROL_BYTES), 'CONTROL_INVALID', 'A change');
  const { model, rules, ...rest } = value;
  // A name alone would be its newest version: another one for whoever asks later.
  const isModel = model === undefined || model === null || (typeof model === 'string' && VERSIONED.test(model));
  const isRules = rules === undefined || (Array.isArray(rules) && rules.every(isRuleFile));
  if (!isModel || !isRules || Object.keys(rest).length > 0 || (model === undefined && rules === undefined)) {
    throw new InputError(
      'CONTROL_INVALID',
      'A change names a model as name@version, or rules as files with path and text, or both, and nothing else',
      'See docs/streaming.md',
    );
  }
  return value as ControlRecord;
}

function isRuleFile(value: unknown): boolean {
  const { path, text } = (value ?? {}) as Record<string, unknown>;
  return typeof path === 'string' && typeof text === 'string';
}

function objectOf(value: unknown, code: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InputError(code, `${what} must be a JSON object`, 'See docs/streaming.md');
}
