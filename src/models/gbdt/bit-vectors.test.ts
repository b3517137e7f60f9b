import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createBitVectors } from './bit-vectors.ts';
import { joinTrees } from './ensemble.ts';
import { createWalker } from './predictor.ts';
import { COLUMNS, randomTree } from './random-trees.ts';

/** On, between and beyond the thresholds, and missing. */
const VALUES = [-2, -1.5, -1, -0, 0, 0.5, 1, 2, 3, -3, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
const MOST_INNER = 31;

describe('bit vectors', () => {
  it('give the margins of walking the trees, bit for bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.array(fc.integer({ min: 0, max: MOST_INNER }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 3 }),
        (seed, inners, rows, before) => {
          const prng = createPrng(seed);
          const ensemble = joinTrees(
            inners.map((inner, i) => randomTree(seed + i, inner)),
            COLUMNS,
            prng.nextNormal(),
          );
          const values = Float32Array.from(
            { length: before + rows * COLUMNS },
            () => VALUES[prng.nextBelow(VALUES.length)],
          );
          const [quick, walked] = [new Float64Array(rows), new Float64Array(rows)];
          createBitVectors(ensemble)!.writeMargins(values, before, COLUMNS, rows, quick);
          createWalker(ensemble).writeMargins(values, before, COLUMNS, rows, walked);
          expect(quick).toEqual(walked);
        },
      ),
    );
  });

  it('take many trees, whose words are more than a block', () => {
    const ensemble = joinTrees(
      Array.from({ length: 5000 }, (_, seed) => randomTree(seed, 3)),
      COLUMNS,
      0,
    );
    const values = Float32Array.from({ length: 3 * COLUMNS }, (_, i) => VALUES[(7 * i) % VALUES.length]);
    const [quick, walked] = [new Float64Array(3), new Float64Array(3)];
    createBitVectors(ensemble)!.writeMargins(values, 0, COLUMNS, 3, quick);
    createWalker(ensemble).writeMargins(values, 0, COLUMNS, 3, walked);
    expect(quick).toEqual(walked);
  });

  it('are not for trees with more leaves than a word has bits', () => {
    expect(createBitVectors(joinTrees([randomTree(1, MOST_INNER + 1)], COLUMNS, 0))).toBeNull();
  });
});
