// Changes of a book (rules, lists): made there, then in the audit, then acknowledged, then sent to what decides.
//
// The order, and what a crash leaves (book-audit.ts, rule-publisher.ts):
//   1. the book's history, which knows a request that comes again      → a crash after it: done, not acknowledged; audited and
//   2. the audit and the idempotency key, in one transaction              sent by the sweep; the same request gets the same answer
//   3. the topic of changes                                            → a crash before it: the sweep sends it
import { randomBytes } from 'node:crypto';
import type { BookAudit } from '../../jobs/books/book-audit.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import type { Act } from '../../registry/rule-book.ts';
import type { Answer, Asked, Changer, OutsideChange } from '../asked.ts';
import type { EndpointSpec } from '../contract.ts';

export interface BookServices<Event> {
  readonly audit: BookAudit<Event>;
  /** Sends what is in force; what fails is tried again by itself. */
  publish(): Promise<void>;
}

/** @param make as the asked-for change; `request` is the same where the request comes again */
export function bookChange<Spec extends EndpointSpec, Event>(
  { audit, publish }: BookServices<Event>,
  make: (asked: Asked<Spec>, request: string) => Promise<HistoryEntry<Event>>,
  tell: (entry: HistoryEntry<Event>) => Answer<unknown>,
): OutsideChange<Spec> {
  return {
    async make(asked, request) {
      // A book that is not the one that was audited is not added to.
      await audit.missing();
      const entry = await make(asked, request);
      const missing = await audit.missing();
      const settle: Changer<EndpointSpec> = async (_, tx, record) => {
        await record(await audit.write(tx, missing));
        return { ...tell(entry), committed: publish } as Answer<never>;
      };
      return settle as unknown as Changer<Spec>;
    },
  };
}

/** @param isPersonal what is written is about a person: its hash must not tell who */
export function bookActOf(
  { principal, nowMs, address }: Asked<EndpointSpec>,
  request: string,
  why: string,
  isPersonal: boolean,
): Act {
  const { kind, id, name } = principal!;
  const salt = isPersonal ? { salt: randomBytes(16).toString('hex') } : {};
  return { by: id, why, atMs: nowMs, via: { kind: kind as 'user' | 'api-key', name, address, request, ...salt } };
}

/** Of the history, newest first. @param before number of the entry that the page before ended with */
export function newestFirst<Entry extends { readonly number: number }>(
  entries: readonly Entry[],
  before: number | null,
  limit: number,
): { readonly rows: readonly Entry[]; readonly next: number | null } {
  const older = before === null ? entries : entries.filter(({ number }) => number < before);
  const rows = older.slice(-limit).reverse();
  return { rows, next: older.length > limit ? (rows.at(-1)?.number ?? null) : null };
}

/** What every history tells of an entry. */
export function toldOf({ number, atMs, by, via, why, previous, hash }: HistoryEntry<unknown>) {
  return { entry: number, atMs, by, byName: via?.name ?? by, why, previous, hash };
}
