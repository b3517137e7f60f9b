import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng, type Prng } from '../../../lib/prng.ts';
import { ACTIVATIONS, erf } from '../activations.ts';
import type { ActivationName, Layer, LayerWeights, Network } from '../description.ts';
import { createNetworkScorer } from './network-scorer.ts';

const NAMES = Object.keys(ACTIVATIONS) as ActivationName[];

function numbers(prng: Prng, count: number, scale = 1): Float32Array {
  return Float32Array.from({ length: count }, () => (prng.nextFloat() * 2 - 1) * scale);
}

function denseNetwork(sizes: readonly number[], activations: readonly ActivationName[], seed: number): Network {
  const prng = createPrng(seed);
  const layers: Layer[] = [];
  const weights: LayerWeights[] = [];
  for (let i = 1; i < sizes.length; i++) {
    layers.push({ kind: 'dense', units: sizes[i], activation: activations[i - 1], l1: 0, l2: 0 });
    weights.push({
      kind: 'dense',
      kernel: numbers(prng, sizes[i - 1] * sizes[i], 1 / Math.sqrt(sizes[i - 1])),
      bias: numbers(prng, sizes[i]),
    });
  }
  return { description: { inputs: sizes[0], layers }, weights };
}

/** Every sum in float32, from the bias on, in the order of the inputs: the order that the kernel promises. */
function plainScore({ description, weights }: Network, row: Float32Array): Float32Array {
  let values = row;
  description.layers.forEach((layer, index) => {
    const numbers = weights[index];
    if (layer.kind !== 'dense' || numbers.kind !== 'dense') throw new Error('dense layers only');
    const next = Float32Array.from(numbers.bias);
    for (let unit = 0; unit < layer.units; unit++) {
      let sum = next[unit];
      for (let i = 0; i < values.length; i++) {
        sum = Math.fround(sum + Math.fround(values[i] * numbers.kernel[i * layer.units + unit]));
      }
      next[unit] = ACTIVATIONS[layer.activation](sum);
    }
    values = next;
  });
  return values;
}

