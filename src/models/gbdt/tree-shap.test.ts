import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTree, type Ensemble, goesLeft, joinTrees } from './ensemble.ts';
import { createPredictor } from './predictor.ts';
import { COLUMNS, randomTree } from './random-trees.ts';
import { createTreeExplainer } from './tree-shap.ts';

/** The tree's mean answer when only the columns of `known` (a bit set) are known. */
function conditionalMean(e: Ensemble, node: number, row: Float32Array, known: number): number {
  const column = e.column[node];
  if (column < 0) return e.value[node];
  const [left, right] = [e.left[node], e.right[node]];
  if ((known >> column) & 1) return conditionalMean(e, goesLeft(e, node, row[column]) ? left : right, row, known);
  const sum =
    e.cover[left] * conditionalMean(e, left, row, known) + e.cover[right] * conditionalMean(e, right, row, known);
  return sum / e.cover[node];
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}

/** Shapley's formula over all subsets. */
function shapleyByForce(ensemble: Ensemble, row: Float32Array): number[] {
  const worth = (known: number) =>
    Array.from(ensemble.treeStarts.subarray(0, -1)).reduce(
      (sum, r) => sum + conditionalMean(ensemble, r, row, known),
      0,
    );
  return Array.from({ length: COLUMNS }, (_, column) => {
    let value = 0;
    for (let known = 0; known < 1 << COLUMNS; known++) {
      if ((known >> column) & 1) continue;
      const size = known.toString(2).replaceAll('0', '').length;
      const weight = (factorial(size) * factorial(COLUMNS - size - 1)) / factorial(COLUMNS);
      value += weight * (worth(known | (1 << column)) - worth(known));
    }
    return value;
  });
}

const cell = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN));

describe('TreeSHAP', () => {
  it('equals the Shapley values over all subsets of features', () => {
    const rows = fc.array(cell, { minLength: COLUMNS, maxLength: COLUMNS });
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 12 }), rows, (seed, inner, values) => {
        const ensemble = joinTrees([randomTree(seed, inner), randomTree(seed + 1, 4)], COLUMNS, 0.25);
        const row = Float32Array.from(values);
        const { base, contributions } = createTreeExplainer(ensemble).explain(row);
        shapleyByForce(ensemble, row).forEach((expected, column) => {
          expect(contributions[column]).toBeCloseTo(expected, 10);
        });
        const margin = createPredictor(ensemble).marginOf(row);
        expect(base + contributions.reduce((sum, c) => sum + c, 0)).toBeCloseTo(margin, 10);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('shares a symmetric pair equally', () => {
    // AND of two columns: half of the rows pass each cut.
    const tree = createTree(5);
    tree.nodes = 5;
    tree.column.set([0, -1, 1, -1, -1]);
    tree.left.set([1, 0, 3, 0, 0]);
    tree.right.set([2, 0, 4, 0, 0]);
    tree.cover.set([100, 50, 50, 25, 25]);
    tree.value.set([0, 0, 0, 0, 1]);
    const { base, contributions } = createTreeExplainer(joinTrees([tree], COLUMNS, 0)).explain(
      Float32Array.of(1, 1, 0, 0, 0),
    );
    expect(base).toBeCloseTo(0.25, 12);
    expect([...contributions]).toEqual([0.375, 0.375, 0, 0, 0]);
  });
});
