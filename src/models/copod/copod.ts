// COPOD: tail probabilities of the empirical copula (Li and others, "COPOD: copula-based outlier detection", ICDM 2020).
//
// A term is the greater of the mean of both tails' −log and that of the tail to which the feature is skewed, as in the
// authors' own program.
import { createAdditiveDetector } from '../additive/additive-detector.ts';
import { learnTails, tailLogs } from '../additive/tail-tables.ts';

export const copod = createAdditiveDetector({
  name: 'copod',
  defaults: {},
  maxRows: 100_000,
  learn: learnTails,
  prepare({ numbers: { values, skewness } }, columns) {
    const count = values.length / columns;
    const logs = new Float64Array(2);
    return (scaled, terms) => {
      for (let i = 0; i < columns; i++) {
        tailLogs(values, i * count, count, scaled[i], logs);
        const [left, right] = logs;
        const skewed = (skewness[i] < 0 ? left : 0) + (skewness[i] > 0 ? right : 0);
        terms[i] = Math.max(skewed, (left + right) / 2);
      }
    };
  },
});
