// Autoencoder: a network with a narrow middle learns to repeat ordinary rows; what it cannot repeat is unusual (Hawkins
// and others, "Outlier detection using replicator neural networks", DaWaK 2002).
//
// It learns from rows with some of their values swapped for those of other rows, and so what goes with what
// (swap-noise.ts). A feature counts by how rare its residual is among the training rows (residual-rarity.ts); the sum r
// over the features, in units of the training rows' mean, gives the score r ÷ (1 + r). The values of the narrow middle
// are an embedding of the transaction (`extract`). An explanation shares r among the features by what their removal takes
// off it (share-by-removal.ts). What was tried and what it gave: docs/decisions/0011.
import { createPrng } from '../../lib/prng.ts';
import type { GraphRuntime } from '../../ports.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import type { Matrix } from '../matrix.ts';
import { storedCurves } from '../network/observer.ts';
import { createNetworkScorer } from '../network/scorer/network-scorer.ts';
import { dense, embedColumns, sequential } from '../network/sequential.ts';
import { trainNetwork } from '../network/train.ts';
import { createPreparation, fitPreparation, ordinaryRow } from '../preparation/preparation.ts';
import { type AutoencoderState, decodeAutoencoder, encodeAutoencoder } from './artefact.ts';
import { type AutoencoderOptions, completeAutoencoderOptions, DEFAULT_AUTOENCODER_OPTIONS } from './options.ts';
import { createRaritySum } from './rarity-sum.ts';
import { createResiduals, lossOfRepetition, repetitionOf, residualsOf, targetsOf } from './repetition.ts';
import { fitResidualTail, raritiesOf } from './residual-rarity.ts';
import { shareByRemoval } from './share-by-removal.ts';
import { swapValues } from './swap-noise.ts';

export interface FittedAutoencoder extends FittedDetector {
  /** rows × bottleneck */
  extract(matrix: Matrix): Matrix;
}

const NAME = 'autoencoder';
/** Standard deviations: far values must stay far, and a square must not outweigh a whole epoch. */
const CLIP = 10;
/** Rows that are worked on at a time, so that what is between two steps stays in the nearest caches. */
const BLOCK_ROWS = 64;
/** More rows share a feature's table of rarities while it is there. */
const RESIDUAL_ROWS = 4 * BLOCK_ROWS;
/** A residual that more than a third of the rows reach (−log of it is below 1) says nothing. */
const ORDINARY_RARITY = 1;

export function createAutoencoderDetector(runtime: GraphRuntime): Omit<Detector<AutoencoderOptions>, 'fit' | 'load'> & {
  fit(data: TrainingData, options: Partial<AutoencoderOptions>, seed: number): FittedAutoencoder;
  load(artefact: Artefact): FittedAutoencoder;
} {
  return {
    name: NAME,
    needsLabels: false,
    defaults: DEFAULT_AUTOENCODER_OPTIONS,
    fit(data, options, seed) {
      const chosen = completeAutoencoderOptions(options);
      const { state, curve } = learn(runtime, data, chosen, seed);
      const { observer, ...parameters } = chosen;
      return fitted(state, data.features, { ...parameters, ...storedCurves([curve]) });
    },
    load: (artefact) => fitted(decodeAutoencoder(artefact), artefact.features, artefact.parameters),
  };
}

function learn(runtime: GraphRuntime, data: TrainingData, options: AutoencoderOptions, seed: number) {
  const { matrix, features } = data;
  if (features.length !== matrix.columns || features.length === 0) {
    throw new Error(`${NAME}: ${features.length} feature names for a matrix of ${matrix.columns} columns`);
  }
  if (matrix.rows < 2) throw new Error(`${NAME}: ${matrix.rows} rows to learn from; 2 are the least`);
  const plan = fitPreparation(matrix, { method: options.method, clip: CLIP, categorical: data.categorical ?? [] });
  const preparation = createPreparation(plan);
  const repetition = repetitionOf(preparation, true);
  const embeddings = preparation.categorical.map((codes) => ({ ...codes, units: options.embeddingUnits }));
  const description = sequential(preparation.outputs, [
    ...(embeddings.length > 0 ? [embedColumns(embeddings)] : []),
    dense(options.hidden, 'relu'),
    dense(options.bottleneck, 'linear'),
    dense(options.hidden, 'relu'),
    dense(repetition.width, 'linear'),
  ]);
  const inputs = preparation.apply(matrix);
  const targets = targetsOf(repetition, inputs);
  const noise = createPrng(seed).fork(1);
  const { observer, epochs } = options;
  const place = { member: 0, members: 1, epochs };
  const { network, ...curve } = trainNetwork(
    runtime,
    description,
    { inputs, targets },
    {
      loss: lossOfRepetition(repetition),
      epochs,
      batchRows: options.batchRows,
      learningRate: { initial: options.learningRate },
      inputsOf: (epoch) => swapValues(inputs, options.swapShare, noise.fork(epoch)),
      onEpochEnd: (losses) => observer?.onEpoch(losses, place),
    },
    seed,
  );
  observer?.onNetwork(curve, place);
  const outputs = createNetworkScorer(network).score(inputs.values, inputs.rows);
  const residuals = residualsOf(repetition, preparation, inputs, outputs);
  const tails = plan.columns.map(({ kind }, column) =>
    kind === 'constant' ? null : fitResidualTail(residuals, column),
  );
  const one = new Float64Array(matrix.columns);
  let sum = 0;
  for (let row = 0; row < matrix.rows; row++) {
    raritiesOf(tails, ORDINARY_RARITY, residuals, row, one);
    for (const rarity of one) sum += rarity;
  }
  const state: AutoencoderState = {
    plan,
    network,
    repeatsCategories: true,
    tails,
    ordinary: ORDINARY_RARITY,
    scale: sum > 0 ? sum / matrix.rows : 1,
    middle: description.layers.length - 3,
  };
  return { state, curve };
}

