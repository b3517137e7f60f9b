// Erasures in the database of records: asked for, approved by another person, executed; each step a change of state.
import type { Kysely, Selectable } from 'kysely';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import type { Erasure, ErasureDraft, ErasureStep } from '../../privacy/erasure.ts';
import { needText } from '../../privacy/legal-hold.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import { eraseTexts } from '../alerts/erase-texts.ts';
import type { Database } from '../database.ts';
import { holdsInForce } from './legal-holds.ts';
import { takeSubject } from './subject-row.ts';
import type { KeyTables } from './tables.ts';

type ErasureRow = Selectable<KeyTables['erasures']>;

const MOST_AT_ONCE = 500;
const MOST_REASON = 2000;

/** @throws InputError ERASURE_INVALID; RecordConflictError where one is open for the subject */
export async function requestErasure(tx: Kysely<Database>, draft: ErasureDraft): Promise<Erasure> {
  needText('the reason', draft.reason, MOST_REASON, 'ERASURE_INVALID');
  const { id, subject, by, nowMs, customerId, identifiers } = draft;
  const reason = cleanText(draft.reason, MOST_REASON, 'reason');
  const row: ErasureRow = {
    ...{ id, subject, state: 'requested', reason, requested_by: by, requested_ms: nowMs },
    ...{ approved_by: null, approved_ms: null, ended_by: null, ended_ms: null },
    ...{ refusal: null, destroyed_keys: null, customer_id: customerId, identifiers: [...identifiers] },
    ...{ lists_due: false, listed_entries: null, erased_texts: null, version: 1 },
  };
  await tx.insertInto('erasures').values(row).execute();
  return erasureOf(row);
}

/** @throws InputError ERASURE_NOT_FOUND, ERASURE_STATE, ERASURE_SAME_PERSON, ERASURE_CHANGED */
export async function approveErasure(tx: Kysely<Database>, step: ErasureStep): Promise<Erasure> {
  const { requestedBy } = await erasureIn(tx, step.id, ['requested']);
  if (requestedBy === step.by) {
    throw new InputError('ERASURE_SAME_PERSON', 'Who asked for an erasure cannot approve it', 'Another person does');
  }
  return change(tx, step, { state: 'approved', approved_by: step.by, approved_ms: step.nowMs });
}

/** @throws InputError ERASURE_INVALID, ERASURE_NOT_FOUND, ERASURE_STATE, ERASURE_CHANGED */
export async function refuseErasure(tx: Kysely<Database>, step: ErasureStep, refusal: string): Promise<Erasure> {
  needText('the reason', refusal, MOST_REASON, 'ERASURE_INVALID');
  await erasureIn(tx, step.id, ['requested', 'approved']);
  const clean = cleanText(refusal, MOST_REASON, 'reason');
  const ended = { state: 'refused', ended_by: step.by, ended_ms: step.nowMs, refusal: clean } as const;
  return change(tx, step, { ...ended, customer_id: null, identifiers: [] });
}

export interface ErasureExecution extends ErasureStep {
  /** Until when the law asks to keep what there is of the subject (`keptUntil` of retention.ts); null: nothing is kept. */
  readonly keptUntilMs: number | null;
  /** More identifiers, found in what is sealed with the keys while they are there. */
  readonly identifiers?: readonly SubjectToken[];
  /** Values that lists hold of the customer at this moment: they are taken off afterwards (`listsDue`). */
  readonly listedEntries?: number;
}

/** What an erasure that is to be executed looks for. */
export interface ErasedCustomer {
  readonly id: string;
  readonly subject: SubjectToken;
  readonly customerId: string | null;
  /** Of the subject, and of all else that the customer is known by. */
  readonly tokens: ReadonlySet<SubjectToken>;
}

/** Who is to be erased, where it is approved; null otherwise. */
export async function customerToErase(db: Kysely<Database>, id: string): Promise<ErasedCustomer | null> {
  const row = await db
    .selectFrom('erasures')
    .selectAll()
    .where('id', '=', id)
    .where('state', '=', 'approved')
    .executeTakeFirst();
  return row === undefined ? null : erasedCustomerOf(row);
}

/** Executed, and not off the lists yet; those that wait longest first. */
export async function listsDue(db: Kysely<Database>): Promise<readonly ErasedCustomer[]> {
  const rows = await db
    .selectFrom('erasures')
    .selectAll()
    .where('lists_due', '=', true)
    .orderBy('ended_ms')
    .orderBy('id')
    .limit(MOST_AT_ONCE)
    .execute();
  return rows.map(erasedCustomerOf);
}

/** @returns whether it was still due: of two processes that have done it one tells of it */
export async function listsDone(tx: Kysely<Database>, id: string, listedEntries: number): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('erasures')
    .set({ lists_due: false, listed_entries: listedEntries, identifiers: [] })
    .where('id', '=', id)
    .where('lists_due', '=', true)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

function erasedCustomerOf({ id, subject, customer_id: customerId, identifiers }: ErasureRow): ErasedCustomer {
  return { id, subject, customerId, tokens: new Set([subject, ...identifiers]) };
}

/**
 * Destroys the keys, and erases what people wrote about the customer. Afterwards `DataKeys.forget`, and `sweepErased` for keys that another process was just making.
 *
 * @throws InputError ERASURE_NOT_FOUND, ERASURE_STATE, ERASURE_CHANGED, ERASURE_TOO_EARLY, ERASURE_HELD
 */
