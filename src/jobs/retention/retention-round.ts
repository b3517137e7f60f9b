// One round of deleting what need not be kept: closed cases with their alerts, suppressed alerts, links that lead nowhere,
// bytes of attachments that are gone. In small transactions, bounded in number and time; what is held stays; what was done is
// in the audit with its counts. What is left over is for the next round.
import type { AuditEntryDraft } from '../../audit/entry.ts';
import type { ObjectStore } from '../../ports.ts';
import { endedBefore, type RetentionMonths } from '../../privacy/retention.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import type { Act, Tx } from '../../records/alerts/act.ts';
import { type PrunedUpTo, pruneCases, pruneLinks, pruneSuppressed } from '../../records/alerts/retention.ts';
import { heldSubjects } from '../../records/keys/legal-holds.ts';
import type { RecordStore } from '../../records/record-store.ts';
import {
  objectsGone,
  queueObjects,
  queueRemovedAttachments,
  type RemovedUpTo,
  waitingObjects,
} from '../../records/retention/objects.ts';

export interface RetentionParts {
  readonly records: RecordStore;
  readonly objects: Pick<ObjectStore, 'remove'>;
  /** Before anything else of a transaction that writes to the audit. */
  readonly begin: (tx: Tx) => Promise<void>;
  readonly record: (tx: Tx, drafts: readonly AuditEntryDraft[]) => Promise<unknown>;
  /** Of a customer's id as alerts have it. */
  readonly subjectOf: (customerId: string) => SubjectToken;
  readonly months: RetentionMonths;
  /** No alert follows a link that is older. */
  readonly linkWindowMs: number;
  readonly act: (atMs: number) => Act;
  readonly nowMs: () => number;
  /** No new transaction is begun. */
  readonly isStopping?: () => boolean;
  readonly limits?: Partial<RetentionLimits>;
}

export interface RetentionLimits {
  /** Rows of one transaction. */
  readonly batch: number;
  /** Transactions of each kind. */
  readonly batches: number;
  /** No new transaction is begun so long after the round began. */
  readonly roundMs: number;
}

export const DEFAULT_RETENTION_LIMITS: RetentionLimits = { batch: 100, batches: 50, roundMs: 120_000 };

export interface RetentionCounts {
  cases: number;
  alerts: number;
  /** Suppressed ones. */
  suppressed: number;
  links: number;
  /** Bytes of attachments. */
  objects: number;
  /** Cases and attachments that stay for somebody's hold. */
  held: number;
  /** The round came to its bounds: there is more. */
  isMore: boolean;
}

/** Since somebody took an attachment out of a case. */
const KEEP_REMOVED_MS = 30 * 86_400_000;

type Counted = Partial<Omit<RetentionCounts, 'isMore'>>;
/** One transaction's work. @returns what was done, and whether there is more of its kind */
type Step = (tx: Tx, audit: AuditEntryDraft[]) => Promise<{ readonly did: Counted; readonly isMore: boolean }>;

/** @throws what the records or the store throw: what was done stays done */
export async function runRetention(parts: RetentionParts): Promise<RetentionCounts> {
  const { records, begin, record, act, nowMs, isStopping = () => false } = parts;
  const limits = { ...DEFAULT_RETENTION_LIMITS, ...parts.limits };
  const beganMs = nowMs();
  const mayGoOn = () => !isStopping() && nowMs() - beganMs < limits.roundMs;
  const counts = nothingYet();
  for (const step of await stepsOf(parts, limits, records.db, beganMs)) {
    let isMore = true;
    for (let batch = 0; isMore && batch < limits.batches && mayGoOn(); batch++) {
      const done = await records.transact(async (tx) => {
        await begin(tx);
        const audit: AuditEntryDraft[] = [];
        const done = await step(tx, audit);
        if (audit.length > 0) await record(tx, audit);
        return done;
      });
      add(counts, done.did);
      isMore = done.isMore;
    }
    counts.isMore ||= isMore;
  }
  if (mayGoOn()) await removeObjects(parts, limits, counts);
  const detail = { ...counts };
  const { by, address } = act(nowMs());
  await records.transact(async (tx) => {
    await begin(tx);
    await record(tx, [{ atMs: nowMs(), actor: by, action: 'retention.run', subject: null, detail, address }]);
  });
  return counts;
}

