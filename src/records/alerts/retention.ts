// Forgetting what need not be kept any longer: closed cases with all that hangs on them, suppressed alerts, ended suppressions,
// links whose time is over. In small transactions, so that nobody waits; what is held (a court, an inquiry) stays.
//
// A case that compliance knows of is kept for its own, longer time (10 years; Res. SBS 2660-2015). Labels are the transactions'
// and training's: they have a time of their own.
import { sql } from 'kysely';
import { type Act, auditDraft, type Done, type Tx } from './act.ts';
import { CountChanges } from './counts.ts';
import type { AlertState } from './tables.ts';

export interface Pruning {
  /** Cases that were closed before are forgotten. */
  readonly closedBeforeMs: number;
  /** Those that compliance knows of, where they were closed before. */
  readonly confidentialClosedBeforeMs: number;
  /** Whether something is to be kept for a customer whatever its age. */
  readonly isHeld: (customerId: string) => boolean;
  /** At most so many cases in one transaction. */
  readonly most: number;
  /** Where the last transaction ended; null for the first. */
  readonly after: PrunedUpTo | null;
}

export interface PrunedUpTo {
  readonly closedMs: number;
  readonly id: string;
}

export interface Pruned {
  readonly cases: number;
  readonly alerts: number;
  /** Cases that stay for somebody's hold. */
  readonly held: number;
  /** Keys of the object store whose bytes the caller removes. */
  readonly objectKeys: readonly string[];
  /** To go on from; null where nothing is left. */
  readonly next: PrunedUpTo | null;
}

export async function pruneCases(tx: Tx, pruning: Pruning, act: Act): Promise<Done<Pruned>> {
  const { closedBeforeMs, confidentialClosedBeforeMs, isHeld, most, after } = pruning;
  const { rows } = await sql<Candidate>`
    SELECT id, queue, state, closed_ms AS "closedMs", customers,
      EXISTS (SELECT 1 FROM case_files WHERE case_files.case_id = cases.id) AS "isConfidential"
    FROM cases
    WHERE closed_ms IS NOT NULL AND closed_ms < ${closedBeforeMs}
      AND (closed_ms, id) > (${after?.closedMs ?? -1}::bigint, ${after?.id ?? ''})
    ORDER BY closed_ms, id LIMIT ${most} FOR UPDATE`.execute(tx);
  const old = rows.filter(({ isConfidential, closedMs }) => !isConfidential || closedMs < confidentialClosedBeforeMs);
  const customers = await customersOf(tx, old);
  const isHeldCase = ({ id }: Candidate) => (customers.get(id) ?? []).some(isHeld);
  const gone = old.filter((row) => !isHeldCase(row));
  const removed = await removeCases(tx, gone);
  const last = rows.at(-1);
  const next = rows.length < most || last === undefined ? null : { closedMs: last.closedMs, id: last.id };
  const result = { cases: gone.length, held: old.length - gone.length, ...removed, next };
  if (gone.length === 0) return { result, audit: [] };
  const detail = { cases: gone.length, alerts: removed.alerts, held: result.held, closedBeforeMs };
  return { result, audit: [auditDraft(act, 'cases.pruned', { kind: 'case', id: gone[0].id }, detail)] };
}

interface Candidate {
  readonly id: string;
  readonly queue: string;
  readonly state: string;
  readonly closedMs: number;
  readonly customers: readonly string[];
  readonly isConfidential: boolean;
}

