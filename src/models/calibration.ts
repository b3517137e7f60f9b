// Scores to probabilities, fitted on rows that come after those the detector learned from.
//
// Isotonic: the best monotone step function, by pooling adjacent violators (Ayer and others 1955; Zadrozny and Elkan,
// KDD 2002), read between its steps by straight lines. Platt: a logistic curve with Platt's smoothed targets ("Probabilistic
// outputs for support vector machines", 1999) fitted by Newton's method as in Lin, Lin, Weng, Machine Learning 68, 2007.
// Isotonic needs some thousand rows with some hundred frauds; Platt does with few.

/** Plain data: it can be written as JSON as it is. */
export type Calibration =
  | {
      readonly kind: 'isotonic';
      readonly version: 1;
      /** Ascending and distinct. */
      readonly scores: readonly number[];
      /** Never descending, in [0, 1]. */
      readonly probabilities: readonly number[];
    }
  | {
      readonly kind: 'platt';
      readonly version: 1;
      /** The probability is 1 ÷ (1 + exp(−(slope × score + intercept))). */
      readonly slope: number;
      readonly intercept: number;
    };

type Scores = Float32Array | Float64Array;

const NEWTON_STEPS = 100;
const CONVERGED = 1e-10;
const LEAST_STEP = 1e-10;
/** Keeps the Hessian invertible where all scores are equal. */
const RIDGE = 1e-12;

/**
 * @param labels 1 fraud, 0 genuine, one per score.
 * @throws if there are no rows or a score is not finite.
 */
export function fitIsotonic(scores: Scores, labels: Uint8Array): Calibration {
  checkRows(scores, labels);
  const points = distinctScores(scores, labels);
  const blocks = poolAdjacentViolators(points.rows, points.frauds);
  const knots: { score: number; probability: number }[] = [];
  let first = 0;
  for (const block of blocks) {
    const probability = block.frauds / block.rows;
    const last = first + block.points - 1;
    knots.push({ score: points.scores[first], probability });
    if (last > first) knots.push({ score: points.scores[last], probability });
    first = last + 1;
  }
  return {
    kind: 'isotonic',
    version: 1,
    scores: knots.map(({ score }) => score),
    probabilities: knots.map(({ probability }) => probability),
  };
}

/**
 * @param labels 1 fraud, 0 genuine, one per score.
 * @throws if there are no rows, a score is not finite, or the scores run against the labels (a curve that falls).
 */
export function fitPlatt(scores: Scores, labels: Uint8Array): Calibration {
  checkRows(scores, labels);
  const { mean, spread } = standardisation(scores);
  const values = Float64Array.from(scores, (score) => (score - mean) / spread);
  const frauds = labels.reduce((sum, label) => sum + label, 0);
  const genuine = labels.length - frauds;
  const targets = Float64Array.from(labels, (label) => (label === 1 ? (frauds + 1) / (frauds + 2) : 1 / (genuine + 2)));
  const { slope, intercept } = fitLogistic(values, targets, Math.log((frauds + 1) / (genuine + 1)));
  if (slope < 0) {
    throw new Error(
      'scores fall as fraud rises on the calibration rows: a curve through them would turn the ranking round',
    );
  }
  return { kind: 'platt', version: 1, slope: slope / spread, intercept: intercept - (slope * mean) / spread };
}

/** One probability per score: monotone, in [0, 1]. A missing score has a missing probability. */
export function calibrate(calibration: Calibration, scores: Scores): Float32Array {
  if (calibration.kind === 'isotonic') {
    const { scores: knots, probabilities } = calibration;
    return Float32Array.from(scores, (score) => interpolate(knots, probabilities, score));
  }
  return Float32Array.from(scores, (score) => logistic(calibration.slope * score + calibration.intercept));
}

/** @throws if the data, as parsed from JSON, is no calibration; the message says why. */
export function readCalibration(data: unknown): Calibration {
  const given = data as Partial<Calibration> | null;
  if (typeof given !== 'object' || given === null) throw invalid('it is no object');
  if (given.version !== 1) throw invalid(`its version is ${String(given.version)}, this program reads 1`);
  if (given.kind === 'platt') {
    if (!Number.isFinite(given.slope) || !Number.isFinite(given.intercept))
      throw invalid('slope or intercept is no number');
    return given as Calibration;
  }
  if (given.kind !== 'isotonic') throw invalid(`its kind is "${String((given as { kind?: unknown }).kind)}"`);
  checkKnots(given.scores, given.probabilities);
  return given as Calibration;
}

function checkKnots(scores: unknown, probabilities: unknown): void {
  if (!isNumbers(scores) || !isNumbers(probabilities)) throw invalid('scores or probabilities are no numbers');
  if (scores.length === 0 || scores.length !== probabilities.length)
    throw invalid('scores and probabilities differ in number');
  for (let i = 0; i < scores.length; i++) {
    if (probabilities[i] < 0 || probabilities[i] > 1) throw invalid(`probability ${i} is ${probabilities[i]}`);
    if (i > 0 && (scores[i] <= scores[i - 1] || probabilities[i] < probabilities[i - 1])) {
      throw invalid(`its steps do not ascend at ${i}`);
    }
  }
}

function isNumbers(values: unknown): values is readonly number[] {
  return Array.isArray(values) && values.every((value) => Number.isFinite(value));
}

function invalid(what: string): Error {
  return new Error(`calibration can't be read: ${what}; fit it again`);
}

function checkRows(scores: Scores, labels: Uint8Array): void {
  if (scores.length === 0) throw new Error('no rows to calibrate on');
  if (scores.length !== labels.length) throw new Error(`${scores.length} scores but ${labels.length} labels`);
  const bad = scores.findIndex((score: number) => !Number.isFinite(score));
  if (bad >= 0) throw new Error(`score of row ${bad} is ${scores[bad]}: calibration needs finite scores`);
}

