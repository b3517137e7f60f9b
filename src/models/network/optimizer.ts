// Optimizers on the flat vector of learned numbers, and learning rates that change with the steps.
//
// Everything that depends on the step alone (rates, Adam's bias corrections) is computed outside the graph and fed as one
// number per step, so that any schedule costs the graph nothing.
// Adam: Kingma and Ba, ICLR 2015. AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.
// Nesterov's momentum as in Keras.
import { type GraphBuilder, scalar, type ValueName } from '../onnx/graph-builder.ts';

export type Optimizer =
  | { readonly kind: 'adam'; readonly beta1?: number; readonly beta2?: number; readonly epsilon?: number }
  | {
      readonly kind: 'adamw';
      /** Each step also shrinks all learned numbers by rate × this. */
      readonly weightDecay: number;
      readonly beta1?: number;
      readonly beta2?: number;
      readonly epsilon?: number;
    }
  | { readonly kind: 'sgd'; readonly momentum?: number; readonly nesterov?: boolean };

/** The learning rate at a step; `warmupSteps` first raise it linearly from 0. */
export interface LearningRate {
  readonly initial: number;
  readonly warmupSteps?: number;
  readonly decay?:
    | { readonly kind: 'constant' }
    /** × `factor` after every `everySteps` steps, at once */
    | { readonly kind: 'step'; readonly everySteps: number; readonly factor: number }
    /** × `factor` per `everySteps` steps, smoothly */
    | { readonly kind: 'exponential'; readonly everySteps: number; readonly factor: number }
    /** half a cosine down to `finalShare` of the initial rate over `steps` */
    | { readonly kind: 'cosine'; readonly steps: number; readonly finalShare?: number };
}

export function learningRateAt({ initial, warmupSteps = 0, decay }: LearningRate, step: number): number {
  if (step < warmupSteps) return (initial * (step + 1)) / warmupSteps;
  const after = step - warmupSteps;
  switch (decay?.kind) {
    case 'step':
      return initial * decay.factor ** Math.floor(after / decay.everySteps);
    case 'exponential':
      return initial * decay.factor ** (after / decay.everySteps);
    case 'cosine': {
      const share = decay.finalShare ?? 0;
      const cosine = 0.5 * (1 + Math.cos(Math.PI * Math.min(1, after / decay.steps)));
      return initial * (share + (1 - share) * cosine);
    }
    default:
      return initial;
  }
}

/** Numbers of one epoch's steps: the optimizer's inputs to the graph, by name. */
export function stepNumbers(
  optimizer: Optimizer,
  rate: LearningRate,
  firstStep: number,
  steps: number,
): Readonly<Record<string, Float32Array>> {
  const rates = Float64Array.from({ length: steps }, (_, i) => learningRateAt(rate, firstStep + i));
  if (optimizer.kind === 'sgd') return { rate: Float32Array.from(rates) };
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7 } = optimizer;
  // The graph keeps m ÷ (1 − β1) and v ÷ (1 − β2), which saves it two products; the factors come back here.
  const spread = (i: number) => Math.sqrt((1 - beta2) / (1 - beta2 ** (firstStep + i + 1)));
  return {
    rate: Float32Array.from(rates, (r, i) => (r * (1 - beta1)) / (1 - beta1 ** (firstStep + i + 1)) / spread(i)),
    epsilon: Float32Array.from({ length: steps }, (_, i) => epsilon / spread(i)),
    ...(optimizer.kind === 'adamw' ? { shrink: Float32Array.from(rates, (r) => 1 - r * optimizer.weightDecay) } : {}),
  };
}

/** How many vectors of the learned numbers' length the optimizer carries from step to step. */
export function momentCount(optimizer: Optimizer): number {
  if (optimizer.kind !== 'sgd') return 2;
  return (optimizer.momentum ?? 0) === 0 ? 0 : 1;
}

/** One step. @param numbers this step's own, by the names of `stepNumbers` */
export function optimizerGraph(
  graph: GraphBuilder,
  optimizer: Optimizer,
  learned: ValueName,
  gradient: ValueName,
  moments: readonly ValueName[],
  numbers: Readonly<Record<string, ValueName>>,
): { readonly learned: ValueName; readonly moments: readonly ValueName[] } {
  const node = (operator: string, ...inputs: ValueName[]) => graph.node(operator, inputs);
  const constant = (value: number) => graph.constant(scalar(value));
  if (optimizer.kind === 'sgd') {
    const { momentum = 0, nesterov = false } = optimizer;
    const step = node('Mul', gradient, numbers.rate);
    if (momentum === 0) return { learned: node('Sub', learned, step), moments: [] };
    const velocity = node('Sub', node('Mul', moments[0], constant(momentum)), step);
    const move = nesterov ? node('Sub', node('Mul', velocity, constant(momentum)), step) : velocity;
    return { learned: node('Add', learned, move), moments: [velocity] };
  }
  const { beta1 = 0.9, beta2 = 0.999 } = optimizer;
  const first = node('Add', node('Mul', moments[0], constant(beta1)), gradient);
  const second = node('Add', node('Mul', moments[1], constant(beta2)), node('Mul', gradient, gradient));
  const spread = node('Add', node('Sqrt', second), numbers.epsilon);
  const step = node('Mul', node('Div', first, spread), numbers.rate);
  const kept = optimizer.kind === 'adamw' ? node('Mul', learned, numbers.shrink) : learned;
  return { learned: node('Sub', kept, step), moments: [first, second] };
}
