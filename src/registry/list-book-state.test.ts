// What an import is said to do, beside what the history then comes to.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HistoryEntry } from './history.ts';
import { effectOf, type ImportedRow, type ListEvent, listsOf } from './list-book-state.ts';

const LIST = 'bloqueados';

const rowOf = fc.record({
  value: fc.constantFrom('a', 'b', 'c', 'd'),
  reason: fc.constantFrom('x', 'y'),
  fromMs: fc.option(fc.integer({ min: 0, max: 60 })),
  untilMs: fc.option(fc.integer({ min: 0, max: 60 })),
});
const importOf = fc.record({
  source: fc.constantFrom('one', 'other'),
  replaces: fc.boolean(),
  rows: fc.uniqueArray(rowOf, { selector: ({ value }) => value, maxLength: 4 }),
});

it('the counts of an import are those of the list before and after it', () => {
  fc.assert(
    fc.property(fc.array(importOf, { minLength: 1, maxLength: 6 }), (imports) => {
      const rows = new Map<string, readonly ImportedRow[]>(imports.map((each, n) => [String(n), each.rows]));
      const history = imports.map(({ source, replaces, rows: own }, n): HistoryEntry<ListEvent> => {
        const event = { kind: 'imported', list: LIST, source, replaces, sha256: String(n), rows: own.length } as const;
        return { ...{ number: n + 1, atMs: 10 * n, by: 'ana', why: 'x', event }, previous: '', hash: '' };
      });
      const last = imports.at(-1)!;
      const { atMs } = history.at(-1)!;
      const at = (entries: number) => listsOf(history.slice(0, entries), rows, new Map()).get(LIST)!;
      const listed = (entries: number) =>
        new Map(
          at(entries)
            .entries.filter(({ source, untilMs }) => source === last.source && (untilMs === null || untilMs > atMs))
            .map((entry) => [entry.value, { ...entry, fromMs: Math.max(atMs, entry.fromMs) }]),
        );
      const [before, after] = [listed(history.length - 1), listed(history.length)];
      const inBoth = [...after].filter(([value]) => before.has(value));
      const again = inBoth.filter(([value]) => last.rows.some((row) => row.value === value));
      const unchanged = again.filter(([value, entry]) => same(before.get(value), entry));
      expect(effectOf(at(history.length - 1), last, atMs)).toEqual({
        added: after.size - inBoth.length,
        changed: again.length - unchanged.length,
        unchanged: unchanged.length,
        expired: before.size - inBoth.length,
      });
    }),
  );
});

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
