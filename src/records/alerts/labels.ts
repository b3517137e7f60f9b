// Labels: what transactions turned out to be, all that was ever said, whose word counts, and a feed of changes for training and
// for the stream's topic `labels`.
import { sql } from 'kysely';
import { demandPermission } from '../../alerts/case-life.ts';
import {
  type ChallengeAnswer,
  type LabelSource,
  type Outcome,
  outcomeOfAnswer,
  WEIGHT_OF_SOURCE,
  winningLabel,
} from '../../alerts/label.ts';
import { isTypology } from '../../alerts/typology.ts';
import { cleanText } from '../../alerts/written-text.ts';
import { InputError } from '../../lib/errors.ts';
import { type Act, auditDraft, byColumns, type Done, doerOf, keepText, type Tx } from './act.ts';
import { type BulkColumn, insertMany } from './bulk.ts';
import type { LabelTable, TransactionLabelTable } from './tables.ts';

export interface NewLabel {
  readonly transactionId: string;
  readonly outcome: Outcome;
  readonly typology: string | null;
  readonly source: LabelSource;
  readonly caseId: string | null;
  readonly note: string | null;
}

export const MOST_LABELS_AT_ONCE = 10_000;
const MOST_NOTE = 2_000;

/**
 * What somebody, or a program of the bank, says of transactions. People say it as analysts; claims, rules and customers have
 * their own source, which no analyst's word is lost to.
 *
 * @throws InputError FORBIDDEN, TYPOLOGY_UNKNOWN, LABELS_TOO_MANY
 */
export async function addLabels(
  tx: Tx,
  labels: readonly NewLabel[],
  act: Act,
): Promise<Done<readonly TransactionLabelTable[]>> {
  demandPermission(doerOf(act), ['labels:write']);
  if (labels.length > MOST_LABELS_AT_ONCE) {
    const what = `These are ${labels.length} labels`;
    throw new InputError('LABELS_TOO_MANY', what, `Send at most ${MOST_LABELS_AT_ONCE} at once`);
  }
  const unknown = labels.find(({ typology }) => typology !== null && !isTypology(typology));
  if (unknown !== undefined) {
    throw new InputError('TYPOLOGY_UNKNOWN', `There is no typology '${unknown.typology}'`, 'Use F01–F20 or E01–E15');
  }
  const clean = labels.map((label) => ({
    ...label,
    note: label.note === null ? null : cleanText(label.note, MOST_NOTE, 'note'),
  }));
  const changed = await writeLabels(tx, clean, act);
  const audit = clean
    .slice(0, 1)
    .map(({ transactionId, outcome, source }) =>
      auditDraft(
        act,
        'label.added',
        { kind: 'transaction', id: transactionId },
        { outcome, source, labels: clean.length, changed: changed.length },
      ),
    );
  return { result: changed, audit };
}

/** The customer's answer to "¿fuiste tú?"; `act` is Centinela's own, for the customer has no account here. */
export async function addChallengeAnswer(
  tx: Tx,
  transactionId: string,
  answer: ChallengeAnswer,
  act: Act,
): Promise<Done<readonly TransactionLabelTable[]>> {
  const outcome = outcomeOfAnswer(answer);
  const nothing = { typology: null, caseId: null, note: null };
  const result = await writeLabels(tx, [{ transactionId, outcome, source: 'customer', ...nothing }], act);
  const subject = { kind: 'transaction', id: transactionId };
  return { result, audit: [auditDraft(act, 'label.answered', subject, { answer, outcome })] };
}

const LABEL_COLUMNS: readonly BulkColumn<LabelTable>[] = [
  ['id', 'text', ({ id }) => id],
  ['transaction_id', 'text', ({ transaction_id }) => transaction_id],
  ['outcome', 'text', ({ outcome }) => outcome],
  ['typology', 'text', ({ typology }) => typology],
  ['source', 'text', ({ source }) => source],
  ['weight', 'double precision', ({ weight }) => weight],
  ['by_kind', 'text', ({ by_kind }) => by_kind],
  ['by_id', 'text', ({ by_id }) => by_id],
  ['by_name', 'text', ({ by_name }) => by_name],
  ['at_ms', 'bigint', ({ at_ms }) => at_ms],
  ['case_id', 'text', ({ case_id }) => case_id],
  ['note', 'text', ({ note }) => note],
];

