// The chain: every entry of the audit holds the hash of the one before, so that nothing in the middle can be changed, taken
// out or put in without all that follows being written anew (PCI DSS 4.0.1, 10.3; ISO/IEC 27001 A.8.15).
//
// An entry's text is canonical JSON, and its hash is SHA-256 over exactly those bytes: whoever has the text can check it
// with any tool. That the end was not cut off, or all written anew, is what signed heads are for (signing.ts).
import { createHash } from 'node:crypto';
import { InputError } from '../lib/errors.ts';
import { canonicalJson, readCanonicalJson } from './canonical-json.ts';
import type { AuditEntryDraft, JsonValue } from './entry.ts';

/** An entry's place in the chain and its hash: all that the next one must know. */
export interface ChainPoint {
  /** From 1, without gaps; 0 before the first. */
  readonly sequence: number;
  /** 64 hexadecimal digits. */
  readonly hash: string;
}

export interface AuditEntry extends AuditEntryDraft, ChainPoint {
  /** Hash of the entry before; zeros for the first. */
  readonly previous: string;
  /** What was hashed. */
  readonly text: string;
}

export const START: ChainPoint = { sequence: 0, hash: '0'.repeat(64) };

/** UTF-8. What is larger belongs elsewhere, with its hash here. */
export const MOST_ENTRY_BYTES = 65_536;

const ACTION = /^[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+$/;
/** Of an entry's text. */
const MEMBERS = 8;
const HASH = /^[0-9a-f]{64}$/;
const ACTORS: readonly string[] = ['user', 'api-key', 'system'];
const MOST_CHARACTERS = { action: 100, id: 256, name: 256, kind: 64, address: 64 };

/**
 * The drafts as entries, in their order.
 *
 * @throws InputError for a draft that says too much or not who did what
 */
export function chainEntries(drafts: readonly AuditEntryDraft[], after: ChainPoint): AuditEntry[] {
  let last = after;
  return drafts.map((given) => {
    const draft = wellFormed(given);
    checkDraft(draft);
    const { atMs, actor, action, subject, detail, address } = draft;
    const link = { sequence: last.sequence + 1, previous: last.hash };
    const text = canonicalJson({ atMs, actor: { ...actor }, action, subject, detail, address, ...link });
    if (Buffer.byteLength(text) > MOST_ENTRY_BYTES) {
      const problem = `The audit entry '${action}' has more than ${MOST_ENTRY_BYTES} bytes`;
      throw new InputError('AUDIT_ENTRY_TOO_LARGE', problem, 'Say less in its detail, and the hash of the rest');
    }
    const entry = { ...draft, ...link, hash: hashOf(text), text };
    last = entry;
    return entry;
  });
}

/** @returns null where the text is no entry's */
export function readEntry(text: string): AuditEntry | null {
  const value = readCanonicalJson(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const entry = value as unknown as Omit<AuditEntry, 'hash' | 'text'>;
  const { sequence, previous, atMs, actor, action, subject } = entry;
  const isWhole =
    Object.keys(entry).length === MEMBERS &&
    [sequence, atMs].every(Number.isSafeInteger) &&
    [previous, action, actor?.id].every((each) => typeof each === 'string') &&
    (subject === null || typeof subject?.id === 'string') &&
    HASH.test(previous);
  return isWhole ? { ...entry, hash: hashOf(text), text } : null;
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function checkDraft({ atMs, actor, action, subject, address }: AuditEntryDraft): void {
  const { kind, id, name } = actor;
  const fits = (text: string, most: number) => text.length <= most;
  const problem = !Number.isSafeInteger(atMs)
    ? `its time is ${atMs}`
    : !ACTION.test(action) || !fits(action, MOST_CHARACTERS.action)
      ? "its action is not of the form 'area.verb-in-the-past'"
      : !ACTORS.includes(kind) || id === '' || !fits(id, MOST_CHARACTERS.id) || !fits(name, MOST_CHARACTERS.name)
        ? 'it does not say who acts, or says it in too many characters'
        : subject !== null && (!fits(subject.kind, MOST_CHARACTERS.kind) || !fits(subject.id, MOST_CHARACTERS.id))
          ? 'its subject has too many characters'
          : address !== null && !fits(address, MOST_CHARACTERS.address)
            ? 'its address has too many characters'
            : null;
  if (problem === null) return;
  throw new InputError('AUDIT_ENTRY_INVALID', `The audit entry '${action}' cannot be written: ${problem}`, 'Change it');
}

/** A database's text has no NUL, and UTF-8 no half of a surrogate pair: what people type must not keep an entry out. */
function wellFormed(draft: AuditEntryDraft): AuditEntryDraft {
  return withCleanTexts(draft as unknown as JsonValue) as unknown as AuditEntryDraft;
}

function withCleanTexts(value: JsonValue): JsonValue {
  if (typeof value === 'string') return cleaned(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withCleanTexts);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [cleaned(name), withCleanTexts(member)]));
}

function cleaned(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}