function fitted(
  state: AutoencoderState,
  features: readonly string[],
  parameters: Artefact['parameters'],
): FittedAutoencoder {
  const { plan, network, tails, ordinary, scale, middle } = state;
  const preparation = createPreparation(plan);
  const repetition = repetitionOf(preparation, state.repeatsCategories);
  const scorer = createNetworkScorer(network);
  const writeResiduals = createResiduals(repetition, preparation);
  const addRarities = createRaritySum(tails, ordinary, scale);
  const residuals = new Float32Array(RESIDUAL_ROWS * preparation.inputs);
  const { description } = network;
  const encoder = createNetworkScorer({
    description: { ...description, layers: description.layers.slice(0, middle + 1) },
    weights: network.weights.slice(0, middle + 1),
  });
  const checkColumns = (columns: number) => {
    if (columns !== preparation.inputs)
      throw new Error(`${NAME}: ${columns} columns, trained on ${preparation.inputs}`);
  };
  const prepare = (matrix: Matrix) => {
    checkColumns(matrix.columns);
    return preparation.apply(matrix);
  };
  const outputs = new Float32Array(BLOCK_ROWS * scorer.outputs);
  /** The raw scores of rows whose blocks are prepared one by one. */
  const addUp = (rows: number, blockOf: (from: number, count: number) => Float32Array): Float64Array => {
    const raws = new Float64Array(rows);
    for (let first = 0; first < rows; first += RESIDUAL_ROWS) {
      const many = Math.min(RESIDUAL_ROWS, rows - first);
      for (let done = 0; done < many; done += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, many - done);
        const block = blockOf(first + done, count);
        scorer.scoreInto(block, count, outputs);
        writeResiduals(block, outputs, count, residuals.subarray(done * preparation.inputs));
      }
      addRarities(residuals, many, raws.subarray(first));
    }
    return raws;
  };
  const rawOf = ({ rows, columns, values }: Matrix) =>
    addUp(rows, (from, count) => values.subarray(from * columns, (from + count) * columns));
  const preparedRows = new Float32Array(BLOCK_ROWS * preparation.outputs);
  const usual = new Float32Array(preparation.outputs);
  preparation.applyRow(ordinaryRow(plan), usual, 0);
  return {
    name: NAME,
    features,
    score(matrix) {
      checkColumns(matrix.columns);
      const raws = addUp(matrix.rows, (from, count) => {
        preparation.applyRows(matrix, from, count, preparedRows);
        return preparedRows.subarray(0, count * preparation.outputs);
      });
      const scores = new Float32Array(matrix.rows);
      for (let row = 0; row < scores.length; row++) scores[row] = raws[row] / (1 + raws[row]);
      return scores;
    },
    explain(row) {
      const own = prepare({ rows: 1, columns: row.length, values: row });
      const contributions = shareByRemoval(rawOf, preparation, own.values, usual);
      const isShared = contributions.some((share) => share > 0);
      return { base: isShared ? 0 : rawOf(own)[0], contributions };
    },
    explainQuickly(row) {
      const own = prepare({ rows: 1, columns: row.length, values: row });
      const rarities = new Float64Array(preparation.inputs);
      writeResiduals(own.values, scorer.score(own.values, 1), 1, residuals);
      raritiesOf(tails, ordinary, { rows: 1, columns: preparation.inputs, values: residuals }, 0, rarities);
      const contributions = shareByRemoval(rawOf, preparation, own.values, usual, rarest(rarities));
      const isShared = contributions.some((share) => share > 0);
      return { base: isShared ? 0 : rawOf(own)[0], contributions };
    },
    extract(matrix) {
      const { values } = prepare(matrix);
      return { rows: matrix.rows, columns: encoder.outputs, values: encoder.score(values, matrix.rows) };
    },
    save: () => encodeAutoencoder(state, features, parameters),
  };
}

/** Where the quick explanation looks for the feature that is out of line: it spoils its own residual too. */
const QUICK_FEATURES = 8;

/** The first of equals. */
function rarest(rarities: Float64Array): Set<number> {
  const order: number[] = [];
  for (let feature = 0; feature < rarities.length; feature++) {
    if (order.length === QUICK_FEATURES && !(rarities[feature] > rarities[order[QUICK_FEATURES - 1]])) continue;
    let place = Math.min(order.length, QUICK_FEATURES - 1);
    for (; place > 0 && rarities[feature] > rarities[order[place - 1]]; place--) order[place] = order[place - 1];
    order[place] = feature;
  }
  return new Set(order);
}