/** What a round would do: all of it is undone. Objects are those that rows would let go of, and those that wait. */
export async function planRetention(parts: RetentionParts): Promise<RetentionCounts> {
  const { records, nowMs } = parts;
  const limits = { ...DEFAULT_RETENTION_LIMITS, ...parts.limits };
  const counts = nothingYet();
  const undone = new Error('undone');
  try {
    await records.transact(async (tx) => {
      Object.assign(counts, nothingYet());
      for (const step of await stepsOf(parts, limits, tx, nowMs())) {
        let isMore = true;
        for (let batch = 0; isMore && batch < limits.batches; batch++) {
          const done = await step(tx, []);
          add(counts, done.did);
          isMore = done.isMore;
        }
        counts.isMore ||= isMore;
      }
      counts.objects = (await waitingObjects(tx, limits.batch * limits.batches)).length;
      throw undone;
    });
  } catch (error) {
    if (error !== undone) throw error;
  }
  return counts;
}

async function stepsOf(
  { months, linkWindowMs, subjectOf, act }: RetentionParts,
  { batch: most }: RetentionLimits,
  db: Tx,
  nowMs: number,
): Promise<readonly Step[]> {
  const closedBeforeMs = endedBefore('cases', nowMs, months);
  const alertsBeforeMs = endedBefore('alerts', nowMs, months);
  // Those of this moment: a hold that is placed meanwhile is seen by the next transaction.
  const heldNow = async (tx: Tx) => {
    const held = await heldSubjects(tx, nowMs);
    return (customerId: string) => held.size > 0 && held.has(subjectOf(customerId));
  };
  await heldNow(db);
  let [afterCase, afterAlert, afterAttachment]: [PrunedUpTo | null, string, RemovedUpTo | null] = [null, '', null];
  return [
    async (tx, audit) => {
      const pruning = { closedBeforeMs, confidentialClosedBeforeMs: closedBeforeMs, most, after: afterCase };
      const { result, audit: drafts } = await pruneCases(tx, { ...pruning, isHeld: await heldNow(tx) }, act(nowMs));
      await queueObjects(tx, result.objectKeys, nowMs);
      audit.push(...drafts);
      afterCase = result.next;
      const { cases, alerts, held } = result;
      return { did: { cases, alerts, held }, isMore: result.next !== null };
    },
    async (tx) => {
      const { removed, next } = await pruneSuppressed(tx, alertsBeforeMs, await heldNow(tx), afterAlert, most);
      afterAlert = next ?? afterAlert;
      return { did: { suppressed: removed }, isMore: next !== null };
    },
    async (tx) => {
      const links = await pruneLinks(tx, nowMs - linkWindowMs, alertsBeforeMs, most);
      return { did: { links }, isMore: links >= most };
    },
    async (tx) => {
      const wish = { removedBeforeMs: nowMs - KEEP_REMOVED_MS, isHeld: await heldNow(tx), most, nowMs };
      const { held, next } = await queueRemovedAttachments(tx, { ...wish, after: afterAttachment });
      afterAttachment = next;
      return { did: { held }, isMore: next !== null };
    },
  ];
}

async function removeObjects(
  { records, objects, nowMs }: RetentionParts,
  { batch, batches }: RetentionLimits,
  counts: RetentionCounts,
): Promise<void> {
  for (let at = 0; at < batches; at++) {
    const keys = await waitingObjects(records.db, batch);
    if (keys.length === 0) return;
    for (const key of keys) await objects.remove(key);
    await records.transact((tx) => objectsGone(tx, keys, nowMs()));
    counts.objects += keys.length;
    if (keys.length < batch) return;
  }
  counts.isMore = true;
}

function nothingYet(): RetentionCounts {
  return { cases: 0, alerts: 0, suppressed: 0, links: 0, objects: 0, held: 0, isMore: false };
}

function add(counts: RetentionCounts, did: Counted): void {
  for (const [name, count] of Object.entries(did)) counts[name as keyof Counted] += count;
}
