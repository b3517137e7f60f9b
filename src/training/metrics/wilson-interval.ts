// The interval of a share that was counted: Wilson, "Probable inference, the law of succession, and statistical
// inference", Journal of the American Statistical Association 22, 1927. Unlike the normal one it never leaves [0, 1] and
// is not empty at 0 of n.

/** Two-sided 95 %. */
const NORMAL_QUANTILE = 1.959963984540054;

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** @param rows greater than 0 */
export function wilsonInterval(count: number, rows: number): Interval {
  const share = count / rows;
  const z2 = NORMAL_QUANTILE ** 2;
  const centre = share + z2 / (2 * rows);
  const spread = NORMAL_QUANTILE * Math.sqrt((share * (1 - share)) / rows + z2 / (4 * rows * rows));
  const scale = 1 + z2 / rows;
  // At 0 and at all of them rounding would leave a trace.
  return {
    low: count === 0 ? 0 : Math.max(0, (centre - spread) / scale),
    high: count === rows ? 1 : Math.min(1, (centre + spread) / scale),
  };
}
