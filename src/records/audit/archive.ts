// Old entries out of the database into the archive, and out of the database once the archive was verified.
//
// PCI DSS 10.5.1 asks for twelve months, three of them at hand; here twelve stay in the database and the archive is kept for
// ten years (Ley 26702 art. 183; Res. SBS 2660-2015). Nothing here removes parts of an archive: each says how long it is kept.
import type { Kysely } from 'kysely';
import {
  type ArchivePart,
  listParts,
  MOST_PART_BYTES,
  MOST_PART_ENTRIES,
  monthOf,
  type PartContents,
  writePart,
} from '../../audit/archive-part.ts';
import { archiveAuditSource } from '../../audit/archive-source.ts';
import { type ChainPoint, START } from '../../audit/chain.ts';
import type { SignedText, SigningKey } from '../../audit/signing.ts';
import { type AuditReport, verifyAudit } from '../../audit/verify.ts';
import { InputError } from '../../lib/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';
import { appendAudit, lockAudit } from './append.ts';
import { listPublicKeys } from './keys.ts';

const DAY_MS = 86_400_000;
export const ONLINE_DAYS = 366;
/** PCI DSS 10.5.1: three months are at hand at once. */
export const LEAST_ONLINE_DAYS = 92;
export const KEEP_DAYS = 3653;

const ROWS_AT_ONCE = 2000;

export interface ExportOptions {
  /** Entries from before are exported. */
  readonly beforeMs: number;
  readonly nowMs: number;
  readonly key: SigningKey;
  readonly keepDays?: number;
}

/** @returns the parts that were written; the archive goes on where it ends */
export async function exportAudit(
  { db }: RecordStore,
  objects: ObjectStore,
  { beforeMs, nowMs, key, keepDays = KEEP_DAYS }: ExportOptions,
): Promise<readonly ArchivePart[]> {
  const written: ArchivePart[] = [];
  let after = await archiveEnd(db, objects);
  for await (const contents of partsOf(db, after, beforeMs)) {
    const keepUntilMs = nowMs + keepDays * DAY_MS;
    written.push(await writePart(objects, contents, key, { atMs: nowMs, keepUntilMs }));
    after = contents.last;
  }
  return written;
}

export interface PruneOptions {
  readonly nowMs: number;
  readonly onlineDays?: number;
}

/** What was pruned, or why nothing was. */
export type Pruning =
  | { readonly kind: 'pruned'; readonly parts: readonly ArchivePart[]; readonly entries: number }
  | { readonly kind: 'refused'; readonly report: AuditReport };

/**
 * Removes entries that are in the archive and no longer needed at hand, once the whole archive was verified against the
 * keys in the database.
 */
export async function pruneAudit(
  store: RecordStore,
  objects: ObjectStore,
  { nowMs, onlineDays = ONLINE_DAYS }: PruneOptions,
): Promise<Pruning> {
  if (onlineDays < LEAST_ONLINE_DAYS) {
    const problem = `${onlineDays} days of the audit would stay in the database`;
    throw new InputError('AUDIT_ONLINE_DAYS', problem, `Keep at least ${LEAST_ONLINE_DAYS} (PCI DSS 10.5.1)`);
  }
  const publicKeys = (await listPublicKeys(store.db)).map(({ publicKey }) => publicKey);
  const report = await verifyAudit(archiveAuditSource(objects), { publicKeys });
  if (report.breaks.length > 0) return { kind: 'refused', report };
  const pruned: ArchivePart[] = [];
  let entries = 0;
  for (const part of await listParts(objects, () => undefined)) {
    const { firstSequence, lastSequence } = part.statement;
    const isOld = await isOlder(store.db, lastSequence, nowMs - onlineDays * DAY_MS);
    if (isOld === null) continue;
    if (!isOld) break;
    await prunePart(store, part, nowMs);
    pruned.push(part);
    entries += lastSequence - firstSequence + 1;
  }
  return { kind: 'pruned', parts: pruned, entries };
}

/** null where the entry is not there any more. */
async function isOlder(db: Kysely<Database>, sequence: number, beforeMs: number): Promise<boolean | null> {
  const row = await db.selectFrom('audit_entries').select('at_ms').where('sequence', '=', sequence).executeTakeFirst();
  return row === undefined ? null : row.at_ms < beforeMs;
}

