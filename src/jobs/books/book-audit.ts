// Changes of a book (rules, lists) in the audit, each once, although the book is not in the records.
//
// A change is an entry of the book's own history first; that it happened is said there and nowhere else. The audit follows:
// whoever made a change writes what the audit lacks of the book before it is acknowledged, and so does a sweep at the start
// and now and then. After a crash between the two nothing acknowledged is missing, the audit holds nothing that did not
// happen, and what did happen without being acknowledged is in it a moment later, with who asked for it, as the entry says.
// The same way changes made on the command line come in.
import type { AuditEntryDraft, JsonValue } from '../../audit/entry.ts';
import { afterMark, type BookName, bookMark, moveMark } from '../../records/books/audited.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { HistoryEntry } from '../../registry/history.ts';

export interface BookAuditOptions<Event> {
  readonly records: RecordStore;
  readonly book: BookName;
  history(): Promise<readonly HistoryEntry<Event>[]>;
  /** What the audit says of an entry: ids and codes, nothing that is somebody's. */
  tell(entry: HistoryEntry<Event>): Pick<AuditEntryDraft, 'action' | 'subject' | 'detail'>;
  record(tx: Tx, drafts: readonly AuditEntryDraft[]): Promise<unknown>;
  /** Whoever audits waits in line. */
  begin(tx: Tx): Promise<void>;
}

type Tx = Parameters<Parameters<RecordStore['transact']>[0]>[0];

/** Of one transaction: a book that was kept on the command line for years is taken in parts. */
const MOST_AT_ONCE = 1000;

export class BookAudit<Event> {
  readonly #options: BookAuditOptions<Event>;

  constructor(options: BookAuditOptions<Event>) {
    this.#options = options;
  }

  /**
   * Before the transaction that writes them.
   *
   * @throws InputError BOOK_BROKEN, or where the chain itself is broken
   */
  async missing(): Promise<readonly HistoryEntry<Event>[]> {
    const { records, book, history } = this.#options;
    const mark = await bookMark(records.db, book);
    return afterMark(await history(), mark, book);
  }

  /** In a transaction. @param missing as it was told before: some may be written by now */
  async write(tx: Tx, missing: readonly HistoryEntry<Event>[]): Promise<readonly AuditEntryDraft[]> {
    const entries = await moveMark(tx, this.#options.book, missing);
    return entries.map((entry) => this.#draftOf(entry));
  }

  /** All that is missing. */
  async sweep(): Promise<void> {
    const { records, record, begin } = this.#options;
    const missing = await this.missing();
    for (let from = 0; from < missing.length; from += MOST_AT_ONCE) {
      const some = missing.slice(from, from + MOST_AT_ONCE);
      await records.transact(async (tx) => {
        await begin(tx);
        await record(tx, await this.write(tx, some));
      });
    }
  }

  #draftOf(entry: HistoryEntry<Event>): AuditEntryDraft {
    const { number, atMs, by, via, hash } = entry;
    const { action, subject, detail } = this.#options.tell(entry);
    const actor: AuditEntryDraft['actor'] =
      via === undefined ? { kind: 'system', id: 'command-line', name: by } : { kind: via.kind, id: by, name: via.name };
    const bound: { readonly [name: string]: JsonValue } = { entry: number, hash };
    return { atMs, actor, action, subject, detail: { ...detail, ...bound }, address: via?.address ?? null };
  }
}
