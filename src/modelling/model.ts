// A network to be trained, as a person works with one: compile, fit, evaluate, predict, save. As in Keras.
//
// A model holds the numbers of its network, and `fit` changes them; what `fit` returns stays as it is.
import { InputError } from '../lib/errors.ts';
import { createPrng } from '../lib/prng.ts';
import { type Matrix, sliceRows } from '../models/matrix.ts';
import type { Network, NetworkDescription } from '../models/network/description.ts';
import { type Loss, meanLoss, takesLogits } from '../models/network/losses.ts';
import type { LearningRate, Optimizer } from '../models/network/optimizer.ts';
import { initialParameters, layoutParameters, networkOf } from '../models/network/parameters.ts';
import { createNetworkScorer } from '../models/network/scorer/network-scorer.ts';
import { layerWidths } from '../models/network/sequential.ts';
import {
  type EpochAnswer,
  type EpochEnd,
  type EpochTraining,
  type Examples,
  trainEpochs,
} from '../models/network/train.ts';
import type { GraphRuntime } from '../ports.ts';
import type { Callback, EpochReport } from './callbacks.ts';
import { saveNetwork } from './files.ts';
import { type Metric, metricFunction } from './metrics.ts';
import { matrixOf, type Rows } from './rows.ts';
import { summaryOf } from './summary.ts';

export interface ModelSettings {
  /** A name takes its usual numbers; `adam` where it is left out. */
  readonly optimizer?: Optimizer | Optimizer['kind'];
  /** .001 where it is left out. */
  readonly learningRate?: number | LearningRate;
  /** `focal` by name has gamma 2; `binary-cross-entropy` where it is left out. */
  readonly loss?: Loss | Exclude<Loss['kind'], 'mixed'>;
  /** Longest gradient of a batch; null for any. */
  readonly clipNorm?: number | null;
  /** Measured on validation rows after each epoch, and by `evaluate`. */
  readonly metrics?: readonly Metric[];
  /** The same seed gives the same bits. 1 where it is left out. */
  readonly seed?: number;
}

export interface FitOptions {
  /** 10 where it is left out. */
  readonly epochs?: number;
  /** 256 where it is left out. */
  readonly batchRows?: number;
  readonly validation?: { readonly inputs: Rows; readonly targets: ArrayLike<number> };
  /** Without `validation`: this share of the rows, the last ones, is not trained on but measured. */
  readonly validationShare?: number;
  /** How much a row of target 0 and of target 1 counts; `balanced`: both classes alike in all. */
  readonly classWeights?: { readonly 0: number; readonly 1: number } | 'balanced';
  /** One number ≥ 0 per row, on top of its class's. */
  readonly rowWeights?: ArrayLike<number>;
  /** Called in their order after every epoch. */
  readonly callbacks?: readonly Callback[];
}

export type EpochRecord = Omit<EpochReport, 'network' | 'epochs'>;

export interface FittedModel {
  /** As the model has it now. */
  readonly network: Network;
  readonly history: readonly EpochRecord[];
  /** The epoch that the network is of. */
  readonly bestEpoch: number;
}

export interface Model {
  readonly description: NetworkDescription;
  /** The numbers as they are now: random before the first `fit`. */
  readonly network: Network;
  /** Goes on from the numbers as they are; the optimizer starts anew. */
  fit(inputs: Rows, targets: ArrayLike<number>, options?: FitOptions): Promise<FittedModel>;
  /** Row by row, as many numbers as the last layer has units. */
  predict(inputs: Rows): Float32Array;
  /** The loss and the metrics. */
  evaluate(inputs: Rows, targets: ArrayLike<number>): Readonly<Record<string, number>>;
  /** A table of the layers, their outputs and their parameters. */
  summary(): string;
  /** By the file's ending: .keras, .h5, .pt, .safetensors or .onnx. */
  save(path: string): Promise<void>;
}

