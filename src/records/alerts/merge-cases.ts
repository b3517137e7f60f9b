// Cases of a ring become one: the older remains, the younger redirects to it. What hangs on the younger stays under its id and is
// read through the redirect; alerts, files of compliance and earlier redirects move.
import { sql } from 'kysely';
import type { IntakePlan } from '../../alerts/intake-state.ts';
import { type Act, type Change, type Tx, writeHistory } from './act.ts';

/** Many at once, each statement for all. */
export async function writeMerges(tx: Tx, merges: IntakePlan['merges'], act: Act): Promise<void> {
  if (merges.length === 0) return;
  const pairs = sql`unnest(${merges.map(({ from }) => from)}::text[], ${merges.map(({ into }) => into)}::text[])
    AS pair (from_id, into_id)`;
  await sql`
    WITH gone AS (
      SELECT pair.into_id, min(part.first_look_ms) AS first_look_ms, min(part.claimed_ms) AS claimed_ms,
        min(part.claim_due_ms) AS claim_due_ms,
        (array_agg(part.assignee ORDER BY part.first_ms, part.id) FILTER (WHERE part.assignee IS NOT NULL))[1] AS assignee,
        (array_agg(part.claim_id ORDER BY part.claimed_ms, part.id) FILTER (WHERE part.claim_id IS NOT NULL))[1] AS claim_id
      FROM ${pairs} JOIN cases AS part ON part.id = pair.from_id GROUP BY pair.into_id
    )
    UPDATE cases AS kept SET
      assignee = coalesce(kept.assignee, gone.assignee),
      first_look_ms = least(kept.first_look_ms, gone.first_look_ms),
      claim_id = coalesce(kept.claim_id, gone.claim_id),
      claimed_ms = least(kept.claimed_ms, gone.claimed_ms),
      claim_due_ms = least(kept.claim_due_ms, gone.claim_due_ms),
      tags = ARRAY(
        SELECT unnest(kept.tags) AS tag
        UNION SELECT unnest(part.tags) FROM ${pairs} JOIN cases AS part ON part.id = pair.from_id WHERE pair.into_id = kept.id
        ORDER BY tag)
    FROM gone WHERE kept.id = gone.into_id`.execute(tx);
  await sql`UPDATE cases SET merged_into = pair.into_id FROM ${pairs} WHERE cases.merged_into = pair.from_id`.execute(
    tx,
  );
  await sql`UPDATE cases SET state = 'merged', merged_into = pair.into_id, version = version + 1
    FROM ${pairs} WHERE cases.id = pair.from_id`.execute(tx);
  await sql`UPDATE alerts SET case_id = pair.into_id FROM ${pairs} WHERE alerts.case_id = pair.from_id`.execute(tx);
  await sql`UPDATE case_files SET case_id = pair.into_id FROM ${pairs} WHERE case_files.case_id = pair.from_id`.execute(
    tx,
  );
  // What was asked for was asked of the smaller case.
  await sql`UPDATE case_requests SET status = 'withdrawn', decided_ms = ${act.atMs}, comment = 'merged into ' || pair.into_id
    FROM ${pairs} WHERE case_requests.case_id = pair.from_id AND status = 'waiting' AND NOT is_confidential`.execute(
    tx,
  );
  await writeHistory(tx, act, merges.flatMap(historyOf));
}

/** Read under both: the case that remains tells what came into it, the other one where it went. */
function historyOf({ from, into, because }: IntakePlan['merges'][number]): readonly Change[] {
  const to = { from, into, because };
  return [
    { caseId: into, what: 'took-in', from: null, to },
    { caseId: from, what: 'merged', from: null, to },
  ];
}
