// Contributions of the features along the path that a row takes: what each cut moves the mean answer by (Saabas, "Interpreting
// random forests", 2014). They add up to the margin, as TreeSHAP's do, at the cost of scoring the row.
//
// A cut near the root is credited with less than it is worth where cuts below depend on it; TreeSHAP divides that fairly and
// takes hundreds of times as long. So this answers in the hot path, and TreeSHAP wherever there is time.
import type { Explanation } from '../detector.ts';
import { type Ensemble, goesLeft } from './ensemble.ts';

export interface PathAttribution {
  explain(row: Float32Array): Explanation;
}

export function createPathAttribution(ensemble: Ensemble): PathAttribution {
  const means = meanAnswers(ensemble);
  const { treeStarts, column, left, right, columns } = ensemble;
  let base = ensemble.initialMargin;
  for (let tree = 0; tree + 1 < treeStarts.length; tree++) base += means[treeStarts[tree]];
  return {
    explain(row) {
      const contributions = new Float64Array(columns);
      for (let tree = 0; tree + 1 < treeStarts.length; tree++) {
        let node = treeStarts[tree];
        while (column[node] >= 0) {
          const next = goesLeft(ensemble, node, row[column[node]]) ? left[node] : right[node];
          contributions[column[node]] += means[next] - means[node];
          node = next;
        }
      }
      return { base, contributions };
    },
  };
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
