// The values of labels and of changes, as JSON.
import {
  type ControlOverride,
  type ControlRecord,
  LABELLED_FIELDS,
  type LabelRecord,
} from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import { clearTransactionOf, decodeJson, transactionOf } from './transaction-value.ts';

const MOST_LABEL_BYTES = 64 * 1024;
/** A whole set of rules. */
const MOST_CONTROL_BYTES = 1024 * 1024;
const VERSIONED = /^[^@/\\]{1,100}@[0-9]{1,9}$/;
const HASH = /^[0-9a-f]{64}$/;
const OVERRIDE_FIELDS: ReadonlySet<string> = new Set<ControlOverride['field']>([
  ...(['payerId', 'payeeId', 'cardId', 'deviceId', 'terminalId', 'merchantId'] as const),
]);
const LABEL_KEYS: ReadonlySet<string> = new Set([...LABELLED_FIELDS, 'isFraud']);

/**
 * `{ id, eventTimeMs, amountMinor, currency, payerId, …, isFraud }`: the verdict, and what identifies the transaction where
 * it was counted.
 *
 * @throws InputError LABEL_INVALID, or as `transactionOf` does
 */
export function decodeLabel(bytes: Uint8Array): LabelRecord {
  return labelOf(bytes, transactionOf);
}

/** The same with a card's number as it came: for who makes tokens otherwise. @throws as `decodeLabel` does */
export function decodeClearLabel(bytes: Uint8Array): LabelRecord {
  return labelOf(bytes, clearTransactionOf);
}

function labelOf(bytes: Uint8Array, read: typeof transactionOf): LabelRecord {
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
  return { transaction: read(fields), isFraud };
}

/**
 * `{ model?: "name@version" | null, thresholds?: { model, reviewAtRisk, holdAtRisk } | null, rules?: [{ path, text }], overrides?: [{ ruleId, field, value, untilMs, reason }],
 * lists?: { entry, hash } }`
 *
 * @throws InputError CONTROL_INVALID
 */
export function decodeControl(bytes: Uint8Array): ControlRecord {
  const value = objectOf(decodeJson(bytes, MOST_CONTROL_BYTES), 'CONTROL_INVALID', 'A change');
  const parts = Object.entries(value);
  if (parts.length > 0 && parts.every(([name, part]) => CONTROL_PARTS.get(name)?.(part) === true)) {
    return value as ControlRecord;
  }
  throw new InputError(
    'CONTROL_INVALID',
    'A change names a model as name@version, or thresholds of one (reviewAtRisk, holdAtRisk, 0 to 1), or rules as files with ' +
      'path and text, or overrides, or the entry of the lists, or several of them, and nothing else',
    'See docs/streaming.md',
  );
}

const CONTROL_PARTS: ReadonlyMap<string, (part: unknown) => boolean> = new Map([
  // A name alone would be its newest version: another one for whoever asks later.
  ['model', (part: unknown) => part === null || (typeof part === 'string' && VERSIONED.test(part))],
  ['thresholds', (part: unknown) => part === null || isThresholds(part)],
  ['rules', (part: unknown) => Array.isArray(part) && part.every(isRuleFile)],
  ['overrides', (part: unknown) => Array.isArray(part) && part.every(isOverride)],
  ['lists', isListsEntry],
]);

function isThresholds(value: unknown): boolean {
  const { model, reviewAtRisk: review, holdAtRisk: hold } = (value ?? {}) as Record<string, unknown>;
  if (typeof model !== 'string' || !VERSIONED.test(model)) return false;
  return typeof review === 'number' && typeof hold === 'number' && 0 <= review && review <= hold && hold <= 1;
}

function isRuleFile(value: unknown): boolean {
  const { path, text } = (value ?? {}) as Record<string, unknown>;
  return typeof path === 'string' && typeof text === 'string';
}

function isOverride(value: unknown): boolean {
  const { ruleId, field, value: entity, untilMs, reason } = (value ?? {}) as Record<string, unknown>;
  const texts = [ruleId, field, entity, reason].every((each) => typeof each === 'string');
  return texts && OVERRIDE_FIELDS.has(field as string) && Number.isSafeInteger(untilMs);
}

function isListsEntry(value: unknown): boolean {
  const { entry, hash } = (value ?? {}) as Record<string, unknown>;
  return Number.isSafeInteger(entry) && (entry as number) > 0 && typeof hash === 'string' && HASH.test(hash);
}

function objectOf(value: unknown, code: string, what: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InputError(code, `${what} must be a JSON object`, 'See docs/streaming.md');
}
