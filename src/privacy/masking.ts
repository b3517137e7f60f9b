// What may be shown of an object to whoever asks: everything to who may read personal data, and to others field by field
// masked (PCI DSS 4.0.1, 3.4.1 for cards). Closed by default: a text whose field is not known is hidden, and so is a long
// number. Values are masked by the name of their field, wherever in the object it stands.
import { maskCci, maskDocument, maskIp, maskName, maskPan, maskPhone } from '../domain/mask.ts';
import type { Scrubber } from './scrubber.ts';
import { personalId } from './tokens.ts';

export const HIDDEN = '[oculto]';

type Mask = (text: string) => string | null;

/** Texts that say nothing of a person: codes of closed lists, ids of our own, versions. */
const SHOWN_TEXTS: ReadonlySet<string> = new Set([
  ...[
    'id',
    'currency',
    'operation',
    'rail',
    'channel',
    'mcc',
    'entryMode',
    'ubigeo',
    'country',
    'authFactors',
    'authExemption',
    'status',
  ],
  ...['responseCode', 'typology', 'action', 'intended', 'by', 'decidedBy', 'rule', 'rules', 'silence', 'code', 'codes'],
  ...[
    'kind',
    'state',
    'severity',
    'priority',
    'queue',
    'outcome',
    'version',
    'versions',
    'model',
    'models',
    'features',
  ],
  ...['transactionId', 'alertId', 'caseId', 'labelId', 'ruleId', 'field', 'type', 'cursor', 'etag', 'topic', 'feature'],
  ...['createdBy', 'assignee', 'closedBy', 'tags', 'degraded'],
]);
/** Written by programs about a transaction, or by people about a case: what looks like somebody's is taken out. */
const SCRUBBED_TEXTS: ReadonlySet<string> = new Set([
  'es',
  'en',
  'title',
  'summary',
  'message',
  'reason',
  'description',
]);
const MASKED_TEXTS: Readonly<Record<string, Mask>> = {
  ...{ payerName: maskName, payeeName: maskName, name: maskName, customerName: maskName },
  ...{ payerDocument: maskDocument, payeeDocument: maskDocument, document: maskDocument },
  ...{ payerAccount: maskAccount, payeeAccount: maskAccount, account: maskAccount },
  ...{ payerId: maskId, payeeId: maskId, customerId: maskId, cardId: maskId, deviceId: maskId, merchantId: maskId },
  ...{ terminalId: maskId, externalId: maskId, entityId: maskId },
  ...{ ipAddress: maskIp, address: maskIp, phone: maskPhone, mobile: maskPhone, email: maskMail },
  ...{ pan: maskPan, concept: () => HIDDEN },
};
const HIDDEN_NUMBERS: ReadonlySet<string> = new Set(['latitude', 'longitude']);
/** Amounts, times, counts and offsets are long, too. */
const SHOWN_LONG_NUMBER = /(?:Ms|Minor|offset|Offset|Bytes|sequence)$/;
/** Seven digits are nobody's number yet. */
const LONG_NUMBER = 1e7;
/** Fewer are codes of the bank's own. */
const ACCOUNT_DIGITS = 6;
const TOKEN = /^[a-z]{3,4}_[a-p]{32}(?:_\d{4})?$/;
const MOST_DEPTH = 12;
const MOST_ITEMS = 10_000;

export interface MaskOptions {
  /** Whether who asks holds `personal-data:read`. */
  readonly mayRead: boolean;
  /** For texts in words. */
  readonly scrubber: Pick<Scrubber, 'scrub'>;
}

/** A copy as it may be shown; the object itself where all may be. Values are JSON's. */
export function maskFor<Value>(value: Value, options: MaskOptions): Value {
  if (options.mayRead) return value;
  return maskValue(value, '', options.scrubber, 0) as Value;
}

/**
 * A copy in which texts that people wrote are scrubbed, for whoever may not read personal data; the object itself for whoever
 * may. What is left is ids, codes and amounts, which an answer's contract names one by one.
 *
 * @param written names of fields; all texts within them count
 */
export function maskWritten<Value>(
  value: Value,
  written: readonly string[],
  { mayRead, scrubber }: MaskOptions,
): Value {
  if (mayRead) return value;
  const scrub = (at: unknown, isWritten: boolean, depth: number): unknown => {
    if (typeof at === 'string') return isWritten ? scrubber.scrub(at) : at;
    if (typeof at !== 'object' || at === null) return at;
    if (depth >= MOST_DEPTH) return HIDDEN;
    if (Array.isArray(at)) return at.map((each) => scrub(each, isWritten, depth + 1));
    return Object.fromEntries(
      Object.entries(at).map(([name, each]) => [name, scrub(each, isWritten || written.includes(name), depth + 1)]),
    );
  };
  return scrub(value, false, 0) as Value;
}

