// One round of deleting what need not be kept: closed cases with their alerts, suppressed alerts, links that lead nowhere,
// labels, ended legal holds, evidence, entries of lists, bytes of attachments that are gone or that no row names. In small
// transactions, bounded in number and time; what is held stays; what was done is in the audit with its counts. What is left
// over is for the next round.
import type { AuditEntryDraft } from '../../audit/entry.ts';
import type { ObjectStore } from '../../ports.ts';
import { endedBefore, type RetentionMonths } from '../../privacy/retention.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import type { Act, Tx } from '../../records/alerts/act.ts';
import {
  type PrunedUpTo,
  pruneCases,
  pruneLabels,
  pruneLinks,
  pruneSuppressed,
  type SaidUpTo,
} from '../../records/alerts/retention.ts';
import { type EndedUpTo, heldSubjects, pruneLegalHolds } from '../../records/keys/legal-holds.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { folderLooks, keepFolderLook } from '../../records/retention/folders.ts';
import {
  ATTACHMENTS_FOLDER,
  objectsGone,
  queueObjects,
  queueOrphans,
  queueRemovedAttachments,
  type RemovedUpTo,
  waitingObjects,
} from '../../records/retention/objects.ts';
import type { ListBook } from '../../registry/list-book.ts';
import { prunePacks } from './evidence-packs.ts';
import { pruneLists } from './list-entries.ts';

export interface RetentionParts {
  readonly records: RecordStore;
  readonly objects: Pick<ObjectStore, 'get' | 'list' | 'remove'>;
  /** Their changes come into the audit by the book's own sweep; null: they are not looked at. */
  readonly lists: Pick<ListBook, 'prunable' | 'prune'> | null;
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
  /** Transactions of each kind; those that find only what is held are not counted, up to a hundred times as many. */
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
  labels: number;
  /** Legal holds that ended. */
  holds: number;
  /** Packs of decisions. */
  evidence: number;
  /** Entries of the history of lists. */
  lists: number;
  /** Bytes of attachments. */
  objects: number;
  /** What stays for somebody's hold: cases, attachments, labels, evidence, holds. */
  held: number;
  /** The round came to its bounds: there is more. */
  isMore: boolean;
}

/** Since somebody took an attachment out of a case. */
const KEEP_REMOVED_MS = 30 * 86_400_000;
/** Most have a row and nothing is done with them: so many more are looked at in one transaction. */
const ORPHANS_FACTOR = 10;
const HELD_FACTOR = 100;

type Counted = Partial<Omit<RetentionCounts, 'isMore'>>;
interface StepDone {
  readonly did: Counted;
  /** There is more of its kind. */
  readonly isMore: boolean;
  /** Once the transaction is committed: the next one begins where this ended. */
  readonly moveOn?: () => void;
}
/** One transaction's work, which may have to be done again. */
type Step = (tx: Tx, audit: AuditEntryDraft[]) => Promise<StepDone>;

/** How often one step is taken: each round begins at the front, and what lies there may be held. */
class StepBounds {
  readonly #most: number;
  #counted = 0;
  #onlyHeld = 0;

  constructor({ batches }: RetentionLimits) {
    this.#most = batches;
  }

  mayGoOn(): boolean {
    return this.#counted < this.#most && this.#onlyHeld < HELD_FACTOR * this.#most;
  }

  note({ held = 0, ...removed }: Counted): void {
    if (held > 0 && Object.values(removed).every((count) => count === 0)) this.#onlyHeld++;
    else this.#counted++;
  }
}

