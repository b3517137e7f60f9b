// What people wrote about a customer who is erased: comments, reasons, notes, names and bytes of files, in cases that are of this
// customer alone, on the customer's alerts, and of suppressions of the customer. What was done, when and by whom stays.
//
// A case of several customers keeps its texts: they are the others', too, and go with the case (retention.ts).
import { sql } from 'kysely';
import { queueObjects } from '../retention/objects.ts';
import type { Tx } from './act.ts';

/** Stands where a text was. */
export const ERASED_TEXT = '[suprimido]';
const REMOVED_BY = 'system';

/**
 * @param customerId as alerts have it
 * @returns how many texts went; bytes of files wait to be removed (objects.ts)
 */
export async function eraseTexts(tx: Tx, customerId: string, nowMs: number): Promise<number> {
  const cases = await casesOfOne(tx, customerId);
  let erased = 0;
  const run = async (statement: ReturnType<typeof sql>) => {
    erased += Number((await statement.execute(tx)).numAffectedRows ?? 0n);
  };
  const ofCases = sql`case_id = ANY(${cases}::text[])`;
  await run(sql`UPDATE case_comments SET body = ${ERASED_TEXT} WHERE ${ofCases}`);
  await run(sql`UPDATE case_comment_versions SET body = ${ERASED_TEXT}
    WHERE comment_id IN (SELECT id FROM case_comments WHERE ${ofCases})`);
  await run(sql`UPDATE case_history SET reason = ${ERASED_TEXT} WHERE ${ofCases} AND reason <> ''`);
  await run(sql`UPDATE case_requests SET comment = CASE WHEN comment <> '' THEN ${ERASED_TEXT} ELSE comment END,
    reason = CASE WHEN reason <> '' THEN ${ERASED_TEXT} ELSE reason END
    WHERE ${ofCases} AND (reason <> '' OR comment <> '')`);
  await run(sql`UPDATE case_relations SET note = ${ERASED_TEXT} WHERE from_id = ANY(${cases}::text[]) AND note <> ''`);
  await run(sql`UPDATE labels SET note = ${ERASED_TEXT} WHERE note <> '' AND (${ofCases}
    OR transaction_id IN (SELECT id FROM alerts WHERE customer_id = ${customerId}))`);
  await run(sql`UPDATE alert_suppressions SET reason = ${ERASED_TEXT},
    ended_reason = CASE WHEN ended_reason <> '' THEN ${ERASED_TEXT} ELSE ended_reason END
    WHERE entity = 'customer' AND entity_id = ${customerId}`);
  const files = await sql<{ key: string }>`UPDATE case_attachments SET name = ${ERASED_TEXT},
    removed_ms = coalesce(removed_ms, ${nowMs}), removed_by = coalesce(removed_by, ${REMOVED_BY})
    WHERE ${ofCases} RETURNING object_key AS key`.execute(tx);
  const keys = files.rows.map(({ key }) => key);
  await queueObjects(tx, keys, nowMs);
  return erased + keys.length;
}

/** Also those that became part of one. */
async function casesOfOne(tx: Tx, customerId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    WITH own AS (SELECT DISTINCT case_id FROM alerts WHERE customer_id = ${customerId} AND case_id IS NOT NULL),
      alone AS (SELECT case_id FROM own WHERE NOT EXISTS (
        SELECT 1 FROM alerts WHERE alerts.case_id = own.case_id AND customer_id IS DISTINCT FROM ${customerId}))
    SELECT case_id AS id FROM alone UNION SELECT id FROM cases WHERE merged_into IN (SELECT case_id FROM alone)`.execute(
    tx,
  );
  return rows.map(({ id }) => id);
}
