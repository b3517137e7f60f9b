// Replays in the records: asked for, listed, cancelled by people; claimed, kept alive and ended by whoever runs them.
import { type Selectable, sql } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, byColumns, type Done, notFound, type Tx } from '../alerts/act.ts';
import { type Page, pageOf, readCursor } from '../alerts/paging.ts';
import type { ReplayJobTable, ReplayRequest, ReplayResult, ReplayState } from './tables.ts';

export type ReplayJob = Selectable<ReplayJobTable>;

/** What came of a job; `interrupted` is queued once more, where it was not so before. */
export type ReplayEnd =
  | { readonly state: 'done'; readonly result: ReplayResult }
  | { readonly state: 'failed'; readonly code: string; readonly problem: string }
  | { readonly state: 'cancelled' };

/** More are refused: each takes minutes, and one runs at a time. */
export const MOST_WAITING_REPLAYS = 20;
const MOST_ATTEMPTS = 2;
const INTERRUPTED = 'REPLAY_INTERRUPTED';

/** @returns the job's id @throws InputError REPLAYS_FULL */
export async function askReplay(tx: Tx, name: string, request: ReplayRequest, act: Act): Promise<Done<string>> {
  const { count } = await tx
    .selectFrom('replay_jobs')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('state', 'in', ['queued', 'running'])
    .executeTakeFirstOrThrow();
  if (Number(count) >= MOST_WAITING_REPLAYS) {
    throw new InputError('REPLAYS_FULL', `${count} replays wait or run`, 'Ask later, or cancel some');
  }
  const id = act.newId();
  const begun = { progress: 0, attempts: 0, is_cancel_asked: false, runner: null, lease_ms: null, version: 1 };
  const ended = { result: null, problem_code: null, problem: null, started_ms: null, ended_ms: null };
  await tx
    .insertInto('replay_jobs')
    .values({
      ...{ id, name, state: 'queued', request: JSON.stringify(request), created_ms: act.atMs },
      ...{ ...begun, ...ended, ...byColumns(act) },
    })
    .execute();
  const { rules, thresholds, fromMs, untilMs } = request;
  const told = { name, model: request.model ?? null, thresholds, fromMs, untilMs };
  const detail = { ...told, rules: rules === null ? null : { mode: rules.mode, files: rules.files.length } };
  return { result: id, audit: [auditDraft(act, 'replay.asked', { kind: 'replay', id }, detail)] };
}

/** @throws InputError NOT_FOUND */
export async function getReplay(db: Tx, id: string): Promise<ReplayJob> {
  const row = await db.selectFrom('replay_jobs').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('replay', id);
  return row;
}

/** Newest first, without requests and results. */
export async function listReplays(db: Tx, state: ReplayState | null, cursor: string | null, limit: number) {
  let query = db
    .selectFrom('replay_jobs')
    .select(['id', 'name', 'state', 'progress', 'attempts', 'is_cancel_asked', 'problem_code', 'problem'])
    .select(['created_ms', 'started_ms', 'ended_ms', 'by_kind', 'by_id', 'by_name', 'version'])
    .orderBy('created_ms', 'desc')
    .orderBy('id', 'desc');
  if (state !== null) query = query.where('state', '=', state);
  if (cursor !== null) {
    const [createdMs, id] = readCursor(cursor, 'replays');
    query = query.where(({ eb, refTuple, tuple }) => eb(refTuple('created_ms', 'id'), '<', tuple(createdMs, id)));
  }
  type Row = Awaited<ReturnType<(typeof query)['execute']>>[number];
  const rows: Row[] = await query.limit(limit + 1).execute();
  const page: Page<Row> = pageOf(rows, limit, 'replays', ({ created_ms, id }) => [created_ms, id]);
  return page;
}