const DEFAULT_EPOCHS = 10;
/** Keras's. */
const USUAL_OPTIMIZERS: Readonly<Record<Optimizer['kind'], Optimizer>> = {
  adam: { kind: 'adam' },
  adamw: { kind: 'adamw', weightDecay: 0.004 },
  sgd: { kind: 'sgd' },
};
/** `mixed` has no usual form: its blocks must be named. */
const USUAL_LOSSES: Readonly<Record<Exclude<Loss['kind'], 'mixed'>, Loss>> = {
  'binary-cross-entropy': { kind: 'binary-cross-entropy' },
  focal: { kind: 'focal', gamma: 2 },
  'mean-squared-error': { kind: 'mean-squared-error' },
};

/** @param start null for random numbers, drawn by the seed */
export function createModel(
  runtime: GraphRuntime,
  description: NetworkDescription,
  start: Network | null,
  { optimizer = 'adam', learningRate = 1e-3, loss: givenLoss = 'binary-cross-entropy', ...rest }: ModelSettings,
): Model {
  const { clipNorm = null, metrics = [], seed = 1 } = rest;
  const loss = typeof givenLoss === 'string' ? named(USUAL_LOSSES, givenLoss, 'loss') : givenLoss;
  const settings: Pick<EpochTraining, 'loss' | 'optimizer' | 'learningRate' | 'clipNorm'> = {
    loss,
    optimizer: typeof optimizer === 'string' ? named(USUAL_OPTIMIZERS, optimizer, 'optimizer') : optimizer,
    learningRate: typeof learningRate === 'number' ? { initial: learningRate } : learningRate,
    clipNorm,
  };
  const measures = metrics.map(metricFunction);
  const outputs = layerWidths(description)[description.layers.length];
  const prng = createPrng(seed);
  let network = start ?? randomNetwork(description, prng.fork(0).nextUint32());
  let fits = 0;

  const measure = (measured: Network, { inputs, targets }: Examples) => {
    const answers = createNetworkScorer(measured).score(inputs.values, inputs.rows);
    return Object.fromEntries(measures.map((each) => [each.name, each.measure(targets, answers)]));
  };

  const recordOf = ({ network: measured, ...losses }: EpochEnd, validation: Examples | null): EpochRecord => ({
    ...losses,
    metrics: validation === null ? {} : measure(measured, validation),
  });

  return {
    description,
    get network() {
      return network;
    },
    async fit(inputs, targets, { epochs = DEFAULT_EPOCHS, batchRows = 256, callbacks = [], ...options } = {}) {
      const { training, validation } = splitExamples(examplesOf(inputs, targets, outputs), options, outputs);
      fits += 1;
      const plan: Partial<EpochTraining> = { ...settings, epochs, batchRows, validation, startFrom: network };
      const rounds = trainEpochs(runtime, description, training, plan, prng.fork(fits).nextUint32());
      const history: EpochRecord[] = [];
      let last = { network, epoch: 0 };
      let kept: typeof last | null = null;
      try {
        let answer: EpochAnswer | undefined;
        for (let next = rounds.next(); next.done !== true; next = rounds.next(answer)) {
          const record = recordOf(next.value, validation);
          history.push(record);
          last = { network: next.value.network, epoch: record.epoch };
          const answers = await answersOf(callbacks, { ...record, network: last.network, epochs });
          if (answers.keep) kept = last;
          answer = answers;
        }
      } finally {
        rounds.return();
      }
      const chosen = kept ?? last;
      network = chosen.network;
      return { network, history, bestEpoch: chosen.epoch };
    },
    predict(inputs) {
      const matrix = matrixOf(inputs);
      checkColumns(matrix, description);
      return createNetworkScorer(network).score(matrix.values, matrix.rows);
    },
    evaluate(inputs, targets) {
      const examples = examplesOf(inputs, targets, outputs);
      checkColumns(examples.inputs, description);
      const head = takesLogits(loss) ? 'logit' : 'activation';
      const values = createNetworkScorer(network, { head }).score(examples.inputs.values, examples.inputs.rows);
      return { loss: meanLoss(loss, outputs, values, examples.targets), ...measure(network, examples) };
    },
    summary: () => summaryOf(description),
    save: (path) => saveNetwork(network, path),
  };
}

function named<T>(usual: Readonly<Record<string, T>>, name: string, what: string): T {
  if (Object.hasOwn(usual, name)) return usual[name];
  throw new InputError('NAME_UNKNOWN', `There is no ${what} '${name}'`, `There are ${Object.keys(usual).join(', ')}`);
}

