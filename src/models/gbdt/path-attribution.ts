// Contributions of the features along the path that a row takes: what each cut moves the mean answer by (Saabas, "Interpreting
// random forests", 2014). They add up to the margin, as TreeSHAP's do, at the cost of scoring the row.
//
// A cut near the root is credited with less than it is worth where cuts below depend on it; TreeSHAP divides that fairly and
// takes hundreds of times as long. So this answers in the hot path, and TreeSHAP wherever there is time.
import type { Explanation } from '../detector.ts';
import type { Ensemble } from './ensemble.ts';

export interface PathAttribution {
  explain(row: Float32Array): Explanation;
}

export function createPathAttribution(ensemble: Ensemble): PathAttribution {
  const means = meanAnswers(ensemble);
  const { treeStarts, columns } = ensemble;
  const { nodes, thresholds, moves } = packedNodes(ensemble, means);
  let base = ensemble.initialMargin;
  for (let tree = 0; tree + 1 < treeStarts.length; tree++) base += means[treeStarts[tree]];
  return {
    explain(row) {
      const contributions = new Float64Array(columns);
      for (let tree = 0; tree + 1 < treeStarts.length; tree++) {
        let node = treeStarts[tree];
        for (let at = node * WORDS; nodes[at] >= 0; at = node * WORDS) {
          const column = nodes[at];
          const value = row[column];
          const missing = nodes[at + LEFT] & MISSING_LEFT;
          const isLeft = value <= thresholds[at + THRESHOLD] || (missing !== 0 && Number.isNaN(value));
          contributions[column] += moves[node * 2 + (isLeft ? 0 : 1)];
          node = isLeft ? nodes[at + LEFT] >> 1 : nodes[at + RIGHT];
        }
      }
      return { base, contributions };
    },
  };
}

/** Words of a node, beside each other so that a step costs one line of the cache: column, threshold, children. */
const WORDS = 4;
const THRESHOLD = 1;
/** The left child × 2, and 1 where a missing value goes there. */
const LEFT = 2;
const MISSING_LEFT = 1;
const RIGHT = 3;

function packedNodes({ column, threshold, missingLeft, left, right }: Ensemble, means: Float64Array) {
  const nodes = new Int32Array(column.length * WORDS);
  const thresholds = new Float32Array(nodes.buffer);
  /** What the mean answer moves by to the left and to the right. */
  const moves = new Float64Array(column.length * 2);
  for (let node = 0; node < column.length; node++) {
    const at = node * WORDS;
    nodes[at] = column[node];
    if (column[node] < 0) continue;
    thresholds[at + THRESHOLD] = threshold[node];
    nodes[at + LEFT] = left[node] * 2 + missingLeft[node];
    nodes[at + RIGHT] = right[node];
    moves[node * 2] = means[left[node]] - means[node];
    moves[node * 2 + 1] = means[right[node]] - means[node];
  }
  return { nodes, thresholds, moves };
}

/** Of the training rows that reach each node. Children come after their parent. */
function meanAnswers({ column, left, right, value, cover }: Ensemble): Float64Array {
  const means = new Float64Array(column.length);
  for (let node = column.length - 1; node >= 0; node--) {
    const [a, b] = [left[node], right[node]];
    means[node] = column[node] < 0 ? value[node] : (means[a] * cover[a] + means[b] * cover[b]) / (cover[a] + cover[b]);
  }
  return means;
}