/** What waits is cancelled at once; what runs is told to stop. @throws InputError NOT_FOUND, REPLAY_ENDED */
export async function cancelReplay(tx: Tx, id: string, reason: string, act: Act): Promise<Done<ReplayState>> {
  const { state } = await getReplay(tx, id);
  if (state !== 'queued' && state !== 'running') {
    throw new InputError('REPLAY_ENDED', `The replay '${id}' has ended: ${state}`, 'There is nothing to cancel');
  }
  const cancelled = { state: 'cancelled' as const, ended_ms: act.atMs };
  await tx
    .updateTable('replay_jobs')
    .set(({ eb }) => ({
      ...(state === 'queued' && cancelled),
      is_cancel_asked: true,
      version: eb('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('state', '=', state)
    .execute();
  const audit = [auditDraft(act, 'replay.cancelled', { kind: 'replay', id }, { reason, was: state })];
  return { result: state === 'queued' ? 'cancelled' : state, audit };
}

/** Whether there is anything to look after. */
export async function hasOpenReplays(db: Tx): Promise<boolean> {
  const open = db.selectFrom('replay_jobs').select('id').where('state', 'in', ['queued', 'running']);
  return (await open.limit(1).executeTakeFirst()) !== undefined;
}

/** The oldest that waits, for this runner; null where none does or another one runs. */
export async function claimReplay(tx: Tx, runner: string, nowMs: number, leaseMs: number): Promise<ReplayJob | null> {
  // Of several processes one looks at a time.
  await sql`LOCK TABLE replay_jobs IN SHARE ROW EXCLUSIVE MODE`.execute(tx);
  const open = await tx
    .selectFrom('replay_jobs')
    .selectAll()
    .where('state', 'in', ['queued', 'running'])
    .orderBy('created_ms')
    .orderBy('id')
    .limit(MOST_WAITING_REPLAYS)
    .execute();
  const next = open.find(({ state }) => state === 'queued');
  if (next === undefined || open.some(({ state }) => state === 'running')) return null;
  const begun = { state: 'running' as const, progress: 0, attempts: next.attempts + 1, started_ms: nowMs };
  const claimed = { ...begun, runner, lease_ms: nowMs + leaseMs, version: next.version + 1 };
  await tx.updateTable('replay_jobs').set(claimed).where('id', '=', next.id).execute();
  return { ...next, ...claimed };
}

/** @returns whether it is to go on: nobody has cancelled it, or taken it for dead */
export async function beatReplay(
  tx: Tx,
  { id, attempts }: Pick<ReplayJob, 'id' | 'attempts'>,
  progress: number,
  leaseUntilMs: number,
): Promise<boolean> {
  const row = await tx
    .updateTable('replay_jobs')
    .set({ progress, lease_ms: leaseUntilMs })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('state', '=', 'running')
    .returning('is_cancel_asked')
    .executeTakeFirst();
  return row !== undefined && !row.is_cancel_asked;
}

/** Of the attempt that is still the job's; nothing otherwise. */
export async function endReplay(
  tx: Tx,
  { id, attempts }: Pick<ReplayJob, 'id' | 'attempts'>,
  end: ReplayEnd,
  act: Act,
): Promise<Done<boolean>> {
  const { changes, detail } = changesOf(end);
  const { numUpdatedRows } = await tx
    .updateTable('replay_jobs')
    .set(({ eb }) => ({
      ...{ ...changes, state: end.state, ended_ms: act.atMs, runner: null, lease_ms: null },
      version: eb('version', '+', 1),
    }))
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return { result: false, audit: [] };
  return { result: true, audit: [auditDraft(act, 'replay.ended', { kind: 'replay', id }, detail)] };
}

function changesOf(end: ReplayEnd) {
  switch (end.state) {
    case 'done':
      return { changes: { result: JSON.stringify(end.result), progress: 1 }, detail: { state: end.state } };
    case 'failed': {
      const { code, problem } = end;
      return { changes: { problem_code: code, problem }, detail: { state: end.state, code } };
    }
    case 'cancelled':
      return { changes: {}, detail: { state: end.state } };
  }
}

/** Back to the queue as if it had never begun: whoever ran it stops in order. */
export async function yieldReplay(tx: Tx, { id, attempts }: Pick<ReplayJob, 'id' | 'attempts'>): Promise<void> {
  await tx
    .updateTable('replay_jobs')
    .set({ state: 'queued', progress: 0, attempts: attempts - 1, runner: null, lease_ms: null, started_ms: null })
    .where('id', '=', id)
    .where('attempts', '=', attempts)
    .where('state', '=', 'running')
    .execute();
}

/**
 * Jobs whose runner has died: queued once more, and failed where that happened before; cancelled where that was asked.
 *
 * @param isAlone no other process has these records: whatever runs is nobody's
 */
export async function takeUpInterrupted(tx: Tx, isAlone: boolean, act: Act): Promise<Done<number>> {
  let query = tx.selectFrom('replay_jobs').selectAll().where('state', '=', 'running');
  if (!isAlone) query = query.where('lease_ms', '<', act.atMs);
  const dead = await query.limit(MOST_WAITING_REPLAYS).execute();
  const audit: Done<number>['audit'][number][] = [];
  for (const job of dead) {
    if (job.attempts < MOST_ATTEMPTS && !job.is_cancel_asked) {
      const queued = { state: 'queued' as const, progress: 0, runner: null, lease_ms: null, version: job.version + 1 };
      await tx.updateTable('replay_jobs').set(queued).where('id', '=', job.id).execute();
      audit.push(auditDraft(act, 'replay.queued-again', { kind: 'replay', id: job.id }, { attempts: job.attempts }));
      continue;
    }
    const problem = 'The service ended twice while it ran. Ask for a shorter period, or look into the logs';
    const end: ReplayEnd = job.is_cancel_asked
      ? { state: 'cancelled' }
      : { state: 'failed', code: INTERRUPTED, problem };
    audit.push(...(await endReplay(tx, job, end, act)).audit);
  }
  return { result: dead.length, audit };
}

/** Those that ended before. @returns how many */
export async function forgetReplays(tx: Tx, endedBeforeMs: number): Promise<number> {
  const { numDeletedRows } = await tx
    .deleteFrom('replay_jobs')
    .where('ended_ms', '<', endedBeforeMs)
    .executeTakeFirst();
  return Number(numDeletedRows);
}
