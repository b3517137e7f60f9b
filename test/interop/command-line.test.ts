// `models export` and `models import` from end to end: what is exported can be imported, trained beside and scored with.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { readNetwork } from '../../src/interchange/network-files.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { createMatrix, rowOf } from '../../src/models/matrix.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { loadModel, saveModel } from '../../src/registry/model-store.ts';
import { centinelaHere, jsonOf, temporaryFolder } from '../command-line/run-program.ts';
import { FIXTURES } from './fixtures.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';

const folder = temporaryFolder();
afterAll(() => folder.remove());
const FILE = folder.path('bank.csv.gz');
const SMALL_FILE = folder.path('small.csv.gz');
const registry = ['--registry', folder.path('registry')];
const run = (...argv: string[]) => jsonOf(centinelaHere, ...argv, ...registry);
const failure = async (...argv: string[]) => {
  const { exitCode, errors } = await centinelaHere(...argv, ...registry);
  return `${exitCode} ${errors}`;
};

const detection = (file: string, detectors: string) =>
  ['detect', file, '--detectors', detectors, '--out', folder.path('detected')] as const;
const refusedDetection = (detectors: string) => failure(...detection(SMALL_FILE, detectors));

/** A registered model of three detectors; two learn from drawn rows, which takes no time. */
beforeAll(async () => {
  await jsonOf(centinelaHere, 'simulate', '--customers', '500', '--days', '45', '--seed', '5', '--out', FILE);
  await jsonOf(centinelaHere, 'simulate', '--customers', '40', '--days', '20', '--seed', '5', '--out', SMALL_FILE);
  await run('train', FILE, '--name', 'forest', '--detectors', 'isolation-forest');
  const store = createFolderObjectStore(folder.path('registry'));
  const runtime = createGraphRuntime();
  const { model, description } = await loadModel(store, 'forest', knownDetectors(runtime));
  const features = model.definitions.map(({ id }) => id);
  const matrix = createMatrix(400, features.length);
  const prng = createPrng(1);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = prng.nextNormal();
  const labels = Uint8Array.from({ length: matrix.rows }, (_, row) => (rowOf(matrix, row)[0] > 1 ? 1 : 0));
  const data = { matrix, features, labels, validation: null };
  const learned = [
    gbdt.fit(data, { rounds: 10 }, 1),
    createNetworkDetector(runtime).fit(data, { epochs: 1, members: 2 }, 1),
  ].map((detector) => ({ ...model.parts[0], detector, supervised: true }));
  await saveModel(store, 'first', { ...model, parts: [...learned, ...model.parts], stacking: null }, description);
  await saveModel(store, 'ranking', { ...model, stacking: null }, description);
}, 90_000);

