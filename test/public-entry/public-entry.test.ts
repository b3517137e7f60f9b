// The module as a program uses it: only what src/index.ts exports, and the example as it stands.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import {
  averagePrecision,
  batchNorm,
  type Callback,
  compile,
  csvLogger,
  dense,
  detectors,
  dropout,
  type EpochReport,
  earlyStopping,
  embedColumns,
  InputError,
  loadModel,
  type ModelSettings,
  modelCheckpoint,
  progressLines,
  reduceOnPlateau,
  sequential,
} from '../../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'centinela-public-entry-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Fraud where the first two columns have the same sign; one in four. No straight line separates them. */
function makeRows(rows: number, seed: number) {
  let state = seed;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  const inputs: number[][] = [];
  const targets: number[] = [];
  for (let row = 0; row < rows; row++) {
    const [a, b, noise] = [random() * 2 - 1, random() * 2 - 1, random() * 2 - 1];
    inputs.push([a, b, noise]);
    targets.push(a * b > 0 && random() < 0.5 ? 1 : 0);
  }
  return { inputs, targets };
}

const TRAINING = makeRows(800, 1);
const LATER = makeRows(400, 2);
const NETWORK = sequential(3, [dense(16, 'relu'), batchNorm(0.9), dropout(0.1), dense(8, 'tanh'), dense(1, 'sigmoid')]);
const SETTINGS: ModelSettings = { learningRate: 0.02, metrics: ['aucRoc', 'averagePrecision'] };

describe('a compiled model', () => {
  it('learns, and is measured on rows it has not seen', async () => {
    const model = compile(NETWORK, SETTINGS);
    const before = model.evaluate(LATER.inputs, LATER.targets);
    const { history, network } = await model.fit(TRAINING.inputs, TRAINING.targets, {
      epochs: 15,
      batchRows: 32,
      validation: LATER,
    });
    const after = model.evaluate(LATER.inputs, LATER.targets);
    expect(Object.keys(after)).toEqual(['loss', 'aucRoc', 'averagePrecision']);
    expect(after.aucRoc).toBeGreaterThan(0.75);
    expect(after.loss).toBeLessThan(before.loss);
    expect(history).toHaveLength(15);
    // What was measured after the last epoch is what `evaluate` says of the same rows.
    expect(history[14].metrics.aucRoc).toBe(after.aucRoc);
    expect(history[14].validationLoss).toBeCloseTo(after.loss, 5);
    expect(model.network).toBe(network);
    const scores = model.predict(LATER.inputs);
    expect(averagePrecision(Uint8Array.from(LATER.targets), scores)).toBe(after.averagePrecision);
  });

  it('gives the same bits for the same seed, and others for another', async () => {
    const train = async (seed: number) => {
      const model = compile(NETWORK, { ...SETTINGS, seed });
      await model.fit(TRAINING.inputs, TRAINING.targets, { epochs: 2 });
      return model.predict(LATER.inputs);
    };
    const first = await train(3);
    expect(await train(3)).toEqual(first);
    expect(await train(4)).not.toEqual(first);
  });

  it('goes on where it was when it is fitted again', async () => {
    const model = compile(NETWORK, SETTINGS);
    const first = await model.fit(TRAINING.inputs, TRAINING.targets, { epochs: 8 });
    const second = await model.fit(TRAINING.inputs, TRAINING.targets, { epochs: 1 });
    expect(second.history[0].loss).toBeLessThan(first.history[0].loss);
    expect(second.network).not.toBe(first.network);
  });

  it('counts classes and rows as asked', async () => {
    const meanAfter = async (options: object) => {
      const model = compile(NETWORK, SETTINGS);
      await model.fit(TRAINING.inputs, TRAINING.targets, { epochs: 6, batchRows: 32, ...options });
      return model.predict(LATER.inputs).reduce((sum, score) => sum + score / LATER.targets.length, 0);
    };
    const plain = await meanAfter({});
    expect(plain).toBeGreaterThan(0.15);
    expect(plain).toBeLessThan(0.35);
    expect(Math.abs((await meanAfter({ classWeights: 'balanced' })) - 0.5)).toBeLessThan(0.12);
    const ofFrauds = { classWeights: { 0: 1, 1: 9 } };
    expect(await meanAfter(ofFrauds)).toBe(
      await meanAfter({ rowWeights: TRAINING.targets.map((target) => (target === 1 ? 9 : 1)) }),
    );
    expect(await meanAfter(ofFrauds)).toBeGreaterThan(plain + 0.25);
  });

  it('shows its layers with their outputs and parameters', () => {
    const embedding = embedColumns([{ column: 2, categories: 7, units: 2 }]);
    const { description, summary } = compile(
      sequential(3, [embedding, dense(4, 'relu', { l1: 0.01 }), batchNorm(), dense(1)]),
      {
        loss: 'mean-squared-error',
      },
    );
    expect(description.inputs).toBe(3);
    expect(summary()).toBe(`Sequential network of 3 inputs
┌──────────────────────┬──────────────┬────────────┐
│ Layer                │ Output shape │ Parameters │
├──────────────────────┼──────────────┼────────────┤
│ embed 1 column       │ (rows, 4)    │         14 │
│ dense 4 relu L1 0.01 │ (rows, 4)    │         20 │
│ batch norm           │ (rows, 4)    │         16 │
│ dense 1 linear       │ (rows, 1)    │          5 │
└──────────────────────┴──────────────┴────────────┘
 Parameters: 55 (0.2 KB)
 learned: 47 (0.2 KB)
 tracked: 8 (0.0 KB)
`);
  });

  it.each(['keras', 'h5', 'pt', 'safetensors'])(
    'is the same after a .%s file, and can be trained further',
    async (ending) => {
      const model = compile(NETWORK, SETTINGS);
      await model.fit(TRAINING.inputs, TRAINING.targets, { epochs: 1 });
      const path = join(folder, `network.${ending}`);
      await model.save(path);
      const loaded = await loadModel(path, SETTINGS);
      expect(loaded.predict(LATER.inputs)).toEqual(model.predict(LATER.inputs));
      const { history } = await loaded.fit(TRAINING.inputs, TRAINING.targets, { epochs: 1 });
      expect(history).toHaveLength(1);
    },
  );

  it('is served as an ONNX file by the detector onnx', async () => {
    const model = compile(NETWORK, SETTINGS);
    const path = join(folder, 'network.onnx');
    await model.save(path);
    const matrix = { rows: 400, columns: 3, values: Float32Array.from(LATER.inputs.flat()) };
    const data = { matrix, features: ['a', 'b', 'noise'], labels: null, validation: null };
    const options = { model: new Uint8Array(readFileSync(path)), modelFeatures: ['a', 'b', 'noise'] };
    const scores = detectors.onnx.fit(data, options, 1).score(matrix);
    const own = model.predict(matrix);
    scores.forEach((score, row) => {
      expect(score).toBeCloseTo(own[row], 6);
    });
    await expect(loadModel(path)).rejects.toThrow(/a graph, not layers/);
  });
});

