// What can be chosen when boosting, its defaults, and the checks that turn a wrong choice into a clear error.

export type EarlyStoppingMetric = 'logloss' | 'average-precision';

export interface GbdtOptions {
  /** Number of trees at most, 1 … 10,000. */
  readonly rounds: number;
  /** Each tree's contribution is multiplied by this, (0, 1]. */
  readonly learningRate: number;
  /** Leaves of one tree at most, 2 … 4096. */
  readonly maxLeaves: number;
  /** Splits between the root and a leaf at most, 1 … 64. */
  readonly maxDepth: number;
  /** Training rows in a leaf at least, ≥ 1. */
  readonly minSamplesPerLeaf: number;
  /** Sum of the loss's second derivatives in a leaf at least, ≥ 0. */
  readonly minHessianPerLeaf: number;
  /** L2 penalty on leaf values, ≥ 0. */
  readonly l2: number;
  /** A split must lower the penalised loss by more than this, ≥ 0. */
  readonly minGain: number;
  /** Bins of one feature at most, the one for missing values included, 3 … 4096. */
  readonly maxBins: number;
  /** Share of the rows drawn without replacement for each tree, (0, 1]. */
  readonly rowShare: number;
  /** Share of the features drawn for each tree, (0, 1]. */
  readonly columnShare: number;
  /** Weight of a fraud against a genuine row, > 0; `balanced` makes both classes weigh the same. Shifts the probabilities. */
  readonly positiveWeight: number | 'balanced';
  /** One weight ≥ 0 per training row, multiplied with the class weight; null for 1. Not stored in the artefact. */
  readonly sampleWeights: Float32Array | null;
  /** Stop after so many rounds without a better validation metric and keep the best round; 0 never stops early. */
  readonly earlyStoppingRounds: number;
  readonly earlyStoppingMetric: EarlyStoppingMetric;
  /** By feature name: 1, the score may only rise with the feature; −1, only fall. Missing values are free. */
  readonly monotone: Readonly<Record<string, 1 | -1>>;
}

/**
 * Small trees, a low rate and many fine bins: chosen on the Handbook's validation folds (15 inputs, mean average precision
 * .707 against .693 for 100 trees of depth 3 at rate .1, and .680 of those with 256 bins).
 */
export const DEFAULT_GBDT_OPTIONS: GbdtOptions = {
  rounds: 200,
  learningRate: 0.05,
  maxLeaves: 8,
  maxDepth: 6,
  minSamplesPerLeaf: 5,
  minHessianPerLeaf: 0.1,
  l2: 1,
  minGain: 0,
  maxBins: 4096,
  rowShare: 1,
  columnShare: 1,
  positiveWeight: 1,
  sampleWeights: null,
  earlyStoppingRounds: 0,
  earlyStoppingMetric: 'average-precision',
  monotone: {},
};

/**
 * For catalogues of more features than `FEW_FEATURES`, whose frauds and errors are of many kinds: trees that can part them, each grown
 * on a sample of the features. Chosen on simulations with seeds 1 and 2 (72 rules, 35 typologies).
 */
const WIDE_GBDT_OPTIONS: Partial<GbdtOptions> = {
  ...{ rounds: 300, learningRate: 0.08, maxLeaves: 31, maxDepth: 12, maxBins: 256, l2: 5, columnShare: 0.3 },
};
const FEW_FEATURES = 64;

/** What departs from the defaults with so many features. */
export function gbdtOptionsFor(features: number): Partial<GbdtOptions> {
  return features > FEW_FEATURES ? WIDE_GBDT_OPTIONS : {};
}

/** Inclusive ranges; `whole` asks for an integer. */
const RANGES: readonly { key: keyof GbdtOptions; from: number; to: number; whole: boolean }[] = [
  { key: 'rounds', from: 1, to: 10_000, whole: true },
  { key: 'learningRate', from: 1e-6, to: 1, whole: false },
  { key: 'maxLeaves', from: 2, to: 4096, whole: true },
  { key: 'maxDepth', from: 1, to: 64, whole: true },
  { key: 'minSamplesPerLeaf', from: 1, to: 1e9, whole: true },
  { key: 'minHessianPerLeaf', from: 0, to: 1e9, whole: false },
  { key: 'l2', from: 0, to: 1e9, whole: false },
  { key: 'minGain', from: 0, to: 1e9, whole: false },
  { key: 'maxBins', from: 3, to: 4096, whole: true },
  { key: 'rowShare', from: 1e-6, to: 1, whole: false },
  { key: 'columnShare', from: 1e-6, to: 1, whole: false },
  { key: 'earlyStoppingRounds', from: 0, to: 10_000, whole: true },
];

/** Fills in the defaults. @throws if an option is unknown or out of its range; the message says which and the range. */
export function completeOptions(options: Partial<GbdtOptions>, features: readonly string[]): GbdtOptions {
  for (const key of Object.keys(options)) {
    if (!(key in DEFAULT_GBDT_OPTIONS)) throw new Error(`gbdt: unknown option "${key}"`);
  }
  const complete = { ...DEFAULT_GBDT_OPTIONS, ...options };
  for (const { key, from, to, whole } of RANGES) {
    const value = complete[key];
    const valid = typeof value === 'number' && value >= from && value <= to && (!whole || Number.isInteger(value));
    if (!valid) {
      throw new Error(
        `gbdt: ${key} is ${value} but must be ${whole ? 'a whole number' : 'a number'} from ${from} to ${to}`,
      );
    }
  }
  const { positiveWeight, earlyStoppingMetric } = complete;
  if (positiveWeight !== 'balanced' && !(positiveWeight > 0 && positiveWeight <= 1e9)) {
    throw new Error(`gbdt: positiveWeight is ${positiveWeight} but must be a number above 0, or "balanced"`);
  }
  if (earlyStoppingMetric !== 'logloss' && earlyStoppingMetric !== 'average-precision') {
    throw new Error(
      `gbdt: earlyStoppingMetric is "${earlyStoppingMetric}" but must be "logloss" or "average-precision"`,
    );
  }
  checkMonotone(complete.monotone, features);
  return complete;
}

function checkMonotone(monotone: GbdtOptions['monotone'], features: readonly string[]): void {
  for (const [feature, direction] of Object.entries(monotone)) {
    if (!features.includes(feature)) throw new Error(`gbdt: monotone names "${feature}", which is not a feature`);
    if (direction !== 1 && direction !== -1) {
      throw new Error(`gbdt: monotone["${feature}"] is ${direction} but must be 1 or -1`);
    }
  }
}
