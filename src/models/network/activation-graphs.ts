// The activations and their derivatives as ONNX nodes. Definitions are Keras 3's, as in activations.ts.
import { type GraphBuilder, scalar, type ValueName } from '../onnx/graph-builder.ts';
import { LEAKY_SLOPE } from './activations.ts';
import type { ActivationName } from './description.ts';

/** Of selu; ONNX's own defaults are the float32 values nearest to those of Klambauer and others (2017). */
const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

/** activation(z) */
export function activate(graph: GraphBuilder, activation: ActivationName, z: ValueName): ValueName {
  switch (activation) {
    case 'linear':
      return z;
    case 'relu':
      return graph.node('Relu', [z]);
    case 'leaky-relu':
      return graph.node('LeakyRelu', [z], { alpha: LEAKY_SLOPE });
    case 'elu':
      return graph.node('Elu', [z], { alpha: 1 });
    case 'selu':
      return graph.node('Selu', [z], { alpha: SELU_ALPHA, gamma: SELU_SCALE });
    case 'gelu':
      return graph.node('Mul', [z, normalCdf(graph, z)]);
    case 'swish':
      return graph.node('Mul', [z, graph.node('Sigmoid', [z])]);
    case 'softplus':
      return graph.node('Softplus', [z]);
    case 'sigmoid':
      return graph.node('Sigmoid', [z]);
    case 'tanh':
      return graph.node('Tanh', [z]);
  }
}

/** gradient × activation'(z), where `a` is activation(z) */
export function activationGradient(
  graph: GraphBuilder,
  activation: ActivationName,
  z: ValueName,
  a: ValueName,
  gradient: ValueName,
): ValueName {
  const constant = (value: number) => graph.constant(scalar(value));
  const times = (factor: ValueName) => graph.node('Mul', [gradient, factor]);
  /** `above` where z > 0, else `below` */
  const byside = (above: ValueName, below: ValueName) =>
    graph.node('Where', [graph.node('Greater', [z, constant(0)]), above, below]);
  switch (activation) {
    case 'linear':
      return gradient;
    case 'relu':
      return times(graph.node('Sign', [a]));
    case 'leaky-relu':
      return times(byside(constant(1), constant(LEAKY_SLOPE)));
    case 'elu':
      return times(byside(constant(1), graph.node('Add', [a, constant(1)])));
    case 'selu':
      return times(byside(constant(SELU_SCALE), graph.node('Add', [a, constant(SELU_SCALE * SELU_ALPHA)])));
    case 'gelu': {
      const square = graph.node('Mul', [z, z]);
      const density = graph.node('Exp', [graph.node('Mul', [square, constant(-0.5)])]);
      const scaled = graph.node('Mul', [density, constant(1 / Math.sqrt(2 * Math.PI))]);
      return times(graph.node('Add', [normalCdf(graph, z), graph.node('Mul', [z, scaled])]));
    }
    case 'swish': {
      // s + z·s·(1 − s) = s + a·(1 − s)
      const s = graph.node('Sigmoid', [z]);
      return times(graph.node('Add', [s, graph.node('Mul', [a, graph.node('Sub', [constant(1), s])])]));
    }
    case 'softplus':
      return times(graph.node('Sigmoid', [z]));
    case 'sigmoid':
      return times(graph.node('Mul', [a, graph.node('Sub', [constant(1), a])]));
    case 'tanh':
      return times(graph.node('Sub', [constant(1), graph.node('Mul', [a, a])]));
  }
}

function normalCdf(graph: GraphBuilder, z: ValueName): ValueName {
  const erf = graph.node('Erf', [graph.node('Mul', [z, graph.constant(scalar(Math.SQRT1_2))])]);
  const shifted = graph.node('Add', [erf, graph.constant(scalar(1))]);
  return graph.node('Mul', [shifted, graph.constant(scalar(0.5))]);
}
