import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SlotTable } from './slot-table.ts';

describe('SlotTable', () => {
  it('behaves like a map under insertions and removals', () => {
    const command = fc.tuple(fc.boolean(), fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 40 }));
    fc.assert(
      fc.property(fc.array(command, { maxLength: 600 }), (commands) => {
        const table = new SlotTable(4, 1);
        const model = new Map<string, number>();
        for (const [insert, low, high] of commands) {
          const key = `${low} ${high}`;
          const slot = table.find(low, high);
          expect(slot).toBe(model.get(key) ?? -1);
          if (insert && slot < 0) model.set(key, table.insert(low, high));
          else if (!insert && slot >= 0) {
            table.remove(slot);
            model.delete(key);
          }
        }
        expect(table.size).toBe(model.size);
        expect(new Set(model.values()).size).toBe(model.size);
      }),
      { numRuns: 60 },
    );
  });

  it('finds every key through growth and uses freed slots again', () => {
    const table = new SlotTable(5, 2);
    for (let i = 0; i < 20_000; i++) table.insert(i, -i);
    for (let i = 0; i < 20_000; i += 2) table.remove(table.find(i, -i));
    for (let i = 0; i < 20_000; i += 2) table.insert(i, i + 1);
    expect(table.highWater).toBe(20_000);
    for (let i = 0; i < 20_000; i++) expect(table.find(i, i % 2 === 0 ? i + 1 : -i)).toBeGreaterThanOrEqual(0);
  });
});
