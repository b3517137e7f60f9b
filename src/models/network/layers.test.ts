// Every layer, activation, loss and penalty against its definition: gradients by finite differences, and inference.
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix } from '../matrix.ts';
import { ACTIVATIONS } from './activations.ts';
import type { ActivationName, NetworkDescription } from './description.ts';
import { inferenceModel } from './inference-graph.ts';
import type { Loss } from './losses.ts';
import { initialParameters, layoutParameters, networkOf, parametersOf } from './parameters.ts';
import { createNetworkScorer } from './scorer/network-scorer.ts';
import { batchNorm, dense, dropout, embedColumns, sequential } from './sequential.ts';
import { type Examples, type NetworkTraining, trainNetwork } from './train.ts';

const runtime = createGraphRuntime();
const ROWS = 24;
const CROSS_ENTROPY: Loss = { kind: 'binary-cross-entropy' };

/** @param blocks codes of each category that the last outputs are the logits of: its targets are a 1 among zeros */
function examplesOf(inputs: number, outputs: number, rows = ROWS, blocks: readonly number[] = []): Examples {
  const prng = createPrng(4);
  const matrix = createMatrix(rows, inputs);
  // The last column holds codes for embeddings.
  for (let i = 0; i < matrix.values.length; i++) {
    matrix.values[i] = i % inputs === inputs - 1 ? prng.nextBelow(3) : prng.nextNormal();
  }
  const targets = Float32Array.from({ length: rows * outputs }, () => prng.nextBelow(2));
  for (let row = 0; row < rows; row++) {
    let end = (row + 1) * outputs;
    for (const codes of blocks.toReversed()) {
      targets.fill(0, end - codes, end)[end - codes + prng.nextBelow(codes)] = 1;
      end -= codes;
    }
  }
  return { inputs: matrix, targets, weights: Float32Array.from({ length: rows }, () => 0.5 + prng.nextFloat()) };
}

/** Loss of all rows as one batch, in float64, straight from the definitions: nothing of it is shared with the graphs. */
function lossByDefinition(
  description: NetworkDescription,
  learned: Float64Array,
  { inputs, targets, weights }: Examples,
  loss: Loss,
) {
  let at = 0;
  let penalty = 0;
  const take = (length: number) => {
    at += length;
    return learned.subarray(at - length, at);
  };
  let rows = Array.from({ length: inputs.rows }, (_, r) => [
    ...inputs.values.subarray(r * inputs.columns, (r + 1) * inputs.columns),
  ]);
  let logits: number[][] = rows;
  for (const layer of description.layers) {
    if (layer.kind === 'embed-columns') {
      const embedded = layer.columns.map(({ categories, units }) => ({ units, table: take(categories * units) }));
      const columns = layer.columns.map(({ column }) => column);
      rows = rows.map((row) => [
        ...row.filter((_, column) => !columns.includes(column)),
        ...embedded.flatMap(({ units, table }, i) => [
          ...table.subarray(row[columns[i]] * units, (row[columns[i]] + 1) * units),
        ]),
      ]);
    } else if (layer.kind === 'dense') {
      const kernel = take(rows[0].length * layer.units);
      const bias = take(layer.units);
      for (const w of kernel) penalty += layer.l1 * Math.abs(w) + layer.l2 * w * w;
      logits = rows.map((row) =>
        [...bias].map((b, u) => row.reduce((sum, x, i) => sum + x * kernel[i * layer.units + u], b)),
      );
      rows = logits.map((row) => row.map(ACTIVATIONS[layer.activation]));
    } else if (layer.kind === 'batch-norm') {
      const width = rows[0].length;
      const gamma = take(width);
      const beta = take(width);
      const mean = [...gamma].map((_, c) => rows.reduce((sum, row) => sum + row[c], 0) / rows.length);
      const variance = mean.map((m, c) => rows.reduce((sum, row) => sum + (row[c] - m) ** 2, 0) / rows.length);
      rows = rows.map((row) =>
        row.map((x, c) => ((x - mean[c]) / Math.sqrt(variance[c] + layer.epsilon)) * gamma[c] + beta[c]),
      );
    }
  }
  let sum = 0;
  rows.forEach((row, r) => {
    let numbers = row.length;
    for (const codes of loss.kind === 'mixed' ? loss.blocks.toReversed() : []) {
      const exponentials = row.slice(numbers - codes, numbers).map(Math.exp);
      const code = targets.subarray(r * row.length + numbers - codes, r * row.length + numbers).indexOf(1);
      const probability = exponentials[code] / exponentials.reduce((total, e) => total + e, 0);
      sum -= (weights![r] * Math.log(probability)) / (rows.length * row.length);
      numbers -= codes;
    }
    row.slice(0, numbers).forEach((p, c) => {
      const y = targets[r * row.length + c];
      const right = y === 1 ? p : 1 - p;
      const one =
        loss.kind === 'mean-squared-error' || loss.kind === 'mixed'
          ? (p - y) ** 2
          : -((1 - right) ** (loss.kind === 'focal' ? loss.gamma : 0)) * Math.log(right);
      sum += (weights![r] * one) / (rows.length * row.length);
    });
  });
  return sum + penalty;
}

