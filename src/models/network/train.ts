// Trains a network: epochs of the training graph, validation, early stopping with the best numbers restored.
//
//   const { network, history } = trainNetwork(runtime, sequential(30, [dense(64, 'relu'), dense(1, 'sigmoid')]),
//     { inputs: matrix, targets }, { epochs: 20, validation: { inputs, targets }, patience: 5 }, seed);
//
// `trainEpochs` hands out the network after every epoch and takes an answer, for whoever decides more than when to stop.
// The same seed gives the same bits. There is no clock here: a caller that wants seconds takes them in `onEpochEnd`.
import { assert } from '../../lib/assert.ts';
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { GraphRuntime, GraphTensor } from '../../ports.ts';
import type { Matrix } from '../matrix.ts';
import type { Network, NetworkDescription } from './description.ts';
import { inferenceModel } from './inference-graph.ts';
import { type Loss, meanLoss, takesLogits } from './losses.ts';
import { type LearningRate, learningRateAt, momentCount, type Optimizer, stepNumbers } from './optimizer.ts';
import { initialParameters, layoutParameters, networkOf, parametersOf } from './parameters.ts';
import { layerWidths } from './sequential.ts';
import { dropoutMasks, trainingModel } from './training-graph.ts';

export interface Examples {
  /** Finite values. */
  readonly inputs: Matrix;
  /** rows × outputs of the network */
  readonly targets: Float32Array;
  /** One weight ≥ 0 per row (a class's weight, too); 1 where it is left out. Validation rows all count alike. */
  readonly weights?: Float32Array;
}

export interface EpochLosses {
  /** From 1. */
  readonly epoch: number;
  /** Mean over the epoch's rows while training: with dropout, penalties, and weights that still move. */
  readonly loss: number;
  /** Mean over the validation rows after the epoch; null without such rows. */
  readonly validationLoss: number | null;
  /** Of the epoch's last step. */
  readonly learningRate: number;
}

export interface EpochEnd extends EpochLosses {
  /** With the numbers after the epoch. */
  readonly network: Network;
}

/** What is decided after an epoch; nothing goes on as before. */
export interface EpochAnswer {
  readonly stop?: boolean;
  /** All later learning rates × this. */
  readonly rateFactor?: number;
}

export interface EpochTraining {
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  readonly learningRate: LearningRate;
  /** A batch's gradient longer than this is shortened to it (Pascanu and others, ICML 2013); null never. */
  readonly clipNorm: number | null;
  readonly epochs: number;
  readonly batchRows: number;
  /** Rows that are measured after each epoch. */
  readonly validation: Examples | null;
  /** A network of the same description to go on from; null starts from random numbers. The optimizer starts anew. */
  readonly startFrom: Network | null;
  /** The inputs of an epoch (from 1) in place of the examples', as many and finite: noise drawn anew; null to keep them. */
  readonly inputsOf: ((epoch: number) => Matrix) | null;
}

export interface NetworkTraining extends EpochTraining {
  /** Epochs without a better validation loss before training stops; 0 never stops. The best epoch's numbers are kept. */
  readonly patience: number;
  /** Called after each epoch; `false` stops the training. */
  readonly onEpochEnd: ((losses: EpochLosses) => boolean | undefined) | null;
}

export interface TrainedNetwork {
  readonly network: Network;
  readonly history: readonly EpochLosses[];
  /** The epoch whose numbers the network has, from 1. */
  readonly bestEpoch: number;
}

const DEFAULT_TRAINING: EpochTraining = {
  loss: { kind: 'binary-cross-entropy' },
  optimizer: { kind: 'adam' },
  learningRate: { initial: 1e-3 },
  clipNorm: null,
  epochs: 20,
  batchRows: 256,
  validation: null,
  startFrom: null,
  inputsOf: null,
};

/** Masks that the windows of a step are taken from: enough that two steps seldom see the same part. */
const MASK_NUMBERS = 1 << 20;
const MAX_ROWS = 2 ** 31 - 1;

/** @throws if shapes, options or values don't fit; the message says which. */
export function trainNetwork(
  runtime: GraphRuntime,
  description: NetworkDescription,
  examples: Examples,
  { patience = 0, onEpochEnd = null, ...options }: Partial<NetworkTraining>,
  seed: number,
): TrainedNetwork {
  const history: EpochLosses[] = [];
  let best: { network: Network; watched: number; epoch: number } | null = null;
  for (const { network, ...losses } of trainEpochs(runtime, description, examples, options, seed)) {
    history.push(losses);
    const { epoch, validationLoss } = losses;
    const watched = patience > 0 && validationLoss !== null ? validationLoss : Number.NEGATIVE_INFINITY;
    if (best === null || watched < best.watched || watched === Number.NEGATIVE_INFINITY)
      best = { network, watched, epoch };
    if (onEpochEnd?.(losses) === false) break;
    if (patience > 0 && epoch - best.epoch >= patience) break;
  }
  assert(best !== null, 'there is at least one epoch');
  return { network: best.network, history, bestEpoch: best.epoch };
}

