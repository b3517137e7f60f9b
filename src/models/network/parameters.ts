// The numbers of a network as two flat vectors: those that the optimizer changes, and the running statistics.
//
// One vector makes the optimizer a handful of nodes whatever the network, and a copy of the best weights one copy.
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { Layer, LayerWeights, Network, NetworkDescription } from './description.ts';
import { layerWidths } from './sequential.ts';

export interface ParameterSlot {
  readonly dims: readonly number[];
  readonly length: number;
  readonly fill: (prng: Prng) => number;
  readonly l1: number;
  readonly l2: number;
}

export interface ParameterLayout {
  /** For each layer, what is learned, in the order of its weights. */
  readonly learned: readonly (readonly ParameterSlot[])[];
  /** For each layer, what is tracked: mean and variance of batch norm. */
  readonly tracked: readonly (readonly ParameterSlot[])[];
  readonly learnedLength: number;
  readonly trackedLength: number;
}

export function layoutParameters(description: NetworkDescription): ParameterLayout {
  const widths = layerWidths(description);
  const learned = description.layers.map((layer, index) => learnedSlots(layer, widths[index]));
  const tracked = description.layers.map((layer, index) =>
    layer.kind === 'batch-norm' ? [slot([widths[index]], () => 0), slot([widths[index]], () => 1)] : [],
  );
  return { learned, tracked, learnedLength: lengthOf(learned), trackedLength: lengthOf(tracked) };
}

/**
 * Initial values as Keras's: kernels uniform by Glorot and Bengio (AISTATS 2010), biases 0, embeddings within ± 0.05.
 * He and others' wider kernels (ICCV 2015) gave the two networks of bench/network.ts .005 less AUC after six epochs.
 */
export function initialParameters(
  layout: ParameterLayout,
  seed: number,
): { learned: Float32Array; tracked: Float32Array } {
  const prng = createPrng(seed);
  const fill = (slots: ParameterLayout['learned'], length: number) => {
    const values = new Float32Array(length);
    let at = 0;
    slots.flat().forEach((one, index) => {
      const own = prng.fork(index);
      for (let i = 0; i < one.length; i++) values[at++] = one.fill(own);
    });
    return values;
  };
  return { learned: fill(layout.learned, layout.learnedLength), tracked: fill(layout.tracked, layout.trackedLength) };
}

/** A penalty factor for every learned number; null where no layer asks for one. */
export function penaltyVector(layout: ParameterLayout, which: 'l1' | 'l2'): Float32Array | null {
  const slots = layout.learned.flat();
  if (slots.every((one) => one[which] === 0)) return null;
  return Float32Array.from(slots.flatMap((one) => new Array<number>(one.length).fill(one[which])));
}

export function networkOf(
  description: NetworkDescription,
  layout: ParameterLayout,
  learned: Float32Array,
  tracked: Float32Array,
): Network {
  const reader = (values: Float32Array) => {
    let at = 0;
    return (slots: readonly ParameterSlot[]) =>
      slots.map(({ length }) => {
        at += length;
        return values.slice(at - length, at);
      });
  };
  const readLearned = reader(learned);
  const readTracked = reader(tracked);
  const weights = description.layers.map((layer, index) =>
    layerWeights(layer, readLearned(layout.learned[index]), readTracked(layout.tracked[index])),
  );
  return { description, weights };
}

function layerWeights(layer: Layer, own: Float32Array[], [mean, variance]: Float32Array[]): LayerWeights {
  switch (layer.kind) {
    case 'embed-columns':
      return { kind: 'embed-columns', tables: own };
    case 'dense':
      return { kind: 'dense', kernel: own[0], bias: own[1] };
    case 'dropout':
      return { kind: 'dropout' };
    case 'batch-norm':
      return { kind: 'batch-norm', gamma: own[0], beta: own[1], mean, variance };
  }
}

/** The inverse of `networkOf`. */
export function parametersOf({ weights }: Network): { learned: Float32Array; tracked: Float32Array } {
  const learned: Float32Array[] = [];
  const tracked: Float32Array[] = [];
  for (const layer of weights) {
    if (layer.kind === 'embed-columns') learned.push(...layer.tables);
    if (layer.kind === 'dense') learned.push(layer.kernel, layer.bias);
    if (layer.kind === 'batch-norm') {
      learned.push(layer.gamma, layer.beta);
      tracked.push(layer.mean, layer.variance);
    }
  }
  return { learned: concatenate(learned), tracked: concatenate(tracked) };
}

function concatenate(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function learnedSlots(layer: Layer, inputs: number): ParameterSlot[] {
  switch (layer.kind) {
    case 'embed-columns':
      return layer.columns.map(({ categories, units }) => slot([categories, units], uniform(0.05)));
    case 'dense': {
      const kernel = slot([inputs, layer.units], uniform(Math.sqrt(6 / (inputs + layer.units))));
      return [{ ...kernel, l1: layer.l1, l2: layer.l2 }, slot([layer.units], () => 0)];
    }
    case 'dropout':
      return [];
    case 'batch-norm':
      return [slot([inputs], () => 1), slot([inputs], () => 0)];
  }
}

const uniform = (limit: number) => (prng: Prng) => limit * (2 * prng.nextFloat() - 1);

function slot(dims: readonly number[], fill: (prng: Prng) => number): ParameterSlot {
  return { dims, length: dims.reduce((product, axis) => product * axis, 1), fill, l1: 0, l2: 0 };
}

const lengthOf = (slots: readonly (readonly ParameterSlot[])[]) =>
  slots.flat().reduce((sum, one) => sum + one.length, 0);
