// Whether the chain still has an entry that was written down elsewhere, as evidence of decisions does.
import type { Kysely } from 'kysely';
import type { ChainPoint } from '../../audit/chain.ts';
import type { Database } from '../database.ts';

/** `pruned`: it is in the archive alone, and `audit verify --expect` asks there. */
export type HeldEntry = 'same' | 'pruned' | { readonly now: string };

export async function heldEntry(db: Kysely<Database>, { sequence, hash }: ChainPoint): Promise<HeldEntry> {
  const entry = await db.selectFrom('audit_entries').select('hash').where('sequence', '=', sequence).executeTakeFirst();
  if (entry !== undefined) return entry.hash === hash ? 'same' : { now: `${sequence}:${entry.hash}` };
  const pruned = await db
    .selectFrom('audit_archives')
    .select('last_sequence')
    .where('last_sequence', '>=', sequence)
    .limit(1)
    .executeTakeFirst();
  return pruned === undefined ? { now: 'not in the audit' } : 'pruned';
}
