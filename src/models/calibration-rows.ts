// What every way of calibrating shares: the rows it is fitted on, and the logistic curve.

export type Scores = Float32Array | Float64Array;

export function checkRows(scores: Scores, labels: Uint8Array, genuineWeight: number): void {
  if (scores.length === 0) throw new Error('no rows to calibrate on');
  if (scores.length !== labels.length) throw new Error(`${scores.length} scores but ${labels.length} labels`);
  if (!(genuineWeight > 0 && Number.isFinite(genuineWeight)))
    throw new Error(`a genuine row stands for ${genuineWeight} rows, expected a number above 0`);
  const bad = scores.findIndex((score: number) => !Number.isFinite(score));
  if (bad >= 0) throw new Error(`score of row ${bad} is ${scores[bad]}: calibration needs finite scores`);
}

export function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
