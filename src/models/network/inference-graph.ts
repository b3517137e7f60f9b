// A trained network as an ONNX model: `inputs` (rows × inputs, float32) → `outputs` (rows × outputs).
import { createGraphBuilder, modelBytes } from '../onnx/graph-builder.ts';
import type { Network } from './description.ts';
import { forwardInference } from './layer-graphs.ts';
import { layoutParameters, parametersOf } from './parameters.ts';
import { layerWidths } from './sequential.ts';

const OPSET = 17;

/** @param head `logit` leaves the last layer's activation out */
export function inferenceModel(network: Network, head: 'activation' | 'logit' = 'activation'): Uint8Array {
  const { description } = network;
  const graph = createGraphBuilder('network');
  const layout = layoutParameters(description);
  const { learned, tracked } = parametersOf(network);
  const reader = (values: Float32Array) => {
    let at = 0;
    return (slots: (typeof layout.learned)[number]) =>
      slots.map(({ dims, length }) => {
        at += length;
        return graph.constant({ type: 'float32', data: values.slice(at - length, at), dims });
      });
  };
  const readLearned = reader(learned);
  const readTracked = reader(tracked);
  const widths = layerWidths(description);
  let input = graph.input('inputs', 'float32', ['rows', description.inputs]);
  description.layers.forEach((layer, i) => {
    const isHead = i === description.layers.length - 1;
    const computed =
      isHead && head === 'logit' && layer.kind === 'dense' ? { ...layer, activation: 'linear' as const } : layer;
    input = forwardInference(graph, {
      layer: computed,
      input,
      inputs: widths[i],
      learned: readLearned(layout.learned[i]),
      tracked: readTracked(layout.tracked[i]),
    });
  });
  graph.output('outputs', input, 'float32', ['rows', widths[widths.length - 1]]);
  return modelBytes(graph, { opset: OPSET });
}