// Whole files are learned from: seconds, but minutes where others use the machine.
describe('models export and import', { timeout: 90_000 }, () => {
  it.runIf(isLong)('turn a detector into a model of another program and back into a detector', async () => {
    const path = folder.path('gbdt.onnx');
    const exported = await run('models', 'export', 'first', '--detector', 'gbdt', '--out', path);
    expect(exported.files.map((file: { path: string }) => file.path)).toEqual([path, `${path}.features.json`]);
    const imported = await run('models', 'import', path, '--name', 'mine');
    expect(imported).toMatchObject({ detector: 'onnx:mine', answer: 'probability' });
    const trained = await run('train', FILE, '--name', 'second', '--detectors', 'isolation-forest,onnx:mine');
    expect(trained.detectors).toEqual(['isolation-forest', 'onnx']);
    const scored = await run('score', SMALL_FILE, '--model', 'second', '--out', folder.path('decisions.csv'));
    expect(scored.rows).toBeGreaterThan(0);
    const { models } = await run('models');
    expect(models.map(({ id }: { id: string }) => id)).toEqual(['first@1', 'forest@1', 'ranking@1', 'second@1']);
  });

  it('take a model by its file, and one without labels by its score', async () => {
    const path = folder.path('forest.onnx');
    await run('models', 'export', 'first', '--detector', 'isolation-forest', '--out', path);
    expect(JSON.parse(readFileSync(`${path}.features.json`, 'utf8'))).toMatchObject({ answer: 'score' });
    const trained = await run('train', FILE, '--name', 'third', '--detectors', `isolation-forest,onnx:${path}`);
    expect(trained.detectors).toEqual(['isolation-forest', 'onnx']);
  });

  it('write the whole model to ONNX, which ranks what detect finds', async () => {
    const path = folder.path('whole.onnx');
    expect(await run('models', 'export', 'ranking', '--out', path)).toMatchObject({ detector: null, format: 'onnx' });
    const found = await run(...detection(SMALL_FILE, `onnx:${path}`));
    expect(found.detectors).toEqual(['onnx']);
    expect(found.top.length).toBe(found.flagged);
    expect(found.top[0].score).toBeGreaterThan(0.9);
    expect(found.top[0].reasons.length).toBeGreaterThan(0);
  });

  it.runIf(isLong)('give detect a model of probabilities to stack, in both threads', async () => {
    const path = folder.path('stacked.onnx');
    await run('models', 'export', 'first', '--detector', 'gbdt', '--out', path);
    await run('models', 'import', path, '--name', 'stacked');
    const found = await run(...detection(FILE, 'isolation-forest,onnx:stacked'), '--label-delay-days', '0');
    expect(found.detectors).toEqual(['isolation-forest', 'onnx']);
    expect(found.evaluation.map(({ name }: { name: string }) => name)).toContain('onnx');
  });

  it('refuse in detect a model that is missing, damaged, of other features or of another shape', async () => {
    const path = folder.path('refused.onnx');
    await run('models', 'export', 'first', '--detector', 'isolation-forest', '--out', path);
    const facts = JSON.parse(readFileSync(`${path}.features.json`, 'utf8'));
    const withFacts = async (changed: object) => {
      writeFileSync(`${path}.features.json`, JSON.stringify({ ...facts, ...changed }));
      return refusedDetection(`onnx:${path}`);
    };
    expect(await refusedDetection('onnx:none.onnx')).toMatch(/^2 .*no file 'none.onnx', and no model of that name/);
    expect(await refusedDetection(`onnx:${path},onnx:${path}`)).toMatch(/^2 .*one model of your own at a time/);
    expect(await withFacts({ features: ['colour', ...facts.features.slice(1)] })).toMatch(/^1 .*not computed: colour/s);
    expect(await withFacts({ features: facts.features.slice(1) })).toMatch(/^1 .*takes 176 columns, but 175 features/s);
    expect(await withFacts({ answer: 'odds' })).toMatch(/^1 .*'odds' is no kind of answer/);
    expect(await withFacts({ answer: 'probability' })).toMatch(/^1 .*too few labelled frauds/s);
    writeFileSync(path, readFileSync(path).subarray(0, 1000));
    expect(await withFacts({})).toMatch(/^1 .*is no ONNX model/s);
  });

  it.each(['keras', 'h5', 'pt', 'safetensors'] as const)(
    'write a network as %s, with its preparation',
    async (format) => {
      const path = folder.path(`network.${format}`);
      await run('models', 'export', 'first', '--detector', 'network', '--member', '1', '--out', path);
      const network = await readNetwork(new Uint8Array(readFileSync(path)), format);
      const { preparedColumns } = JSON.parse(readFileSync(`${path}.preparation.json`, 'utf8'));
      expect(preparedColumns).toHaveLength(network.description.inputs);
      const preparation = ['--preparation', `${path}.preparation.json`];
      const imported = await run('models', 'import', path, '--name', `from-${format}`, ...preparation);
      expect(imported.features.length).toBeGreaterThan(10);
      expect(existsSync(imported.path)).toBe(true);
    },
  );

  it('say what is wrong and what to do', async () => {
    const out = ['--out', folder.path('x.keras')];
    expect(await failure('models', 'export', 'first', ...out)).toMatch(
      /^2 .*--detector must be one of .*gbdt, network, isolation-forest/,
    );
    expect(await failure('models', 'export', 'first', '--detector', 'gbdt', ...out)).toMatch(
      /^1 .*only a network is exported/,
    );
    expect(await failure('models', 'export', 'none', ...out)).toMatch(/^1 .*no model 'none'/);
    expect(await failure('models', 'export', 'first')).toMatch(/^2 .*--out FILE is missing/);
    expect(await failure('models', 'export', 'first', '--format', 'pt', ...out)).toMatch(/^2 .*another ending/);
    expect(await failure('models', 'remove', 'first')).toMatch(/^2 .*neither export nor import/);
    expect(await failure('models', 'import', 'x.onnx')).toMatch(/^2 .*--name NAME is missing/);
    expect(await failure('train', FILE, '--detectors', 'onnx')).toMatch(/^2 .*onnx:FILE/);
    expect(await failure('train', FILE, '--detectors', 'onnx:none.onnx')).toMatch(/^2 .*no file 'none.onnx'/);
  });

  it('refuse a malicious file, a network without features, and features that do not fit', async () => {
    const features = folder.path('features.json');
    writeFileSync(features, '["amount", "count"]');
    const importing = (file: string, ...more: string[]) =>
      failure('models', 'import', join(FIXTURES, file), '--name', 'bad', ...more);
    expect(await importing('malicious/global-reduce.pt')).toMatch(/^1 .*asks for os\.system; only tensors/);
    expect(await importing('keras-sequential.keras')).toMatch(/^1 .*nothing lists its features/);
    expect(await importing('keras-sequential.keras', '--features', features)).toMatch(/^1 .*takes 6 columns, and 2/);
    expect(await importing('torch-after.pt', '--features', features)).toMatch(/^1 .*2 Linear modules but not/);
    expect(await importing('torch-after.pt', '--features', features, '--activations', 'selu,softmax')).toMatch(
      /no activation 'softmax'/,
    );
    expect(await importing('torch-before.pt', '--features', features, '--activations', 'gelu,tanh,linear')).toMatch(
      /--answer logit/,
    );
    expect(await importing('sklearn-zipmap.onnx', '--features', features)).toMatch(/^1 .*takes 6 columns/);
    expect(existsSync(folder.path('registry', 'imported', 'bad.onnx'))).toBe(false);
  });
});
