// What arrives on the topic `alerts`, read with care: it is data from outside, and one bad record never stops the rest.
//
// No names, documents or accounts travel on that topic (pipeline/stream/outputs.ts); ids are the bank's own tokens.
import { worthInSolesMinor } from '../domain/exchange-rates.ts';
import { ACTIONS, type RuleAction } from '../rules/rule.ts';

export interface AlertReason {
  readonly code: string;
  /** Its share in the risk, 0–1. */
  readonly weight: number;
  readonly es: string;
  readonly en: string;
}

/** A transaction that somebody should look at, as the stream tells it. */
export interface AlertRecord {
  readonly transactionId: string;
  readonly eventTimeMs: number;
  readonly action: RuleAction;
  /** What would have been done without control group and governor. */
  readonly intended: RuleAction;
  readonly decidedBy: string;
  /** 0–1; null without a model. */
  readonly risk: number | null;
  readonly expectedLossMinor: number | null;
  readonly amountMinor: number;
  readonly currency: string;
  /** Céntimos of soles at the reference rate; null for a currency without one. */
  readonly solesMinor: number | null;
  readonly operation: string;
  /** The payer, else the card, else the payee; null where the transaction names nobody. */
  readonly customerId: string | null;
  readonly payeeId: string | null;
  readonly cardId: string | null;
  readonly deviceId: string | null;
  readonly ipAddress: string | null;
  readonly terminalId: string | null;
  readonly reasons: readonly AlertReason[];
  /** `id@version` of the rules that had a say. */
  readonly rules: readonly string[];
  /** As the decision names them: models, rules, features. */
  readonly versions: { readonly [name: string]: unknown };
  /** Where the transaction stands in the log: with the versions, enough to decide it again. */
  readonly logPartition: number;
  readonly logOffset: number;
  /** SHA-256 of the evidence of the decision; null where none is kept. */
  readonly evidence: string | null;
}

export interface AlertRefusal {
  readonly code: 'ALERT_NOT_AN_OBJECT' | 'ALERT_FIELD_INVALID';
  readonly field: string | null;
  readonly message: string;
}

/** `other`: a governor's alert, which is about the service and nobody's case. */
export type ReadAlert =
  | { readonly kind: 'transaction'; readonly record: AlertRecord }
  | { readonly kind: 'other' }
  | { readonly kind: 'refused'; readonly refusal: AlertRefusal };

const MOST_REASONS = 16;
const MOST_RULES = 64;
const MOST_ID = 64;
const MOST_TEXT = 500;

type Fields = { readonly [name: string]: unknown };

export function readAlertRecord(value: unknown): ReadAlert {
  if (!isObject(value)) {
    const message = 'An alert is a JSON object';
    return { kind: 'refused', refusal: { code: 'ALERT_NOT_AN_OBJECT', field: null, message } };
  }
  if (value.kind !== 'transaction') return { kind: 'other' };
  const field = invalidField(value);
  if (field === null) return { kind: 'transaction', record: recordOf(value) };
  const message = `The alert's field '${field}' is missing or not what it should be`;
  return { kind: 'refused', refusal: { code: 'ALERT_FIELD_INVALID', field, message } };
}

function invalidField(value: Fields): string | null {
  const at = value.at;
  if (textOf(value.id) === null) return 'id';
  if (!Number.isSafeInteger(value.eventTimeMs)) return 'eventTimeMs';
  if (!isAction(value.action)) return 'action';
  if (!isAction(value.intended)) return 'intended';
  if (!Number.isSafeInteger(value.amountMinor)) return 'amountMinor';
  if (typeof value.currency !== 'string' || !/^[A-Z]{3}$/.test(value.currency)) return 'currency';
  if (!isObject(at) || !Number.isSafeInteger(at.partition) || !Number.isSafeInteger(at.offset)) return 'at';
  return null;
}

function recordOf(value: Fields): AlertRecord {
  const [amountMinor, currency] = [value.amountMinor as number, value.currency as string];
  const at = value.at as { readonly partition: number; readonly offset: number };
  const [payeeId, cardId] = [textOf(value.payeeId), textOf(value.cardId)];
  const soles = worthInSolesMinor(amountMinor, currency);
  return {
    ...{ transactionId: value.id as string, eventTimeMs: value.eventTimeMs as number },
    ...{ action: value.action as RuleAction, intended: value.intended as RuleAction },
    ...{ decidedBy: textOf(value.by) ?? 'unknown', risk: shareOf(value.risk) },
    expectedLossMinor: Number.isSafeInteger(value.expectedLossMinor) ? (value.expectedLossMinor as number) : null,
    ...{ amountMinor, currency, solesMinor: Number.isSafeInteger(soles) ? soles : null },
    ...{ operation: textOf(value.operation) ?? 'unknown', payeeId, cardId },
    customerId: textOf(value.payerId) ?? cardId ?? payeeId,
    ...{ deviceId: textOf(value.deviceId), ipAddress: textOf(value.ipAddress) },
    terminalId: textOf(value.terminalId),
    reasons: listOf(value.reasons).slice(0, MOST_REASONS).flatMap(reasonOf),
    rules: listOf(value.rules).slice(0, MOST_RULES).flatMap(ruleOf),
    versions: isObject(value.versions) ? value.versions : {},
    ...{ logPartition: at.partition, logOffset: at.offset },
    evidence: textOf(value.evidence),
  };
}

function reasonOf(value: unknown): AlertReason[] {
  if (!isObject(value) || textOf(value.code) === null) return [];
  const text = (name: string) => (typeof value[name] === 'string' ? value[name].slice(0, MOST_TEXT) : '');
  return [{ code: value.code as string, weight: shareOf(value.weight) ?? 0, es: text('es'), en: text('en') }];
}

/** A rule's name as it is or inside of what says more about its hit. */
function ruleOf(value: unknown): string[] {
  const name = isObject(value) ? value.rule : value;
  return typeof name === 'string' && name.length > 0 && name.length <= 2 * MOST_ID ? [name] : [];
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAction(value: unknown): value is RuleAction {
  return (ACTIONS as readonly unknown[]).includes(value);
}

/** NUL is no text to PostgreSQL. */
function textOf(value: unknown): string | null {
  return typeof value === 'string' && value.length > 0 && value.length <= MOST_ID && !value.includes('\0')
    ? value
    : null;
}

function shareOf(value: unknown): number | null {
  return typeof value === 'number' && value >= 0 && value <= 1 ? value : null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
