// The history of a book (rules, lists) that was lost in part, and of which no copy is left: says what is lost, sets aside what
// does not follow any more, and lets the audit go on from what there is. That somebody accepted it is in the audit.
//
// What the audit knows of the lost entries stays in it: who changed what, when, and each entry's hash.

import type { AuditEntryDraft } from '../../audit/entry.ts';
import { InputError } from '../../lib/errors.ts';
import type { ObjectStore } from '../../ports.ts';
import { listAudit } from '../../records/audit/list.ts';
import { afterMark, type BookMark, type BookName, bookMark, putMark } from '../../records/books/audited.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { findHistory } from '../../registry/history.ts';
import { keepLoss, LIST_FORGETTING, type LostEntry } from '../../registry/list-book.ts';

export interface BookLoss {
  readonly book: BookName;
  /** Up to where the audit was. */
  readonly audited: BookMark;
  /** Entries of the history that the audit knows as they are: it goes on after them. */
  readonly kept: BookMark;
  /** Entries after those which the audit has not seen: they stay, and come into it as new ones. */
  readonly unseen: number;
  /** Entries that the audit knows and that are gone. */
  readonly lost: readonly LostEntry[];
  /** Objects that do not follow: they are set aside. */
  readonly loose: readonly string[];
}

export interface LossParts {
  readonly records: RecordStore;
  readonly book: BookName;
  /** The registry as it lies there. */
  readonly stored: ObjectStore;
  /** The same, opened where it is sealed. */
  readonly opened: ObjectStore;
}

export interface LossAct {
  readonly by: string;
  /** Without anybody's data. */
  readonly why: string;
  readonly atMs: number;
  begin(tx: Tx): Promise<void>;
  record(tx: Tx, drafts: readonly AuditEntryDraft[]): Promise<unknown>;
}

type Tx = Parameters<Parameters<RecordStore['transact']>[0]>[0];

/** Singular, as actions of the audit begin. */
const AREAS: Readonly<Record<BookName, string>> = { rules: 'rule', lists: 'list' };
const PAGE = 500;

/** @returns null where nothing is lost */
export async function findLoss({ records, book, opened }: LossParts): Promise<BookLoss | null> {
  const { entries, loose } = await findHistory<unknown>(
    opened,
    `${book}/history`,
    book === 'lists' ? LIST_FORGETTING : null,
  );
  const audited = await bookMark(records.db, book);
  if (loose.length === 0 && isWhole(entries, audited, book)) return null;
  const known = await knownEntries(records, book, audited);
  const names = new Set(known.map(nameOf));
  const last = entries.findLast(({ number, hash }) => names.has(nameOf({ entry: number, hash })));
  const kept = last === undefined ? { number: 0, hash: '' } : { number: last.number, hash: last.hash };
  const there = new Set(entries.map(({ number, hash }) => nameOf({ entry: number, hash })));
  const lost = known.filter((each) => !there.has(nameOf(each)));
  return { book, audited, kept, unseen: entries.length - kept.number, lost, loose };
}

/**
 * Done again after it was interrupted, it goes on where it was.
 *
 * @param loss of `findLoss`, as it was told
 */
export async function acceptLoss(
  { records, book, stored, opened }: LossParts,
  loss: BookLoss,
  act: LossAct,
): Promise<void> {
  const { audited, kept, unseen, lost, loose } = loss;
  for (const key of loose) await setAside(stored, key, act.atMs);
  if (book === 'lists') await keepLoss(opened, { kept: kept.number, lost });
  await records.transact(async (tx) => {
    await act.begin(tx);
    const now = await bookMark(tx, book);
    if (now.number !== audited.number || now.hash !== audited.hash) {
      throw new InputError(
        'LOSS_CHANGED',
        `The audit has gone on with the ${book}`,
        'Stop the service, and look again',
      );
    }
    await putMark(tx, book, kept);
    await act.record(tx, [draftOf(loss, act)]);
  });

  function draftOf({ book: id }: BookLoss, { by, why, atMs }: LossAct): AuditEntryDraft {
    return {
      ...{ atMs, actor: { kind: 'system', id: 'command-line', name: by }, address: null },
      ...{ action: `${AREAS[id]}.history-loss-accepted`, subject: { kind: 'history', id } },
      detail: {
        ...{ auditedEntries: audited.number, auditedHash: audited.hash },
        ...{ keptEntries: kept.number, keptHash: kept.hash, unseenEntries: unseen },
        ...{ lostEntries: lost.length, setAside: loose.length, reason: why },
      },
    };
  }
}

function isWhole(entries: readonly LostOrFound[], audited: BookMark, book: BookName): boolean {
  try {
    afterMark(entries, audited, book);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

type LostOrFound = { readonly number: number; readonly hash: string };

/** Of the history, as far as the audit is in the database. The mark is one of them, whatever was pruned. */
async function knownEntries({ db }: RecordStore, book: BookName, audited: BookMark): Promise<LostEntry[]> {
  const known = new Map<string, LostEntry>();
  const add = (each: LostEntry) => known.set(nameOf(each), each);
  if (audited.number > 0) add({ entry: audited.number, hash: audited.hash });
  for (let before: number | null = null; ; ) {
    const page: Awaited<ReturnType<typeof listAudit>> = await listAudit(
      db,
      { actionPrefix: `${AREAS[book]}.` },
      before,
      PAGE,
    );
    for (const { detail } of page.entries) {
      const { entry, hash } = detail;
      if (typeof entry === 'number' && typeof hash === 'string') add({ entry, hash });
    }
    if (page.before === null) break;
    before = page.before;
  }
  return [...known.values()].sort((a, b) => a.entry - b.entry);
}

function nameOf({ entry, hash }: LostEntry): string {
  return `${entry} ${hash}`;
}

/** What was damaged may still tell how. */
async function setAside(store: ObjectStore, key: string, atMs: number): Promise<void> {
  const bytes = await store.get(key);
  if (bytes !== null) await store.put(key.replace('/history/', `/lost-history/${atMs}/`), bytes);
  await store.remove(key);
}
