// ECOD: how far out in the tails of each feature a row lies (Li and others, "ECOD: unsupervised outlier detection using
// empirical cumulative distribution functions", IEEE TKDE 2022).
//
// A term is the greatest of −log of the left tail, of the right tail, and of the tail to which the feature is skewed, as
// in the authors' own program; the paper's text takes the greatest after summing over the features.
import { createAdditiveDetector } from '../additive/additive-detector.ts';
import { learnTails, tailLogs } from '../additive/tail-tables.ts';

export const ecod = createAdditiveDetector({
  name: 'ecod',
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
        const skewed = (skewness[i] < 1 ? left : -left) + (skewness[i] > -1 ? right : -right);
        terms[i] = Math.max(left, right, skewed);
      }
    };
  },
});
