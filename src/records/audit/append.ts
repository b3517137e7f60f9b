// Entries into the audit, within the transaction of what they are about: both are there afterwards, or neither.
//
// The row that says where the chain ends is locked, so that of several programs on one database each waits for the one
// before and none forks the chain. From then to the end of the transaction nobody else appends: append last. Where many
// change things at the same time, `lockAudit` at the beginning spares them from being tried again.
import { type Kysely, sql } from 'kysely';
import { type AuditEntry, type ChainPoint, chainEntries } from '../../audit/chain.ts';
import { entryColumns } from '../../audit/chain-check.ts';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import { InputError } from '../../lib/errors.ts';
import type { Database } from '../database.ts';

/** Of one statement; more entries are several statements. */
const ROWS_AT_ONCE = 1000;

/**
 * @param drafts in the order in which things happened
 * @throws InputError for a draft that cannot be written; nothing of the transaction must be kept then
 */
export async function appendAudit(
  tx: Kysely<Database>,
  drafts: readonly AuditEntryDraft[],
): Promise<readonly AuditEntry[]> {
  if (drafts.length === 0) return [];
  const entries = chainEntries(drafts, await lockEnd(tx));
  for (let from = 0; from < entries.length; from += ROWS_AT_ONCE) {
    await insert(tx, entries.slice(from, from + ROWS_AT_ONCE));
  }
  const { sequence, hash } = entries.at(-1)!;
  await tx.updateTable('audit_end').set({ sequence, hash }).where('id', '=', 1).execute();
  return entries;
}

/**
 * The first statement of a transaction that will append: others who would append wait until it has ended, and nobody loses
 * against another and begins again. (A server takes a transaction's view of the data with its first query; what waits for
 * the end of the chain after that has an outdated view.)
 */
export async function lockAudit(tx: Kysely<Database>): Promise<void> {
  await sql`LOCK TABLE audit_end IN EXCLUSIVE MODE`.execute(tx);
}

/** Where the chain ends; it stays so until the transaction does. */
export async function lockEnd(tx: Kysely<Database>): Promise<ChainPoint> {
  const end = await tx
    .selectFrom('audit_end')
    .select(['sequence', 'hash'])
    .where('id', '=', 1)
    .forUpdate()
    .executeTakeFirst();
  if (end !== undefined) return end;
  const hint = "See 'centinela audit verify', and restore the database from a copy";
  throw new InputError('AUDIT_END_GONE', 'Where the audit ends is not in the database any more', hint);
}

async function insert(tx: Kysely<Database>, entries: readonly AuditEntry[]): Promise<void> {
  const rows = entries.map(entryColumns);
  const column = <Name extends keyof (typeof rows)[number]>(name: Name) => rows.map((row) => row[name]);
  const texts = entries.map(({ text }) => text);
  await sql`
    INSERT INTO audit_entries
      (sequence, at_ms, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, address, text, hash)
    SELECT * FROM unnest(
      ${column('sequence')}::bigint[], ${column('atMs')}::bigint[], ${column('actorKind')}::text[],
      ${column('actorId')}::text[], ${column('actorName')}::text[], ${column('action')}::text[],
      ${column('subjectKind')}::text[], ${column('subjectId')}::text[], ${column('address')}::text[],
      ${texts}::text[], ${column('hash')}::text[]
    )`.execute(tx);
}
