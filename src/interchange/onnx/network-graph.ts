// Networks as nodes: raw features in, the probability of fraud out.
//
// The preparation of the inputs, every member and the mean of their logits are in the graph, so that whoever runs it needs
// to know nothing but the order of the features.
import type { Layer, LayerWeights, Network } from '../../models/network/description.ts';
import { forwardInference } from '../../models/network/layer-graphs.ts';
import { layerWidths } from '../../models/network/sequential.ts';
import { float32, type GraphBuilder, type ValueName } from '../../models/onnx/graph-builder.ts';
import type { PreparationPlan } from '../../models/preparation/preparation.ts';
import { number, probability, toDouble } from './exact-values.ts';
import { prepareInGraph } from './preparation-graph.ts';

/**
 * The sigmoid of the networks' mean logit.
 *
 * @param preparation of the features, which may then be NaN; null for networks that take them as they are
 */
export function networkScore(
  graph: GraphBuilder,
  networks: readonly Network[],
  preparation: PreparationPlan | null,
  inputs: ValueName,
): ValueName {
  const prepared = preparation === null ? inputs : prepareInGraph(graph, preparation, inputs);
  const logits = networks.map((network) => toDouble(graph, logitIn(graph, network, prepared)));
  return probability(graph, graph.node('Mul', [graph.node('Sum', logits), number(graph, 1 / logits.length)]));
}

function logitIn(graph: GraphBuilder, { description, weights }: Network, input: ValueName): ValueName {
  const widths = layerWidths(description);
  const last = description.layers.length - 1;
  return description.layers.reduce((value, given, index) => {
    const layer: Layer = index === last && given.kind === 'dense' ? { ...given, activation: 'linear' } : given;
    return forwardInference(graph, {
      layer,
      input: value,
      inputs: widths[index],
      ...constantsOf(graph, layer, weights[index]),
    });
  }, input);
}

function constantsOf(graph: GraphBuilder, layer: Layer, weights: LayerWeights) {
  const store = (data: Float32Array) => graph.constant(float32(data));
  const matrix = (data: Float32Array, columns: number) =>
    graph.constant(float32(data, [data.length / columns, columns]));
  switch (weights.kind) {
    case 'dense':
      return { learned: [matrix(weights.kernel, weights.bias.length), store(weights.bias)], tracked: [] };
    case 'batch-norm':
      return {
        learned: [store(weights.gamma), store(weights.beta)],
        tracked: [store(weights.mean), store(weights.variance)],
      };
    case 'embed-columns': {
      const units = layer.kind === 'embed-columns' ? layer.columns.map((column) => column.units) : [];
      return { learned: weights.tables.map((table, i) => matrix(table, units[i])), tracked: [] };
    }
    case 'dropout':
      return { learned: [], tracked: [] };
  }
}
