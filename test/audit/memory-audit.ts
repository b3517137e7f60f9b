// An audit in memory, as a database would keep it, for tests that change it and see what is found.
import type { AuditSource, KeptEntry, KeptKey, KeptSeal } from '../../src/audit/audit-source.ts';
import { type AuditEntry, type ChainPoint, chainEntries, START } from '../../src/audit/chain.ts';
import { entryColumns } from '../../src/audit/chain-check.ts';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import {
  HEAD_FORMAT,
  introduceKey,
  KEY_ADDED,
  KEY_FORMAT,
  readStatement,
  type SigningKey,
  signHead,
  signingKeyOf,
} from '../../src/audit/signing.ts';

export interface MemoryAudit {
  entries: KeptEntry[];
  seals: KeptSeal[];
  keys: KeptKey[];
  end: ChainPoint | null | 'gone';
  start: ChainPoint;
}

export const NOON_MS = Date.UTC(2026, 0, 15, 17);

export function keyNumber(number: number): SigningKey {
  return signingKeyOf(new Uint8Array(32).fill(number));
}

export function draftNumber(number: number): AuditEntryDraft {
  return {
    atMs: NOON_MS + number * 1000,
    actor: { kind: 'user', id: `u-${number % 3}`, name: `Analista ${number % 3}` },
    action: number % 2 === 0 ? 'alert.assigned' : 'case.closed',
    subject: number % 5 === 0 ? null : { kind: 'alert', id: `a-${number}` },
    detail: { to: 'ñandú', number, nested: { b: [1, 2.5, null], a: true } },
    address: number % 4 === 0 ? null : '10.0.0.7',
  };
}

export function keyDraft(key: SigningKey, previous: SigningKey | null, atMs: number): AuditEntryDraft {
  const { text, signature } = introduceKey(key, previous, atMs);
  return {
    ...{ atMs, actor: { kind: 'system', id: 'system', name: 'Centinela' }, action: KEY_ADDED },
    subject: { kind: 'audit-key', id: key.keyId },
    detail: { statement: text, signature: Buffer.from(signature).toString('base64') },
    address: null,
  };
}

export function keptEntry(entry: AuditEntry): KeptEntry {
  const { hash, ...columns } = entryColumns(entry);
  return { text: entry.text, hash, columns };
}

export function keptHead(key: SigningKey, point: ChainPoint, atMs: number): KeptSeal {
  const signed = signHead(key, point, atMs);
  const { format: _, ...columns } = readStatement(signed.text, HEAD_FORMAT)!;
  return { ...signed, columns };
}

export function keptKey(key: SigningKey, previous: SigningKey | null, atMs: number): KeptKey {
  const signed = introduceKey(key, previous, atMs);
  const { keyId } = readStatement(signed.text, KEY_FORMAT)!;
  return { ...signed, columns: { keyId }, sealed: null };
}

/** `count` entries: the first key, some, a second key that the first vouches for, some more; a head every `every`. */
export function memoryAudit(count: number, every: number): MemoryAudit {
  const [one, two] = [keyNumber(1), keyNumber(2)];
  const middle = Math.floor(count / 2);
  const drafts = Array.from({ length: count }, (_, i) =>
    i === 0 ? keyDraft(one, null, NOON_MS) : i === middle ? keyDraft(two, one, NOON_MS + i * 1000) : draftNumber(i),
  );
  const entries = chainEntries(drafts, START);
  const signed = entries.filter(({ sequence }) => sequence % every === 0 || sequence === count);
  return {
    entries: entries.map(keptEntry),
    seals: signed.map((entry) => keptHead(entry.sequence > middle ? two : one, entry, entry.atMs + 1)),
    keys: [keptKey(one, null, NOON_MS), keptKey(two, one, NOON_MS + middle * 1000)],
    end: { sequence: count, hash: entries.at(-1)!.hash },
    start: START,
  };
}

export function memorySource(audit: MemoryAudit): AuditSource {
  return {
    name: 'memory',
    start: async () => audit.start,
    end: async () => audit.end,
    keys: async () => audit.keys,
    async *entries() {
      for (let from = 0; from < audit.entries.length; from += 7) yield audit.entries.slice(from, from + 7);
    },
    async *seals() {
      for (let from = 0; from < audit.seals.length; from += 3) yield audit.seals.slice(from, from + 3);
    },
  };
}
