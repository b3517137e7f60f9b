// Which features make a row hard to repeat: those without whose values it would be repeated better.
//
// Each feature in turn is given its ordinary value, and what that takes off the raw score is its part (occlusion: Zeiler and
// Fergus, "Visualizing and understanding convolutional networks", ECCV 2014). The residual of a feature does not tell: where
// features go together, one that is out of line spoils the others' residuals. On the Handbook's rows the features with the
// rarest residuals bring the score down no more than random ones (docs/decisions/0010).
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import type { Preparation } from '../preparation/preparation.ts';

/**
 * @param rawOf the raw scores of prepared rows
 * @param ordinary a prepared row
 * @returns by feature, its share of the raw score, ≥ 0; they add up to it, or are all 0 where no removal takes anything off
 */
export function shareByRemoval(
  rawOf: (prepared: Matrix) => Float64Array,
  { inputs, outputs, sourceColumns }: Preparation,
  own: Float32Array,
  ordinary: Float32Array,
): Float64Array {
  const features: number[] = [];
  const places = new Int32Array(inputs).fill(-1);
  sourceColumns.forEach((feature, output) => {
    if (own[output] !== ordinary[output] && places[feature] < 0) places[feature] = features.push(feature) - 1;
  });
  const rows = createMatrix(features.length + 1, outputs);
  for (let row = 0; row < rows.rows; row++) rowOf(rows, row).set(own);
  sourceColumns.forEach((feature, output) => {
    if (places[feature] >= 0) rowOf(rows, places[feature])[output] = ordinary[output];
  });
  const raws = rawOf(rows);
  const raw = raws[features.length];
  const drops = features.map((_, index) => Math.max(0, raw - raws[index]));
  const total = drops.reduce((sum, drop) => sum + drop, 0);
  const shares = new Float64Array(inputs);
  features.forEach((feature, index) => {
    if (total > 0) shares[feature] = (raw * drops[index]) / total;
  });
  return shares;
}
