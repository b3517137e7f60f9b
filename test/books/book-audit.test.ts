// A book and the audit, which are not one store: whatever is interrupted, each change is in the audit once, and nothing else.
import { expect, it } from 'vitest';
import { BookAudit } from '../../src/jobs/books/book-audit.ts';
import { appendAudit, lockAudit } from '../../src/records/audit/append.ts';
import { listAudit } from '../../src/records/audit/list.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import type { Requester } from '../../src/registry/history.ts';
import { openListBook } from '../../src/registry/list-book.ts';
import type { ListEvent } from '../../src/registry/list-book-state.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { createMemoryStore } from '../registry/memory-store.ts';

const details = { source: 'x', untilMs: null };
const via = (request: string): Requester => ({ kind: 'user', name: 'persona', address: '127.0.0.1', request });
const act = (request: string | null, atMs = 100) => ({
  ...{ by: request === null ? 'Ana' : 'u-1', why: 'prueba', atMs },
  ...(request !== null && { via: via(request) }),
});

function newAudit(records: RecordStore, store: ReturnType<typeof createMemoryStore>) {
  const book = openListBook(store);
  const audit = new BookAudit<ListEvent>({
    ...{ records, book: 'lists', begin: lockAudit, record: appendAudit, history: () => book.history() },
    tell: ({ event }) => ({ action: `list.${event.kind}`, subject: { kind: 'list', id: 'bloqueados' }, detail: {} }),
  });
  return { book, audit };
}

async function audited(records: RecordStore) {
  const { entries } = await listAudit(records.db, { actionPrefix: 'list.' }, null, 100);
  return [...entries].reverse().map(({ actor, address, detail }) => [actor.kind, actor.id, address, detail.entry]);
}

describeOnEachEngine('a book in the audit', (open) => {
  it('what was changed and not audited is audited by the next sweep, with who asked; the same for the command line', async () => {
    const records = await open();
    const { book, audit } = newAudit(records, createMemoryStore());
    await book.add('bloqueados', 'D-1', details, act('r1'));
    await book.add('bloqueados', 'D-2', details, act(null));
    await audit.sweep();
    await audit.sweep();
    expect(await audited(records)).toEqual([
      ['user', 'u-1', '127.0.0.1', 1],
      ['system', 'command-line', null, 2],
    ]);
  });

  it('of several that write at once each entry is written by one', async () => {
    const records = await open();
    const store = createMemoryStore();
    const { book } = newAudit(records, store);
    for (let n = 0; n < 5; n++) await book.add('bloqueados', `D-${n}`, details, act(`r${n}`));
    await Promise.all([1, 2, 3].map(() => newAudit(records, store).audit.sweep()));
    expect((await audited(records)).map(([, , , entry]) => entry)).toEqual([1, 2, 3, 4, 5]);
  });

  it('a transaction that fails leaves no entry and no mark', async () => {
    const records = await open();
    const { book, audit } = newAudit(records, createMemoryStore());
    await book.add('bloqueados', 'D-1', details, act('r1'));
    const missing = await audit.missing();
    const failing = records.transact(async (tx) => {
      await lockAudit(tx);
      await appendAudit(tx, await audit.write(tx, missing));
      throw new Error('the power went');
    });
    await expect(failing).rejects.toThrow('the power went');
    expect(await audited(records)).toEqual([]);
    await audit.sweep();
    expect(await audited(records)).toHaveLength(1);
  });

  it('a history that was cut off, or written anew, is refused', async () => {
    const records = await open();
    const store = createMemoryStore();
    const { book, audit } = newAudit(records, store);
    for (let n = 0; n < 3; n++) await book.add('bloqueados', `D-${n}`, details, act(`r${n}`));
    await audit.sweep();
    const kept = new Map(store.objects);
    store.objects.delete('lists/history/00000003.json');
    await expect(audit.missing()).rejects.toThrow('ends at entry 2');
    await book.add('bloqueados', 'D-9', details, act('other'));
    await expect(audit.missing()).rejects.toThrow('has another one');
    for (const [key, bytes] of kept) store.objects.set(key, bytes);
    expect(await audit.missing()).toEqual([]);
  });

  it('a request that comes again is the entry that was written of it', async () => {
    const { book } = newAudit(await open(), createMemoryStore());
    const first = await book.add('bloqueados', 'D-1', details, act('r1'));
    const [again, other] = await Promise.all([
      book.add('bloqueados', 'D-1', details, act('r1', 200)),
      book.add('bloqueados', 'D-1', details, act('r2', 200)),
    ]);
    expect([again, other.number]).toEqual([first, 2]);
  });
});
