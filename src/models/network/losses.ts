// What training makes small, as ONNX nodes (a batch's loss and its gradient) and as plain code for validation rows.
//
// Binary cross-entropy and focal loss (Lin and others, "Focal Loss for Dense Object Detection", ICCV 2017) are taken from
// the logit, the last layer's value before its sigmoid: stable for any logit. Losses are means over rows and outputs.
import { type GraphBuilder, int64, scalar, type ValueName } from '../onnx/graph-builder.ts';
import { ACTIVATIONS, sigmoid } from './activations.ts';

export type Loss =
  | { readonly kind: 'binary-cross-entropy' }
  /** `gamma` ≥ 0: how much less an easy row counts; 0 is binary cross-entropy. */
  | { readonly kind: 'focal'; readonly gamma: number }
  | { readonly kind: 'mean-squared-error' }
  /**
   * Numbers and categories side by side: the last outputs are logits, one block per category of so many codes, with a 1
   * among zeros as their target, and count by the cross-entropy of their softmax; all before them by their squared error.
   */
  | { readonly kind: 'mixed'; readonly blocks: readonly number[] };

/** Whether the loss is of the logit, so that the last layer's sigmoid is left to it. */
export const takesLogits = (loss: Loss): boolean => loss.kind === 'binary-cross-entropy' || loss.kind === 'focal';

/**
 * @param outputs how many numbers the network gives per row
 * @param scale per row: its weight ÷ (rows of the batch × outputs)
 * @returns the batch's loss (no dimensions), and its gradient
 */
export function lossGraph(
  graph: GraphBuilder,
  loss: Loss,
  outputs: number,
  output: ValueName,
  target: ValueName,
  scale: ValueName,
): { readonly loss: ValueName; readonly gradient: ValueName } {
  const { rows, gradient } =
    loss.kind === 'mixed'
      ? mixedLossOfRows(graph, loss.blocks, outputs, output, target)
      : lossOfRows(graph, loss, output, target);
  return {
    loss: graph.node('ReduceSum', [graph.node('Mul', [rows, scale])], { keepdims: 0n }),
    gradient: graph.node('Mul', [gradient, scale]),
  };
}

type PlainLoss = Exclude<Loss, { kind: 'mixed' }>;

function lossOfRows(graph: GraphBuilder, loss: PlainLoss, output: ValueName, target: ValueName) {
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

/** Each part of the row by its own loss, put side by side again. */
function mixedLossOfRows(
  graph: GraphBuilder,
  blocks: readonly number[],
  outputs: number,
  output: ValueName,
  target: ValueName,
) {
  const numbers = numbersBefore(blocks, outputs);
  const widths = graph.constant(int64(numbers > 0 ? [numbers, ...blocks] : blocks));
  const parts = blocks.length + (numbers > 0 ? 1 : 0);
  const outputParts = graph.nodes('Split', [output, widths], parts, { axis: 1n });
  const targetParts = graph.nodes('Split', [target, widths], parts, { axis: 1n });
  const losses = outputParts.map((part, i) =>
    i === 0 && numbers > 0
      ? lossOfRows(graph, { kind: 'mean-squared-error' }, part, targetParts[i])
      : {
          rows: graph.node('Neg', [
            graph.node('Mul', [targetParts[i], graph.node('LogSoftmax', [part], { axis: 1n })]),
          ]),
          gradient: graph.node('Sub', [graph.node('Softmax', [part], { axis: 1n }), targetParts[i]]),
        },
  );
  return {
    rows: graph.node(
      'Concat',
      losses.map(({ rows }) => rows),
      { axis: 1n },
    ),
    gradient: graph.node(
      'Concat',
      losses.map(({ gradient }) => gradient),
      { axis: 1n },
    ),
  };
}

/** How many of the outputs are no category's logits. */
function numbersBefore(blocks: readonly number[], outputs: number): number {
  return outputs - blocks.reduce((sum, codes) => sum + codes, 0);
}

/** Mean over all values. @param width outputs per row, logits where `takesLogits` */
export function meanLoss(loss: Loss, width: number, outputs: Float32Array, targets: Float32Array): number {
  let sum = 0;
  if (loss.kind !== 'mixed') {
    for (let i = 0; i < outputs.length; i++) sum += lossOf(loss, outputs[i], targets[i]);
    return sum / outputs.length;
  }
  for (let row = 0; row < outputs.length; row += width) {
    let at = row;
    for (const end = row + numbersBefore(loss.blocks, width); at < end; at++) sum += (outputs[at] - targets[at]) ** 2;
    for (const codes of loss.blocks) {
      const code = targets.subarray(at, at + codes).indexOf(1);
      sum += crossEntropyAt(outputs, at, codes, code);
      at += codes;
    }
  }
  return sum / outputs.length;
}

/** −log of the probability that the softmax of the logits gives a code. */
export function crossEntropy(logits: Float32Array, code: number): number {
  return crossEntropyAt(logits, 0, logits.length, code);
}

/** The same of the logits `[from, from + codes)`. */
export function crossEntropyAt(logits: Float32Array, from: number, codes: number, code: number): number {
  let greatest = Number.NEGATIVE_INFINITY;
  for (let i = from; i < from + codes; i++) greatest = Math.max(greatest, logits[i]);
  let sum = 0;
  for (let i = from; i < from + codes; i++) sum += Math.exp(logits[i] - greatest);
  return Math.log(sum) - (logits[from + code] - greatest);
}

function lossOf(loss: PlainLoss, output: number, target: number): number {
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