async function prunePart({ transact }: RecordStore, { statement, signed }: ArchivePart, nowMs: number): Promise<void> {
  const { firstSequence, lastSequence, previous, lastHash, month, keyId, atMs } = statement;
  await transact(async (tx) => {
    await lockAudit(tx);
    const last = await tx
      .selectFrom('audit_entries')
      .select('hash')
      .where('sequence', '=', lastSequence)
      .executeTakeFirst();
    const before = await prunedEnd(tx);
    if (last?.hash !== lastHash || before.sequence !== firstSequence - 1 || before.hash !== previous) {
      const problem = `Entries ${firstSequence} to ${lastSequence} of the archive are not those of the database`;
      throw new InputError('AUDIT_ARCHIVE_DIFFERS', problem, 'Verify both; nothing was removed');
    }
    await tx.deleteFrom('audit_entries').where('sequence', '<=', lastSequence).execute();
    await tx.deleteFrom('audit_heads').where('sequence', '<=', lastSequence).execute();
    const row = { first_sequence: firstSequence, last_sequence: lastSequence, last_hash: lastHash };
    await tx
      .insertInto('audit_archives')
      .values({ ...row, key_id: keyId, at_ms: atMs, ...signed })
      .execute();
    await appendAudit(tx, [
      {
        ...{ atMs: nowMs, actor: { kind: 'system', id: 'system', name: 'Centinela' }, action: 'audit.pruned' },
        ...{ subject: { kind: 'audit-archive', id: month }, address: null },
        detail: { firstSequence, lastSequence, lastHash },
      },
    ]);
  });
}

async function prunedEnd(db: Kysely<Database>): Promise<ChainPoint> {
  const last = await db
    .selectFrom('audit_archives')
    .select(['last_sequence as sequence', 'last_hash as hash'])
    .orderBy('last_sequence', 'desc')
    .limit(1)
    .executeTakeFirst();
  return last ?? START;
}

/** @throws InputError where the archive is not this database's, or a part of it is missing */
async function archiveEnd(db: Kysely<Database>, objects: ObjectStore): Promise<ChainPoint> {
  const problems: string[] = [];
  const parts = await listParts(objects, (what) => void problems.push(what));
  const last = parts.at(-1)?.statement;
  const end = last === undefined ? START : { sequence: last.lastSequence, hash: last.lastHash };
  const pruned = await prunedEnd(db);
  const known =
    end.sequence === pruned.sequence
      ? pruned
      : await db
          .selectFrom('audit_entries')
          .select(['sequence', 'hash'])
          .where('sequence', '=', end.sequence)
          .executeTakeFirst();
  const isOurs = end.sequence === 0 ? pruned.sequence === 0 : known?.hash === end.hash;
  if (problems.length === 0 && isOurs) return end;
  const what = problems[0] ?? `the archive ends with entry ${end.sequence}, which is not one of this database`;
  throw new InputError('AUDIT_ARCHIVE_DIFFERS', `The archive cannot be gone on with: ${what}`, 'Give its own place');
}

/** Consecutive entries up to the first that is too new, cut where the month or the size asks for it. */
async function* partsOf(db: Kysely<Database>, start: ChainPoint, beforeMs: number): AsyncGenerator<PartContents> {
  let after = start;
  let last = start;
  let month = '';
  let texts: string[] = [];
  let bytes = 0;
  const contents = async (): Promise<PartContents> => {
    const heads = await headsOf(db, after, last);
    return { month, after, last, texts, heads };
  };
  for await (const { sequence, hash, text, at_ms } of entriesFrom(db, start.sequence)) {
    if (at_ms >= beforeMs) break;
    // Clocks differ: an entry belongs to the newest month that has been.
    const reached = monthOf(at_ms) > month ? monthOf(at_ms) : month;
    const isFull = texts.length >= MOST_PART_ENTRIES || bytes + text.length > MOST_PART_BYTES;
    if (texts.length > 0 && (reached !== month || isFull)) {
      yield await contents();
      after = last;
      texts = [];
      bytes = 0;
    }
    month = reached;
    texts.push(text);
    bytes += Buffer.byteLength(text) + 1;
    last = { sequence, hash };
  }
  if (texts.length > 0) yield await contents();
}

async function* entriesFrom(db: Kysely<Database>, start: number): AsyncGenerator<Database['audit_entries']> {
  let after = start;
  for (;;) {
    const rows = await db
      .selectFrom('audit_entries')
      .selectAll()
      .where('sequence', '>', after)
      .orderBy('sequence')
      .limit(ROWS_AT_ONCE)
      .execute();
    if (rows.length === 0) return;
    yield* rows;
    after = rows.at(-1)!.sequence;
  }
}

async function headsOf(db: Kysely<Database>, after: ChainPoint, last: ChainPoint): Promise<SignedText[]> {
  return db
    .selectFrom('audit_heads')
    .select(['text', 'signature'])
    .where('sequence', '>', after.sequence)
    .where('sequence', '<=', last.sequence)
    .orderBy('sequence')
    .execute();
}
