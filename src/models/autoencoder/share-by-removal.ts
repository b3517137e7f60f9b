// Which features make a row hard to repeat: those without whose values it would be repeated better.
//
// Each feature in turn is given its ordinary value, and what that takes off the raw score is its part (occlusion: Zeiler and
// Fergus, "Visualizing and understanding convolutional networks", ECCV 2014). A category has no middle, so the frequent ones
// are tried and the one that goes best with the rest counts. The residual of a feature does not tell: where features go
// together, one that is out of line spoils the others' residuals. On the Handbook's rows the features with the rarest
// residuals bring the score down no more than random ones (docs/decisions/0010).
import { createMatrix, type Matrix } from '../matrix.ts';
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
  const { features, rows } = replacements(preparation, own, ordinary, only);
  const raws = rawOf(rows);
  const raw = raws[features.length];
  const drops = new Float64Array(preparation.inputs);
  features.forEach((feature, index) => {
    drops[feature] = Math.max(drops[feature], raw - raws[index]);
  });
  const total = drops.reduce((sum, drop) => sum + drop, 0);
  return total > 0 ? drops.map((drop) => (raw * drop) / total) : drops;
}

interface Replacements {
  /** Of each row but the last. */
  readonly features: readonly number[];
  /** Each without its feature's own value; the last is the row as it is. */
  readonly rows: Matrix;
}

function replacements(
  { sourceColumns, categorical, outputs }: Preparation,
  own: Float32Array,
  ordinary: Float32Array,
  only: ReadonlySet<number> | null,
): Replacements {
  const isTried = (feature: number) => only === null || only.has(feature);
  const codes = new Map(categorical.map(({ column, categories }) => [sourceColumns[column], { column, categories }]));
  const changes: { readonly feature: number; readonly column: number; readonly value: number }[] = [];
  /** A number may have become several columns, which change together. */
  const placeOf = new Map<number, number>();
  const features: number[] = [];
  for (let column = 0; column < own.length; column++) {
    const feature = sourceColumns[column];
    if (own[column] === ordinary[column] || !isTried(feature) || codes.has(feature)) continue;
    changes.push({ feature, column, value: ordinary[column] });
    if (placeOf.has(feature)) continue;
    placeOf.set(feature, features.length);
    features.push(feature);
  }
  const numbers = features.length;
  const trials: { readonly column: number; readonly code: number }[] = [];
  for (const [feature, { column, categories }] of codes) {
    if (!isTried(feature)) continue;
    for (let code = 1; code <= Math.min(MOST_CODES, categories - 1); code++) {
      if (code === own[column]) continue;
      trials.push({ column, code });
      features.push(feature);
    }
  }
  const rows = createMatrix(features.length + 1, outputs);
  for (let row = 0; row < rows.rows; row++) rows.values.set(own, row * outputs);
  for (const { feature, column, value } of changes) rows.values[placeOf.get(feature)! * outputs + column] = value;
  trials.forEach(({ column, code }, index) => {
    rows.values[(numbers + index) * outputs + column] = code;
  });
  return { features, rows };
}