function randomNetwork(description: NetworkDescription, seed: number): Network {
  const layout = layoutParameters(description);
  const { learned, tracked } = initialParameters(layout, seed);
  return networkOf(description, layout, learned, tracked);
}

/** All callbacks' answers as one: any may stop, factors multiply. */
async function answersOf(callbacks: readonly Callback[], report: EpochReport) {
  let all = { stop: false, rateFactor: 1, keep: false };
  for (const callback of callbacks) {
    const { stop = false, rateFactor = 1, keep = false } = (await callback(report)) ?? {};
    all = { stop: all.stop || stop, rateFactor: all.rateFactor * rateFactor, keep: all.keep || keep };
  }
  return all;
}

function examplesOf(rows: Rows, targets: ArrayLike<number>, outputs: number): Examples {
  const inputs = matrixOf(rows);
  if (targets.length !== inputs.rows * outputs) {
    throw new InputError(
      'TARGETS_UNEVEN',
      `There are ${targets.length} targets for ${inputs.rows} rows × ${outputs} outputs of the network`,
      'Give one target per row and output, row by row',
    );
  }
  return { inputs, targets: Float32Array.from(targets) };
}

type RowOptions = Pick<FitOptions, 'validation' | 'validationShare' | 'classWeights' | 'rowWeights'>;

function splitExamples(
  all: Examples,
  { validation, validationShare = 0, classWeights, rowWeights }: RowOptions,
  outputs: number,
): { readonly training: Examples; readonly validation: Examples | null } {
  const { rows } = all.inputs;
  if (rowWeights !== undefined && rowWeights.length !== rows) {
    throw new InputError(
      'WEIGHTS_UNEVEN',
      `There are ${rowWeights.length} rowWeights for ${rows} rows`,
      'Give one number per row',
    );
  }
  if (!(validationShare >= 0 && validationShare < 1)) {
    throw new InputError('VALIDATION_SHARE', `validationShare is ${validationShare}`, 'It must be from 0 to below 1');
  }
  const kept = validation === undefined ? rows - Math.floor(rows * validationShare) : rows;
  const part = (from: number, to: number): Examples => ({
    inputs: sliceRows(all.inputs, from, to),
    targets: all.targets.subarray(from * outputs, to * outputs),
  });
  const training = part(0, kept);
  const ofClass = classWeights === undefined ? null : classWeightsOf(training.targets, classWeights, outputs);
  const weights =
    ofClass === null && rowWeights === undefined
      ? {}
      : {
          weights: Float32Array.from(
            { length: kept },
            (_, row) => (rowWeights?.[row] ?? 1) * (ofClass?.[training.targets[row] === 1 ? 1 : 0] ?? 1),
          ),
        };
  const held = kept < rows ? part(kept, rows) : null;
  return {
    training: { ...training, ...weights },
    validation: validation === undefined ? held : examplesOf(validation.inputs, validation.targets, outputs),
  };
}

function classWeightsOf(
  targets: Float32Array,
  given: NonNullable<FitOptions['classWeights']>,
  outputs: number,
): { readonly 0: number; readonly 1: number } {
  const ones = targets.reduce((sum, target) => sum + (target === 1 ? 1 : 0), 0);
  if (outputs !== 1 || targets.some((target) => target !== 0 && target !== 1)) {
    throw new InputError('CLASS_WEIGHTS', 'classWeights need one output and targets 0 and 1', 'Use rowWeights');
  }
  if (given !== 'balanced') return given;
  if (ones === 0 || ones === targets.length) {
    throw new InputError('CLASS_MISSING', 'All targets are alike, so no weights balance them', 'Give both classes');
  }
  return { 0: targets.length / (2 * (targets.length - ones)), 1: targets.length / (2 * ones) };
}

function checkColumns({ columns }: Matrix, { inputs }: NetworkDescription): void {
  if (columns === inputs) return;
  throw new InputError(
    'COLUMNS_UNEVEN',
    `The rows have ${columns} columns and the network ${inputs} inputs`,
    'Give the columns it was described for',
  );
}