interface Points {
  readonly scores: Float64Array;
  readonly rows: Float64Array;
  readonly frauds: Float64Array;
}

/** The distinct scores, ascending, with their rows and frauds. Sorting both classes apart avoids sorting indices. */
function distinctScores(scores: Scores, labels: Uint8Array): Points {
  const sorted = [0, 1].map((label) =>
    Float64Array.from(scores.filter((_: number, row: number) => labels[row] === label)).sort(),
  );
  const points: Points = {
    scores: new Float64Array(scores.length),
    rows: new Float64Array(scores.length),
    frauds: new Float64Array(scores.length),
  };
  const [genuine, frauds] = sorted;
  let count = 0;
  for (let g = 0, f = 0; g < genuine.length || f < frauds.length; count++) {
    const score = Math.min(genuine[g] ?? Number.POSITIVE_INFINITY, frauds[f] ?? Number.POSITIVE_INFINITY);
    points.scores[count] = score;
    for (; g < genuine.length && genuine[g] === score; g++) points.rows[count]++;
    for (; f < frauds.length && frauds[f] === score; f++) {
      points.rows[count]++;
      points.frauds[count]++;
    }
  }
  return {
    scores: points.scores.subarray(0, count),
    rows: points.rows.subarray(0, count),
    frauds: points.frauds.subarray(0, count),
  };
}

interface Block {
  points: number;
  rows: number;
  frauds: number;
}

/** Merges neighbours until the fraud rate never falls from block to block. */
function poolAdjacentViolators(rows: Float64Array, frauds: Float64Array): Block[] {
  const blocks: Block[] = [];
  for (let i = 0; i < rows.length; i++) {
    let block: Block = { points: 1, rows: rows[i], frauds: frauds[i] };
    for (let before = blocks.at(-1); before !== undefined; before = blocks.at(-1)) {
      if (before.frauds * block.rows < block.frauds * before.rows) break;
      blocks.pop();
      block = {
        points: before.points + block.points,
        rows: before.rows + block.rows,
        frauds: before.frauds + block.frauds,
      };
    }
    blocks.push(block);
  }
  return blocks;
}

function interpolate(knots: readonly number[], probabilities: readonly number[], score: number): number {
  if (Number.isNaN(score)) return Number.NaN;
  const last = knots.length - 1;
  if (score <= knots[0]) return probabilities[0];
  if (score >= knots[last]) return probabilities[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (knots[middle] <= score) low = middle;
    else high = middle;
  }
  const share = (score - knots[low]) / (knots[high] - knots[low]);
  return probabilities[low] + share * (probabilities[high] - probabilities[low]);
}

function standardisation(scores: Scores): { mean: number; spread: number } {
  let sum = 0;
  for (const score of scores) sum += score;
  const mean = sum / scores.length;
  let squares = 0;
  for (const score of scores) squares += (score - mean) ** 2;
  const spread = Math.sqrt(squares / scores.length);
  return { mean, spread: spread > 0 ? spread : 1 };
}

/** Newton's method with halved steps on the cross-entropy, which is convex. */
function fitLogistic(values: Float64Array, targets: Float64Array, start: number): { slope: number; intercept: number } {
  let slope = 0;
  let intercept = start;
  let loss = crossEntropy(values, targets, slope, intercept);
  for (let step = 0; step < NEWTON_STEPS; step++) {
    const move = newtonMove(values, targets, slope, intercept);
    if (move.decrease < CONVERGED) break;
    let size = 1;
    let next = crossEntropy(values, targets, slope + move.slope, intercept + move.intercept);
    while (next > loss && size > LEAST_STEP) {
      size /= 2;
      next = crossEntropy(values, targets, slope + size * move.slope, intercept + size * move.intercept);
    }
    if (next > loss) break;
    slope += size * move.slope;
    intercept += size * move.intercept;
    loss = next;
  }
  return { slope, intercept };
}

function newtonMove(values: Float64Array, targets: Float64Array, slope: number, intercept: number) {
  let gradientSlope = 0;
  let gradientIntercept = 0;
  let slopeSlope = RIDGE;
  let slopeIntercept = 0;
  let interceptIntercept = RIDGE;
  for (let row = 0; row < values.length; row++) {
    const probability = logistic(slope * values[row] + intercept);
    const error = probability - targets[row];
    const curvature = probability * (1 - probability);
    gradientSlope += error * values[row];
    gradientIntercept += error;
    slopeSlope += curvature * values[row] * values[row];
    slopeIntercept += curvature * values[row];
    interceptIntercept += curvature;
  }
  const determinant = slopeSlope * interceptIntercept - slopeIntercept * slopeIntercept;
  const moveSlope = (slopeIntercept * gradientIntercept - interceptIntercept * gradientSlope) / determinant;
  const moveIntercept = (slopeIntercept * gradientSlope - slopeSlope * gradientIntercept) / determinant;
  const decrease = -(gradientSlope * moveSlope + gradientIntercept * moveIntercept);
  return { slope: moveSlope, intercept: moveIntercept, decrease };
}

function crossEntropy(values: Float64Array, targets: Float64Array, slope: number, intercept: number): number {
  let sum = 0;
  for (let row = 0; row < values.length; row++) {
    const logit = slope * values[row] + intercept;
    // log(1 + e^z) − t·z, without overflow
    sum += Math.max(0, logit) + Math.log1p(Math.exp(-Math.abs(logit))) - targets[row] * logit;
  }
  return sum;
}

function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
