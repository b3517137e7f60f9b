import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChurningMap } from './churning-map.ts';

describe('ChurningMap', () => {
  it('holds what a Map holds, whatever is put in and taken out', () => {
    const step = fc.record({ key: fc.integer({ min: 0, max: 300 }).map(String), isSet: fc.boolean(), value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 600, size: 'max' }), (steps) => {
        const own = new ChurningMap<number>();
        const model = new Map<string, number>();
        for (const { key, isSet, value } of steps) {
          if (isSet) {
            own.set(key, value);
            model.set(key, value);
          } else expect(own.delete(key)).toBe(model.delete(key));
        }
        expect(own.size).toBe(model.size);
        for (let key = 0; key <= 300; key++) expect(own.get(`${key}`)).toBe(model.get(`${key}`));
        expect(own.values().sort()).toEqual([...model.values()].sort());
      }),
    );
  });

  it('keeps nothing of what was taken out, after a quiet time too', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as (how: { readonly type: 'minor' | 'major' }) => void;
    const map = new ChurningMap<unknown>();
    const comeAndGo = (from: number) => {
      for (let i = from; i < from + 2000; i++) {
        map.set(`${i}`, new Array(1000).fill(i));
        map.delete(`${i - 10}`);
      }
    };
    comeAndGo(0);
    collect({ type: 'major' });
    const beforeBytes = process.memoryUsage().heapUsed;
    for (let round = 1; round <= 5; round++) {
      comeAndGo(2000 * round);
      collect({ type: 'minor' });
    }
    const keptBytes = process.memoryUsage().heapUsed - beforeBytes;
    // Of ten arrays that are in it, and not of the 10,000 that were.
    expect(keptBytes).toBeLessThan(2_000_000);
  });
});
