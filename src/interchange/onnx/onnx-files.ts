// Fitted detectors and whole risk models as ONNX files. In the metadata stands what has to be known of them: the features
// in their order, and what is answered.
import type { RiskModel } from '../../decisions/risk-model.ts';
import { decodeAutoencoder } from '../../models/autoencoder/artefact.ts';
import type { Artefact } from '../../models/detector.ts';
import { decodeEnsemble } from '../../models/gbdt/artefact.ts';
import type { Network } from '../../models/network/description.ts';
import { createGraphBuilder, type GraphBuilder, modelBytes, type ValueName } from '../../models/onnx/graph-builder.ts';
import { FACTS_KEY } from '../../models/onnx-model/model-facts.ts';
import type { AnswerKind } from '../../models/onnx-model/onnx-model.ts';
import type { PreparationPlan } from '../../models/preparation/preparation.ts';
import { autoencoderGraph } from './autoencoder-graph.ts';
import { scoreInGraph } from './detector-graph.ts';
import { networkScore } from './network-graph.ts';
import { riskInGraph } from './risk-graph.ts';
import { gbdtClassifier } from './tree-graphs.ts';
import { ML } from './tree-nodes.ts';

const OPSET = 17;
const ML_OPSET = 3;
/** Whose scores are probabilities. */
const SUPERVISED = new Set(['gbdt', 'network', 'ensemble']);

export interface OnnxFile {
  readonly bytes: Uint8Array;
  /** JSON text, as models/onnx-model/model-facts.ts reads it. */
  readonly facts: string;
}

/**
 * `inputs` (rows × features, NaN for missing) → `scores` or `probability` (rows × 1). Boosted trees answer as those of
 * other programs, `label` and `probabilities` (rows × 2: genuine, fraud); an autoencoder adds `embedding`.
 *
 * @throws InputError for a detector that has no graph; the message says why
 */
export function detectorModel(detector: string, artefact: Artefact): OnnxFile {
  const { features } = artefact;
  const graph = createGraphBuilder(detector);
  const inputs = graph.input('inputs', 'float32', ['rows', features.length]);
  const about = { 'centinela.detector': detector };
  if (detector === 'gbdt') {
    const [label, probabilities] = gbdtClassifier(graph, decodeEnsemble(artefact), inputs);
    graph.output('label', label, 'int64', ['rows']);
    graph.output('probabilities', probabilities, 'float32', ['rows', 2]);
    return fileOf(graph, { features, answer: 'probability' }, about);
  }
  if (detector === 'autoencoder') {
    const { score, embedding, bottleneck } = autoencoderGraph(graph, decodeAutoencoder(artefact), inputs);
    outputColumn(graph, 'scores', score);
    graph.output('embedding', embedding, 'float32', ['rows', bottleneck]);
    return fileOf(graph, { features, output: 'scores', answer: 'score' }, about);
  }
  const score = scoreInGraph(graph, detector, artefact, inputs);
  const answer = SUPERVISED.has(detector) ? 'probability' : 'score';
  outputColumn(graph, answer === 'score' ? 'scores' : answer, score);
  return fileOf(graph, { features, answer }, about);
}

/** `inputs` (rows × the model's features, NaN for missing) → `risk`, `ranking` (rows × 1). */
export function riskModel(model: RiskModel): OnnxFile {
  const features = model.definitions.map(({ id }) => id);
  const graph = createGraphBuilder('risk');
  const { risk, ranking } = riskInGraph(graph, model, graph.input('inputs', 'float32', ['rows', features.length]));
  outputColumn(graph, 'risk', risk);
  outputColumn(graph, 'ranking', ranking);
  const answer = model.stacking === null ? 'score' : 'probability';
  const detectors = model.parts.map(({ detector }) => detector.name).join(',');
  return fileOf(graph, { features, output: 'risk', answer }, { 'centinela.detectors': detectors });
}

/**
 * `inputs` → `probability` (rows × 1).
 *
 * @param preparation of the features, which may then be NaN; null for a network that takes them as they are
 */
export function networkModel(network: Network, preparation: PreparationPlan | null): Uint8Array {
  const columns = preparation === null ? network.description.inputs : preparation.columns.length;
  const graph = createGraphBuilder('network');
  const inputs = graph.input('inputs', 'float32', ['rows', columns]);
  outputColumn(graph, 'probability', networkScore(graph, [network], preparation, inputs));
  return modelBytes(graph, { opset: OPSET });
}

function outputColumn(graph: GraphBuilder, name: string, value: ValueName): void {
  graph.output(name, value, 'float32', ['rows', 1]);
}

interface Facts {
  readonly features: readonly string[];
  /** Where there are several that could be the answer. */
  readonly output?: string;
  readonly answer: AnswerKind;
}

function fileOf(graph: GraphBuilder, about: Facts, more: Readonly<Record<string, string>>): OnnxFile {
  const facts = JSON.stringify(about);
  const metadata = { [FACTS_KEY]: facts, ...more };
  return { bytes: modelBytes(graph, { opset: OPSET, domains: { [ML]: ML_OPSET }, metadata }), facts };
}
