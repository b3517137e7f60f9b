// Autoencoder: a network with a narrow middle learns to repeat ordinary rows; what it cannot repeat is unusual (Hawkins
// and others, "Outlier detection using replicator neural networks", DaWaK 2002).
//
// A feature's residual is measured in units of its own mean squared residual on the training rows, so that features that
// are hard to predict do not drown the others; the sum over the features is the raw score r, in units of the training
// rows' median, and r ÷ (1 + r) the score. Category codes enter as embeddings and are not themselves repeated.
// The values of the narrow middle are an embedding of the transaction (`extract`).
import type { GraphRuntime } from '../../ports.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import type { Matrix } from '../matrix.ts';
import { decodeNetworks, encodeNetworks } from '../network/artefact.ts';
import type { Network } from '../network/description.ts';
import { createNetworkScorer } from '../network/scorer/network-scorer.ts';
import { dense, embedColumns, sequential } from '../network/sequential.ts';
import { trainNetwork } from '../network/train.ts';
import { bytesOf, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import {
  createPreparation,
  fitPreparation,
  type Preparation,
  type PreparationMethod,
  type PreparationPlan,
} from '../preparation/preparation.ts';

export interface AutoencoderOptions {
  /** Units of the layers before and after the middle. */
  readonly hidden: number;
  /** Units of the middle: the length of an embedding. */
  readonly bottleneck: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly batchRows: number;
  readonly method: Exclude<PreparationMethod, 'piecewise-linear'>;
  /** Numbers per embedded category column. */
  readonly embeddingUnits: number;
}

export interface FittedAutoencoder extends FittedDetector {
  /** rows × bottleneck */
  extract(matrix: Matrix): Matrix;
}

interface State {
  readonly plan: PreparationPlan;
  readonly network: Network;
  /** One per repeated output: 1 ÷ mean squared residual ÷ the training rows' median sum; 0 for constant columns. */
  readonly weights: Float64Array;
  /** The layer whose values are the embedding, counted from 0. */
  readonly middle: number;
}

const NAME = 'autoencoder';
const FORMAT = `centinela.${NAME}`;
const FORMAT_VERSION = 1;
const DEFAULTS: AutoencoderOptions = {
  hidden: 32,
  bottleneck: 8,
  epochs: 20,
  learningRate: 2e-3,
  batchRows: 256,
  method: 'signed-log',
  embeddingUnits: 4,
};
/** Standard deviations: far values must stay far, and a square must not outweigh a whole epoch. */
const CLIP = 10;
/** Least mean squared residual, in units of the column's variance. */
const LEAST_RESIDUAL = 1e-4;

export function createAutoencoderDetector(runtime: GraphRuntime): Omit<Detector<AutoencoderOptions>, 'fit' | 'load'> & {
  fit(data: TrainingData, options: Partial<AutoencoderOptions>, seed: number): FittedAutoencoder;
  load(artefact: Artefact): FittedAutoencoder;
} {
  return {
    name: NAME,
    needsLabels: false,
    defaults: DEFAULTS,
    fit(data, options, seed) {
      const chosen = { ...DEFAULTS, ...options };
      const state = learn(runtime, data, chosen, seed);
      return fitted(state, data.features, { ...chosen });
    },
    load(artefact) {
      const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
      const { network, middle } = contents as { network: Omit<Artefact, 'binary' | 'features'>; middle: number };
      const { features, parameters } = artefact;
      const stored = decodeNetworks({ ...network, features, binary: sections[0] });
      const weights = new Float64Array(sections[1].buffer);
      return fitted({ plan: stored.preparation, network: stored.networks[0], weights, middle }, features, parameters);
    },
  };
}

function learn(runtime: GraphRuntime, data: TrainingData, options: AutoencoderOptions, seed: number): State {
  const { matrix, features } = data;
  if (features.length !== matrix.columns || features.length === 0) {
    throw new Error(`${NAME}: ${features.length} feature names for a matrix of ${matrix.columns} columns`);
  }
  if (matrix.rows < 2) throw new Error(`${NAME}: ${matrix.rows} rows to learn from; 2 are the least`);
  const plan = fitPreparation(matrix, { method: options.method, clip: CLIP, categorical: data.categorical ?? [] });
  const preparation = createPreparation(plan);
  const repeated = repeatedOutputs(preparation);
  if (repeated.length === 0) throw new Error(`${NAME}: all features are categories, and none can be repeated`);
  const embeddings = preparation.categorical.map((codes) => ({ ...codes, units: options.embeddingUnits }));
  const description = sequential(preparation.outputs, [
    ...(embeddings.length > 0 ? [embedColumns(embeddings)] : []),
    dense(options.hidden, 'relu'),
    dense(options.bottleneck, 'linear'),
    dense(options.hidden, 'relu'),
    dense(repeated.length, 'linear'),
  ]);
  const inputs = preparation.apply(matrix);
  const targets = Float32Array.from(
    { length: inputs.rows * repeated.length },
    (_, at) => inputs.values[Math.floor(at / repeated.length) * inputs.columns + repeated[at % repeated.length]],
  );
  const { network } = trainNetwork(
    runtime,
    description,
    { inputs, targets },
    {
      loss: { kind: 'mean-squared-error' },
      epochs: options.epochs,
      batchRows: options.batchRows,
      learningRate: { initial: options.learningRate },
    },
    seed,
  );
  const outputs = createNetworkScorer(network).score(inputs.values, inputs.rows);
  return {
    plan,
    network,
    weights: residualWeights(preparation, outputs, targets),
    middle: description.layers.length - 3,
  };
}

/** Everything but category codes. */
function repeatedOutputs({ outputs, categorical }: Preparation): number[] {
  const codes = new Set(categorical.map(({ column }) => column));
  return Array.from({ length: outputs }, (_, output) => output).filter((output) => !codes.has(output));
}

function residualWeights(preparation: Preparation, outputs: Float32Array, targets: Float32Array): Float64Array {
  const repeated = repeatedOutputs(preparation);
  const width = repeated.length;
  const rows = targets.length / width;
  const sums = new Float64Array(width);
  for (let at = 0; at < targets.length; at++) sums[at % width] += (targets[at] - outputs[at]) ** 2;
  const weights = sums.map((sum, i) => {
    const isConstant = preparation.plan.columns[preparation.sourceColumns[repeated[i]]].kind === 'constant';
    return isConstant ? 0 : 1 / Math.max(LEAST_RESIDUAL, sum / rows);
  });
  const raws = new Float64Array(rows);
  for (let at = 0; at < targets.length; at++) {
    raws[Math.floor(at / width)] += weights[at % width] * (targets[at] - outputs[at]) ** 2;
  }
  const median = raws.sort()[rows >> 1];
  return median > 0 ? weights.map((weight) => weight / median) : weights;
}

function fitted(
  { plan, network, weights, middle }: State,
  features: readonly string[],
  parameters: Artefact['parameters'],
): FittedAutoencoder {
  const preparation = createPreparation(plan);
  const repeated = repeatedOutputs(preparation);
  if (features?.length !== preparation.inputs || weights.length !== repeated.length) {
    throw new Error(`${FORMAT} artefact is damaged: ${features?.length} features for ${preparation.inputs} columns`);
  }
  const scorer = createNetworkScorer(network);
  const { description } = network;
  const encoder = createNetworkScorer({
    description: { ...description, layers: description.layers.slice(0, middle + 1) },
    weights: network.weights.slice(0, middle + 1),
  });
  const check = (columns: number) => {
    if (columns !== preparation.inputs)
      throw new Error(`${NAME}: ${columns} columns, trained on ${preparation.inputs}`);
  };
  const width = repeated.length;
  const terms = (inputs: Matrix, outputs: Float32Array, row: number, i: number) =>
    weights[i] * (inputs.values[row * inputs.columns + repeated[i]] - outputs[row * width + i]) ** 2;
  return {
    name: NAME,
    features,
    score(matrix) {
      check(matrix.columns);
      const inputs = preparation.apply(matrix);
      const outputs = scorer.score(inputs.values, inputs.rows);
      const scores = new Float32Array(matrix.rows);
      for (let row = 0; row < matrix.rows; row++) {
        let raw = 0;
        for (let i = 0; i < width; i++) raw += terms(inputs, outputs, row, i);
        scores[row] = raw / (1 + raw);
      }
      return scores;
    },
    explain(row) {
      check(row.length);
      const inputs = preparation.apply({ rows: 1, columns: row.length, values: row });
      const outputs = scorer.score(inputs.values, 1);
      const contributions = new Float64Array(row.length);
      for (let i = 0; i < width; i++) {
        contributions[preparation.sourceColumns[repeated[i]]] += terms(inputs, outputs, 0, i);
      }
      return { base: 0, contributions };
    },
    extract(matrix) {
      check(matrix.columns);
      const values = encoder.score(preparation.apply(matrix).values, matrix.rows);
      return { rows: matrix.rows, columns: encoder.outputs, values };
    },
    save() {
      const {
        binary,
        format,
        formatVersion,
        parameters: none,
      } = encodeNetworks({ preparation: plan, networks: [network] }, features, {});
      return packArtefact(
        { format: FORMAT, formatVersion: FORMAT_VERSION, features: [...features], parameters },
        {
          contents: { network: { format, formatVersion, parameters: none }, middle },
          sections: [binary, bytesOf(weights)],
        },
      );
    },
  };
}
