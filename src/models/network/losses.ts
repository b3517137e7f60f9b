// What training makes small, as ONNX nodes (a batch's loss and its gradient) and as plain code for validation rows.
//
// Binary cross-entropy and focal loss (Lin and others, "Focal Loss for Dense Object Detection", ICCV 2017) are taken from
// the logit, the last layer's value before its sigmoid: stable for any logit. Losses are means over rows and outputs.
import { type GraphBuilder, scalar, type ValueName } from '../onnx/graph-builder.ts';
import { ACTIVATIONS, sigmoid } from './activations.ts';

export type Loss =
  | { readonly kind: 'binary-cross-entropy' }
  /** `gamma` ≥ 0: how much less an easy row counts; 0 is binary cross-entropy. */
  | { readonly kind: 'focal'; readonly gamma: number }
  | { readonly kind: 'mean-squared-error' };

/** Whether the loss is of the logit, so that the last layer's sigmoid is left to it. */
export const takesLogits = (loss: Loss): boolean => loss.kind !== 'mean-squared-error';

/** @param scale per row: its weight ÷ (rows of the batch × outputs) @returns the batch's loss (no dimensions), and its gradient */
export function lossGraph(
  graph: GraphBuilder,
  loss: Loss,
  output: ValueName,
  target: ValueName,
  scale: ValueName,
): { readonly loss: ValueName; readonly gradient: ValueName } {
  const { rows, gradient } = lossOfRows(graph, loss, output, target);
  return {
    loss: graph.node('ReduceSum', [graph.node('Mul', [rows, scale])], { keepdims: 0n }),
    gradient: graph.node('Mul', [gradient, scale]),
  };
}

function lossOfRows(graph: GraphBuilder, loss: Loss, output: ValueName, target: ValueName) {
  const node = (operator: string, ...inputs: ValueName[]) => graph.node(operator, inputs);
  const constant = (value: number) => graph.constant(scalar(value));
  switch (loss.kind) {
    case 'binary-cross-entropy':
      return {
        rows: node('Sub', node('Softplus', output), node('Mul', target, output)),
        gradient: node('Sub', node('Sigmoid', output), target),
      };
    case 'mean-squared-error': {
      const error = node('Sub', output, target);
      return { rows: node('Mul', error, error), gradient: node('Add', error, error) };
    }
    case 'focal': {
      // With s = 2y − 1 and q = sigmoid(−s z) the loss is q^γ · softplus(−s z), its slope −s q^γ (γ (1 − q) softplus(−s z) + q).
      const sign = node('Sub', node('Add', target, target), constant(1));
      const against = node('Neg', node('Mul', sign, output));
      const q = node('Sigmoid', against);
      const crossEntropy = node('Softplus', against);
      const focus = node('Pow', q, constant(loss.gamma));
      const easy = node('Mul', node('Mul', constant(loss.gamma), node('Sub', constant(1), q)), crossEntropy);
      const slope = node('Mul', focus, node('Add', easy, q));
      return { rows: node('Mul', focus, crossEntropy), gradient: node('Neg', node('Mul', sign, slope)) };
    }
  }
}

/** Mean over all values. @param outputs logits where `takesLogits` */
export function meanLoss(loss: Loss, outputs: Float32Array, targets: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < outputs.length; i++) sum += lossOf(loss, outputs[i], targets[i]);
  return sum / outputs.length;
}

function lossOf(loss: Loss, output: number, target: number): number {
  switch (loss.kind) {
    case 'binary-cross-entropy':
      return ACTIVATIONS.softplus(output) - target * output;
    case 'mean-squared-error':
      return (output - target) ** 2;
    case 'focal': {
      const against = (1 - 2 * target) * output;
      return sigmoid(against) ** loss.gamma * ACTIVATIONS.softplus(against);
    }
  }
}
