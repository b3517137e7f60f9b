// Networks described as in Keras: `sequential(30, [dense(64, 'relu'), dropout(0.5), dense(1, 'sigmoid')])`.
import type {
  ActivationName,
  BatchNormLayer,
  DenseLayer,
  DropoutLayer,
  EmbedColumnsLayer,
  Layer,
  NetworkDescription,
} from './description.ts';

const MAX_LAYERS = 256;
const MAX_WIDTH = 65_536;

/**
 * @param inputs columns of the input matrix
 * @throws if a layer can't follow the one before, or a number is out of its range; the message says which layer
 */
export function sequential(inputs: number, layers: readonly Layer[]): NetworkDescription {
  if (!isWhole(inputs, 1, MAX_WIDTH)) throw new Error(`network: ${inputs} inputs, expected 1 to ${MAX_WIDTH}`);
  if (layers.length > MAX_LAYERS) throw new Error(`network: ${layers.length} layers, the limit is ${MAX_LAYERS}`);
  layers.forEach((layer, index) => {
    const problem = problemOf(layer, index, inputs);
    if (problem !== null) throw new Error(`network: layer ${index} (${layer.kind}): ${problem}`);
  });
  if (layers.at(-1)?.kind !== 'dense') throw new Error('network: the last layer must be dense');
  return { inputs, layers };
}

export function dense(
  units: number,
  activation: ActivationName = 'linear',
  penalty: { readonly l1?: number; readonly l2?: number } = {},
): DenseLayer {
  return { kind: 'dense', units, activation, l1: penalty.l1 ?? 0, l2: penalty.l2 ?? 0 };
}

export const dropout = (rate: number): DropoutLayer => ({ kind: 'dropout', rate });

/** Keras's defaults. */
export const batchNorm = (momentum = 0.99, epsilon = 1e-3): BatchNormLayer => ({
  kind: 'batch-norm',
  momentum,
  epsilon,
});

export const embedColumns = (columns: EmbedColumnsLayer['columns']): EmbedColumnsLayer => ({
  kind: 'embed-columns',
  columns,
});

/** Columns that go into each layer, and last those that come out of the network. */
export function layerWidths({ inputs, layers }: NetworkDescription): number[] {
  const widths = [inputs];
  for (const layer of layers) {
    const before = widths[widths.length - 1];
    if (layer.kind === 'dense') widths.push(layer.units);
    else if (layer.kind === 'embed-columns') {
      widths.push(before + layer.columns.reduce((sum, { units }) => sum + units - 1, 0));
    } else widths.push(before);
  }
  return widths;
}

function problemOf(layer: Layer, index: number, inputs: number): string | null {
  switch (layer.kind) {
    case 'dense':
      if (!isWhole(layer.units, 1, MAX_WIDTH)) return `${layer.units} units, expected 1 to ${MAX_WIDTH}`;
      return layer.l1 >= 0 && layer.l2 >= 0 ? null : 'penalties are numbers from 0';
    case 'dropout':
      return layer.rate >= 0 && layer.rate < 1 ? null : `rate ${layer.rate}, expected 0 or more and below 1`;
    case 'batch-norm':
      if (!(layer.momentum >= 0 && layer.momentum < 1)) return `momentum ${layer.momentum}, expected 0 to below 1`;
      return layer.epsilon > 0 ? null : `epsilon ${layer.epsilon}, expected above 0`;
    case 'embed-columns': {
      if (index !== 0) return 'embeddings are the first layer or none';
      if (new Set(layer.columns.map(({ column }) => column)).size < layer.columns.length)
        return 'a column is given twice';
      const sound = layer.columns.every(
        ({ column, categories, units }) =>
          isWhole(column, 0, inputs - 1) && isWhole(categories, 1, 1e6) && isWhole(units, 1, 4096),
      );
      return sound ? null : 'a column, its categories or its units are out of range';
    }
  }
}

const isWhole = (value: number, from: number, to: number) => Number.isInteger(value) && value >= from && value <= to;
