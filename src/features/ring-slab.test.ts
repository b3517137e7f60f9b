import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RingSlab } from './ring-slab.ts';

interface Ring {
  readonly base: number;
  readonly sizeClass: number;
}

function overlaps(rings: readonly Ring[]): boolean {
  const sorted = [...rings].sort((a, b) => a.base - b.base);
  return sorted.some((ring, i) => i > 0 && sorted[i - 1]!.base + (1 << sorted[i - 1]!.sizeClass) > ring.base);
}

describe('RingSlab', () => {
  it('never hands out overlapping or unaligned rings', () => {
    const command = fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 9 }), fc.nat());
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), (commands) => {
        const slab = new RingSlab(true, 1, 20, false);
        const rings: Ring[] = [];
        for (const [allocate, sizeClass, which] of commands) {
          if (allocate || rings.length === 0) {
            const base = slab.allocate(sizeClass);
            expect(base & ((1 << sizeClass) - 1)).toBe(0);
            // Stale flags of an owner must not look like a free ring's.
            slab.flags[base >>> 20]!.fill(0xffff, base & 0xfffff, (base & 0xfffff) + (1 << sizeClass));
            rings.push({ base, sizeClass });
          } else {
            const [ring] = rings.splice(which % rings.length, 1);
            slab.release(ring!.base, ring!.sizeClass);
          }
          expect(overlaps(rings)).toBe(false);
        }
      }),
      { numRuns: 60 },
    );
  });

  it('merges what is free: rings that double together waste nothing', () => {
    const slab = new RingSlab(false, 0, 20, false);
    let bases = Array.from({ length: 4096 }, () => slab.allocate(1));
    for (let sizeClass = 2; sizeClass <= 6; sizeClass++) {
      bases = bases.map((old) => {
        const base = slab.allocate(sizeClass);
        slab.release(old, sizeClass - 1);
        return base;
      });
    }
    expect(slab.used).toBeLessThanOrEqual(4096 * 64 * 1.02);
  });

  it('never lets a ring span two chunks', () => {
    const slab = new RingSlab(false, 0, 20, false);
    for (let i = 0; i < 5; i++) {
      slab.allocate(3);
      const base = slab.allocate(19);
      expect(base >>> 20).toBe((base + (1 << 19) - 1) >>> 20);
    }
    expect(slab.times.length).toBeLessThanOrEqual(4);
  });
});
