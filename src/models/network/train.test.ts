import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix } from '../matrix.ts';
import { learningRateAt } from './optimizer.ts';
import { parametersOf } from './parameters.ts';
import { batchNorm, dense, dropout, sequential } from './sequential.ts';
import { type Examples, type NetworkTraining, trainEpochs, trainNetwork } from './train.ts';

const runtime = createGraphRuntime();

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

  it('learns from the inputs of each epoch where they are given', () => {
    const options = { epochs: 2, batchRows: 64 };
    const inputsOf = (epoch: number) => (epoch === 1 ? training.inputs : task(1001, 3).inputs);
    const { history } = trainNetwork(runtime, NETWORK, training, { ...options, inputsOf }, 3);
    const plain = trainNetwork(runtime, NETWORK, training, options, 3).history;
    expect(history[0]).toEqual(plain[0]);
    expect(history[1]).not.toEqual(plain[1]);
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

  it.each<[NetworkTraining['optimizer'], NetworkTraining['learningRate']]>([
    [{ kind: 'sgd' }, { initial: 0.1, warmupSteps: 2 }],
    [{ kind: 'sgd' }, { initial: 0.1, decay: { kind: 'exponential', everySteps: 1, factor: 0.5 } }],
    [
      { kind: 'adamw', weightDecay: 0.2 },
      { initial: 0.1, decay: { kind: 'cosine', steps: 4 } },
    ],
  ])('follows the schedule %j %j through the steps', (optimizer, learningRate) => {
    const one: Examples = { inputs: { rows: 1, columns: 1, values: Float32Array.of(1) }, targets: Float32Array.of(5) };
    const loss = { kind: 'mean-squared-error' } as const;
    const description = sequential(1, [dense(1)]);
    const train = (options: Partial<NetworkTraining>) =>
      parametersOf(trainNetwork(runtime, description, one, { loss, optimizer, ...options }, 2).network).learned;
    // By hand, one number at a time; both numbers have the same gradient, for the input is 1.
    const w = Float64Array.from(train({ epochs: 1, learningRate: { initial: 0 } }));
    let [m, v] = [0, 0];
    for (let t = 1; t <= 4; t++) {
      const rate = learningRateAt(learningRate, t - 1);
      const g = 2 * (w[0] + w[1] - 5);
      [m, v] = [0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g];
      const adam = m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-7);
      for (const i of [0, 1]) w[i] -= rate * (optimizer.kind === 'sgd' ? g : adam + 0.2 * w[i]);
    }
    train({ epochs: 4, learningRate }).forEach((value, i) => {
      expect(value).toBeCloseTo(w[i], 5);
    });
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

  it('shortens a gradient that is longer than asked, and leaves a shorter one as it is', () => {
    const one: Examples = {
      inputs: { rows: 1, columns: 2, values: Float32Array.of(3, -1) },
      targets: Float32Array.of(9),
    };
    const step = (clipNorm: number | null) => {
      const options = {
        loss: { kind: 'mean-squared-error' },
        optimizer: { kind: 'sgd' },
        epochs: 1,
        clipNorm,
      } as const;
      const at = (initial: number) =>
        parametersOf(
          trainNetwork(runtime, sequential(2, [dense(1)]), one, { ...options, learningRate: { initial } }, 5).network,
        ).learned;
      const [before, after] = [at(0), at(1)];
      return Array.from(before, (value, i) => value - after[i]);
    };
    const whole = step(null);
    const length = Math.hypot(...whole);
    expect(length).toBeGreaterThan(1);
    step(0.5).forEach((value, i) => {
      expect(value).toBeCloseTo((whole[i] * 0.5) / length, 5);
    });
    expect(step(2 * length)).toEqual(whole);
  });

  it('stays where it is, clipped, when nothing is left to learn', () => {
    const done: Examples = { inputs: { rows: 1, columns: 1, values: Float32Array.of(0) }, targets: Float32Array.of(0) };
    const options = { loss: { kind: 'mean-squared-error' }, epochs: 2, clipNorm: 1 } as const;
    const { learned } = parametersOf(trainNetwork(runtime, sequential(1, [dense(1)]), done, options, 5).network);
    expect(learned.every(Number.isFinite)).toBe(true);
  });

  it('goes on from a network, and lowers the rate where an epoch is answered so', () => {
    const options = { optimizer: { kind: 'sgd' }, batchRows: 64, learningRate: { initial: 0.1 } } as const;
    const first = trainNetwork(runtime, NETWORK, training, { ...options, epochs: 1 }, 3).network;
    const still = { ...options, epochs: 1, learningRate: { initial: 0 }, startFrom: first };
    expect(parametersOf(trainNetwork(runtime, NETWORK, training, still, 8).network).learned).toEqual(
      parametersOf(first).learned,
    );
    const other = sequential(4, [dense(1, 'sigmoid')]);
    expect(() => trainNetwork(runtime, other, training, { startFrom: first }, 1)).toThrow(/another description/);

    const epochs = trainEpochs(runtime, NETWORK, training, { ...options, epochs: 9 }, 3);
    const rates: number[] = [];
    let answer = {};
    for (let next = epochs.next(); !next.done; next = epochs.next(answer)) {
      rates.push(next.value.learningRate);
      answer = { rateFactor: 0.5, stop: rates.length === 3 };
      if (rates.length === 2) expect(next.value.network.weights).not.toEqual(first.weights);
    }
    expect(rates).toEqual([0.1, 0.05, 0.025]);
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

  it('stops with a reason where the loss is no number any more', () => {
    const inputs = { ...training.inputs, values: training.inputs.values.slice() };
    inputs.values[17] = Number.NaN;
    const train = () => trainNetwork(runtime, NETWORK, { ...training, inputs }, { epochs: 3 }, 1);
    expect(train).toThrow(/the loss is NaN in epoch 1: lower the learning rate/);
  });

  it('refuses shapes that do not fit and a loss without its sigmoid', () => {
    expect(() => trainNetwork(runtime, sequential(3, [dense(1, 'sigmoid')]), training, {}, 1)).toThrow(/columns/);
    expect(() => trainNetwork(runtime, sequential(4, [dense(1)]), training, {}, 1)).toThrow(/sigmoid/);
    expect(() => sequential(4, [dropout(1), dense(1)])).toThrow(/layer 0 \(dropout\)/);
    expect(() => sequential(4, [dense(1), dropout(0.5)])).toThrow(/last layer/);
  });
});