describe('callbacks', () => {
  /** Epochs as they are reported, with losses of one's choice. */
  const report = (epoch: number, validationLoss: number, learningRate = 1): EpochReport => ({
    ...{ epoch, epochs: 9, loss: 0.5, validationLoss, learningRate },
    metrics: { aucRoc: 1 - validationLoss },
    network: { description: NETWORK, weights: [] },
  });
  const answers = (callback: Callback, losses: readonly number[]) =>
    losses.map((loss, index) => callback(report(index + 1, loss)));

  it('earlyStopping keeps the best epoch and stops after its patience', () => {
    const losses = [0.5, 0.3, 0.35, 0.29, 0.29, 0.4];
    const expected = [
      ...[true, true, false, true, false].map((keep) => ({ keep, stop: false })),
      { keep: false, stop: true },
    ];
    expect(answers(earlyStopping({ patience: 2 }), losses)).toEqual(expected);
    const byAuc = earlyStopping({ patience: 2, monitor: 'aucRoc' });
    expect(answers(byAuc, losses)).toEqual(expected);
    // The same callback in another training.
    expect(answers(byAuc, losses)).toEqual(expected);
    expect(answers(earlyStopping({ patience: 9, minDelta: 0.1 }), [0.5, 0.45, 0.39])).toMatchObject([
      { keep: true },
      { keep: false },
      { keep: true },
    ]);
  });

  it('reduceOnPlateau lowers the rate after each patience, and not below the least', async () => {
    const callback = reduceOnPlateau({ patience: 2, factor: 0.5, least: 0.4 });
    expect(answers(callback, [0.5, 0.6, 0.6, 0.6, 0.6, 0.1])).toEqual([
      undefined,
      undefined,
      { rateFactor: 0.5 },
      undefined,
      { rateFactor: 0.5 },
      undefined,
    ]);
    callback(report(1, 0.5));
    callback(report(2, 0.5));
    expect(callback(report(3, 0.5, 0.5))).toEqual({ rateFactor: 0.8 });
  });

  it('fit restores the best network, lowers the rate, writes the files and stops as its callbacks answer', async () => {
    const model = compile(NETWORK, { ...SETTINGS, learningRate: 0.05 });
    const lines: string[] = [];
    const seen: EpochReport[] = [];
    const { history, bestEpoch, network } = await model.fit(
      TRAINING.inputs.slice(0, 100),
      TRAINING.targets.slice(0, 100),
      {
        epochs: 60,
        batchRows: 16,
        validation: LATER,
        callbacks: [
          earlyStopping({ patience: 4 }),
          reduceOnPlateau({ patience: 2 }),
          modelCheckpoint({ path: join(folder, 'best.safetensors') }),
          modelCheckpoint({ path: join(folder, 'epoch-{epoch}.safetensors'), bestOnly: false }),
          csvLogger(join(folder, 'history.csv')),
          progressLines((text) => lines.push(text)),
          (each) => void seen.push(each),
        ],
      },
    );
    const losses = history.map(({ validationLoss }) => validationLoss!);
    expect(bestEpoch).toBe(losses.indexOf(Math.min(...losses)) + 1);
    expect(history).toHaveLength(bestEpoch + 4);
    expect(history.at(-1)!.learningRate).toBeLessThan(0.05);
    expect(network).toBe(seen[bestEpoch - 1].network);
    const best = (await loadModel(join(folder, 'best.safetensors'))).predict(LATER.inputs);
    expect(best).toEqual(model.predict(LATER.inputs));
    expect(existsSync(join(folder, `epoch-${history.length}.safetensors`))).toBe(true);
    expect(lines[0]).toMatch(/^epoch {2}1\/60 {2}loss \d\.\d{4} {2}validation loss \d\.\d{4} {2}aucRoc \d\.\d{4} /);
    const csv = readFileSync(join(folder, 'history.csv'), 'utf8').trimEnd().split('\n');
    expect(csv).toHaveLength(history.length + 1);
    expect(csv[0]).toBe('epoch,loss,validationLoss,learningRate,aucRoc,averagePrecision');
    expect(csv[2].split(',').map(Number)).toEqual([
      ...[2, history[1].loss, history[1].validationLoss, history[1].learningRate],
      ...Object.values(history[1].metrics),
    ]);
  });
});

