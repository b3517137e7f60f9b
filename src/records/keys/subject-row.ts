import { type Kysely, sql } from 'kysely';
import type { Database } from '../database.ts';

/**
 * First in a transaction that holds, releases or erases a subject: two such transactions at once change the same row, so the
 * later one is done again with what the earlier one left. Reading alone would not show a hold that is just being placed.
 */
export async function takeSubject(tx: Kysely<Database>, subject: string): Promise<void> {
  await sql`
    INSERT INTO data_subjects (subject, version) VALUES (${subject}, 1)
    ON CONFLICT (subject) DO UPDATE SET version = data_subjects.version + 1`.execute(tx);
}
