// Grows one isolation tree from a small sample, breadth first.
//
// Axis-parallel (Liu, Ting, Zhou, "Isolation Forest", ICDM 2008): a random column that still varies, cut at a uniform
// point of its range in the node. Extended (Hariri, Kind, Brunner, "Extended Isolation Forest", IEEE TKDE 33(4), 2021): a
// hyperplane through a uniform point of the node's bounding box, with normally distributed slopes on
// `extensionLevel + 1` columns. Slopes are per standard deviation of the column, so that units do not decide the cut.
import type { Prng } from '../../lib/prng.ts';

/** The sample of one tree: row-major, no value missing or infinite. */
export interface TreeSample {
  readonly size: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** One tree's nodes in the layout of `ForestNodes`; `count` of them are in use. */
export interface TreeNodes {
  count: number;
  readonly leftChildren: Uint32Array;
  readonly thresholds: Float32Array;
  readonly samples: Uint32Array;
  readonly splitColumns: Uint16Array;
  readonly splitWeights: Float32Array;
}

export interface GrowthPlan {
  readonly maxDepth: number;
  readonly terms: number;
  readonly deviations: Float64Array;
}

export function createTreeNodes(sampleSize: number, maxDepth: number, terms: number): TreeNodes {
  // An oblique cut may leave one side empty, so an extended tree is bounded by its depth as well as by its rows.
  const capacity = terms === 1 ? 2 * sampleSize - 1 : Math.min(2 ** (maxDepth + 1) - 1, 2 * sampleSize * maxDepth + 1);
  return {
    count: 0,
    leftChildren: new Uint32Array(capacity),
    thresholds: new Float32Array(capacity),
    samples: new Uint32Array(capacity),
    splitColumns: new Uint16Array(capacity * terms),
    splitWeights: new Float32Array(terms === 1 ? 0 : capacity * terms),
  };
}

export function growTree(sample: TreeSample, plan: GrowthPlan, prng: Prng, nodes: TreeNodes): void {
  const capacity = nodes.leftChildren.length;
  const rows = Uint32Array.from({ length: sample.size }, (_, row) => row);
  const starts = new Uint32Array(capacity);
  const depths = new Uint8Array(capacity);
  const projections = new Float64Array(sample.size);
  const splitter = createSplitter(sample, plan, prng);
  nodes.count = 1;
  nodes.samples[0] = sample.size;
  for (let node = 0; node < nodes.count; node++) {
    const start = starts[node];
    const end = start + nodes.samples[node];
    const canSplit = depths[node] < plan.maxDepth && end - start > 1;
    if (!canSplit || !splitter.choose(rows, start, end, node, nodes)) {
      makeLeaf(nodes, node, plan.terms);
      continue;
    }
    splitter.project(rows, start, end, node, nodes, projections);
    const middle = partition(rows, projections, start, end, nodes.thresholds[node]);
    const left = nodes.count;
    nodes.count += 2;
    nodes.leftChildren[node] = left;
    starts[left] = start;
    starts[left + 1] = middle;
    nodes.samples[left] = middle - start;
    nodes.samples[left + 1] = end - middle;
    depths[left] = depths[node] + 1;
    depths[left + 1] = depths[node] + 1;
  }
}

function makeLeaf(nodes: TreeNodes, node: number, terms: number): void {
  nodes.leftChildren[node] = node;
  nodes.thresholds[node] = Number.POSITIVE_INFINITY;
  nodes.splitColumns.fill(0, node * terms, (node + 1) * terms);
  if (terms > 1) nodes.splitWeights.fill(0, node * terms, (node + 1) * terms);
}

/** Moves the rows at or below the threshold to the front and returns where the others begin. */
function partition(
  rows: Uint32Array,
  projections: Float64Array,
  start: number,
  end: number,
  threshold: number,
): number {
  let low = start;
  let high = end;
  while (low < high) {
    if (projections[low] <= threshold) {
      low++;
      continue;
    }
    high--;
    const row = rows[low];
    rows[low] = rows[high];
    rows[high] = row;
    const projection = projections[low];
    projections[low] = projections[high];
    projections[high] = projection;
  }
  return low;
}

interface Splitter {
  /** Writes a random split into the node; false where every column is constant there. */
  choose(rows: Uint32Array, start: number, end: number, node: number, nodes: TreeNodes): boolean;
  /** The value that the node's threshold is compared with, for the rows `[start, end)`. */
  project(rows: Uint32Array, start: number, end: number, node: number, nodes: TreeNodes, into: Float64Array): void;
}

function createSplitter(sample: TreeSample, plan: GrowthPlan, prng: Prng): Splitter {
  const { columns, values } = sample;
  const { terms } = plan;
  const order = Uint16Array.from({ length: columns }, (_, column) => column);
  let least = 0;
  let greatest = 0;

  function measure(rows: Uint32Array, start: number, end: number, column: number): void {
    least = values[rows[start] * columns + column];
    greatest = least;
    for (let i = start + 1; i < end; i++) {
      const value = values[rows[i] * columns + column];
      if (value < least) least = value;
      else if (value > greatest) greatest = value;
    }
  }

  /** Draws columns without replacement until one varies in the node; −1 where none is left. */
  function drawColumn(rows: Uint32Array, start: number, end: number, drawn: { count: number }): number {
    while (drawn.count < columns) {
      const at = drawn.count + prng.nextBelow(columns - drawn.count);
      const column = order[at];
      order[at] = order[drawn.count];
      order[drawn.count++] = column;
      measure(rows, start, end, column);
      if (greatest > least) return column;
    }
    return -1;
  }

  function chooseAxisParallel(rows: Uint32Array, start: number, end: number, node: number, nodes: TreeNodes): boolean {
    const column = drawColumn(rows, start, end, { count: 0 });
    if (column < 0) return false;
    const threshold = Math.fround(least + prng.nextFloat() * (greatest - least));
    nodes.splitColumns[node] = column;
    nodes.thresholds[node] = threshold < greatest ? threshold : least;
    return true;
  }

  function chooseOblique(rows: Uint32Array, start: number, end: number, node: number, nodes: TreeNodes): boolean {
    const drawn = { count: 0 };
    let intercept = 0;
    let found = 0;
    for (let term = 0; term < terms; term++) {
      const at = node * terms + term;
      const column = drawColumn(rows, start, end, drawn);
      if (column < 0) {
        nodes.splitColumns[at] = 0;
        nodes.splitWeights[at] = 0;
        continue;
      }
      found++;
      nodes.splitColumns[at] = column;
      nodes.splitWeights[at] = prng.nextNormal() / plan.deviations[column];
      intercept += nodes.splitWeights[at] * (least + prng.nextFloat() * (greatest - least));
    }
    nodes.thresholds[node] = intercept;
    return found > 0;
  }

  function project(
    rows: Uint32Array,
    start: number,
    end: number,
    node: number,
    nodes: TreeNodes,
    into: Float64Array,
  ): void {
    if (terms === 1) {
      const column = nodes.splitColumns[node];
      for (let i = start; i < end; i++) into[i] = values[rows[i] * columns + column];
      return;
    }
    for (let i = start; i < end; i++) {
      let sum = 0;
      for (let at = node * terms; at < (node + 1) * terms; at++) {
        sum += nodes.splitWeights[at] * values[rows[i] * columns + nodes.splitColumns[at]];
      }
      into[i] = sum;
    }
  }

  return { choose: terms === 1 ? chooseAxisParallel : chooseOblique, project };
}
