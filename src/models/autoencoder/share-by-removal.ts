// Which features make a row hard to repeat: those without whose values it would be repeated better.
//
// Each feature in turn is given its ordinary value, and what that takes off the raw score is its part (occlusion: Zeiler and
// Fergus, "Visualizing and understanding convolutional networks", ECCV 2014). A category has no middle, so the frequent ones
// are tried and the one that goes best with the rest counts. The residual of a feature does not tell: where features go
// together, one that is out of line spoils the others' residuals. On the Handbook's rows the features with the rarest
// residuals bring the score down no more than random ones (docs/decisions/0010).
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import type { Preparation } from '../preparation/preparation.ts';

/** Codes are by frequency, from 1. */
const MOST_CODES = 8;

/**
 * @param rawOf the raw scores of prepared rows
 * @param ordinary a prepared row
 * @param only features that are tried; all of them where it is left out
 * @returns by feature, its share of the raw score, ≥ 0; they add up to it, or are all 0 where no removal takes anything off
 */
export function shareByRemoval(
  rawOf: (prepared: Matrix) => Float64Array,
  preparation: Preparation,
  own: Float32Array,
  ordinary: Float32Array,
  only: ReadonlySet<number> | null = null,
): Float64Array {
  const replaced = replacements(preparation, own, ordinary, only);
  const rows = createMatrix(replaced.length + 1, preparation.outputs);
  replaced.forEach(({ values }, index) => {
    rowOf(rows, index).set(values);
  });
  rowOf(rows, replaced.length).set(own);
  const raws = rawOf(rows);
  const raw = raws[replaced.length];
  const drops = new Float64Array(preparation.inputs);
  replaced.forEach(({ feature }, index) => {
    drops[feature] = Math.max(drops[feature], raw - raws[index]);
  });
  const total = drops.reduce((sum, drop) => sum + drop, 0);
  return total > 0 ? drops.map((drop) => (raw * drop) / total) : drops;
}

interface Replacement {
  readonly feature: number;
  /** The row without the feature's own value. */
  readonly values: Float32Array;
}

function replacements(
  { sourceColumns, categorical }: Preparation,
  own: Float32Array,
  ordinary: Float32Array,
  only: ReadonlySet<number> | null,
): Replacement[] {
  const isTried = (feature: number) => only === null || only.has(feature);
  const codes = new Map(categorical.map(({ column, categories }) => [sourceColumns[column], { column, categories }]));
  const plain = new Map<number, Float32Array>();
  for (let output = 0; output < own.length; output++) {
    const feature = sourceColumns[output];
    if (own[output] === ordinary[output] || !isTried(feature) || codes.has(feature)) continue;
    const values = plain.get(feature) ?? own.slice();
    values[output] = ordinary[output];
    plain.set(feature, values);
  }
  const replaced: Replacement[] = Array.from(plain, ([feature, values]) => ({ feature, values }));
  for (const [feature, { column, categories }] of codes) {
    if (!isTried(feature)) continue;
    for (let code = 1; code <= Math.min(MOST_CODES, categories - 1); code++) {
      if (code !== own[column]) replaced.push({ feature, values: own.with(column, code) });
    }
  }
  return replaced;
}
