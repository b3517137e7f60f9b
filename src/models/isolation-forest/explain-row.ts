// Why a row is isolated early: each split on its path moves the path length expected of it, and the move is the split
// column's doing (path attribution: Saabas, "Interpreting random forests", 2014, with the isolation depth as the value of
// a node, as in Carletti, Terzi, Susto, "Interpretable anomaly detection with DIFFI", 2023).
//
// The additive unit is log2 of the score. An oblique split shares its move among its columns by how far each takes the
// row from the column's median.
import type { Explanation } from '../detector.ts';
import { type Forest, rawFromPathLengths } from './forest.ts';
import { childOf } from './score-rows.ts';
import { cleanValue } from './values.ts';

/** `2 ** (base + Σ contributions)` is the score; positive contributions push towards anomalous. */
export function explainRow(forest: Forest, row: Float32Array): Explanation {
  const contributions = new Float64Array(forest.columns);
  const clean = Float32Array.from(row, (value, column) => cleanValue(value, forest.medians[column]));
  let expected = 0;
  for (let tree = 0; tree < forest.trees; tree++) {
    let node = forest.treeStarts[tree];
    expected += forest.pathLengths[node];
    for (let next = childOf(forest, tree, node, clean, 0); next !== node; ) {
      attribute(forest, node, forest.pathLengths[next] - forest.pathLengths[node], clean, contributions);
      node = next;
      next = childOf(forest, tree, node, clean, 0);
    }
  }
  const perPath = forest.normaliser === 0 ? 0 : -1 / (forest.trees * forest.normaliser);
  return {
    base: rawFromPathLengths(forest, expected),
    contributions: contributions.map((move) => (move === 0 ? 0 : move * perPath)),
  };
}

function attribute(forest: Forest, node: number, move: number, row: Float32Array, into: Float64Array): void {
  const { terms, splitColumns } = forest;
  if (terms === 1) {
    into[splitColumns[node]] += move;
    return;
  }
  let total = 0;
  for (let at = node * terms; at < (node + 1) * terms; at++) total += reach(forest, at, row);
  for (let at = node * terms; at < (node + 1) * terms; at++) {
    into[splitColumns[at]] += move * (total > 0 ? reach(forest, at, row) / total : 1 / terms);
  }
}

/** How far one term of an oblique split takes the row from where the column's median would be. */
function reach(forest: Forest, at: number, row: Float32Array): number {
  const column = forest.splitColumns[at];
  return Math.abs(forest.splitWeights[at] * (row[column] - forest.medians[column]));
}
