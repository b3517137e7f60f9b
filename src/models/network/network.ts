// Feed-forward networks as a detector: inputs prepared, one or several networks trained, their logits averaged.
//
// The presets `simple` (64, 32, 1) and `complex` (128, 64, 1 with dropout and early stopping) are the original design's.
import { createPrng } from '../../lib/prng.ts';
import type { GraphRuntime } from '../../ports.ts';
import type { Artefact, Detector, Explanation, FittedDetector, TrainingData } from '../detector.ts';
import { type Matrix, sliceRows } from '../matrix.ts';
import { createPreparation, fitPreparation, ordinaryRow, type Preparation } from '../preparation/preparation.ts';
import { representativeRows } from '../representative-rows.ts';
import { sigmoid } from './activations.ts';
import { decodeNetworks, encodeNetworks, type StoredNetworks } from './artefact.ts';
import type { Network } from './description.ts';
import { createNetworkExplainer, type NetworkExplainer } from './explain-network.ts';
import { storedCurves, type TrainingCurve } from './observer.ts';
import { completeOptions, DEFAULT_NETWORK_OPTIONS, type NetworkOptions } from './options.ts';
import { createNetworkScorer } from './scorer/network-scorer.ts';
import { embedColumns, sequential } from './sequential.ts';
import { type EpochLosses, type Examples, trainNetwork } from './train.ts';

export type NetworkDetector = Detector<NetworkOptions>;

const NAME = 'network';
const FEWEST_ROWS = 2;
/** Fewer rows than this say nothing about when to stop. */
const FEWEST_VALIDATION_ROWS = 20;

/** Explanations add up to the logit; their base is the mean of a few ordinary training rows'. */
export function createNetworkDetector(runtime: GraphRuntime): NetworkDetector {
  return {
    name: NAME,
    needsLabels: true,
    defaults: DEFAULT_NETWORK_OPTIONS,
    fit(data, options, seed) {
      const chosen = completeOptions(options);
      const { stored, curves } = trainMembers(runtime, checkTraining(data), chosen, seed);
      const { observer, ...parameters } = chosen;
      return createFitted(stored, data.features, {
        ...parameters,
        seed,
        trainingRows: data.matrix.rows,
        ...storedCurves(curves),
      });
    },
    load: (artefact) => createFitted(decodeNetworks(artefact), artefact.features, artefact.parameters),
  };
}

type LabelledData = TrainingData & { readonly labels: Uint8Array };

function trainMembers(runtime: GraphRuntime, data: LabelledData, options: NetworkOptions, seed: number) {
  const plan = fitPreparation(data.matrix, { ...options.preparation, categorical: data.categorical ?? [] });
  const preparation = createPreparation(plan);
  const { training, validation } = splitExamples(data, preparation, options);
  const embeddings = preparation.categorical.map((codes) => ({ ...codes, units: options.embeddingUnits }));
  const layers = embeddings.length > 0 ? [embedColumns(embeddings), ...options.layers] : options.layers;
  const description = sequential(preparation.outputs, layers);
  const { loss, optimizer, learningRate, clipNorm, epochs, batchRows, patience, observer, members } = options;
  const curves: TrainingCurve[] = [];
  const networks = Array.from({ length: members }, (_, member) => {
    const place = { member, members, epochs };
    const onEpochEnd = (losses: EpochLosses) => observer?.onEpoch(losses, place);
    const watched = { patience, validation, onEpochEnd };
    const settings = { loss, optimizer, learningRate, clipNorm, epochs, batchRows, ...watched };
    const ownSeed = createPrng(seed).fork(member).nextUint32();
    const { network, ...curve } = trainNetwork(runtime, description, training, settings, ownSeed);
    curves.push(curve);
    observer?.onNetwork(curve, place);
    return network;
  });
  const ordinary = representativeRows(
    data.matrix,
    (row) => data.labels[row] === 0,
    createLogits(preparation, networks),
  );
  return { stored: { preparation: plan, networks, ordinary: preparation.apply(ordinary) }, curves };
}

/** The mean logit of the networks, for feature rows. */
function createLogits(preparation: Preparation, networks: readonly Network[]): (matrix: Matrix) => Float64Array {
  const scorers = networks.map((network) => createNetworkScorer(network, { head: 'logit' }));
  return (matrix) => {
    const inputs = preparation.apply(matrix).values;
    const logits = new Float64Array(matrix.rows);
    for (const scorer of scorers) {
      const own = scorer.score(inputs, matrix.rows);
      for (let row = 0; row < matrix.rows; row++) logits[row] += own[row] / scorers.length;
    }
    return logits;
  };
}