describe('the network scorer', () => {
  function checkBits(shape: readonly number[], names: readonly ActivationName[], rows: number, seed: number): void {
    const network = denseNetwork(shape, names, seed);
    const values = numbers(createPrng(seed + 1), rows * shape[0], 3);
    const scored = createNetworkScorer(network).score(values, rows);
    const outputs = shape[shape.length - 1];
    expect(scored.length).toBe(rows * outputs);
    for (let row = 0; row < rows; row++) {
      const expected = plainScore(network, values.subarray(row * shape[0], (row + 1) * shape[0]));
      expect([...scored.subarray(row * outputs, (row + 1) * outputs)].map(ownZero)).toEqual([...expected].map(ownZero));
    }
  }

  it('gives the bits of the plain sums for any shape and batch', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 21 }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 140 }), fc.nat(1000), (shape, rows, seed) => {
        const names = shape.map((_, index) => NAMES[(seed + index) % NAMES.length]);
        checkBits(shape, names, rows, seed);
      }),
      { numRuns: 60 },
    );
  });

  it('gives the same bits where it leaves out the zeros behind a ReLU', () => {
    const wide = fc.integer({ min: 32, max: 75 });
    const shapes = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 40 }), wide, wide);
    fc.assert(
      fc.property(shapes, fc.integer({ min: 1, max: 70 }), fc.nat(1000), (shape, rows, seed) => {
        checkBits(shape, ['relu', 'relu', NAMES[seed % NAMES.length]], rows, seed);
      }),
      { numRuns: 40 },
    );
  });

  it('gives the bias where a ReLU has let nothing through', () => {
    const { weights } = denseNetwork([2, 5, 40], ['relu', 'linear'], 3);
    const relu = { kind: 'dense', kernel: new Float32Array(10), bias: new Float32Array(5).fill(-1) } as const;
    const bias = numbers(createPrng(8), 40);
    bias[0] = -0;
    const layers = denseNetwork([2, 5, 40], ['relu', 'linear'], 3).description.layers;
    const last = weights[1];
    if (last.kind !== 'dense') throw new Error('a dense layer was made');
    const network: Network = { description: { inputs: 2, layers }, weights: [relu, { ...last, bias }] };
    const [first, ...rest] = createNetworkScorer(network).score(Float32Array.of(1, 2), 1);
    expect(Object.is(first, 0)).toBe(true);
    expect(rest).toEqual([...bias.subarray(1)]);
  });

  it('scores no rows', () => {
    expect(createNetworkScorer(denseNetwork([3, 2], ['relu'], 1)).score(new Float32Array(0), 0)).toHaveLength(0);
  });

  it('folds batch normalisation into what follows, and leaves dropout out', () => {
    const { weights } = denseNetwork([2, 2, 1], ['linear', 'linear'], 4);
    const normal = {
      kind: 'batch-norm',
      gamma: Float32Array.of(2, 1),
      beta: Float32Array.of(0.5, -1),
      mean: Float32Array.of(1, 3),
      variance: Float32Array.of(4, 0.25),
    } as const;
    const dense = { kind: 'dense', activation: 'linear', l1: 0, l2: 0 } as const;
    const layers: Layer[] = [
      { ...dense, units: 2 },
      { kind: 'batch-norm', momentum: 0.99, epsilon: 0.001 },
      { kind: 'dropout', rate: 0.5 },
      { ...dense, units: 1 },
      { kind: 'batch-norm', momentum: 0.99, epsilon: 0.001 },
    ];
    const last = { ...normal, gamma: Float32Array.of(3), beta: Float32Array.of(7) };
    const network: Network = {
      description: { inputs: 2, layers },
      weights: [
        weights[0],
        normal,
        { kind: 'dropout' },
        weights[1],
        { ...last, mean: Float32Array.of(1), variance: Float32Array.of(1) },
      ],
    };
    const row = Float32Array.of(0.3, -0.7);
    const hidden = plainScore({ description: { inputs: 2, layers: [layers[0]] }, weights: [weights[0]] }, row);
    const scaled = Float32Array.from(
      hidden,
      (x, i) => ((x - normal.mean[i]) / Math.sqrt(normal.variance[i] + 0.001)) * normal.gamma[i] + normal.beta[i],
    );
    const [out] = plainScore({ description: { inputs: 2, layers: [layers[3]] }, weights: [weights[1]] }, scaled);
    const expected = ((out - 1) / Math.sqrt(1.001)) * 3 + 7;
    expect(createNetworkScorer(network).score(row, 1)[0]).toBeCloseTo(expected, 5);
  });

  it('embeds the columns of categories behind the others; an unknown code is code 0', () => {
    const { weights } = denseNetwork([4, 1], ['linear'], 9);
    const network: Network = {
      description: {
        inputs: 3,
        layers: [
          { kind: 'embed-columns', columns: [{ column: 1, categories: 3, units: 2 }] },
          { kind: 'dense', units: 1, activation: 'linear', l1: 0, l2: 0 },
        ],
      },
      weights: [{ kind: 'embed-columns', tables: [Float32Array.of(1, 2, 3, 4, 5, 6)] }, weights[0]],
    };
    const plain: Network = { description: { inputs: 4, layers: [network.description.layers[1]] }, weights };
    const scored = createNetworkScorer(network).score(Float32Array.of(10, 2, 20, 10, 7, 20), 2);
    expect(scored[0]).toBe(plainScore(plain, Float32Array.of(10, 20, 5, 6))[0]);
    expect(scored[1]).toBe(plainScore(plain, Float32Array.of(10, 20, 1, 2))[0]);
  });

  it('gives the logit where it is asked for', () => {
    const network = denseNetwork([5, 6, 1], ['tanh', 'sigmoid'], 2);
    const values = numbers(createPrng(3), 50);
    const logits = createNetworkScorer(network, { head: 'logit' }).score(values, 10);
    expect([...logits].map((logit) => Math.fround(ACTIVATIONS.sigmoid(logit)))).toEqual([
      ...createNetworkScorer(network).score(values, 10),
    ]);
  });
});

describe('the error function', () => {
  it.each([
    [0, 0],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [-2, -0.9953222650189527],
  ])('of %d is %d', (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(2e-7);
  });
});

/** ReLU may give either zero. */
function ownZero(value: number): number {
  return value === 0 ? 0 : value;
}
