// Isotonic calibration: the best monotone step function, by pooling adjacent violators (Ayer and others 1955; Zadrozny and
// Elkan, KDD 2002), read between its steps by straight lines. It needs some thousand rows with some hundred frauds.
import { checkRows, type Scores } from './calibration-rows.ts';

export interface IsotonicCalibration {
  readonly kind: 'isotonic';
  readonly version: 1;
  /** Ascending and distinct. */
  readonly scores: readonly number[];
  /** Never descending, in [0, 1]. */
  readonly probabilities: readonly number[];
}

/**
 * @param labels 1 fraud, 0 genuine, one per score.
 * @param genuineWeight how many genuine rows each genuine one stands for, where they were sampled.
 * @throws if there are no rows or a score is not finite.
 */
export function fitIsotonic(scores: Scores, labels: Uint8Array, genuineWeight = 1): IsotonicCalibration {
  checkRows(scores, labels, genuineWeight);
  const points = distinctScores(scores, labels, genuineWeight);
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

/** The probability of one score, constant beyond the outermost knots. */
export function interpolate(knots: readonly number[], probabilities: readonly number[], score: number): number {
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

interface Points {
  readonly scores: Float64Array;
  readonly rows: Float64Array;
  readonly frauds: Float64Array;
}

/** The distinct scores, ascending, with their rows and frauds. Sorting both classes apart avoids sorting indices. */
function distinctScores(scores: Scores, labels: Uint8Array, genuineWeight: number): Points {
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
    for (; g < genuine.length && genuine[g] === score; g++) points.rows[count] += genuineWeight;
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
