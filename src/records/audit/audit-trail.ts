// The audit as a running program has it: entries with a change or on their own, views of personal data, signed heads.
//
// What comes on its own is written by one transaction at a time, and what comes meanwhile goes together into the next: the
// chain's end is locked for as long as a transaction lasts, so a few large ones are much quicker than many small ones.
import type { Kysely } from 'kysely';
import type { AuditEntry } from '../../audit/chain.ts';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import {
  DEFAULT_VIEWS,
  type PersonalDataView,
  ViewBuffer,
  type ViewSettings,
  viewKey,
} from '../../audit/view-buffer.ts';
import { InputError } from '../../lib/errors.ts';
import type { Database } from '../database.ts';
import { appendAudit, lockAudit } from './append.ts';
import { DEFAULT_HEADS, type HeadSettings, HeadSigner, type HeadSignerOptions } from './heads.ts';

export interface AuditTrailOptions extends Omit<HeadSignerOptions, 'settings'> {
  readonly heads?: HeadSettings;
  readonly views?: ViewSettings;
  /** Entries that wait to be written; beyond, nothing more is taken. */
  readonly mostWaiting?: number;
}

const MOST_WAITING = 10_000;
const MOST_TOGETHER = 1000;

interface Waiting {
  readonly drafts: readonly AuditEntryDraft[];
  readonly done: (entries: readonly AuditEntry[]) => void;
  readonly failed: (error: Error) => void;
}

export class AuditTrail {
  readonly #options: AuditTrailOptions;
  readonly #heads: HeadSigner;
  readonly #views: ViewBuffer;
  readonly #viewMs: number;
  /** Being written: a repetition that comes meanwhile waits for it. */
  readonly #firstViews = new Map<string, Promise<void>>();
  /** Counts of views that could not be written yet. */
  #counts: AuditEntryDraft[] = [];
  readonly #waiting: Waiting[] = [];
  #waitingEntries = 0;
  #entries = 0;
  #writing: Promise<void> | null = null;
  #callOff: (() => void) | null = null;
  #isClosed = false;

  constructor(options: AuditTrailOptions) {
    this.#options = options;
    this.#heads = new HeadSigner({ ...options, settings: options.heads ?? DEFAULT_HEADS });
    this.#views = new ViewBuffer(options.views ?? DEFAULT_VIEWS);
    this.#viewMs = (options.views ?? DEFAULT_VIEWS).windowMs;
  }

  /** Since the start, of this process; entries of transactions that came to nothing are among them. */
  counts(): { readonly entries: number; readonly waiting: number } {
    return { entries: this.#entries, waiting: this.#waitingEntries };
  }

  /** With a change, in its transaction; last of all, for others wait from then on. */
  async append(tx: Kysely<Database>, drafts: readonly AuditEntryDraft[]): Promise<readonly AuditEntry[]> {
    const entries = await appendAudit(tx, drafts);
    this.#appended(entries.length);
    return entries;
  }

  /**
   * On its own; durable when it resolves.
   *
   * @throws InputError with code `AUDIT_BUSY` where too many wait: what was to be audited must not be done
   */
  async record(drafts: readonly AuditEntryDraft[]): Promise<readonly AuditEntry[]> {
    const { mostWaiting = MOST_WAITING } = this.#options;
    if (this.#isClosed || this.#waitingEntries + drafts.length > mostWaiting) {
      const problem = this.#isClosed ? 'The audit is closed' : `${this.#waitingEntries} entries wait to be audited`;
      throw new InputError('AUDIT_BUSY', problem, 'Try again later');
    }
    const { promise, resolve, reject } = Promise.withResolvers<readonly AuditEntry[]>();
    this.#waiting.push({ drafts, done: resolve, failed: reject });
    this.#waitingEntries += drafts.length;
    this.#writing ??= this.#writeAll();
    return promise;
  }

  /** Before anything is shown; resolves once it is durable that it was looked at. */
  async view(view: PersonalDataView): Promise<void> {
    const draft = this.#views.note(view, this.#options.nowMs());
    this.#watchViews();
    const key = viewKey(view);
    if (draft === null) return this.#firstViews.get(key);
    const written = this.record([draft]).then(() => undefined);
    this.#firstViews.set(key, written);
    try {
      await written;
    } catch (error) {
      this.#views.forget(view);
      throw error;
    } finally {
      if (this.#firstViews.get(key) === written) this.#firstViews.delete(key);
    }
  }

  /** Writes the counts of views, waits for all that is being written, and signs the newest entry. */
  async close(): Promise<void> {
    this.#callOff?.();
    await this.#writeViews(Number.POSITIVE_INFINITY);
    this.#isClosed = true;
    await this.#writing;
    await this.#heads.close();
  }

  #appended(entries: number): void {
    this.#entries += entries;
    this.#heads.appended(entries);
  }

  async #writeAll(): Promise<void> {
    // What is asked for in the same turn goes together.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeSome();
    this.#writing = null;
  }

  async #writeSome(): Promise<void> {
    const some: Waiting[] = [];
    let count = 0;
    while (this.#waiting.length > 0 && (some.length === 0 || count + this.#waiting[0].drafts.length <= MOST_TOGETHER)) {
      const next = this.#waiting.shift()!;
      some.push(next);
      count += next.drafts.length;
    }
    try {
      await this.#write(some);
    } catch (error) {
      // One that cannot be written must not keep out those that came with it.
      if (some.length === 1) some[0].failed(error as Error);
      else for (const each of some) await this.#write([each]).catch(each.failed);
    }
    this.#waitingEntries -= count;
  }

  async #write(some: readonly Waiting[]): Promise<void> {
    const drafts = some.flatMap((each) => each.drafts);
    const entries = await this.#options.store.transact(async (tx) => {
      await lockAudit(tx);
      return appendAudit(tx, drafts);
    });
    this.#appended(entries.length);
    let from = 0;
    for (const { drafts: own, done } of some) {
      done(entries.slice(from, from + own.length));
      from += own.length;
    }
  }

  #watchViews(): void {
    if (this.#isClosed) return;
    this.#callOff ??= this.#options.after(this.#viewMs, () => {
      this.#callOff = null;
      this.#writeViews(this.#options.nowMs()).catch((error: Error) => this.#options.onTrouble(error));
      if (this.#views.size > 0 || this.#counts.length > 0) this.#watchViews();
    });
  }

  async #writeViews(nowMs: number): Promise<void> {
    this.#counts.push(...this.#views.take(nowMs));
    while (this.#counts.length > 0) {
      const some = this.#counts.splice(0, MOST_TOGETHER);
      try {
        await this.record(some);
      } catch (error) {
        this.#counts = [...some, ...this.#counts];
        throw error;
      }
    }
  }
}
