// Networks on the command line: what a file describes is what is trained, on either thread, and a page tells how it went.
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { startSecondThread } from '../../src/jobs/detect/second-thread.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { curvesIn } from '../../src/models/network/observer.ts';
import { loadModel } from '../../src/registry/model-store.ts';
import type { LabelledSample } from '../../src/training/fit-risk-model.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { centinelaHere, jsonOf, temporaryFolder } from './run-program.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const FILE = folder.path('bank.csv');
const NETWORK = folder.path('network.yaml');

/** 3,000 payments of 30 days; one in fifteen is a fraud, of a large amount mostly. */
beforeAll(() => {
  const lines = Array.from({ length: 3000 }, (_, row) => {
    const fraud = row % 15 === 0;
    const amount = (fraud && row % 4 !== 0 ? 900 : 40) + ((row * 37) % 60);
    const time = new Date(Date.UTC(2026, 0, 1) + row * 864_000).toISOString();
    return `${row},${time},${amount},P${(row * 7) % 40},${fraud ? 1 : 0}`;
  });
  writeFileSync(FILE, ['id,timestamp,amount,customer_id,is_fraud', ...lines].join('\n'));
  writeFileSync(
    NETWORK,
    'layers: [{ dense: 8, activation: tanh }, { dense: 1, activation: sigmoid }]\nloss: focal\nepochs: 3\nmembers: 2\n',
  );
});

it('train describes networks by a file, tells one line of each, and writes a page of their curves', async () => {
  const [registry, report] = [folder.path('registry'), folder.path('pages', 'training.html')];
  const { exitCode, errors } = await centinelaHere(
    ...['train', FILE, '--name', 'nets', '--registry', registry, '--detectors', 'network,autoencoder'],
    ...['--label-delay-days', '1', '--network', NETWORK, '--report', report],
  );
  expect(exitCode).toBe(0);
  const lines = errors.split('\n').filter((line) => line.includes('epochs, kept'));
  expect(lines).toHaveLength(6);
  expect(lines[0]).toMatch(
    /^centinela: training: network 1\/2: 3 epochs, kept \d, loss \d\.\d{4}, validation \d\.\d{4}$/,
  );
  expect(lines[5]).toMatch(/^centinela: training on everything: autoencoder: 6 epochs, kept 6, loss \d\.\d{4}$/);
  expect(errors).not.toMatch(/\r|epoch 1\//);

  const store = createFolderObjectStore(registry);
  const { model } = await loadModel(store, 'nets', knownDetectors(createGraphRuntime()));
  const { parameters } = model.parts[0].detector.save();
  expect(parameters).toMatchObject({ preset: 'best', loss: { kind: 'focal', gamma: 2 }, epochs: 3, members: 2 });
  expect(parameters.layers).toMatchObject([{ units: 8, activation: 'tanh' }, { units: 1 }]);
  const page = readFileSync(report, 'utf8');
  expect(page.match(/<svg class="chart"/g)).toHaveLength(3);
  expect(page).toContain('dense 8 tanh → dense 1 sigmoid');
  expect(page).toContain('nets@1');
  const [first] = curvesIn(parameters);
  expect(page).toContain(first.history[2].loss.toPrecision(4));
});

it('evaluate measures the network that the file describes', async () => {
  const figures = async (...argv: string[]) => {
    const evaluate = ['evaluate', FILE, '--protocol', 'time-split', '--detectors', 'network', ...argv];
    const { fitSeconds, scoreRowsPerSecond, ...rest } = (await jsonOf(centinelaHere, ...evaluate)).models[0];
    return rest;
  };
  const small = folder.path('small.yaml');
  writeFileSync(small, 'preset: complex\nlayers: [{ dense: 1, activation: sigmoid }]\nepochs: 1\n');
  const described = await figures('--network', small);
  expect(described.averagePrecision).toBeGreaterThan(0);
  // The preset of the command line goes before the file's.
  expect(await figures('--network', small, '--network-preset', 'simple')).not.toEqual(described);
  expect(await figures('--network', small)).toEqual(described);
});

it('the networks in the ensemble are those that were asked for, and their curves are kept', () => {
  const watched: string[] = [];
  const known = knownDetectors(createGraphRuntime(), {
    network: { preset: 'simple', epochs: 2 },
    observe: (detector) => ({
      onEpoch: ({ epoch }) => {
        watched.push(`${detector} ${epoch}`);
        return undefined;
      },
      onNetwork: () => undefined,
    }),
  });
  const ensemble = known.find(({ name }) => name === 'ensemble')!;
  const fitted = ensemble.fit(makeTrainingData(150, 3), 1);
  expect(new Set(watched)).toEqual(new Set(['ensemble 1', 'ensemble 2']));
  const { parameters } = ensemble.load(fitted.save()).save();
  expect(parameters.network).toEqual({ preset: 'simple', epochs: 2 });
  expect(curvesIn(parameters).map(({ history }) => history.length)).toEqual([2]);
});

it('the other thread of detect trains the same network', async () => {
  const second = startSecondThread({
    module: new URL('../../src/cli/detect.worker.ts', import.meta.url),
    data: {
      names: 'network',
      registry: folder.path('registry'),
      network: { preset: 'simple', epochs: 2, positiveWeight: 3 },
    },
  });
  const { matrix, labels } = makeTrainingData(400, 3);
  const labelled: LabelledSample = { matrix, labels: labels!, genuineWeight: 1 };
  const definitions = Array.from({ length: matrix.columns }, (_, column) => ({ id: `f${column}`, categorical: false }));
  const packed = await second.perform({
    kind: 'fit',
    sample: { ordinary: matrix, reference: null, labelled: { detectors: labelled, stacking: labelled }, frauds: 40 },
    definitions: definitions as never,
    detectors: 'network',
    seed: 1,
  });
  await second.stop();
  expect(packed.parts[0].artefact.parameters).toMatchObject({ preset: 'simple', epochs: 2, positiveWeight: 3 });
});

describe('what is wrong is told before any work', () => {
  it.each<[string[], RegExp, number]>([
    [['train', 'x.csv', '--network', 'x.yaml'], /--network concerns network and ensemble: add one of them/, 2],
    [['detect', 'x.csv', '--network-preset', 'simple'], /--network-preset concerns network and ensemble/, 2],
    [['evaluate', '.', '--protocol', 'adbench', '--network', 'x.yaml'], /which ADBench hides/, 2],
    [['train', 'x.csv', '--detectors', 'network', '--network', 'none.yaml'], /--network none\.yaml can't be read/, 1],
    [
      ['train', 'x.csv', '--detectors', 'network', '--network-preset', 'deep'],
      /must be one of simple, complex, best/,
      2,
    ],
  ])('%j', async (argv, message, exitCode) => {
    const outcome = await centinelaHere(...argv);
    expect(outcome.errors).toMatch(message);
    expect(outcome).toMatchObject({ exitCode, out: '' });
  });

  it('and every mistake of a file, with its place', async () => {
    const path = folder.path('wrong.yaml');
    writeFileSync(path, 'epoch: 3\npreset: deep\n');
    const { errors, exitCode } = await centinelaHere('train', FILE, '--detectors', 'network', '--network', path);
    expect(exitCode).toBe(1);
    expect(errors).toContain(`${path}:1:1: 'epoch' is not a key`);
    expect(errors).toContain(`${path}:2:9: preset is 'deep'`);
  });
});
