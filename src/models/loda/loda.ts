// LODA: rarity by many one-dimensional histograms, each of a sparse random projection (Pevný, "Loda: lightweight on-line
// detector of anomalies", Machine Learning 102, 2016).
//
// The raw score is the mean over the projections of −log of the density at the row, less its least possible value, which
// changes no order. An empty bin counts half a row; outside its training range a projection is the rarer the farther out.
// The raw score is shared among the features by the paper's one-tailed test: how much rarer the row is in projections
// that use a feature than in those that do not, in standard errors.
import { InputError } from '../../lib/errors.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import { createAdditiveDetector, type Learned } from '../additive/additive-detector.ts';
import { allRows, momentsOf } from '../linear-algebra/covariance.ts';
import type { Matrix } from '../matrix.ts';
import { fitHistogram } from './histogram.ts';

const MAX_PROJECTIONS = 1000;
const EMPTY_COUNT = 0.5;

export const loda = createAdditiveDetector({
  name: 'loda',
  /** Random projections, 1–1,000. */
  defaults: { projections: 100 },
  // A histogram's bins hardly change with more.
  maxRows: 20_000,
  learn(scaled, { projections }, seed): Learned {
    if (!Number.isInteger(projections) || projections < 1 || projections > MAX_PROJECTIONS) {
      const what = `loda: projections is ${projections}`;
      throw new InputError('OPTION_INVALID', what, `Give a whole number in 1–${MAX_PROJECTIONS.toLocaleString('en')}`);
    }
    const { columns } = scaled;
    const { covariance } = momentsOf(scaled, allRows(scaled));
    const used = Math.max(1, Math.round(Math.sqrt(columns)));
    const featureOf = new Float64Array(projections * used);
    const weightOf = new Float64Array(projections * used);
    const histograms = Array.from({ length: projections }, (_, projection) => {
      const prng = createPrng(seed).fork(projection);
      drawFeatures(columns, used, prng).forEach((feature, i) => {
        featureOf[projection * used + i] = feature;
        weightOf[projection * used + i] = prng.nextNormal() / Math.sqrt(covariance[feature * (columns + 1)]);
      });
      return fitHistogram(project(scaled, featureOf, weightOf, projection * used, used));
    });
    return {
      numbers: {
        features: featureOf,
        weights: weightOf,
        least: Float64Array.from(histograms, ({ least }) => least),
        ranges: Float64Array.from(histograms, ({ range }) => range),
        bins: Float64Array.from(histograms, ({ counts }) => counts.length),
        counts: Float64Array.from(histograms.flatMap(({ counts }) => [...counts])),
      },
    };
  },
  prepare(learned, columns) {
    const rarities = createRarities(learned);
    const { used, features } = rarities;
    const perFeature = new Float64Array(columns);
    const squares = new Float64Array(columns);
    const uses = new Float64Array(columns);
    for (const feature of features) uses[feature] += 1;
    return (scaled, terms) => {
      perFeature.fill(0);
      squares.fill(0);
      const one = rarities.of(scaled);
      let sum = 0;
      let sumOfSquares = 0;
      one.forEach((rarity, projection) => {
        sum += rarity;
        sumOfSquares += rarity * rarity;
        for (let i = projection * used; i < (projection + 1) * used; i++) {
          perFeature[features[i]] += rarity;
          squares[features[i]] += rarity * rarity;
        }
      });
      let total = 0;
      for (let i = 0; i < columns; i++) {
        const using = meanAndError(uses[i], perFeature[i], squares[i]);
        const others = meanAndError(one.length - uses[i], sum - perFeature[i], sumOfSquares - squares[i]);
        const error = Math.sqrt(using.squaredError + others.squaredError);
        terms[i] = error > 0 ? Math.max(0, (using.mean - others.mean) / error) : 0;
        total += terms[i];
      }
      // Where no feature stands out, each has the part of the projections that use it.
      for (let i = 0; i < columns; i++) {
        terms[i] = total > 0 ? (terms[i] / total) * (sum / one.length) : perFeature[i] / used / one.length;
      }
    };
  },
  prepareRaw(learned) {
    const rarities = createRarities(learned);
    return (scaled) => {
      const one = rarities.of(scaled);
      let sum = 0;
      for (const rarity of one) sum += rarity;
      return sum / one.length;
    };
  },
});

/** Distinct, in the order drawn. */
function drawFeatures(columns: number, count: number, prng: Prng): number[] {
  const all = Array.from({ length: columns }, (_, column) => column);
  return Array.from({ length: count }, (_, i) => {
    const other = i + prng.nextBelow(columns - i);
    [all[i], all[other]] = [all[other], all[i]];
    return all[i];
  });
}

function project(
  { rows, columns, values }: Matrix,
  featureOf: Float64Array,
  weightOf: Float64Array,
  from: number,
  used: number,
): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let i = from; i < from + used; i++) sum += weightOf[i] * values[row * columns + featureOf[i]];
    return sum;
  });
}

/** What has to be known of each projection, in their order. */
export function projectionsOf({ numbers }: Learned) {
  const { weights, least, ranges, bins, counts } = numbers;
  const projections = bins.length;
  const used = weights.length / projections;
  const features = Uint16Array.from(numbers.features);
  const starts = new Uint32Array(projections);
  const ofBins = new Float64Array(counts.length);
  const ofNone = new Float64Array(projections);
  for (let projection = 0, start = 0; projection < projections; start += bins[projection], projection++) {
    starts[projection] = start;
    const own = counts.subarray(start, start + bins[projection]);
    const highest = own.reduce((a, b) => Math.max(a, b));
    own.forEach((count, bin) => {
      ofBins[start + bin] = Math.log(highest / Math.max(EMPTY_COUNT, count));
    });
    ofNone[projection] = Math.log(highest / EMPTY_COUNT);
  }
  return {
    /** Features per projection, one after another in `features` and `weights`. */
    used,
    features,
    weights,
    least,
    ranges,
    bins,
    /** Where a projection's bins start in `ofBins`, their rarities. */
    starts,
    ofBins,
    /** Rarity just outside the training range. */
    ofNone,
  };
}

function createRarities(learned: Learned) {
  const { used, features, weights, least, ranges, bins, starts, ofBins, ofNone } = projectionsOf(learned);
  const projections = bins.length;
  const one = new Float64Array(projections);
  /** One number per projection, ≥ 0, valid until the next call. */
  const of = (scaled: Float64Array): Float64Array => {
    for (let projection = 0; projection < projections; projection++) {
      let sum = 0;
      for (let i = projection * used; i < (projection + 1) * used; i++) sum += weights[i] * scaled[features[i]];
      const place = (sum - least[projection]) / ranges[projection];
      if (place >= 0 && place <= 1) {
        const bin = Math.min(bins[projection] - 1, Math.floor(place * bins[projection]));
        one[projection] = ofBins[starts[projection] + bin];
      } else one[projection] = ofNone[projection] + Math.log1p(place < 0 ? -place : place - 1);
    }
    return one;
  };
  return { used, features, of };
}

function meanAndError(count: number, sum: number, squares: number): { mean: number; squaredError: number } {
  if (count === 0) return { mean: 0, squaredError: 0 };
  const mean = sum / count;
  return { mean, squaredError: Math.max(0, squares / count - mean * mean) / count };
}