/** Of these fields, those in which somebody's text stands: what a reader of the answer looks at. In the order given. */
export function writtenIn(value: unknown, written: readonly string[]): string[] {
  const found = new Set<string>();
  const look = (at: unknown, within: string | null, depth: number): void => {
    if (typeof at === 'string') {
      if (within !== null && at !== '') found.add(within);
    } else if (typeof at === 'object' && at !== null && depth < MOST_DEPTH) {
      for (const [name, each] of Object.entries(at)) {
        look(each, within ?? (written.includes(name) ? name : null), depth + 1);
      }
    }
  };
  look(value, null, 0);
  return written.filter((name) => found.has(name));
}

/**
 * A value of a kept list, of which nobody knows what it is: a number of somebody as what it is, other long numbers by their
 * last four, names by their initials; codes of the bank's own and tokens stay.
 */
export function maskListed(value: string, isName: boolean): string {
  if (isName) return maskName(value);
  const masked = maskId(value);
  if (masked !== value || TOKEN.test(value)) return masked;
  if (value.replace(/\D/g, '').length >= ACCOUNT_DIGITS) return lastFour(value);
  return /\s/.test(value) ? maskName(value) : value;
}

/** Fields that are masked or hidden for those without the permission: for the audit of who saw what. */
export function isPersonalField(name: string): boolean {
  return Object.hasOwn(MASKED_TEXTS, name) || HIDDEN_NUMBERS.has(name);
}

function maskValue(value: unknown, name: string, scrubber: MaskOptions['scrubber'], depth: number): unknown {
  switch (typeof value) {
    case 'string':
      return maskText(value, name, scrubber);
    case 'number':
      return maskNumber(value, name);
    case 'object': {
      if (value === null) return null;
      if (depth >= MOST_DEPTH) return HIDDEN;
      if (Array.isArray(value)) {
        // Of more, the rest is not shown.
        return value.slice(0, MOST_ITEMS).map((each) => maskValue(each, name, scrubber, depth + 1));
      }
      // Bytes and dates are no JSON.
      if (Object.getPrototypeOf(value) !== Object.prototype) return HIDDEN;
      return maskObject(value as Record<string, unknown>, scrubber, depth);
    }
    case 'boolean':
    case 'undefined':
      return value;
    default:
      return HIDDEN;
  }
}

function maskObject(value: Record<string, unknown>, scrubber: MaskOptions['scrubber'], depth: number): object {
  const masked: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    // A key may be somebody's, too, where an object counts by customer.
    const shownName = personalId(name) === null ? name : HIDDEN;
    masked[shownName] = maskValue(value[name], name, scrubber, depth + 1);
  }
  return masked;
}

function maskText(text: string, name: string, scrubber: MaskOptions['scrubber']): string | null {
  if (text === '') return text;
  const mask = Object.hasOwn(MASKED_TEXTS, name) ? MASKED_TEXTS[name] : undefined;
  if (mask !== undefined) return mask(text);
  if (SCRUBBED_TEXTS.has(name)) return scrubber.scrub(text);
  if (!SHOWN_TEXTS.has(name)) return HIDDEN;
  return personalId(text) === null || name === 'mcc' || name === 'ubigeo' ? text : maskId(text);
}

function maskNumber(value: number, name: string): number | null {
  if (HIDDEN_NUMBERS.has(name)) return null;
  return Math.abs(value) >= LONG_NUMBER && !SHOWN_LONG_NUMBER.test(name) ? null : value;
}

/** A CCI, or the last four of another account. */
function maskAccount(text: string): string {
  const masked = maskCci(text);
  return masked.startsWith('*') ? lastFour(text) : masked;
}

/** Codes of the bank's own stay; a number of somebody is masked as what it is. */
function maskId(text: string): string {
  const personal = personalId(text);
  if (personal === null) return text;
  const { kind, canonical } = personal;
  switch (kind) {
    case 'pan':
      return maskPan(canonical);
    case 'cci':
      return maskCci(canonical);
    case 'cel':
      return maskPhone(canonical);
    case 'mail':
      return maskMail(canonical);
    default:
      return maskDocument(canonical);
  }
}

function maskMail(text: string): string {
  const at = text.lastIndexOf('@');
  return at < 1 ? '***' : `${text[0]}***${text.slice(at)}`;
}

function lastFour(text: string): string {
  return text.length < 8 ? '*'.repeat(text.length) : '*'.repeat(Math.min(text.length - 4, 12)) + text.slice(-4);
}