/**
 * One value per epoch, each trained when the next is asked for. Leaving early, by `return`, frees what the training holds.
 *
 * @throws if shapes, options or values don't fit; the message says which.
 */
export function* trainEpochs(
  runtime: GraphRuntime,
  description: NetworkDescription,
  examples: Examples,
  options: Partial<EpochTraining>,
  seed: number,
): Generator<EpochEnd, void, EpochAnswer | undefined> {
  const chosen = { ...DEFAULT_TRAINING, ...options };
  checkTraining(description, examples, chosen);
  const { rows } = examples.inputs;
  const batchRows = Math.min(chosen.batchRows, rows);
  const steps = Math.ceil(rows / batchRows);
  const { loss, optimizer, clipNorm, startFrom } = chosen;
  const plan = { description, loss, optimizer, clipNorm, batchRows };
  const layout = layoutParameters(description);
  const prng = createPrng(seed);
  let state: State = {
    ...(startFrom === null ? initialParameters(layout, prng.fork(0).nextUint32()) : parametersOf(startFrom)),
    moments: Array.from({ length: momentCount(optimizer) }, () => new Float32Array(layout.learnedLength)),
  };
  const outputs = layerWidths(description)[description.layers.length];
  const constant = {
    targets: tensor(examples.targets, [rows, outputs]),
    steps: { data: BigInt64Array.of(BigInt(steps)), dims: [] },
  };
  let rateFactor = 1;
  const session = runtime.open(trainingModel(plan));
  try {
    for (let epoch = 1; epoch <= chosen.epochs; epoch++) {
      const own = prng.fork(epoch);
      const shuffled = shuffleRows(rows, steps, batchRows, examples.weights ?? null, outputs, own.fork(0));
      const rate = { ...chosen.learningRate, initial: chosen.learningRate.initial * rateFactor };
      const { values } = chosen.inputsOf?.(epoch) ?? examples.inputs;
      const results = session.run({
        ...constant,
        rows: tensor(values, [rows, description.inputs]),
        ...shuffled.feeds,
        ...stateFeeds(state),
        ...numberFeeds(stepNumbers(optimizer, rate, (epoch - 1) * steps, steps)),
        ...maskFeeds(dropoutMasks(plan), steps, own.fork(1)),
      });
      state = stateOf(results, state);
      const network = networkOf(description, layout, state.learned, state.tracked);
      const epochLoss = meanOfSteps(results.losses.data as Float32Array, rows, batchRows);
      if (!Number.isFinite(epochLoss)) {
        throw new Error(
          `network: the loss is ${epochLoss} in epoch ${epoch}: lower the learning rate, set clipNorm, or look for values that are not finite in the rows`,
        );
      }
      const answer = yield {
        epoch,
        loss: epochLoss,
        validationLoss: chosen.validation === null ? null : validate(runtime, network, loss, chosen.validation),
        learningRate: learningRateAt(rate, epoch * steps - 1),
        network,
      };
      if (answer?.stop === true) return;
      rateFactor *= answer?.rateFactor ?? 1;
    }
  } finally {
    session.close();
  }
}

interface State {
  readonly learned: Float32Array;
  readonly tracked: Float32Array;
  readonly moments: readonly Float32Array[];
}

const tensor = (data: GraphTensor['data'], dims: readonly number[]): GraphTensor => ({ data, dims });
const vector = (data: Float32Array) => tensor(data, [data.length]);

function stateFeeds({ learned, tracked, moments }: State): Record<string, GraphTensor> {
  const feeds: Record<string, GraphTensor> = { learned: vector(learned) };
  if (tracked.length > 0) feeds.tracked = vector(tracked);
  moments.forEach((moment, i) => {
    feeds[`moment${i}`] = vector(moment);
  });
  return feeds;
}

function stateOf(results: Readonly<Record<string, GraphTensor>>, before: State): State {
  const take = (name: string) => results[name].data as Float32Array;
  return {
    learned: take('learned_out'),
    tracked: before.tracked.length > 0 ? take('tracked_out') : before.tracked,
    moments: before.moments.map((_, i) => take(`moment${i}_out`)),
  };
}

const numberFeeds = (numbers: Readonly<Record<string, Float32Array>>) =>
  Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, vector(values)]));