/** Of all alerts: the case's own list is cut where a ring is large. */
async function customersOf(tx: Tx, rows: readonly Candidate[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const customers = new Map<string, string[]>(rows.map(({ id, customers }) => [id, [...customers]]));
  const ids = rows.map(({ id }) => id);
  const found = await sql<{ case_id: string; customer_id: string }>`
    SELECT DISTINCT case_id, customer_id FROM alerts WHERE case_id = ANY(${ids}::text[]) AND customer_id IS NOT NULL`.execute(
    tx,
  );
  for (const { case_id, customer_id } of found.rows) customers.get(case_id)!.push(customer_id);
  return customers;
}

async function removeCases(tx: Tx, gone: readonly Candidate[]): Promise<Pick<Pruned, 'alerts' | 'objectKeys'>> {
  if (gone.length === 0) return { alerts: 0, objectKeys: [] };
  const ids = gone.map(({ id }) => id);
  const parts = await sql<{ id: string }>`SELECT id FROM cases WHERE merged_into = ANY(${ids}::text[])`.execute(tx);
  const all = [...ids, ...parts.rows.map(({ id }) => id)];
  const counts = new CountChanges();
  for (const { queue, state } of gone) counts.case({ queue, state }, -1);
  const alerts = await countedAlerts(tx, sql`case_id = ANY(${ids}::text[])`, counts);
  await sql`DELETE FROM alerts WHERE case_id = ANY(${ids}::text[])`.execute(tx);
  const files = await sql<{ key: string }>`
    SELECT object_key AS key FROM case_attachments WHERE case_id = ANY(${all}::text[]) AND removed_ms IS NULL
    ORDER BY id`.execute(tx);
  await sql`DELETE FROM case_comment_versions WHERE comment_id IN
    (SELECT id FROM case_comments WHERE case_id = ANY(${all}::text[]))`.execute(tx);
  const hanging = ['case_comments', 'case_attachments', 'case_history', 'case_requests', 'case_files'];
  for (const table of hanging)
    await sql`DELETE FROM ${sql.table(table)} WHERE case_id = ANY(${all}::text[])`.execute(tx);
  await sql`DELETE FROM case_relations WHERE from_id = ANY(${all}::text[]) OR to_id = ANY(${all}::text[])`.execute(tx);
  await sql`DELETE FROM cases WHERE id = ANY(${all}::text[])`.execute(tx);
  await counts.write(tx);
  return { alerts, objectKeys: files.rows.map(({ key }) => key) };
}

/** @returns how many rows there are, those that joined another one included */
async function countedAlerts(tx: Tx, where: ReturnType<typeof sql>, counts: CountChanges): Promise<number> {
  const { rows } = await sql<{ queue: string; state: AlertState; severity: 'low'; count: number }>`
    SELECT queue, state, severity, count(*)::integer AS count FROM alerts WHERE ${where} GROUP BY queue, state, severity`.execute(
    tx,
  );
  for (const { count, ...kind } of rows) if (kind.state !== 'joined') counts.alert(kind, -count);
  return rows.reduce((sum, { count }) => sum + count, 0);
}

/** Suppressed alerts that came in before. @returns how many; fewer than `most`: nothing is left but what is held */
export async function pruneSuppressed(
  tx: Tx,
  beforeMs: number,
  isHeld: (customerId: string) => boolean,
  after: string,
  most: number,
): Promise<{ readonly removed: number; readonly next: string | null }> {
  const { rows } = await sql<{ id: string; customer_id: string | null }>`
    SELECT id, customer_id FROM alerts
    WHERE state = 'suppressed' AND created_ms < ${beforeMs} AND id > ${after} ORDER BY id LIMIT ${most} FOR UPDATE`.execute(
    tx,
  );
  const ids = rows.filter(({ customer_id }) => customer_id === null || !isHeld(customer_id)).map(({ id }) => id);
  const counts = new CountChanges();
  await countedAlerts(tx, sql`id = ANY(${ids}::text[])`, counts);
  await sql`DELETE FROM alerts WHERE id = ANY(${ids}::text[])`.execute(tx);
  await counts.write(tx);
  return { removed: ids.length, next: rows.length < most ? null : (rows.at(-1)?.id ?? null) };
}

/** Links that no alert can follow any more, and suppressions that ended before. */
export async function pruneLinks(tx: Tx, lastBeforeMs: number, endedBeforeMs: number, most: number): Promise<number> {
  const links = await sql`DELETE FROM case_keys WHERE (key, customer_id, case_id) IN
    (SELECT key, customer_id, case_id FROM case_keys WHERE last_ms < ${lastBeforeMs}
      ORDER BY last_ms, key, customer_id, case_id LIMIT ${most})`.execute(tx);
  const ended = await sql`DELETE FROM alert_suppressions WHERE id IN
    (SELECT id FROM alert_suppressions WHERE least(until_ms, coalesce(ended_ms, until_ms)) < ${endedBeforeMs}
      AND NOT EXISTS (SELECT 1 FROM alerts WHERE suppression_id = alert_suppressions.id)
      ORDER BY id LIMIT ${most})`.execute(tx);
  return Number(links.numAffectedRows ?? 0n) + Number(ended.numAffectedRows ?? 0n);
}

export interface SaidUpTo {
  readonly atMs: number;
  readonly id: string;
}

export interface LabelPruning {
  /** Of a transaction of which nothing was said since then. */
  readonly saidBeforeMs: number;
  readonly isHeld: (customerId: string) => boolean;
  /** Whose a transaction without an alert is, nobody here knows: its labels stay while anybody is under a hold. */
  readonly isAnyHeld: boolean;
  readonly after: SaidUpTo | null;
  readonly most: number;
}

/** All that was said of transactions long ago, and what counts of it; of an open alert it stays. */
export async function pruneLabels(
  tx: Tx,
  { saidBeforeMs, isHeld, isAnyHeld, after, most }: LabelPruning,
): Promise<{ readonly labels: number; readonly held: number; readonly next: SaidUpTo | null }> {
  const { rows } = await sql<SaidUpTo & { transactionId: string; customerId: string | null }>`
    SELECT labels.id, at_ms AS "atMs", transaction_id AS "transactionId", alerts.customer_id AS "customerId"
    FROM labels LEFT JOIN alerts ON alerts.id = transaction_id
    WHERE at_ms < ${saidBeforeMs} AND (at_ms, labels.id) > (${after?.atMs ?? -1}::bigint, ${after?.id ?? ''})
      AND alerts.is_open IS NOT TRUE
      AND NOT EXISTS (SELECT 1 FROM labels later
        WHERE later.transaction_id = labels.transaction_id AND later.at_ms >= ${saidBeforeMs})
    ORDER BY at_ms, labels.id LIMIT ${most}`.execute(tx);
  const free = rows.filter(({ customerId }) => (customerId === null ? !isAnyHeld : !isHeld(customerId)));
  await sql`DELETE FROM labels WHERE id = ANY(${free.map(({ id }) => id)}::text[])`.execute(tx);
  await sql`DELETE FROM transaction_labels WHERE transaction_id = ANY(${free.map((row) => row.transactionId)}::text[])
    AND NOT EXISTS (SELECT 1 FROM labels WHERE labels.transaction_id = transaction_labels.transaction_id)`.execute(tx);
  const last = rows.at(-1);
  const next = rows.length < most || last === undefined ? null : { atMs: last.atMs, id: last.id };
  return { labels: free.length, held: rows.length - free.length, next };
}
