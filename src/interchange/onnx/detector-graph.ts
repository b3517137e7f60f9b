// Any detector that can leave as ONNX, as nodes: the same raw features in, the score that our own detector gives out.

import { InputError } from '../../lib/errors.ts';
import { decodeAutoencoder } from '../../models/autoencoder/artefact.ts';
import { readUnsupervisedEnsemble } from '../../models/blend/unsupervised-ensemble.ts';
import type { Artefact } from '../../models/detector.ts';
import { LARGEST_LOG_ODDS, readSupervisedEnsemble } from '../../models/ensemble/ensemble.ts';
import { decodeEnsemble } from '../../models/gbdt/artefact.ts';
import { readHalfSpaceTrees } from '../../models/half-space-trees/half-space-trees.ts';
import { readForest } from '../../models/isolation-forest/artefact.ts';
import { decodeNetworks } from '../../models/network/artefact.ts';
import type { GraphBuilder, ValueName } from '../../models/onnx/graph-builder.ts';
import { additiveScore, isAdditive } from './additive-graphs.ts';
import { autoencoderGraph } from './autoencoder-graph.ts';
import { logOddsOf, number, probability, shareOfOne, toDouble, weightedSum } from './exact-values.ts';
import { networkScore } from './network-graph.ts';
import { tailScores } from './tables.ts';
import { forestScore, gbdtScore, halfSpaceScore } from './tree-graphs.ts';

/**
 * @param inputs rows × the artefact's features, float32, NaN for missing @returns rows × 1, float32
 * @throws InputError for a detector that has no graph; the message says why
 */
export function scoreInGraph(graph: GraphBuilder, detector: string, artefact: Artefact, inputs: ValueName): ValueName {
  if (isAdditive(detector)) return additiveScore(graph, detector, artefact, inputs);
  switch (detector) {
    case 'gbdt':
      return gbdtScore(graph, decodeEnsemble(artefact), inputs);
    case 'network': {
      const { networks, preparation } = decodeNetworks(artefact);
      return networkScore(graph, networks, preparation, inputs);
    }
    case 'ensemble':
      return ensembleScore(graph, artefact, inputs);
    case 'isolation-forest':
      return forestScore(graph, readForest(artefact), inputs);
    case 'half-space-trees':
      return halfSpaceScore(graph, readHalfSpaceTrees(artefact), inputs);
    case 'autoencoder':
      return autoencoderGraph(graph, decodeAutoencoder(artefact), inputs).score;
    case 'unsupervised-ensemble':
      return blendScore(graph, artefact, inputs);
    default:
      throw notExportable(detector);
  }
}

/** The members' log-odds by their weights, and the calibration curve. */
function ensembleScore(graph: GraphBuilder, artefact: Artefact, inputs: ValueName): ValueName {
  const { members, curve } = readSupervisedEnsemble(artefact);
  const logOdds = members.map(({ detector, artefact: own }) =>
    logOddsOf(graph, scoreInGraph(graph, detector, own, inputs), LARGEST_LOG_ODDS),
  );
  const weights = members.map(({ weight }) => weight);
  const blended = weightedSum(graph, logOdds, weights, 0);
  return probability(graph, weightedSum(graph, [blended], [curve.slope], curve.intercept));
}

/** The mean of how rare the members' scores are. */
function blendScore(graph: GraphBuilder, artefact: Artefact, inputs: ValueName): ValueName {
  const members = readUnsupervisedEnsemble(artefact);
  const scores = members.map(({ detector, artefact: own }) =>
    toDouble(graph, scoreInGraph(graph, detector.name, own, inputs)),
  );
  const rarities = members.map(({ reference }, index) => tailScores(graph, [reference], scores[index]));
  const sum = graph.node('Sum', rarities);
  return shareOfOne(graph, graph.node('Div', [sum, number(graph, members.length)]));
}

const REASONS: Readonly<Record<string, string>> = {
  knn: "It consists of training rows, which are customers' transactions and should not leave with a model",
  onnx: 'It is a model of another program: use the file that it came from',
};

function notExportable(detector: string): InputError {
  return new InputError(
    'DETECTOR_NOT_EXPORTABLE',
    `The detector '${detector}' can't be exported to ONNX`,
    REASONS[detector] ?? 'This version knows no graph for it',
  );
}
