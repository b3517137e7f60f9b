// COPOD: tail probabilities of the empirical copula (Li and others, "COPOD: copula-based outlier detection", ICDM 2020).
//
// A term is the greater of the mean of both tails' −log and that of the tail to which the feature is skewed, as in the
// authors' own program.
import { type AdditiveMethod, createAdditiveDetector } from '../additive/additive-detector.ts';
import { createTailLookup, learnTails, type TailLogs } from '../additive/tail-tables.ts';

export const copodMethod: AdditiveMethod<Readonly<Record<never, never>>> = {
  name: 'copod',
  defaults: {},
  maxRows: 100_000,
  learn: learnTails,
  prepare(learned, columns) {
    const { skewness } = learned.numbers;
    const logs: TailLogs = { left: 0, right: 0 };
    const lookUp = createTailLookup(learned, logs);
    return (scaled, terms) => {
      for (let i = 0; i < columns; i++) {
        lookUp(i, scaled[i]);
        const skewed = (skewness[i] < 0 ? logs.left : 0) + (skewness[i] > 0 ? logs.right : 0);
        terms[i] = Math.max(skewed, (logs.left + logs.right) / 2);
      }
    };
  },
};

export const copod = createAdditiveDetector(copodMethod);
