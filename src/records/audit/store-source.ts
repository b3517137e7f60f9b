// The audit of a database as it lies there, to be verified.
import { type Kysely, sql } from 'kysely';
import type { AuditSource, KeptEntry, KeptSeal } from '../../audit/audit-source.ts';
import { START } from '../../audit/chain.ts';
import type { Database } from '../database.ts';

const ROWS_AT_ONCE = 2000;

interface Ends {
  readonly sequence: number | null;
  readonly hash: string | null;
  readonly newest: number | null;
  readonly newestHead: number | null;
}

/** What is appended meanwhile is not read. Not to be read while entries are pruned. */
export function storeAuditSource(db: Kysely<Database>, name = 'database'): AuditSource {
  let ends: Ends | null = null;
  /** One statement, so that all of it is of one moment. */
  const endsOf = async (): Promise<Ends> => {
    if (ends !== null) return ends;
    const { rows } = await sql<Ends>`
      SELECT
        (SELECT sequence FROM audit_end WHERE id = 1) AS "sequence",
        (SELECT hash FROM audit_end WHERE id = 1) AS "hash",
        (SELECT max(sequence) FROM audit_entries) AS "newest",
        (SELECT max(sequence) FROM audit_heads) AS "newestHead"`.execute(db);
    ends = rows[0];
    return ends;
  };
  return {
    name,
    async start() {
      const archived = await db
        .selectFrom('audit_archives')
        .select(['last_sequence as sequence', 'last_hash as hash'])
        .orderBy('last_sequence', 'desc')
        .limit(1)
        .executeTakeFirst();
      return archived ?? START;
    },
    async end() {
      const { sequence, hash } = await endsOf();
      return sequence === null || hash === null ? 'gone' : { sequence, hash };
    },
    async keys() {
      const rows = await db.selectFrom('audit_keys').selectAll().orderBy('at_ms').execute();
      return rows.map(({ key_id, previous_key_id, at_ms, text, signature, sealed, sealed_sha256 }) => ({
        ...{ text, signature, sealed: { bytes: sealed, sha256: sealed_sha256 } },
        columns: { keyId: key_id, previousKeyId: previous_key_id, atMs: at_ms },
      }));
    },
    async *entries() {
      const { newest } = await endsOf();
      let last = { sequence: Number.MIN_SAFE_INTEGER, hash: '' };
      for (;;) {
        const rows = await db
          .selectFrom('audit_entries')
          .selectAll()
          .where('sequence', '<=', newest ?? 0)
          .where(sql<boolean>`(sequence, hash) > (${last.sequence}::bigint, ${last.hash}::text)`)
          .orderBy('sequence')
          .orderBy('hash')
          .limit(ROWS_AT_ONCE)
          .execute();
        if (rows.length === 0) return;
        last = rows.at(-1)!;
        yield rows.map(keptEntry);
      }
    },
    async *seals() {
      const archives = await db.selectFrom('audit_archives').selectAll().orderBy('last_sequence').execute();
      if (archives.length > 0) yield archives.map(keptArchive);
      const { newestHead } = await endsOf();
      let last = Number.MIN_SAFE_INTEGER;
      for (;;) {
        const rows = await db
          .selectFrom('audit_heads')
          .selectAll()
          .where('sequence', '>', last)
          .where('sequence', '<=', newestHead ?? 0)
          .orderBy('sequence')
          .limit(ROWS_AT_ONCE)
          .execute();
        if (rows.length === 0) return;
        last = rows.at(-1)!.sequence;
        yield rows.map(keptHead);
      }
    },
  };
}

function keptEntry(row: Database['audit_entries']): KeptEntry {
  const { sequence, at_ms, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, address } = row;
  return {
    ...{ text: row.text, hash: row.hash },
    columns: {
      ...{ sequence, atMs: at_ms, actorKind: actor_kind, actorId: actor_id, actorName: actor_name, action },
      ...{ subjectKind: subject_kind, subjectId: subject_id, address },
    },
  };
}

function keptHead({ sequence, hash, at_ms, key_id, text, signature }: Database['audit_heads']): KeptSeal {
  return { text, signature, columns: { sequence, hash, atMs: at_ms, keyId: key_id } };
}

function keptArchive(row: Database['audit_archives']): KeptSeal {
  const { first_sequence, last_sequence, last_hash, at_ms, key_id, text, signature } = row;
  const columns = { firstSequence: first_sequence, lastSequence: last_sequence, lastHash: last_hash };
  return { text, signature, columns: { ...columns, atMs: at_ms, keyId: key_id } };
}
