// The rounds of boosting: gradients, a tree, new margins, and the choice of when to stop.
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { Matrix } from '../matrix.ts';
import { type BinnedMatrix, binMatrix } from './binned-matrix.ts';
import { type Ensemble, findLeaf, joinTrees, type Tree } from './ensemble.ts';
import { createGrower, type Grower, type GrownTree } from './grower.ts';
import type { PackedGradients } from './histogram.ts';
import { averagePrecision, computeGradients, initialMargin, logLoss, type Targets } from './objective.ts';
import type { GbdtOptions } from './options.ts';

export interface LabelledMatrix {
  readonly matrix: Matrix;
  readonly labels: Uint8Array;
}

/** Streams of the seed, so that one part's draws don't move another's. */
const EDGES_STREAM = 1;
const DITHER_STREAM = 2;
const ROWS_STREAM = 3;
const COLUMNS_STREAM = 4;

/** @param training both classes present, checked by the caller */
export function boost(
  training: LabelledMatrix,
  validation: LabelledMatrix | null,
  features: readonly string[],
  options: GbdtOptions,
  seed: number,
): Ensemble {
  const { matrix, labels } = training;
  const root = createPrng(seed);
  const binned = binMatrix(matrix, options.maxBins, root.fork(EDGES_STREAM));
  const grower = createGrower(binned, monotoneByFeature(binned, features, options), options);
  const dither = root.fork(DITHER_STREAM);
  const rowDraws = root.fork(ROWS_STREAM);
  const columnDraws = root.fork(COLUMNS_STREAM);
  const targets: Targets = { labels, weights: weightsOf(labels, options) };
  const initial = initialMargin(targets);
  const margins = new Float64Array(matrix.rows).fill(initial);
  const probabilities = new Float64Array(matrix.rows);
  const gradients: PackedGradients = {
    packed: new Float64Array(matrix.rows),
    gradientUnit: 0,
    hessianUnit: 0,
    rowHessian: 0,
  };
  const stopping = createStopping(validation, initial, options);
  const trees: Tree[] = [];
  while (trees.length < options.rounds && !stopping.isDone()) {
    if (!computeGradients(margins, targets, probabilities, dither.nextUint32(), gradients)) break;
    const count = drawRows(grower, options.rowShare, rowDraws);
    const grown = grower.grow(gradients, count, drawColumns(binned, options.columnShare, columnDraws));
    // Without sampling, a tree of one leaf means that no later tree could split either.
    if (grown.tree.nodes === 1 && options.rowShare === 1 && options.columnShare === 1) break;
    trees.push(grown.tree);
    addTree(margins, grown, grower, count, matrix);
    stopping.addTree(grown.tree);
  }
  return joinTrees(trees.slice(0, stopping.bestRounds(trees.length)), matrix.columns, initial);
}

function monotoneByFeature(binned: BinnedMatrix, features: readonly string[], options: GbdtOptions): Int8Array | null {
  if (Object.keys(options.monotone).length === 0) return null;
  return Int8Array.from(binned.features, ({ column }) => options.monotone[features[column]] ?? 0);
}

function weightsOf(labels: Uint8Array, { positiveWeight, sampleWeights }: GbdtOptions): Float32Array {
  const weights = sampleWeights === null ? new Float32Array(labels.length).fill(1) : sampleWeights.slice();
  const sums = [0, 0];
  for (let i = 0; i < labels.length; i++) sums[labels[i]] += weights[i];
  const factor = positiveWeight === 'balanced' ? sums[0] / sums[1] : positiveWeight;
  for (let i = 0; i < labels.length; i++) if (labels[i] === 1) weights[i] *= factor;
  return weights;
}

/** Fills the grower's rows, ascending; each subset of the size is equally likely (Knuth, TAOCP 3.4.2, algorithm S). */
function drawRows(grower: Grower, share: number, prng: Prng): number {
  const { rows } = grower;
  const total = rows.length;
  if (share === 1) {
    for (let row = 0; row < total; row++) rows[row] = row;
    return total;
  }
  const wanted = Math.max(1, Math.round(total * share));
  let taken = 0;
  for (let row = 0; taken < wanted; row++) {
    if ((total - row) * prng.nextFloat() < wanted - taken) rows[taken++] = row;
  }
  return wanted;
}

function drawColumns(binned: BinnedMatrix, share: number, prng: Prng): Uint8Array {
  const total = binned.features.length;
  const used = new Uint8Array(total);
  const wanted = share === 1 ? total : Math.min(total, Math.max(1, Math.round(total * share)));
  let taken = 0;
  for (let f = 0; taken < wanted; f++) {
    if (wanted === total || (total - f) * prng.nextFloat() < wanted - taken) {
      used[f] = 1;
      taken++;
    }
  }
  return used;
}

function addTree(margins: Float64Array, grown: GrownTree, grower: Grower, count: number, matrix: Matrix): void {
  if (count < matrix.rows) {
    addByTraversal(margins, grown.tree, matrix);
    return;
  }
  const { rows } = grower;
  for (const { from, to, value } of grown.leaves) {
    for (let i = from; i < to; i++) margins[rows[i]] += value;
  }
}

function addByTraversal(margins: Float64Array, tree: Tree, matrix: Matrix): void {
  for (let row = 0; row < matrix.rows; row++) {
    margins[row] += tree.value[findLeaf(tree, matrix.values, row * matrix.columns, 0)];
  }
}

interface Stopping {
  addTree(tree: Tree): void;
  isDone(): boolean;
  /** Of `grown` trees, how many to keep. */
  bestRounds(grown: number): number;
}

function createStopping(validation: LabelledMatrix | null, initial: number, options: GbdtOptions): Stopping {
  if (validation === null || options.earlyStoppingRounds === 0) {
    return { addTree: () => {}, isDone: () => false, bestRounds: (grown) => grown };
  }
  const { matrix, labels } = validation;
  const margins = new Float64Array(matrix.rows).fill(initial);
  let best = Number.NEGATIVE_INFINITY;
  let bestRound = 0;
  let round = 0;
  return {
    addTree: (tree) => {
      round++;
      addByTraversal(margins, tree, matrix);
      const metric =
        options.earlyStoppingMetric === 'logloss' ? -logLoss(margins, labels) : averagePrecision(margins, labels);
      if (metric > best) {
        best = metric;
        bestRound = round;
      }
    },
    isDone: () => round - bestRound >= options.earlyStoppingRounds,
    bestRounds: () => bestRound,
  };
}
