import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DistinctCounts } from './distinct-counts.ts';

it('counts like a map of counters', () => {
  const step = fc.tuple(fc.boolean(), fc.nat({ max: 5 }), fc.nat({ max: 2 }), fc.integer({ min: -20, max: 20 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 800 }), (steps) => {
      const counts = new DistinctCounts();
      const model = new Map<string, number>();
      for (const [add, slot, counter, value] of steps) {
        const key = `${slot} ${counter} ${value}`;
        const before = model.get(key) ?? 0;
        if (!add && before === 0) continue;
        const now = add ? before + 1 : before - 1;
        expect(add ? counts.add(slot, counter, value) : counts.remove(slot, counter, value)).toBe(now);
        if (now === 0) model.delete(key);
        else model.set(key, now);
      }
      expect(counts.size).toBe(model.size);
    }),
    { numRuns: 60 },
  );
});
