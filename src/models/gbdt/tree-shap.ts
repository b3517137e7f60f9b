// Exact contributions of the features to one row's margin: path-dependent TreeSHAP (Lundberg et al., "Consistent
// Individualized Feature Attribution for Tree Ensembles", 2018, Algorithm 2; "From local explanations to global
// understanding", Nature Machine Intelligence 2, 2020).
//
// A feature's contribution is its Shapley value in the game where the worth of a set of features is the tree's mean
// answer when only they are known: an unknown feature's node answers with both children, weighted by the training rows
// they saw. The algorithm walks each tree once, keeping for every length of subset the share of orders that end there.
import type { Explanation } from '../detector.ts';
import { type Ensemble, goesLeft } from './ensemble.ts';

/** The unique features on the path from the root, as columns of one flat table; row `d` of the table is a path of length d. */
interface Path {
  readonly column: Int32Array;
  /** Share of the rows that go this way when the feature is unknown. */
  readonly zero: Float64Array;
  /** 1 if the explained row goes this way, else 0. */
  readonly one: Float64Array;
  /** Permutation weight of subsets of each size. */
  readonly weight: Float64Array;
}

export interface TreeExplainer {
  explain(row: Float32Array): Explanation;
}

export function createTreeExplainer(ensemble: Ensemble): TreeExplainer {
  const longest = deepestLeaf(ensemble) + 2;
  const cells = (longest * (longest + 1)) / 2 + longest;
  const path: Path = {
    column: new Int32Array(cells),
    zero: new Float64Array(cells),
    one: new Float64Array(cells),
    weight: new Float64Array(cells),
  };
  const base = expectedMargin(ensemble);
  return {
    explain: (row) => {
      const contributions = new Float64Array(ensemble.columns);
      for (let tree = 0; tree + 1 < ensemble.treeStarts.length; tree++) {
        visit(ensemble, path, row, contributions, ensemble.treeStarts[tree], 0, 0, 1, 1, -1);
      }
      return { base, contributions };
    },
  };
}

/** The mean margin over the training rows. */
function expectedMargin({ treeStarts, column, value, cover, initialMargin }: Ensemble): number {
  let margin = initialMargin;
  for (let tree = 0; tree + 1 < treeStarts.length; tree++) {
    let sum = 0;
    for (let node = treeStarts[tree]; node < treeStarts[tree + 1]; node++) {
      if (column[node] < 0) sum += value[node] * cover[node];
    }
    margin += sum / cover[treeStarts[tree]];
  }
  return margin;
}

function deepestLeaf({ column, left, right }: Ensemble): number {
  const depth = new Int32Array(column.length);
  let deepest = 0;
  for (let node = 0; node < column.length; node++) {
    if (column[node] < 0) continue;
    depth[left[node]] = depth[node] + 1;
    depth[right[node]] = depth[node] + 1;
    deepest = Math.max(deepest, depth[node] + 1);
  }
  return deepest;
}

/**
 * @param parent where the parent's path starts in the table
 * @param length number of entries in the parent's path
 * @param zero,one,column the edge by which `node` was reached
 */
function visit(
  ensemble: Ensemble,
  path: Path,
  row: Float32Array,
  contributions: Float64Array,
  node: number,
  parent: number,
  length: number,
  zero: number,
  one: number,
  column: number,
): void {
  const start = parent + length;
  path.column.copyWithin(start, parent, parent + length);
  path.zero.copyWithin(start, parent, parent + length);
  path.one.copyWithin(start, parent, parent + length);
  path.weight.copyWithin(start, parent, parent + length);
  extend(path, start, length, zero, one, column);
  const split = ensemble.column[node];
  if (split < 0) {
    addLeaf(path, start, length, ensemble.value[node], contributions);
    return;
  }
  let size = length + 1;
  let zeroBefore = 1;
  let oneBefore = 1;
  const seen = placeOf(path, start, size, split);
  if (seen >= 0) {
    zeroBefore = path.zero[start + seen];
    oneBefore = path.one[start + seen];
    unwind(path, start, length, seen);
    size--;
  }
  const left = ensemble.left[node];
  const right = ensemble.right[node];
  const hot = goesLeft(ensemble, node, row[split]) ? left : right;
  const cold = hot === left ? right : left;
  const { cover } = ensemble;
  const hotZero = (zeroBefore * cover[hot]) / cover[node];
  const coldZero = (zeroBefore * cover[cold]) / cover[node];
  visit(ensemble, path, row, contributions, hot, start, size, hotZero, oneBefore, split);
  visit(ensemble, path, row, contributions, cold, start, size, coldZero, 0, split);
}

function placeOf(path: Path, start: number, size: number, column: number): number {
  for (let i = 1; i < size; i++) if (path.column[start + i] === column) return i;
  return -1;
}

/** Adds an edge to a path of `length` entries. */
function extend(path: Path, start: number, length: number, zero: number, one: number, column: number): void {
  const { weight } = path;
  path.column[start + length] = column;
  path.zero[start + length] = zero;
  path.one[start + length] = one;
  weight[start + length] = length === 0 ? 1 : 0;
  for (let i = length - 1; i >= 0; i--) {
    weight[start + i + 1] += (one * weight[start + i] * (i + 1)) / (length + 1);
    weight[start + i] = (zero * weight[start + i] * (length - i)) / (length + 1);
  }
}

/** Takes entry `place` out of a path whose last entry is `last`. */
function unwind(path: Path, start: number, last: number, place: number): void {
  const { weight } = path;
  const one = path.one[start + place];
  const zero = path.zero[start + place];
  let next = weight[start + last];
  for (let i = last - 1; i >= 0; i--) {
    if (one !== 0) {
      const before = weight[start + i];
      weight[start + i] = (next * (last + 1)) / ((i + 1) * one);
      next = before - (weight[start + i] * zero * (last - i)) / (last + 1);
    } else {
      weight[start + i] = (weight[start + i] * (last + 1)) / (zero * (last - i));
    }
  }
  for (let i = place; i < last; i++) {
    path.column[start + i] = path.column[start + i + 1];
    path.zero[start + i] = path.zero[start + i + 1];
    path.one[start + i] = path.one[start + i + 1];
  }
}

/** The sum of weights that unwinding `place` would leave. */
function unwoundSum(path: Path, start: number, last: number, place: number): number {
  const { weight } = path;
  const one = path.one[start + place];
  const zero = path.zero[start + place];
  let next = weight[start + last];
  let total = 0;
  for (let i = last - 1; i >= 0; i--) {
    if (one !== 0) {
      const share = (next * (last + 1)) / ((i + 1) * one);
      total += share;
      next = weight[start + i] - (share * zero * (last - i)) / (last + 1);
    } else {
      total += (weight[start + i] * (last + 1)) / (zero * (last - i));
    }
  }
  return total;
}

function addLeaf(path: Path, start: number, last: number, value: number, contributions: Float64Array): void {
  for (let i = 1; i <= last; i++) {
    const sum = unwoundSum(path, start, last, i);
    contributions[path.column[start + i]] += sum * (path.one[start + i] - path.zero[start + i]) * value;
  }
}
