// Path lengths of many rows: a block of rows that stays in the first cache, and every tree over it in turn.
//
// Four rows walk a tree side by side, so that the processor has four independent chains of loads to overlap; a row adds
// its path lengths in the order of the trees, alone or in a batch, and so gets the same bits.
import type { Matrix } from '../matrix.ts';
import { COLUMN_MASK, type Forest, rawFromPathLengths } from './forest.ts';
import { cleanValue } from './values.ts';

const BLOCK_ROWS = 256;

/** One score per row in [0, 1]: 2^(−E[h] ÷ c(sampleSize)). */
export function scoreRows(forest: Forest, matrix: Matrix): Float32Array {
  const { columns } = matrix;
  const scores = new Float32Array(matrix.rows);
  const block = new Float32Array(Math.min(BLOCK_ROWS, matrix.rows) * columns);
  const sums = new Float64Array(Math.min(BLOCK_ROWS, matrix.rows));
  for (let from = 0; from < matrix.rows; from += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, matrix.rows - from);
    cleanRows(forest.medians, matrix.values, from * columns, count * columns, block);
    sumPathLengths(forest, block, count, sums);
    for (let row = 0; row < count; row++) scores[from + row] = 2 ** rawFromPathLengths(forest, sums[row]);
  }
  return scores;
}

/** Copies rows with missing and infinite values replaced. */
function cleanRows(
  medians: Float32Array,
  values: Float32Array,
  offset: number,
  count: number,
  into: Float32Array,
): void {
  const columns = medians.length;
  let column = 0;
  for (let i = 0; i < count; i++) {
    const value = values[offset + i];
    into[i] = value - value === 0 ? value : cleanValue(value, medians[column]);
    column = column + 1 === columns ? 0 : column + 1;
  }
}

/** The sum over the trees of each row's path length. */
function sumPathLengths(forest: Forest, block: Float32Array, rows: number, sums: Float64Array): void {
  sums.fill(0, 0, rows);
  for (let tree = 0; tree < forest.trees; tree++) {
    if (forest.terms === 1) walkAxisParallel(forest, tree, block, rows, sums);
    else walkOblique(forest, tree, block, rows, sums);
  }
}

function walkAxisParallel(forest: Forest, tree: number, block: Float32Array, rows: number, sums: Float64Array): void {
  const { steps, thresholds, pathLengths, columns } = forest;
  const root = forest.treeStarts[tree];
  const depth = forest.depths[tree];
  const paired = rows - (rows & 3);
  let row = 0;
  for (; row < paired; row += 4) {
    const first = row * columns;
    const second = first + columns;
    const third = second + columns;
    const fourth = third + columns;
    let a = root;
    let b = root;
    let c = root;
    let d = root;
    for (let step = 0; step < depth; step++) {
      const stepA = steps[a];
      const stepB = steps[b];
      const stepC = steps[c];
      const stepD = steps[d];
      a = root + (stepA >> 12) + Number(block[first + (stepA & COLUMN_MASK)] > thresholds[a]);
      b = root + (stepB >> 12) + Number(block[second + (stepB & COLUMN_MASK)] > thresholds[b]);
      c = root + (stepC >> 12) + Number(block[third + (stepC & COLUMN_MASK)] > thresholds[c]);
      d = root + (stepD >> 12) + Number(block[fourth + (stepD & COLUMN_MASK)] > thresholds[d]);
    }
    sums[row] += pathLengths[a];
    sums[row + 1] += pathLengths[b];
    sums[row + 2] += pathLengths[c];
    sums[row + 3] += pathLengths[d];
  }
  for (; row < rows; row++) {
    let node = root;
    for (let step = 0; step < depth; step++) {
      const packed = steps[node];
      node = root + (packed >> 12) + Number(block[row * columns + (packed & COLUMN_MASK)] > thresholds[node]);
    }
    sums[row] += pathLengths[node];
  }
}

function walkOblique(forest: Forest, tree: number, block: Float32Array, rows: number, sums: Float64Array): void {
  const { pathLengths } = forest;
  for (let row = 0; row < rows; row++) sums[row] += pathLengths[leafOf(forest, tree, block, row * forest.columns)];
}

/** The leaf that a row of clean values reaches; works for both kinds of split. */
function leafOf(forest: Forest, tree: number, block: Float32Array, offset: number): number {
  let node = forest.treeStarts[tree];
  for (let next = childOf(forest, tree, node, block, offset); next !== node; ) {
    node = next;
    next = childOf(forest, tree, node, block, offset);
  }
  return node;
}

/** Where a row of clean values goes from a node; the node itself at a leaf. */
export function childOf(forest: Forest, tree: number, node: number, block: Float32Array, offset: number): number {
  const { terms, splitColumns, splitWeights } = forest;
  let sum = 0;
  if (terms === 1) {
    sum = block[offset + splitColumns[node]];
  } else {
    for (let at = node * terms; at < (node + 1) * terms; at++)
      sum += splitWeights[at] * block[offset + splitColumns[at]];
  }
  return forest.treeStarts[tree] + forest.leftChildren[node] + Number(sum > forest.thresholds[node]);
}
