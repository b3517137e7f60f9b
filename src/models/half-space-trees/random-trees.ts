// Half-space trees as they are before any row is seen: which feature each node halves, and where.
//
// Each tree has its own work range of a feature: around a random point of [0, 1], wide enough to reach twice the farther
// end on either side. A node halves the range of a random feature (Tan, Ting, Liu, IJCAI 2011, section 4.1 and
// algorithm 1). The trees do not depend on the data, so a seed is all that has to be stored of them.
import type { Prng } from '../../lib/prng.ts';

export interface RandomTrees {
  readonly trees: number;
  readonly depth: number;
  /** Room of one tree: the root is node 1, the children of n are 2n and 2n + 1, leaves are those ≥ 2^depth. */
  readonly nodesPerTree: number;
  /** By tree × 2^depth + node, for inner nodes. */
  readonly splitColumns: Uint16Array;
  /** A row goes left below it, right from it upwards. */
  readonly thresholds: Float64Array;
}

interface WorkRange {
  readonly least: Float64Array;
  readonly greatest: Float64Array;
}

/** @param columns at least 1 */
export function drawTrees(columns: number, trees: number, depth: number, prng: Prng): RandomTrees {
  const inner = 2 ** depth;
  const splitColumns = new Uint16Array(trees * inner);
  const thresholds = new Float64Array(trees * inner);

  function halve(offset: number, node: number, range: WorkRange, treePrng: Prng): void {
    if (node >= inner) return;
    const column = treePrng.nextBelow(columns);
    const { least, greatest } = range;
    const middle = (least[column] + greatest[column]) / 2;
    splitColumns[offset + node] = column;
    thresholds[offset + node] = middle;
    const [low, high] = [least[column], greatest[column]];
    greatest[column] = middle;
    halve(offset, 2 * node, range, treePrng);
    greatest[column] = high;
    least[column] = middle;
    halve(offset, 2 * node + 1, range, treePrng);
    least[column] = low;
  }

  for (let tree = 0; tree < trees; tree++) {
    const treePrng = prng.fork(tree);
    halve(tree * inner, 1, drawRange(columns, treePrng), treePrng);
  }
  return { trees, depth, nodesPerTree: 2 * inner, splitColumns, thresholds };
}

function drawRange(columns: number, prng: Prng): WorkRange {
  const centres = Float64Array.from({ length: columns }, () => prng.nextFloat());
  const reach = (centre: number) => 2 * Math.max(centre, 1 - centre);
  return {
    least: centres.map((centre) => centre - reach(centre)),
    greatest: centres.map((centre) => centre + reach(centre)),
  };
}