/** One step of plain gradient descent at rate 1 subtracts the gradient from what was there. */
function checkGradients(description: NetworkDescription, loss: Loss, tolerance = 2e-4): void {
  const outputs = description.layers.at(-1) as { units: number };
  const blocks = loss.kind === 'mixed' ? loss.blocks : [];
  const examples = examplesOf(description.inputs, outputs.units, ROWS, blocks);
  const training: Partial<NetworkTraining> = { loss, optimizer: { kind: 'sgd' }, epochs: 1, batchRows: ROWS };
  const at = (rate: number) =>
    trainNetwork(runtime, description, examples, { ...training, learningRate: { initial: rate } }, 9);
  const { learned: before } = parametersOf(at(0).network);
  const after = at(1);
  const { learned } = parametersOf(after.network);
  const point = Float64Array.from(before);
  expect(after.history[0].loss).toBeCloseTo(lossByDefinition(description, point, examples, loss), 5);
  let largest = 0;
  for (let i = 0; i < point.length; i++) {
    const step = 1e-6;
    const beside = (change: number) => {
      const moved = point.slice();
      moved[i] += change;
      return lossByDefinition(description, moved, examples, loss);
    };
    const expected = (beside(step) - beside(-step)) / (2 * step);
    largest = Math.max(largest, Math.abs(expected));
    expect(Math.abs(before[i] - learned[i] - expected), `number ${i}`).toBeLessThan(
      tolerance * Math.max(1, Math.abs(expected)),
    );
  }
  expect(largest).toBeGreaterThan(1e-3);
}

describe('gradients agree with finite differences of the definitions', () => {
  it.each(Object.keys(ACTIVATIONS) as ActivationName[])('for the activation %s', (activation) => {
    checkGradients(sequential(3, [dense(5, activation), dense(4, activation), dense(1, 'sigmoid')]), CROSS_ENTROPY);
  });

  it.each<Loss>([
    CROSS_ENTROPY,
    { kind: 'focal', gamma: 2 },
    { kind: 'focal', gamma: 0.5 },
    { kind: 'focal', gamma: 0 },
    { kind: 'mean-squared-error' },
  ])('for the loss %j with two outputs and weights', (loss) =>
    checkGradients(sequential(3, [dense(4, 'tanh'), dense(2, 'sigmoid')]), loss),
  );

  it.each([[[3]], [[2, 4]]])('for numbers beside categories of %j codes', (blocks) => {
    const loss: Loss = { kind: 'mixed', blocks };
    checkGradients(sequential(3, [dense(4, 'tanh'), dense(8, 'linear')]), loss);
    const onlyCategories = blocks.reduce((sum, codes) => sum + codes, 0);
    checkGradients(sequential(3, [dense(4, 'tanh'), dense(onlyCategories, 'linear')]), loss);
  });

  it('for L1 and L2 penalties', () => {
    checkGradients(
      sequential(3, [dense(4, 'tanh', { l1: 0.1, l2: 0.3 }), dense(1, 'sigmoid', { l2: 0.2 })]),
      CROSS_ENTROPY,
    );
  });

  it('for batch norm', () => {
    checkGradients(
      sequential(3, [dense(5), batchNorm(), dense(4, 'tanh'), batchNorm(), dense(1, 'sigmoid')]),
      CROSS_ENTROPY,
    );
  });

  it('for embeddings', () => {
    const embedding = embedColumns([{ column: 2, categories: 3, units: 2 }]);
    checkGradients(sequential(3, [embedding, dense(4, 'tanh'), dense(1, 'sigmoid')]), CROSS_ENTROPY);
    checkGradients(
      sequential(1, [embedColumns([{ column: 0, categories: 3, units: 2 }]), dense(1, 'sigmoid')]),
      CROSS_ENTROPY,
    );
  });
});

describe('the inference graph', () => {
  it('agrees with the scorer for every kind of layer', () => {
    const layers = [
      embedColumns([{ column: 2, categories: 3, units: 2 }]),
      dense(6, 'gelu'),
      batchNorm(),
      dropout(0.5),
      dense(1, 'sigmoid'),
    ];
    const description = sequential(3, layers as never);
    const layout = layoutParameters(description);
    const { learned, tracked } = initialParameters(layout, 8);
    const network = networkOf(description, layout, learned, tracked);
    const { inputs } = examplesOf(3, 1);
    inputs.values[2] = 17;
    const { outputs } = runtime.open(inferenceModel(network)).run({ inputs: { data: inputs.values, dims: [ROWS, 3] } });
    const scores = createNetworkScorer(network).score(inputs.values, ROWS);
    scores.forEach((score, i) => {
      expect(score).toBeCloseTo(outputs.data[i] as number, 6);
    });
  });
});