/** @throws what the records or the store throw: what was done stays done */
export async function runRetention(parts: RetentionParts): Promise<RetentionCounts> {
  const { records, begin, record, act, nowMs, isStopping = () => false } = parts;
  const limits = { ...DEFAULT_RETENTION_LIMITS, ...parts.limits };
  const beganMs = nowMs();
  const mayGoOn = () => !isStopping() && nowMs() - beganMs < limits.roundMs;
  const counts = nothingRemoved();
  const run = async (step: Step) => {
    const bounds = new StepBounds(limits);
    let isMore = true;
    while (isMore && bounds.mayGoOn() && mayGoOn()) {
      const done = await records.transact(async (tx) => {
        await begin(tx);
        const audit: AuditEntryDraft[] = [];
        const done = await step(tx, audit);
        if (audit.length > 0) await record(tx, audit);
        return done;
      });
      done.moveOn?.();
      add(counts, done.did);
      isMore = done.isMore;
      bounds.note(done.did);
    }
    counts.isMore ||= isMore;
  };
  for (const step of await stepsOf(parts, limits, records.db, beganMs)) await run(step);
  if (mayGoOn()) await run(await orphanStep(records.db, await attachmentKeys(parts), limits, beganMs));
  if (mayGoOn()) await forgetListed(parts, counts, beganMs, false);
  if (mayGoOn()) await pruneEvidence(parts, limits, counts, { nowMs: beganMs, mayGoOn, isDryRun: false });
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
  const counts = nothingRemoved();
  const undone = new Error('undone');
  const atMs = nowMs();
  const stored = await attachmentKeys(parts);
  try {
    await records.transact(async (tx) => {
      Object.assign(counts, nothingRemoved());
      const steps = [...(await stepsOf(parts, limits, tx, atMs)), await orphanStep(tx, stored, limits, atMs)];
      for (const step of steps) {
        const bounds = new StepBounds(limits);
        let isMore = true;
        while (isMore && bounds.mayGoOn()) {
          const done = await step(tx, []);
          done.moveOn?.();
          add(counts, done.did);
          isMore = done.isMore;
          bounds.note(done.did);
        }
        counts.isMore ||= isMore;
      }
      counts.objects = (await waitingObjects(tx, limits.batch * limits.batches)).length;
      throw undone;
    });
  } catch (error) {
    if (error !== undone) throw error;
  }
  await forgetListed(parts, counts, atMs, true);
  await pruneEvidence(parts, limits, counts, { nowMs: atMs, mayGoOn: () => true, isDryRun: true });
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
  let [afterLabel, afterHold]: [SaidUpTo | null, EndedUpTo | null] = [null, null];
  return [
    async (tx, audit) => {
      const pruning = { closedBeforeMs, confidentialClosedBeforeMs: closedBeforeMs, most, after: afterCase };
      const { result, audit: drafts } = await pruneCases(tx, { ...pruning, isHeld: await heldNow(tx) }, act(nowMs));
      await queueObjects(tx, result.objectKeys, nowMs);
      audit.push(...drafts);
      const { cases, alerts, held, next } = result;
      const moveOn = () => {
        afterCase = next;
      };
      return { did: { cases, alerts, held }, isMore: next !== null, moveOn };
    },
    async (tx) => {
      const { removed, next } = await pruneSuppressed(tx, alertsBeforeMs, await heldNow(tx), afterAlert, most);
      const moveOn = () => {
        afterAlert = next ?? afterAlert;
      };
      return { did: { suppressed: removed }, isMore: next !== null, moveOn };
    },
    async (tx) => {
      const links = await pruneLinks(tx, nowMs - linkWindowMs, alertsBeforeMs, most);
      return { did: { links }, isMore: links >= most };
    },
    async (tx) => {
      const wish = { removedBeforeMs: nowMs - KEEP_REMOVED_MS, isHeld: await heldNow(tx), most, nowMs };
      const { held, next } = await queueRemovedAttachments(tx, { ...wish, after: afterAttachment });
      const moveOn = () => {
        afterAttachment = next;
      };
      return { did: { held }, isMore: next !== null, moveOn };
    },
    async (tx) => {
      const saidBeforeMs = endedBefore('labels', nowMs, months);
      const isAnyHeld = (await heldSubjects(tx, nowMs)).size > 0;
      const pruning = { saidBeforeMs, isHeld: await heldNow(tx), isAnyHeld, after: afterLabel, most };
      const { labels, held, next } = await pruneLabels(tx, pruning);
      const moveOn = () => {
        afterLabel = next;
      };
      return { did: { labels, held }, isMore: next !== null, moveOn };
    },
    async (tx) => {
      const before = endedBefore('legal-holds', nowMs, months);
      const { holds, held, next } = await pruneLegalHolds(tx, before, await heldSubjects(tx, nowMs), afterHold, most);
      const moveOn = () => {
        afterHold = next;
      };
      return { did: { holds, held }, isMore: next !== null, moveOn };
    },
  ];
}

async function attachmentKeys({ objects }: RetentionParts): Promise<readonly string[]> {
  return await objects.list(`${ATTACHMENTS_FOLDER}/`);
}

/** Where it comes to its bounds the next round goes on there. @param stored keys, sorted */
async function orphanStep(db: Tx, stored: readonly string[], { batch }: RetentionLimits, nowMs: number): Promise<Step> {
  const folder = `${ATTACHMENTS_FOLDER}/`;
  const look = (await folderLooks(db, folder)).get(folder);
  let left = stored.filter((key) => key > (look?.after ?? ''));
  return async (tx) => {
    const some = left.slice(0, batch * ORPHANS_FACTOR);
    const isMore = some.length < left.length;
    const isAnyHeld = (await heldSubjects(tx, nowMs)).size > 0;
    const { held } = await queueOrphans(tx, some, { isAnyHeld, nowMs });
    await keepFolderLook(tx, folder, { after: isMore ? some[some.length - 1] : '', oldestMs: null });
    const moveOn = () => {
      left = left.slice(some.length);
    };
    return { did: { held }, isMore, moveOn };
  };
}

async function forgetListed(
  { records, lists: book, months }: RetentionParts,
  counts: RetentionCounts,
  nowMs: number,
  isDryRun: boolean,
): Promise<void> {
  if (book === null) return;
  const isAnyHeld = (await heldSubjects(records.db, nowMs)).size > 0;
  const { isMore, ...did } = await pruneLists(book, endedBefore('lists', nowMs, months), {
    isAnyHeld,
    isDryRun,
    nowMs,
  });
  add(counts, did);
  counts.isMore ||= isMore;
}

async function pruneEvidence(
  { records, objects, months }: RetentionParts,
  { batch, batches }: RetentionLimits,
  counts: RetentionCounts,
  how: { readonly nowMs: number; readonly mayGoOn: () => boolean; readonly isDryRun: boolean },
): Promise<void> {
  const decidedBeforeMs = endedBefore('evidence', how.nowMs, months);
  const limits = { batch, most: batch * batches };
  const { evidence, held, isMore } = await prunePacks({ records, objects, decidedBeforeMs, ...limits, ...how });
  add(counts, { evidence, held });
  counts.isMore ||= isMore;
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

export function nothingRemoved(): RetentionCounts {
  const rows = { cases: 0, alerts: 0, suppressed: 0, links: 0, labels: 0, holds: 0 };
  return { ...rows, evidence: 0, lists: 0, objects: 0, held: 0, isMore: false };
}

function add(counts: RetentionCounts, did: Counted): void {
  for (const [name, count] of Object.entries(did)) counts[name as keyof Counted] += count;
}
