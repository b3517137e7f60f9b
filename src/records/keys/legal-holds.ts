// Legal holds in the database of records.
import { type Kysely, type Selectable, sql } from 'kysely';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import { checkHold, type LegalHold, type LegalHoldDraft, needText } from '../../privacy/legal-hold.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import type { Database } from '../database.ts';
import { takeSubject } from './subject-row.ts';
import type { KeyTables } from './tables.ts';

type HoldRow = Selectable<KeyTables['legal_holds']>;

const MOST_AT_ONCE = 500;
const MOST_HELD = 100_000;
const MOST_REASON = 2000;

/** @throws InputError HOLD_INVALID; RecordConflictError where the id is taken */
export async function placeLegalHold(tx: Kysely<Database>, draft: LegalHoldDraft): Promise<LegalHold> {
  checkHold(draft);
  await takeSubject(tx, draft.subject);
  const { id, subject, authority } = draft;
  const reason = cleanText(draft.reason, MOST_REASON, 'reason');
  const row = {
    ...{ id, subject, authority, act_number: draft.actNumber, reason, placed_by: draft.placedBy },
    ...{ placed_ms: draft.placedMs, until_ms: draft.untilMs, lifted_by: null, lifted_ms: null, lift_reason: null },
    version: 1,
  };
  await tx.insertInto('legal_holds').values(row).execute();
  return holdOf(row);
}

export interface HoldLift {
  readonly id: string;
  readonly version: number;
  readonly by: string;
  readonly reason: string;
  readonly nowMs: number;
}

/** @throws InputError HOLD_NOT_FOUND, HOLD_LIFTED, HOLD_CHANGED, HOLD_INVALID */
export async function liftLegalHold(tx: Kysely<Database>, lift: HoldLift): Promise<LegalHold> {
  needText('the reason', lift.reason, MOST_REASON);
  const hold = await findLegalHold(tx, lift.id);
  if (hold === null) throw new InputError('HOLD_NOT_FOUND', `There is no legal hold ${lift.id}`, 'Look at the list');
  if (hold.lifted !== null)
    throw new InputError('HOLD_LIFTED', `The legal hold ${lift.id} is lifted already`, 'Nothing is to be done');
  await takeSubject(tx, hold.subject);
  const row = await tx
    .updateTable('legal_holds')
    .set({
      ...{ lifted_by: lift.by, lifted_ms: lift.nowMs, version: lift.version + 1 },
      lift_reason: cleanText(lift.reason, MOST_REASON, 'reason'),
    })
    .where('id', '=', lift.id)
    .where('version', '=', lift.version)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined)
    throw new InputError('HOLD_CHANGED', `The legal hold ${lift.id} was changed meanwhile`, 'Read it again');
  return holdOf(row);
}

export async function findLegalHold(db: Kysely<Database>, id: string): Promise<LegalHold | null> {
  const row = await db.selectFrom('legal_holds').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : holdOf(row);
}

/** Those of a subject that are in force. */
export async function holdsInForce(
  db: Kysely<Database>,
  subject: SubjectToken,
  nowMs: number,
): Promise<readonly LegalHold[]> {
  const rows = await db
    .selectFrom('legal_holds')
    .selectAll()
    .where('subject', '=', subject)
    .where('lifted_ms', 'is', null)
    .where((where) => where.or([where('until_ms', 'is', null), where('until_ms', '>', nowMs)]))
    .orderBy('placed_ms')
    .execute();
  return rows.map(holdOf);
}

/**
 * All subjects under a hold, for the plan of deletions.
 *
 * @throws InputError HOLDS_TOO_MANY beyond 100,000: nothing may be deleted on a part of them
 */
export async function heldSubjects(db: Kysely<Database>, nowMs: number): Promise<ReadonlySet<SubjectToken>> {
  const rows = await db
    .selectFrom('legal_holds')
    .select('subject')
    .distinct()
    .where('lifted_ms', 'is', null)
    .where((where) => where.or([where('until_ms', 'is', null), where('until_ms', '>', nowMs)]))
    .limit(MOST_HELD + 1)
    .execute();
  if (rows.length <= MOST_HELD) return new Set(rows.map(({ subject }) => subject));
  throw new InputError(
    'HOLDS_TOO_MANY',
    `More than ${MOST_HELD} subjects are under a legal hold`,
    'Lift those that ended',
  );
}

export interface HoldCursor {
  readonly placedMs: number;
  readonly id: string;
}

/** Newest first, lifted and ended ones too. @param limit 1 to 500 */
export async function listLegalHolds(
  db: Kysely<Database>,
  before: HoldCursor | null,
  limit: number,
): Promise<{ readonly holds: readonly LegalHold[]; readonly before: HoldCursor | null }> {
  const count = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(limit)));
  let query = db
    .selectFrom('legal_holds')
    .selectAll()
    .orderBy('placed_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(count + 1);
  if (before !== null) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('placed_ms', 'id'), '<', tuple(before.placedMs, before.id)),
    );
  }
  const holds = (await query.execute()).map(holdOf);
  const last = holds[count - 1];
  const isMore = holds.length > count && last !== undefined;
  return { holds: holds.slice(0, count), before: isMore ? { placedMs: last.placedMs, id: last.id } : null };
}

export interface EndedUpTo {
  readonly endedMs: number;
  readonly id: string;
}

/**
 * Holds that were lifted, or over, before; one of a subject who is under another stays, for it tells why something is there.
 *
 * @param held subjects under a hold now
 */
export async function pruneLegalHolds(
  tx: Kysely<Database>,
  endedBeforeMs: number,
  held: ReadonlySet<SubjectToken>,
  after: EndedUpTo | null,
  most: number,
): Promise<{ readonly holds: number; readonly held: number; readonly next: EndedUpTo | null }> {
  const { rows } = await sql<EndedUpTo & { subject: SubjectToken }>`
    SELECT id, subject, least(lifted_ms, until_ms) AS "endedMs" FROM legal_holds
    WHERE (lifted_ms IS NOT NULL OR until_ms IS NOT NULL) AND least(lifted_ms, until_ms) < ${endedBeforeMs}
      AND (least(lifted_ms, until_ms), id) > (${after?.endedMs ?? -1}::bigint, ${after?.id ?? ''})
    ORDER BY least(lifted_ms, until_ms), id LIMIT ${most}`.execute(tx);
  const free = rows.filter(({ subject }) => !held.has(subject)).map(({ id }) => id);
  await sql`DELETE FROM legal_holds WHERE id = ANY(${free}::text[])`.execute(tx);
  const last = rows.at(-1);
  const next = rows.length < most || last === undefined ? null : { endedMs: last.endedMs, id: last.id };
  return { holds: free.length, held: rows.length - free.length, next };
}

function holdOf(row: HoldRow): LegalHold {
  const { id, subject, authority, reason, version } = row;
  const isLifted = row.lifted_by !== null && row.lifted_ms !== null && row.lift_reason !== null;
  return {
    ...{ id, subject, authority, actNumber: row.act_number, reason, placedBy: row.placed_by, placedMs: row.placed_ms },
    ...{ untilMs: row.until_ms, version },
    lifted: isLifted ? { by: row.lifted_by!, atMs: row.lifted_ms!, reason: row.lift_reason! } : null,
  };
}