export async function executeErasure(tx: Kysely<Database>, step: ErasureExecution): Promise<Erasure> {
  const { subject } = await erasureIn(tx, step.id, ['approved']);
  const { nowMs, keptUntilMs, identifiers = [], listedEntries = 0 } = step;
  if (keptUntilMs !== null && keptUntilMs > nowMs) {
    throw new InputError(
      'ERASURE_TOO_EARLY',
      `Records of this customer are to be kept until ${new Date(keptUntilMs).toISOString().slice(0, 10)}`,
      'Refuse the request with this reason, or wait',
    );
  }
  await takeSubject(tx, subject);
  const [hold] = await holdsInForce(tx, subject, nowMs);
  if (hold !== undefined) {
    throw new InputError(
      'ERASURE_HELD',
      `This customer is under the legal hold ${hold.id}`,
      'Nothing is erased before it is lifted',
    );
  }
  const destroyed = await destroyKeys(tx, subject, nowMs, Number.MAX_SAFE_INTEGER);
  const known = await customerToErase(tx, step.id);
  const customerId = known?.customerId ?? null;
  const erasedTexts = customerId === null ? 0 : await eraseTexts(tx, customerId, nowMs);
  return change(tx, step, {
    ...{ state: 'executed', ended_by: step.by, ended_ms: nowMs, destroyed_keys: destroyed, customer_id: null },
    ...{ identifiers: [...new Set([...(known?.tokens ?? []), ...identifiers])].filter((each) => each !== subject) },
    ...{ lists_due: true, listed_entries: listedEntries, erased_texts: erasedTexts },
  });
}

/**
 * In a transaction after that of `executeErasure`: a key that was being made while the erasure was executed and is not newer.
 *
 * @returns how many were destroyed
 */
export async function sweepErased(tx: Kysely<Database>, { subject, endedMs }: Erasure): Promise<number> {
  return endedMs === null ? 0 : destroyKeys(tx, subject, endedMs, endedMs);
}

export async function findErasure(db: Kysely<Database>, id: string): Promise<Erasure | null> {
  const row = await db.selectFrom('erasures').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : erasureOf(row);
}

/** What was executed for a subject, newest first: after records were restored from an older copy, it is executed again. */
export async function erasuresOf(db: Kysely<Database>, subject: SubjectToken): Promise<readonly Erasure[]> {
  const rows = await db
    .selectFrom('erasures')
    .selectAll()
    .where('subject', '=', subject)
    .orderBy('requested_ms', 'desc')
    .limit(MOST_AT_ONCE)
    .execute();
  return rows.map(erasureOf);
}

export interface ErasureCursor {
  readonly requestedMs: number;
  readonly id: string;
}

/** Newest first. @param limit 1 to 500 */
export async function listErasures(
  db: Kysely<Database>,
  before: ErasureCursor | null,
  limit: number,
): Promise<{ readonly erasures: readonly Erasure[]; readonly before: ErasureCursor | null }> {
  const count = Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(limit)));
  let query = db
    .selectFrom('erasures')
    .selectAll()
    .orderBy('requested_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(count + 1);
  if (before !== null) {
    query = query.where(({ eb, refTuple, tuple }) =>
      eb(refTuple('requested_ms', 'id'), '<', tuple(before.requestedMs, before.id)),
    );
  }
  const erasures = (await query.execute()).map(erasureOf);
  const last = erasures[count - 1];
  const isMore = erasures.length > count && last !== undefined;
  return { erasures: erasures.slice(0, count), before: isMore ? { requestedMs: last.requestedMs, id: last.id } : null };
}

/**
 * Destroys a subject's keys made until then, without request and approval: what `executeErasure` does, and what is done
 * again for each executed erasure after a restore.
 */
export async function destroyKeys(
  tx: Kysely<Database>,
  subject: SubjectToken,
  erasedMs: number,
  createdUntilMs: number,
): Promise<number> {
  const { numUpdatedRows } = await tx
    .updateTable('data_keys')
    .set({ wrapped: null, erased_ms: erasedMs })
    .where('subject', '=', subject)
    .where('wrapped', 'is not', null)
    .where('created_ms', '<=', createdUntilMs)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

async function erasureIn(tx: Kysely<Database>, id: string, states: readonly string[]): Promise<Erasure> {
  const erasure = await findErasure(tx, id);
  if (erasure === null) throw new InputError('ERASURE_NOT_FOUND', `There is no erasure ${id}`, 'Look at the list');
  if (states.includes(erasure.state)) return erasure;
  throw new InputError(
    'ERASURE_STATE',
    `The erasure ${id} is ${erasure.state}, not ${states.join(' or ')}`,
    'Read it again',
  );
}

async function change(tx: Kysely<Database>, step: ErasureStep, to: Partial<ErasureRow>): Promise<Erasure> {
  const row = await tx
    .updateTable('erasures')
    .set({ ...to, version: step.version + 1 })
    .where('id', '=', step.id)
    .where('version', '=', step.version)
    .returningAll()
    .executeTakeFirst();
  if (row !== undefined) return erasureOf(row);
  throw new InputError('ERASURE_CHANGED', `The erasure ${step.id} was changed meanwhile`, 'Read it again');
}

function erasureOf(row: ErasureRow): Erasure {
  const { id, subject, state, reason, refusal, version } = row;
  return {
    ...{ id, subject, state, reason, requestedBy: row.requested_by, requestedMs: row.requested_ms },
    ...{ approvedBy: row.approved_by, approvedMs: row.approved_ms, endedBy: row.ended_by, endedMs: row.ended_ms },
    ...{ refusal, destroyedKeys: row.destroyed_keys, identifiers: isOver(row) ? 0 : row.identifiers.length },
    ...{ listedEntries: row.listed_entries, erasedTexts: row.erased_texts, version },
  };
}

function isOver({ state }: ErasureRow): boolean {
  return state === 'executed' || state === 'refused';
}
