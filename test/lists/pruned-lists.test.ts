// Entries of lists that need not be kept: what they said is gone from the store, and nothing else has changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isListedAt } from '../../src/lists/kept-list.ts';
import { type ListBook, openListBook } from '../../src/registry/list-book.ts';
import { isPlaceholder } from '../../src/registry/list-book-state.ts';
import { createMemoryStore } from '../registry/memory-store.ts';

const act = (atMs: number, why = 'caso') => ({ by: 'Ana', why, atMs });
const row = (value: string, untilMs: number | null = null) => ({ value, reason: null, fromMs: null, untilMs });
const bytesOf = ({ objects }: ReturnType<typeof createMemoryStore>) =>
  [...objects.values()].map((bytes) => new TextDecoder().decode(bytes)).join('\n');

/** Values in force at a time, with their places. */
async function inForce(book: ListBook, timeMs: number): Promise<readonly string[]> {
  const lists = await book.lists();
  return [...lists.values()].flatMap(({ definition, entries }) =>
    entries.flatMap((entry, place) =>
      isListedAt(entry, timeMs) ? [`${definition.name} ${place} ${entry.value}`] : [],
    ),
  );
}

describe('entries of lists that need not be kept', () => {
  it('are forgotten with their removals and the rows of imports; what stays keeps its place, and the chain is whole', async () => {
    const store = createMemoryStore();
    const book = openListBook(store, true);
    await book.add('bloqueados', 'ended-1', { source: 'x', untilMs: 150 }, act(100));
    await book.add('bloqueados', 'removed-1', { source: 'x', untilMs: null }, act(110));
    await book.importRows(
      { list: 'bloqueados', source: 's', replaces: false, file: null, rows: [row('row-1', 140)] },
      act(120),
    );
    await book.remove('bloqueados', 'removed-1', act(130));
    await book.add('observados', 'ended-2', { source: 'x', untilMs: 150 }, act(135));
    await book.add('bloqueados', 'stays-1', { source: 'x', untilMs: 500 }, act(140));
    expect([...(await book.prunable(150)).values()].flat().map(({ number }) => number)).toEqual([2, 3, 4]);
    expect([...(await book.prunable(100)).values()].flat()).toEqual([]);
    const before = await inForce(book, 300);
    expect(await book.prune(200, act(300, 'retention'))).toEqual({ entries: 5, isMore: false });
    const text = bytesOf(store);
    for (const value of ['ended-1', 'removed-1', 'row-1', 'ended-2']) expect(text).not.toContain(value);
    expect([...store.objects.keys()].filter((key) => key.includes('imports'))).toEqual([]);
    for (const reader of [book, openListBook(store)]) {
      expect(await inForce(reader, 300)).toEqual(before);
      expect(before).toEqual(['bloqueados 3 stays-1']);
      const { entries } = (await reader.lists()).get('bloqueados')!;
      expect(entries.map(isPlaceholder)).toEqual([true, true, true, false]);
      // As of an entry of the past there are as many places as there were.
      expect((await reader.listsAt(3)).get('bloqueados')!.entries).toHaveLength(3);
    }
    const added = await book.add('bloqueados', 'new-1', { source: 'x', untilMs: null }, act(400));
    expect(await inForce(openListBook(store), 400)).toEqual([...before, 'bloqueados 4 new-1']);
    expect(added.number).toBe(9);
    expect(await book.prune(200, act(500))).toEqual({ entries: 0, isMore: false });
  });

  it('stay where they ended something that stays, as an import that took off a part of another', async () => {
    const store = createMemoryStore();
    const book = openListBook(store);
    const rows = [row('a'), row('b')];
    await book.importRows({ list: 'bloqueados', source: 's', replaces: false, file: null, rows }, act(100));
    await book.remove('bloqueados', 'a', act(110));
    expect(await book.prune(200, act(300))).toEqual({ entries: 0, isMore: false });
    expect(await inForce(openListBook(store), 300)).toEqual(['bloqueados 1 b']);
    await book.remove('bloqueados', 'b', act(310));
    expect(await book.prune(400, act(500))).toEqual({ entries: 3, isMore: false });
    expect(await inForce(openListBook(store), 600)).toEqual([]);
  });

  it('that say nothing and are named by no entry break the chain', async () => {
    const store = createMemoryStore();
    const book = openListBook(store);
    const { number, atMs, previous, hash } = await book.add(
      'bloqueados',
      'a',
      { source: 'x', untilMs: null },
      act(100),
    );
    const stub = JSON.stringify({ number, atMs, previous, hash, forgotten: true });
    await store.put('lists/history/00000001.json', new TextEncoder().encode(stub));
    await expect(openListBook(store).lists()).rejects.toMatchObject({
      code: 'HISTORY_BROKEN',
      message: expect.stringContaining('no entry tells that it was forgotten'),
    });
  });

  it('are forgotten by the next run where one was cut short after it named them', async () => {
    const store = createMemoryStore();
    let isDown = true;
    const book = openListBook({
      ...store,
      put: async (key, bytes) => {
        if (isDown) throw new Error('the store does not answer');
        await store.put(key, bytes);
      },
    });
    await book.importRows(
      { list: 'bloqueados', source: 's', replaces: false, file: null, rows: [row('row-1', 140)] },
      act(100),
    );
    await book.add('bloqueados', 'ended-1', { source: 'x', untilMs: 150 }, act(110));
    await expect(book.prune(200, act(300))).rejects.toThrow('does not answer');
    isDown = false;
    await book.prune(200, act(400));
    expect(bytesOf(store)).not.toMatch(/row-1|ended-1/);
    expect(await inForce(openListBook(store), 400)).toEqual([]);
    expect(await openListBook(store).history()).toHaveLength(3);
  });

  it('change nothing of who is on a list from then on, whatever was done before', async () => {
    const value = fc.constantFrom('a', 'b', 'c', 'd');
    const until = fc.option(fc.integer({ min: 1, max: 60 }), { nil: null });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), value, until }),
      fc.record({ kind: fc.constant('remove' as const), value }),
      fc.record({
        ...{ kind: fc.constant('import' as const), source: fc.constantFrom('s', 't'), replaces: fc.boolean() },
        rows: fc.array(fc.tuple(value, until), { minLength: 1, maxLength: 3 }),
      }),
    );
    const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 8 }), step), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(history, fc.integer({ min: 0, max: 120 }), async (steps, cutMs) => {
        const store = createMemoryStore();
        const book = openListBook(store);
        let atMs = 1;
        for (const [waitMs, each] of steps) {
          atMs += waitMs;
          const untilOf = (ms: number | null) => (ms === null ? null : atMs + ms);
          if (each.kind === 'add')
            await book.add('bloqueados', each.value, { source: 's', untilMs: untilOf(each.until) }, act(atMs));
          else if (each.kind === 'remove')
            await book.remove('bloqueados', each.value, act(atMs)).catch(() => undefined);
          else {
            const rows = each.rows.map(([own, ms]) => row(own, untilOf(ms)));
            await book.importRows(
              { list: 'bloqueados', source: each.source, replaces: each.replaces, file: null, rows },
              act(atMs),
            );
          }
        }
        const times = Array.from({ length: 240 - cutMs }, (_, index) => cutMs + index);
        const before = await Promise.all([cutMs, ...times].map((ms) => inForce(book, ms)));
        await book.prune(cutMs, act(atMs + 1));
        const reader = openListBook(store);
        expect(await Promise.all([cutMs, ...times].map((ms) => inForce(reader, ms)))).toEqual(before);
      }),
      { numRuns: 60 },
    );
  }, 60_000);
});
