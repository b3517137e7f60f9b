// Who is there to work: people with a session that was used a moment ago, and their roles. Nobody is given work who has gone home.
import { sql } from 'kysely';
import type { Analyst } from '../alerts/assign.ts';
import type { Tx } from './identity-context.ts';

const MOST_PEOPLE = 1000;

/**
 * @param roles any of them
 * @param seenSinceMs ms UTC: the last request of one who is present
 * @param mostOpen cases that each takes at most
 */
export async function presentAnalysts(
  tx: Tx,
  roles: readonly string[],
  seenSinceMs: number,
  mostOpen: number,
): Promise<readonly Analyst[]> {
  const { rows } = await sql<{ id: string; roles: string[] }>`
    SELECT id, roles FROM users WHERE state = 'active' AND roles && ${roles}::text[]
      AND EXISTS (SELECT 1 FROM sessions WHERE user_id = users.id AND last_seen_ms >= ${seenSinceMs})
    ORDER BY id LIMIT ${MOST_PEOPLE}`.execute(tx);
  return rows.map(({ id, roles }) => ({ id, roles, isPresent: true, mostOpen }));
}