/** A permutation of the rows in batches. The last batch is filled up with its first rows again, which then count for nothing. */
function shuffleRows(
  rows: number,
  steps: number,
  batchRows: number,
  weights: Float32Array | null,
  outputs: number,
  prng: Prng,
): { feeds: Record<string, GraphTensor> } {
  const order = new Int32Array(steps * batchRows);
  for (let i = 0; i < rows; i++) {
    const j = prng.nextBelow(i + 1);
    order[i] = order[j];
    order[j] = i;
  }
  order.copyWithin(rows, 0, order.length - rows);
  const scale = new Float32Array(order.length);
  const lastRows = rows - (steps - 1) * batchRows;
  for (let i = 0; i < rows; i++) {
    const inBatch = i < (steps - 1) * batchRows ? batchRows : lastRows;
    scale[i] = (weights === null ? 1 : weights[order[i]]) / (inBatch * outputs);
  }
  return { feeds: { order: tensor(order, [steps, batchRows]), scale: tensor(scale, [steps, batchRows, 1]) } };
}

function maskFeeds(masks: ReturnType<typeof dropoutMasks>, steps: number, prng: Prng): Record<string, GraphTensor> {
  const feeds: Record<string, GraphTensor> = {};
  for (const { layer, rate, length } of masks) {
    const own = prng.fork(layer);
    const numbers = new Float32Array(Math.max(MASK_NUMBERS, 2 * length));
    const kept = 1 / (1 - rate);
    const threshold = Math.round(rate * 65536);
    // Two masks of 16 bits each from one word.
    for (let i = 0; i < numbers.length; i += 2) {
      const word = own.nextUint32();
      numbers[i] = word >>> 16 < threshold ? 0 : kept;
      numbers[i + 1] = (word & 65535) < threshold ? 0 : kept;
    }
    const offsets = BigInt64Array.from({ length: steps }, () => BigInt(own.nextBelow(numbers.length - length)));
    feeds[`masks${layer}`] = vector(numbers);
    feeds[`offset${layer}`] = tensor(offsets, [steps, 1]);
  }
  return feeds;
}

/** Each step's loss is its batch's mean; the last batch may be smaller. */
function meanOfSteps(losses: Float32Array, rows: number, batchRows: number): number {
  const last = losses.length - 1;
  let sum = losses[last] * (rows - last * batchRows);
  for (let i = 0; i < last; i++) sum += losses[i] * batchRows;
  return sum / rows;
}

function validate(runtime: GraphRuntime, network: Network, loss: Loss, { inputs, targets }: Examples): number {
  const session = runtime.open(inferenceModel(network, takesLogits(loss) ? 'logit' : 'activation'));
  try {
    const { outputs } = session.run({ inputs: tensor(inputs.values, [inputs.rows, inputs.columns]) });
    return meanLoss(loss, outputs.dims[1], outputs.data as Float32Array, targets);
  } finally {
    session.close();
  }
}

function checkTraining(description: NetworkDescription, examples: Examples, training: EpochTraining): void {
  const widths = layerWidths(description);
  const outputs = widths[widths.length - 1];
  const check = (which: string, { inputs, targets, weights }: Examples) => {
    if (inputs.rows < 1 || inputs.rows > MAX_ROWS) throw new Error(`network: ${inputs.rows} ${which} rows`);
    if (inputs.columns !== description.inputs) {
      throw new Error(`network: ${inputs.columns} ${which} columns for a network of ${description.inputs} inputs`);
    }
    if (targets.length !== inputs.rows * outputs) {
      throw new Error(`network: ${targets.length} ${which} targets for ${inputs.rows} rows × ${outputs} outputs`);
    }
    if (weights !== undefined && (weights.length !== inputs.rows || weights.some((weight) => !(weight >= 0)))) {
      throw new Error(`network: ${which} weights must be one number ≥ 0 per row`);
    }
  };
  check('training', examples);
  if (training.validation !== null) check('validation', training.validation);
  for (const key of ['epochs', 'batchRows'] as const) {
    if (!Number.isInteger(training[key]) || training[key] < 1)
      throw new Error(`network: ${key} is ${training[key]}, not 1 or more`);
  }
  const { clipNorm, startFrom } = training;
  if (clipNorm !== null && !(clipNorm > 0)) throw new Error(`network: clipNorm is ${clipNorm}, not above 0`);
  if (startFrom !== null && JSON.stringify(startFrom.description) !== JSON.stringify(description)) {
    throw new Error('network: the network to go on from has another description');
  }
  const head = description.layers[description.layers.length - 1];
  if (training.loss.kind === 'mixed') {
    const logits = training.loss.blocks.reduce((sum, codes) => sum + codes, 0);
    if (training.loss.blocks.length === 0 || training.loss.blocks.some((codes) => codes < 1) || logits > outputs) {
      throw new Error(`network: the loss mixed has blocks of ${logits} logits for a network of ${outputs} outputs`);
    }
  }
  if (takesLogits(training.loss) && (head.kind !== 'dense' || head.activation !== 'sigmoid')) {
    throw new Error(`network: the loss ${training.loss.kind} needs a sigmoid in the last layer`);
  }
}
