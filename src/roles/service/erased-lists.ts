// Who was erased comes off the lists: right after the erasure, and again at the start and now and then, for a crash or a store
// that does not answer may lie in between. The audit has each value that went (`list.entry-removed`) and one entry for all.
import type { AuditEntryDraft } from '../../audit/entry.ts';
import { SYSTEM } from '../../identity/principal.ts';
import type { BookAudit } from '../../jobs/books/book-audit.ts';
import type { ListDesk } from '../../jobs/books/list-desk.ts';
import { findListed, takeOffLists } from '../../jobs/erasure/listed-customers.ts';
import type { SubjectToken } from '../../privacy/tokens.ts';
import { lockAudit } from '../../records/audit/append.ts';
import { type ErasedCustomer, listsDone, listsDue } from '../../records/keys/erasures.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { ListEvent } from '../../registry/list-book-state.ts';
import { every } from './every.ts';
import type { Vault } from './vault.ts';

export interface ErasedListsParts {
  readonly records: RecordStore;
  readonly vault: Pick<Vault, 'tokens' | 'trail'>;
  readonly lists: {
    readonly desk: ListDesk;
    readonly audit: Pick<BookAudit<ListEvent>, 'sweep'>;
    publish(): Promise<void>;
  };
  readonly onTrouble: (error: Error) => void;
}

export interface ErasedLists {
  /** How many values the lists hold of a customer now. */
  count(tokens: ReadonlySet<SubjectToken>): Promise<number>;
  /** Takes off what is due; what fails is tried again by itself. */
  settle(): Promise<void>;
  /** When what is under way is done. */
  close(): Promise<void>;
}

const LOOK_MS = 60_000;

export function followErasedLists({ records, vault, lists, onTrouble }: ErasedListsParts): ErasedLists {
  const { tokens, trail } = vault;
  const settleOne = async (customer: ErasedCustomer) => {
    const taken = await takeOffLists(lists.desk, customer, tokens, Date.now());
    if (taken > 0) {
      await lists.audit.sweep();
      await lists.publish();
    }
    await records.transact(async (tx) => {
      await lockAudit(tx);
      if (await listsDone(tx, customer.id, taken)) await trail.append(tx, [draftOf(customer, taken)]);
    });
  };
  let running: Promise<void> = Promise.resolve();
  const settle = () => {
    running = running
      .then(async () => {
        for (const customer of await listsDue(records.db)) await settleOne(customer);
      })
      .catch(onTrouble);
    return running;
  };
  const stop = every(LOOK_MS, settle, onTrouble);
  void settle();
  return {
    count: async (wanted) => (await findListed(lists.desk, wanted, tokens, Date.now())).length,
    settle,
    async close() {
      stop();
      await running;
    },
  };
}

function draftOf({ id, subject }: ErasedCustomer, entries: number): AuditEntryDraft {
  const { kind, id: by, name } = SYSTEM;
  return {
    ...{ atMs: Date.now(), actor: { kind, id: by, name }, action: 'erasure.taken-off-lists', address: null },
    ...{ subject: { kind: 'customer', id: subject }, detail: { erasure: id, entries } },
  };
}