/** Validation rows are those given, or else the last share of the training rows, which are in time order. */
function splitExamples(
  { matrix, labels, validation }: LabelledData,
  preparation: Preparation,
  { validationShare, positiveWeight }: NetworkOptions,
): { readonly training: Examples; readonly validation: Examples | null } {
  const examples = (from: Matrix, of: Uint8Array): Examples => ({
    inputs: preparation.apply(from),
    targets: Float32Array.from(of),
    ...(positiveWeight === 1 ? {} : { weights: Float32Array.from(of, (label) => (label === 1 ? positiveWeight : 1)) }),
  });
  if (validation !== null) {
    return { training: examples(matrix, labels), validation: examples(validation.matrix, validation.labels) };
  }
  const held = Math.floor(matrix.rows * validationShare);
  if (held < FEWEST_VALIDATION_ROWS) return { training: examples(matrix, labels), validation: null };
  const kept = matrix.rows - held;
  return {
    training: examples(sliceRows(matrix, 0, kept), labels.subarray(0, kept)),
    validation: examples(sliceRows(matrix, kept, matrix.rows), labels.subarray(kept)),
  };
}

function createFitted(
  stored: StoredNetworks,
  features: readonly string[],
  parameters: Artefact['parameters'],
): FittedDetector {
  const preparation = createPreparation(stored.preparation);
  const logitsOf = createLogits(preparation, stored.networks);
  let explainers: readonly NetworkExplainer[] | null = null;
  return {
    name: NAME,
    features,
    score(matrix) {
      checkColumns(matrix.columns, features);
      return Float32Array.from(logitsOf(matrix), sigmoid);
    },
    explain(row) {
      checkColumns(row.length, features);
      explainers ??= explainersOf(stored, preparation);
      return explainWith(explainers, preparation, row);
    },
    save: () => encodeNetworks(stored, features, parameters),
  };
}

function explainersOf({ networks, ordinary, preparation: plan }: StoredNetworks, preparation: Preparation) {
  // Before format version 2 no rows were kept: one of medians stands for them.
  const medians = { rows: 1, columns: plan.columns.length, values: ordinaryRow(plan) };
  const rows = ordinary ?? preparation.apply(medians);
  return networks.map((network) => createNetworkExplainer(network, rows));
}

function explainWith(
  explainers: readonly NetworkExplainer[],
  preparation: Preparation,
  row: Float32Array,
): Explanation {
  const inputs = new Float32Array(preparation.outputs);
  preparation.applyRow(row, inputs, 0);
  const moves = new Float64Array(preparation.outputs);
  let base = 0;
  for (const explainer of explainers) {
    base += explainer.base / explainers.length;
    explainer.addContributions(inputs, moves);
  }
  const contributions = new Float64Array(row.length);
  moves.forEach((move, output) => {
    contributions[preparation.sourceColumns[output]] += move / explainers.length;
  });
  return { base, contributions };
}

function checkColumns(columns: number, features: readonly string[]): void {
  if (columns === features.length) return;
  throw new Error(`network: got ${columns} columns but was trained on ${features.length} features`);
}

function checkTraining(data: TrainingData): LabelledData {
  const { matrix, features, labels, validation } = data;
  if (labels === null)
    throw new Error('network: needs labels (1 fraud, 0 genuine): give them, or use a detector without');
  if (features.length !== matrix.columns || features.length === 0) {
    throw new Error(`network: ${features.length} feature names for a matrix of ${matrix.columns} columns`);
  }
  if (matrix.rows < FEWEST_ROWS) throw new Error(`network: ${matrix.rows} training rows, but it takes ${FEWEST_ROWS}`);
  if (labels.length !== matrix.rows) throw new Error(`network: ${labels.length} labels for ${matrix.rows} rows`);
  if (!labels.includes(0) || !labels.includes(1)) throw new Error('network: the training rows hold only one class');
  if (validation !== null && validation.matrix.columns !== matrix.columns) {
    throw new Error(`network: ${validation.matrix.columns} validation columns, but ${matrix.columns} training columns`);
  }
  return { ...data, labels };
}