/** @returns what counts from now on, of the transactions for which that has changed */
export async function writeLabels(
  tx: Tx,
  labels: readonly NewLabel[],
  act: Act,
): Promise<readonly TransactionLabelTable[]> {
  if (labels.length === 0) return [];
  const prefix = act.newId();
  const rows = labels.map(({ transactionId, outcome, typology, source, caseId, note }, at): LabelTable => {
    const id = `${prefix}-${String(at).padStart(5, '0')}`;
    return {
      ...{ id, transaction_id: transactionId, outcome, typology, source, weight: WEIGHT_OF_SOURCE[source] },
      ...{ ...byColumns(act), at_ms: act.atMs, case_id: caseId },
      note: note === null ? null : keepText(act, note, 'labels.note', id),
    };
  });
  // Before anything is read: whoever waits here sees what the one before has written.
  const feed = await takeFeed(tx, rows.length);
  await insertMany(tx, 'labels', rows, LABEL_COLUMNS);
  const current = await winners(tx, rows);
  const changed = current.map((label, at) => ({ ...label, feed: feed + at + 1 }));
  await writeCurrent(tx, changed);
  return changed;
}

/** @returns the last number that was taken before; numbers that are not used are gaps */
async function takeFeed(tx: Tx, count: number): Promise<number> {
  const { rows } = await sql<{ last: number }>`
    UPDATE label_feed SET last = last + ${count} WHERE id = 1 RETURNING last`.execute(tx);
  return rows[0].last - count;
}

async function winners(tx: Tx, rows: readonly LabelTable[]): Promise<Omit<TransactionLabelTable, 'feed'>[]> {
  const ids = [...new Set(rows.map(({ transaction_id }) => transaction_id))];
  const counts = await sql<TransactionLabelTable>`
    SELECT * FROM transaction_labels WHERE transaction_id = ANY(${ids}::text[])`.execute(tx);
  const before = new Map(counts.rows.map((row) => [row.transaction_id, row]));
  return ids.flatMap((id) => {
    const own = before.get(id);
    const said = rows.filter(({ transaction_id }) => transaction_id === id);
    const all = own === undefined ? said : [...said, { ...own, id: own.label_id }];
    const best = winningLabel(all.map((row) => ({ ...row, atMs: row.at_ms })))!;
    if (best.id === own?.label_id) return [];
    const { outcome, typology, source, weight, at_ms } = best;
    return [{ transaction_id: id, label_id: best.id, outcome, typology, source, weight, at_ms }];
  });
}

async function writeCurrent(tx: Tx, rows: readonly TransactionLabelTable[]): Promise<void> {
  const columns: readonly BulkColumn<TransactionLabelTable>[] = [
    ['transaction_id', 'text', ({ transaction_id }) => transaction_id],
    ['label_id', 'text', ({ label_id }) => label_id],
    ['outcome', 'text', ({ outcome }) => outcome],
    ['typology', 'text', ({ typology }) => typology],
    ['source', 'text', ({ source }) => source],
    ['weight', 'double precision', ({ weight }) => weight],
    ['at_ms', 'bigint', ({ at_ms }) => at_ms],
    ['feed', 'bigint', ({ feed }) => feed],
  ];
  const newest = sql.join(columns.slice(1).map(([name]) => sql`${sql.ref(name)} = excluded.${sql.ref(name)}`));
  await insertMany(tx, 'transaction_labels', rows, columns, sql`ON CONFLICT (transaction_id) DO UPDATE SET ${newest}`);
}

/**
 * What has changed since, in the order of the changes; of a transaction that changed several times the newest alone.
 *
 * @param after `feed` of the last row that was read; 0 for all
 */
export function labelFeed(db: Tx, after: number, limit: number): Promise<TransactionLabelTable[]> {
  return db
    .selectFrom('transaction_labels')
    .selectAll()
    .where('feed', '>', after)
    .orderBy('feed')
    .limit(limit)
    .execute();
}

/** All that was ever said of a transaction, oldest first, and what counts. */
export async function labelsOfTransaction(db: Tx, transactionId: string) {
  const said = await db
    .selectFrom('labels')
    .selectAll()
    .where('transaction_id', '=', transactionId)
    .orderBy('at_ms')
    .orderBy('id')
    .execute();
  const current = await db
    .selectFrom('transaction_labels')
    .selectAll()
    .where('transaction_id', '=', transactionId)
    .executeTakeFirst();
  return { said, current: current ?? null };
}
