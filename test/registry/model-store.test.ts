// Saving and loading whole models: the loaded one scores the same bits, and a damaged one says what is wrong.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import { type RiskModel, scoreRisk } from '../../src/decisions/risk-model.ts';
import { handbookCatalogue } from '../../src/features/catalogue/handbook.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { AS_IS } from '../../src/models/calibration.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { createMatrix, takeRows } from '../../src/models/matrix.ts';
import {
  listModels,
  loadModel,
  type ModelDescription,
  saveModel,
  thresholdsOf,
} from '../../src/registry/model-store.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { fitRiskModel } from '../../src/training/fit-risk-model.ts';

const ROWS = 1500;
const description: ModelDescription = {
  createdAt: '2026-01-01T00:00:00.000Z',
  utcOffsetMinutes: -300,
  reviewAtRisk: 0.4,
  trainedOn: { rows: ROWS, fromMs: 0, toMs: ROWS, seed: 1 },
  metrics: { averagePrecision: 0.7 },
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const known = knownDetectors(createGraphRuntime());
const columns = handbookCatalogue.length;
const matrix = createMatrix(ROWS, columns);

function fitModel(): RiskModel {
  const prng = createPrng(3);
  const labels = new Int8Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    labels[row] = prng.nextFloat() < 0.1 ? 1 : 0;
    for (let column = 0; column < columns; column++) {
      matrix.values[row * columns + column] = prng.nextFloat() + (column === 0 ? labels[row] * 0.5 : 0);
    }
  }
  const table = {
    rows: ROWS,
    labels,
    timesMs: Float64Array.from({ length: ROWS }, (_, row) => row),
    take: (rows: Uint32Array) => takeRows(matrix, rows),
  };
  return fitRiskModel(table, {
    definitions: handbookCatalogue,
    detectors: detectorChoices('gbdt,isolation-forest', known),
    endMs: ROWS,
    labelDelayMs: 0,
    stackingShare: 0.25,
    maxRows: ROWS,
    seed: 1,
  });
}

test('a loaded model scores the same bits', async () => {
  const store = createFolderObjectStore(folder);
  const model = fitModel();
  const id = await saveModel(store, 'cards', model, description);
  const loaded = await loadModel(store, id, known);
  expect(id).toBe('cards@1');
  expect(loaded.description).toEqual(description);
  expect(scoreRisk(loaded.model, matrix)).toEqual(scoreRisk(model, matrix));
  expect(loaded.model.definitions).toEqual(model.definitions);
});

test('the curve from the stacking to the risk is stored, and a damaged one is refused', async () => {
  const store = createFolderObjectStore(folder);
  const calibration = { kind: 'beta', version: 1, a: 0.8, b: 1.3, c: -0.2 } as const;
  const model = { ...fitModel(), calibration };
  await saveModel(store, 'cards', model, { ...description, costs: DEFAULT_COSTS });
  const loaded = await loadModel(store, 'cards', known);
  expect(loaded.model.calibration).toEqual(calibration);
  expect(thresholdsOf(loaded.description).costs).toEqual(DEFAULT_COSTS);
  const [bent, asIs] = [loaded.model, { ...model, calibration: AS_IS }].map((each) => scoreRisk(each, matrix));
  expect(bent.risk).toEqual(scoreRisk(model, matrix).risk);
  expect(bent.risk).not.toEqual(asIs.risk);
  expect(bent.ranking).toEqual(asIs.ranking);
  const file = join(folder, 'models/cards/1/manifest.json');
  // Without its own checksum, as older versions wrote it.
  const unsealed = readFileSync(file, 'utf8').replace(/,\n "sha256": "\w+"/, '');
  writeFileSync(file, unsealed.replace('"b": 1.3', '"b": -1.3'));
  await expect(loadModel(store, 'cards', known)).rejects.toThrow(
    "cards@1: calibration can't be read: a or b is negative",
  );
});

test('what rules add to the risk is stored, a damaged number is refused, and models without it have none', async () => {
  const store = createFolderObjectStore(folder);
  const ruleEvidence = { 'new-payee@3': 0.125, 'large-amount@1': 0.9 };
  await saveModel(store, 'cards', { ...fitModel(), ruleEvidence }, description);
  expect((await loadModel(store, 'cards', known)).model.ruleEvidence).toEqual(ruleEvidence);
  const file = join(folder, 'models/cards/1/manifest.json');
  const unsealed = readFileSync(file, 'utf8').replace(/,\n "sha256": "\w+"/, '');
  writeFileSync(file, unsealed.replace('0.125', '1.5'));
  await expect(loadModel(store, 'cards', known)).rejects.toThrow('cards@1: manifest.json is damaged: ruleEvidence');
  const before = unsealed
    .replace(/ "ruleEvidence": \{[^}]*\},\n/, '')
    .replace('"formatVersion": 3', '"formatVersion": 2');
  expect(before).not.toContain('new-payee');
  writeFileSync(file, before);
  expect((await loadModel(store, 'cards', known)).model.ruleEvidence).toBe(null);
});

test('every save is a new version, and a name alone is its newest', async () => {
  const store = createFolderObjectStore(folder);
  const model = fitModel();
  await saveModel(store, 'cards', model, description);
  await saveModel(store, 'cards', model, { ...description, reviewAtRisk: 0.9 });
  await saveModel(store, 'wallets', model, description);
  expect(await listModels(store)).toEqual(['cards@1', 'cards@2', 'wallets@1']);
  expect((await loadModel(store, 'cards', known)).description.reviewAtRisk).toBe(0.9);
});

test('a damaged model is refused and named', async () => {
  const store = createFolderObjectStore(folder);
  await saveModel(store, 'cards', fitModel(), description);
  const file = join(folder, 'models/cards/1/0-gbdt.bin');
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] ^= 1;
  writeFileSync(file, bytes);
  await expect(loadModel(store, 'cards@1', known)).rejects.toThrow('cards@1: 0-gbdt.bin is not what was stored');
  rmSync(file);
  await expect(loadModel(store, 'cards@1', known)).rejects.toThrow('0-gbdt.bin is missing');
  writeFileSync(join(folder, 'models/cards/1/manifest.json'), '{');
  await expect(loadModel(store, 'cards@1', known)).rejects.toThrow('manifest.json is not JSON');
});

test('a model that is not there: the message lists those that are', async () => {
  const store = createFolderObjectStore(folder);
  await expect(loadModel(store, 'cards', known)).rejects.toThrow(
    "there is no model 'cards'; make one with 'centinela train'",
  );
  await saveModel(store, 'cards', fitModel(), description);
  await expect(loadModel(store, 'cards@7', known)).rejects.toThrow("there is no model 'cards@7'; there are cards@1");
  await expect(saveModel(store, '../x', fitModel(), description)).rejects.toThrow("'../x' cannot name a model");
});
