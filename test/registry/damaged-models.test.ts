// Whatever happens to a stored model's bytes, loading it says what is wrong, or gives the model that was stored.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { type RiskModel, scoreRisk } from '../../src/decisions/risk-model.ts';
import { handbookCatalogue } from '../../src/features/catalogue/handbook.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { AS_IS } from '../../src/models/calibration.ts';
import { fitConformal } from '../../src/models/conformal.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { loadModel, type ModelDescription, saveModel } from '../../src/registry/model-store.ts';
import { ModelError } from '../../src/registry/packed-model.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { createMemoryStore } from './memory-store.ts';

const known = knownDetectors(createGraphRuntime());
const { matrix } = makeTrainingData(300, 5);
const definitions = handbookCatalogue.slice(0, matrix.columns);
const description: ModelDescription = {
  createdAt: '2026-01-01T00:00:00.000Z',
  utcOffsetMinutes: -300,
  reviewAtRisk: 0.4,
  trainedOn: { rows: 300, fromMs: 0, toMs: 1, seed: 1 },
  metrics: {},
};

/** The quick ones without labels stand for all: what is stored of each is checked alike. */
async function storeModel() {
  const data = { matrix, features: definitions.map(({ id }) => id), labels: null, validation: null };
  const parts = ['isolation-forest', 'half-space-trees', 'ecod'].map((name) => {
    const detector = known.find((each) => each.name === name)!.fit(data, 1);
    const columns = definitions.map((_, column) => column);
    return { detector, supervised: false, columns, tail: fitConformal(detector.score(matrix)) };
  });
  const model: RiskModel = {
    definitions,
    parts,
    stacking: { bias: -3, weights: [1, 0.5, 0.25] },
    calibration: AS_IS,
    ruleEvidence: null,
  };
  const store = createMemoryStore();
  await saveModel(store, 'cards', model, description);
  return { objects: store.objects, risk: scoreRisk(model, matrix).risk };
}

/** @returns the risks of the loaded model; null where it was refused in words */
async function loadDamaged(objects: Map<string, Uint8Array>, key: string, bytes: Uint8Array) {
  const store = createMemoryStore(new Map(objects).set(key, bytes));
  try {
    return scoreRisk((await loadModel(store, 'cards@1', known)).model, matrix).risk;
  } catch (error) {
    expect(error, `${key}: ${String(error)}`).toBeInstanceOf(ModelError);
    return null;
  }
}

describe('a stored model', () => {
  it('of which any byte has changed is refused in words, or is the one that was stored', async () => {
    const { objects, risk } = await storeModel();
    const prng = createPrng(7);
    let refused = 0;
    for (const [key, bytes] of objects) {
      for (let i = 0; i < 150; i++) {
        const damaged = bytes.slice();
        damaged[prng.nextBelow(bytes.length)] ^= 1 << prng.nextBelow(8);
        const loaded = await loadDamaged(objects, key, damaged);
        if (loaded === null) refused += 1;
        else expect(loaded).toEqual(risk);
      }
    }
    expect(refused).toBeGreaterThan(0.9 * 150 * objects.size);
  });

  it('of which any file is cut short, or is another, is refused in words', async () => {
    const { objects } = await storeModel();
    const keys = [...objects.keys()];
    for (const [key, bytes] of objects) {
      for (const length of [0, 1, 8, bytes.length >> 1, bytes.length - 2]) {
        expect(await loadDamaged(objects, key, bytes.slice(0, length))).toBe(null);
      }
      const other = objects.get(keys[(keys.indexOf(key) + 1) % keys.length])!;
      expect(await loadDamaged(objects, key, other)).toBe(null);
    }
  });

  it('says which detector a newer version wrote', async () => {
    const { objects } = await storeModel();
    const key = 'models/cards/1/manifest.json';
    const { sha256: _, ...manifest } = JSON.parse(new TextDecoder().decode(objects.get(key)));
    manifest.parts[1].artefact.formatVersion = 99;
    const newer = new Map(objects).set(key, new TextEncoder().encode(JSON.stringify(manifest)));
    await expect(loadModel(createMemoryStore(newer), 'cards', known)).rejects.toThrow(
      /half-space-trees: .*format version 99, this program reads up to/,
    );
  });
});

it('a manifest of 0.1.0, which has no seal, of which any byte has changed never breaks by accident', async () => {
  const folder = new URL('stored-by-0.1.0/models/cards/1/', import.meta.url);
  const bytes = new Uint8Array(await readFile(new URL('manifest.json', folder)));
  const prng = createPrng(9);
  for (let i = 0; i < 400; i++) {
    const damaged = bytes.slice();
    damaged[prng.nextBelow(bytes.length)] ^= 1 << prng.nextBelow(8);
    const objects = new Map([['models/cards/1/manifest.json', damaged]]);
    const store: ObjectStore = {
      ...createMemoryStore(objects),
      get: async (key) => objects.get(key) ?? new Uint8Array(await readFile(new URL(key.split('/').pop()!, folder))),
    };
    await loadModel(store, 'cards@1', known).catch((error: unknown) => {
      // A name that was damaged too is the name of a file that is not there.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') expect(error, String(error)).toBeInstanceOf(ModelError);
    });
  }
});
