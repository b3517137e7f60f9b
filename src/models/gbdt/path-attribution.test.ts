import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { createTree, joinTrees } from './ensemble.ts';
import { createPathAttribution } from './path-attribution.ts';
import { createPredictor } from './predictor.ts';
import { COLUMNS, randomTree } from './random-trees.ts';
import { createTreeExplainer } from './tree-shap.ts';

const VALUES = [-3, -2, -1, 0, 0.5, 1, 2, 3, Number.NaN];

describe('path attribution', () => {
  it('adds up to the margin, from the same base as TreeSHAP', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 0, max: 20 }), (seed, inner) => {
        const prng = createPrng(seed);
        const ensemble = joinTrees([randomTree(seed, inner), randomTree(seed + 1, 3)], COLUMNS, -1.5);
        const row = Float32Array.from({ length: COLUMNS }, () => VALUES[prng.nextBelow(VALUES.length)]);
        const { base, contributions } = createPathAttribution(ensemble).explain(row);
        const sum = contributions.reduce((total, contribution) => total + contribution, base);
        expect(sum).toBeCloseTo(createPredictor(ensemble).marginOf(row), 9);
        expect(base).toBeCloseTo(createTreeExplainer(ensemble).explain(row).base, 9);
      }),
    );
  });

  it('is TreeSHAP where a tree cuts once', () => {
    const ensemble = joinTrees([randomTree(1, 1), randomTree(2, 1), randomTree(3, 1)], COLUMNS, 0.2);
    const row = Float32Array.of(2, -3, Number.NaN, 0, 1);
    const exact = createTreeExplainer(ensemble).explain(row).contributions;
    const paths = createPathAttribution(ensemble).explain(row).contributions;
    paths.forEach((contribution, column) => {
      expect(contribution).toBeCloseTo(exact[column], 12);
    });
  });

  it('moves by the means of the training rows: what a cut near the root is worth below is credited below', () => {
    // Both columns above 0: 1, otherwise 0; all four corners hold 25 rows.
    const tree = createTree(5);
    tree.nodes = 5;
    tree.column.set([0, -1, 1, -1, -1]);
    tree.left.set([1, 0, 3, 0, 0]);
    tree.right.set([2, 0, 4, 0, 0]);
    tree.value.set([0, 0, 0, 0, 1]);
    tree.cover.set([100, 50, 50, 25, 25]);
    const ensemble = joinTrees([tree], 2, 0);
    const row = Float32Array.of(1, 1);
    const { base, contributions } = createPathAttribution(ensemble).explain(row);
    expect([base, ...contributions]).toEqual([0.25, 0.25, 0.5]);
    expect([...createTreeExplainer(ensemble).explain(row).contributions]).toEqual([0.375, 0.375]);
  });
});
