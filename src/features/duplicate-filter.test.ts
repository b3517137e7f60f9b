import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DuplicateFilter } from './duplicate-filter.ts';

describe('DuplicateFilter', () => {
  it('remembers exactly the last ids, also over a checkpoint', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat({ max: 40 }), { maxLength: 300 }),
        (capacity, ids) => {
          let filter = new DuplicateFilter(capacity);
          const remembered: number[] = [];
          ids.forEach((id, step) => {
            expect(filter.seenBefore(`id-${id}`)).toBe(remembered.includes(id));
            if (!remembered.includes(id)) remembered.push(id);
            if (remembered.length > capacity) remembered.shift();
            expect(filter.size).toBe(remembered.length);
            if (step % 17 === 16) filter = DuplicateFilter.restore(filter.checkpoint());
          });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('refuses a damaged checkpoint and a senseless capacity', () => {
    const bytes = new DuplicateFilter(4).checkpoint();
    expect(() => DuplicateFilter.restore(bytes.subarray(0, 8))).toThrow(/not a whole checkpoint/);
    expect(() => DuplicateFilter.restore(new Uint8Array(16))).toThrow(/CDF1/);
    expect(() => new DuplicateFilter(0)).toThrow(/1 to 2\^28/);
  });
});