describe('what can not be done is refused with a reason', () => {
  const model = compile(NETWORK, SETTINGS);
  it.each<[string, () => unknown, RegExp]>([
    ['a value that is missing', () => model.predict([[1, Number.NaN, 0]]), /Row 0, column 1 .*Prepare the inputs/],
    ['rows of different lengths', () => model.predict([[1, 2, 3], [1]]), /Row 1 has 1 values and row 0 has 3/],
    ['other columns', () => model.predict([[1, 2]]), /2 columns and the network 3 inputs/],
    ['too few targets', () => model.fit(TRAINING.inputs, [1]), /1 targets for 800 rows × 1 outputs/],
    ['no such metric', () => compile(NETWORK, { metrics: ['auc' as never] }), /no metric 'auc'.*aucRoc/],
    ['no such loss', () => compile(NETWORK, { loss: 'mse' as never }), /no loss 'mse'.*mean-squared-error/],
    ['no patience', () => earlyStopping({ patience: 0 }), /patience is 0/],
    ['no such ending', () => model.save(join(folder, 'network.zip')), /\.keras, \.h5/],
    [
      'nothing to watch',
      () => model.fit(TRAINING.inputs, TRAINING.targets, { callbacks: [earlyStopping({ patience: 1 })] }),
      /no 'validationLoss' to watch.*give validation rows/,
    ],
  ])('%s', async (_, act, message) => {
    const error = await (async () => act())().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toMatch(message);
  });
});

it('detectors fit, score and explain by their options', () => {
  const matrix = { rows: 800, columns: 3, values: Float32Array.from(TRAINING.inputs.flat()) };
  const data = { matrix, features: ['a', 'b', 'noise'], labels: Uint8Array.from(TRAINING.targets), validation: null };
  const fitted = detectors.network.fit(data, { preset: 'simple', epochs: 2 }, 1);
  expect(fitted.score(matrix)).toHaveLength(800);
  expect(detectors.network.load(fitted.save()).score(matrix)).toEqual(fitted.score(matrix));
  expect(detectors.isolationForest.fit(data, {}, 1).explain(matrix.values.subarray(0, 3)).contributions).toHaveLength(
    3,
  );
});

it('the example trains, measures and saves, in seconds', async () => {
  const example = fileURLToPath(new URL('../../examples/train-a-network.ts', import.meta.url));
  const argv = ['--conditions=centinela-source', example, join(folder, 'example')];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { timeout: 25_000 });
  expect(stdout).toMatch(/│ dense 32 relu L2 0\.0001 │/);
  expect(stdout).toMatch(/^epoch {2}1\/30 {2}loss/m);
  const auc = Number(/aucRoc (0\.\d{4})\n/.exec(stdout.slice(stdout.indexOf('on later rows')))?.[1]);
  expect(auc).toBeGreaterThan(0.85);
  expect(stdout).toMatch(/it predicts the same\n$/);
  expect(existsSync(join(folder, 'example', 'fraud.keras'))).toBe(true);
});
