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

function examplesOf(inputs: number, outputs: number, rows = ROWS): Examples {
  const prng = createPrng(4);
  const matrix = createMatrix(rows, inputs);
  // The last column holds codes for embeddings.
  for (let i = 0; i < matrix.values.length; i++) {
    matrix.values[i] = i % inputs === inputs - 1 ? prng.nextBelow(3) : prng.nextNormal();
  }
  const targets = Float32Array.from({ length: rows * outputs }, () => prng.nextBelow(2));
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
    row.forEach((p, c) => {
      const y = targets[r * row.length + c];
      const right = y === 1 ? p : 1 - p;
      const one =
        loss.kind === 'mean-squared-error'
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
  const examples = examplesOf(description.inputs, outputs.units);
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
    { kind: 'mean-squared-error' },
  ])('for the loss %j with two outputs and weights', (loss) =>
    checkGradients(sequential(3, [dense(4, 'tanh'), dense(2, 'sigmoid')]), loss),
  );

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

const task = (rows: number, seed: number): Examples => {
  const prng = createPrng(seed);
  const inputs = createMatrix(rows, 4);
  for (let i = 0; i < inputs.values.length; i++) inputs.values[i] = prng.nextNormal();
  const targets = Float32Array.from({ length: rows }, (_, r) =>
    inputs.values[r * 4] * inputs.values[r * 4 + 1] + 0.3 * prng.nextNormal() > 0 ? 1 : 0,
  );
  return { inputs, targets };
};
const NETWORK = sequential(4, [dense(16, 'relu'), batchNorm(0.9), dropout(0.2), dense(8, 'relu'), dense(1, 'sigmoid')]);

describe('training', () => {
  const training = task(1001, 1);
  const validation = task(400, 2);

  it.each<NetworkTraining['optimizer']>([
    { kind: 'adam' },
    { kind: 'adamw', weightDecay: 0.01 },
    { kind: 'sgd', momentum: 0.9 },
    { kind: 'sgd', momentum: 0.9, nesterov: true },
  ])('learns a product that no straight line separates (%j)', (optimizer) => {
    const learningRate = { initial: optimizer.kind === 'sgd' ? 0.1 : 0.01 };
    const options = { optimizer, learningRate, epochs: 20, batchRows: 64, validation };
    const { history } = trainNetwork(runtime, NETWORK, training, options, 3);
    expect(history).toHaveLength(20);
    // A straight line can do no better than a coin's ln 2 = 0.69.
    expect(history[19].validationLoss).toBeLessThan(0.45);
  });

  it('gives the same bits for the same seed and others for another', () => {
    const train = (seed: number) => trainNetwork(runtime, NETWORK, training, { epochs: 2 }, seed);
    expect(train(5)).toEqual(train(5));
    expect(train(5).history).not.toEqual(train(6).history);
  });

  it('stops early and keeps the numbers of the best epoch', () => {
    const options = { epochs: 200, batchRows: 64, learningRate: { initial: 0.03 }, validation, patience: 4 };
    const { network, history, bestEpoch } = trainNetwork(runtime, NETWORK, task(150, 7), options, 3);
    const losses = history.map(({ validationLoss }) => validationLoss!);
    expect(bestEpoch).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(history).toHaveLength(bestEpoch + 4);
    const kept = { ...options, epochs: bestEpoch, patience: 0 };
    expect(network).toEqual(trainNetwork(runtime, NETWORK, task(150, 7), kept, 3).network);
  });

  it('stops where a callback says so', () => {
    const seen: number[] = [];
    const onEpochEnd = ({ epoch }: { epoch: number }) => {
      seen.push(epoch);
      return epoch < 3;
    };
    expect(trainNetwork(runtime, NETWORK, training, { onEpochEnd }, 1).bestEpoch).toBe(3);
    expect(seen).toEqual([1, 2, 3]);
  });

  /** Moves of two numbers for their gradients at step t, from 1. */
  type Rule = (gradients: readonly number[], t: number, w: Float64Array) => readonly number[];

  /** The papers' and Keras's formulas, one number at a time. */
  const rules: readonly [NetworkTraining['optimizer'], () => Rule][] = [
    [{ kind: 'adam' }, () => adam(0)],
    [{ kind: 'adamw', weightDecay: 0.2 }, () => adam(0.2)],
    [{ kind: 'sgd' }, () => (gradients) => gradients.map((g) => -0.1 * g)],
    [{ kind: 'sgd', momentum: 0.9 }, () => momentum(false)],
    [{ kind: 'sgd', momentum: 0.9, nesterov: true }, () => momentum(true)],
  ];

  function adam(weightDecay: number): Rule {
    const m = [0, 0];
    const v = [0, 0];
    return (gradients, t, w) =>
      gradients.map((g, i) => {
        m[i] = 0.9 * m[i] + 0.1 * g;
        v[i] = 0.999 * v[i] + 0.001 * g * g;
        const step = m[i] / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-7);
        return -0.1 * (step + weightDecay * w[i]);
      });
  }

  function momentum(nesterov: boolean): Rule {
    const velocity = [0, 0];
    return (gradients) =>
      gradients.map((g, i) => {
        velocity[i] = 0.9 * velocity[i] - 0.1 * g;
        return nesterov ? 0.9 * velocity[i] - 0.1 * g : velocity[i];
      });
  }

  it.each(rules)('takes three steps as the definition of %j has them', (optimizer, makeRule) => {
    const one: Examples = {
      inputs: { rows: 1, columns: 1, values: Float32Array.of(0.5) },
      targets: Float32Array.of(1),
    };
    const train = (initial: number) =>
      parametersOf(
        trainNetwork(
          runtime,
          sequential(1, [dense(1)]),
          one,
          { loss: { kind: 'mean-squared-error' }, optimizer, epochs: 3, learningRate: { initial } },
          2,
        ).network,
      ).learned;
    const w = Float64Array.from(train(0));
    const rule = makeRule();
    for (let t = 1; t <= 3; t++) {
      const slope = 2 * (0.5 * w[0] + w[1] - 1);
      rule([slope * 0.5, slope], t, w.slice()).forEach((move, i) => {
        w[i] += move;
      });
    }
    const learned = train(0.1);
    expect(learned[0]).toBeCloseTo(w[0], 5);
    expect(learned[1]).toBeCloseTo(w[1], 5);
  });

  it('drops inputs forward and backward by the same mask, and scales the others up', () => {
    const inputs = { rows: 1, columns: 1000, values: new Float32Array(1000).fill(1) };
    const network = sequential(1000, [dropout(0.25), dense(1)]);
    const train = (initial: number) =>
      trainNetwork(
        runtime,
        network,
        { inputs, targets: Float32Array.of(3) },
        { loss: { kind: 'mean-squared-error' }, optimizer: { kind: 'sgd' }, learningRate: { initial }, epochs: 1 },
        2,
      );
    const { learned: before } = parametersOf(train(0).network);
    const { network: after, history } = train(1);
    const { learned } = parametersOf(after);
    const slope = before[1000] - learned[1000];
    const mask = Array.from({ length: 1000 }, (_, i) => (before[i] - learned[i]) / slope);
    const kept = mask.filter((factor) => Math.abs(factor - 4 / 3) < 1e-4).length;
    expect(mask.filter((factor) => factor === 0)).toHaveLength(1000 - kept);
    expect(Math.abs(kept - 750)).toBeLessThan(60);
    const error = mask.reduce((sum, factor, i) => sum + factor * before[i], before[1000]) - 3;
    expect(slope).toBeCloseTo(2 * error, 3);
    expect(history[0].loss).toBeCloseTo(error ** 2, 3);
  });

  it('passes the gradient on through the inputs that were kept only', () => {
    const units = 200;
    const one: Examples = { inputs: { rows: 1, columns: 1, values: Float32Array.of(1) }, targets: Float32Array.of(3) };
    const network = sequential(1, [dense(units), dropout(0.25), dense(1)]);
    const train = (initial: number) =>
      parametersOf(
        trainNetwork(
          runtime,
          network,
          one,
          { loss: { kind: 'mean-squared-error' }, optimizer: { kind: 'sgd' }, learningRate: { initial }, epochs: 1 },
          2,
        ).network,
      ).learned;
    const before = train(0);
    const gradient = train(1).map((value, i) => before[i] - value);
    const slope = gradient[3 * units];
    // First kernel, first bias, second kernel, second bias.
    for (let i = 0; i < units; i++) {
      const factor = gradient[2 * units + i] / (slope * before[i]);
      expect(Math.min(Math.abs(factor), Math.abs(factor - 4 / 3))).toBeLessThan(1e-3);
      expect(gradient[i]).toBeCloseTo(slope * before[2 * units + i] * factor, 4);
    }
  });

  it('lets the rows that fill up the last batch count for nothing', () => {
    const same = (rows: number): Examples => ({
      inputs: { rows, columns: 2, values: new Float32Array(2 * rows).fill(0.5) },
      targets: new Float32Array(rows).fill(1),
    });
    const network = sequential(2, [dense(3, 'tanh'), dense(1, 'sigmoid')]);
    const train = (rows: number) => trainNetwork(runtime, network, same(rows), { batchRows: 8, epochs: 2 }, 6);
    const [short, full] = [train(10), train(16)];
    const numbers = parametersOf(full.network).learned;
    parametersOf(short.network).learned.forEach((value, i) => {
      expect(value).toBeCloseTo(numbers[i], 5);
    });
  });

  it('refuses shapes that do not fit and a loss without its sigmoid', () => {
    expect(() => trainNetwork(runtime, sequential(3, [dense(1, 'sigmoid')]), training, {}, 1)).toThrow(/columns/);
    expect(() => trainNetwork(runtime, sequential(4, [dense(1)]), training, {}, 1)).toThrow(/sigmoid/);
    expect(() => sequential(4, [dropout(1), dense(1)])).toThrow(/layer 0 \(dropout\)/);
    expect(() => sequential(4, [dense(1), dropout(0.5)])).toThrow(/last layer/);
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
