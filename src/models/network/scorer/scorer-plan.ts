// What the scorer computes, layer by layer, after everything that needs no work of its own has been folded away.
//
// Dropout does nothing when scoring. Batch normalisation is an affine map with fixed numbers then, so it is folded into
// the dense layer that follows it (or becomes a diagonal one where none does).
import { assert } from '../../../lib/assert.ts';
import type { ActivationName, EmbedColumnsLayer, Network } from '../description.ts';

export interface DenseStep {
  readonly inputs: number;
  readonly units: number;
  readonly activation: ActivationName;
  /** inputs × units */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

export interface ScorerPlan {
  /** Columns of the matrix that is scored. */
  readonly inputs: number;
  readonly embed: { readonly layer: EmbedColumnsLayer; readonly tables: readonly Float32Array[] } | null;
  /** At least one. */
  readonly steps: readonly DenseStep[];
}

interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

export function planScorer({ description, weights }: Network): ScorerPlan {
  let width = description.inputs;
  let embed: ScorerPlan['embed'] = null;
  let pending: Affine | null = null;
  const steps: DenseStep[] = [];
  description.layers.forEach((layer, index) => {
    const numbers = weights[index];
    if (layer.kind === 'embed-columns' && numbers.kind === 'embed-columns') {
      assert(index === 0, 'columns are embedded by the first layer');
      embed = { layer, tables: numbers.tables };
      width += layer.columns.reduce((sum, { units }) => sum + units - 1, 0);
    } else if (layer.kind === 'dense' && numbers.kind === 'dense') {
      const { kernel, bias } = numbers;
      assert(kernel.length === width * layer.units && bias.length === layer.units, `layer ${index} has other weights`);
      const { units, activation } = layer;
      steps.push(after(pending, { inputs: width, units, activation, kernel, bias }));
      pending = null;
      width = layer.units;
    } else if (layer.kind === 'batch-norm' && numbers.kind === 'batch-norm') {
      const { gamma, beta, mean, variance } = numbers;
      const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt(variance[i] + layer.epsilon));
      const shift = Float64Array.from(beta, (b, i) => b - mean[i] * scale[i]);
      pending = compose(pending, { scale, shift });
    } else assert(layer.kind === 'dropout', `layer ${index} and its weights are of two kinds`);
  });
  if (pending !== null || steps.length === 0) steps.push(after(pending, identity(width)));
  return { inputs: description.inputs, embed, steps };
}

function compose(first: Affine | null, second: Affine): Affine {
  if (first === null) return second;
  return {
    scale: first.scale.map((scale, i) => scale * second.scale[i]),
    shift: first.shift.map((shift, i) => shift * second.scale[i] + second.shift[i]),
  };
}

/** The step that takes what the affine map would have been given. */
function after(affine: Affine | null, step: DenseStep): DenseStep {
  if (affine === null) return step;
  const { inputs, units } = step;
  const kernel = new Float32Array(step.kernel.length);
  const sums = Float64Array.from(step.bias);
  for (let input = 0; input < inputs; input++) {
    for (let unit = 0; unit < units; unit++) {
      const at = input * units + unit;
      kernel[at] = step.kernel[at] * affine.scale[input];
      sums[unit] += step.kernel[at] * affine.shift[input];
    }
  }
  return { ...step, kernel, bias: Float32Array.from(sums) };
}

function identity(width: number): DenseStep {
  const kernel = new Float32Array(width * width);
  for (let i = 0; i < width; i++) kernel[i * width + i] = 1;
  return { inputs: width, units: width, activation: 'linear', kernel, bias: new Float32Array(width) };
}
