// Models that an earlier version stored (kept byte for byte in stored-by-…) still load and score what they scored then.
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { scoreRisk } from '../../src/decisions/risk-model.ts';
import { createAutoencoderDetector } from '../../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../../src/models/blend/unsupervised-ensemble.ts';
import type { Artefact } from '../../src/models/detector.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { loadModel, thresholdsOf } from '../../src/registry/model-store.ts';

const STORED = new URL('stored-by-0.1.0/', import.meta.url);

interface ExpectedScores {
  /** null is a missing value. */
  readonly rows: readonly (readonly (number | null)[])[];
  readonly risk: readonly number[];
  /** In the order of the model's detectors. */
  readonly parts: readonly (readonly number[])[];
}

test('gbdt and isolation forest of version 0.1.0, stacked', async () => {
  const expected = JSON.parse(await readFile(new URL('expected-scores.json', STORED), 'utf8')) as ExpectedScores;
  const store = createFolderObjectStore(STORED.pathname);
  const { model, description } = await loadModel(store, 'cards', knownDetectors(createGraphRuntime()));
  expect(model.parts.map(({ detector }) => detector.name)).toEqual(['gbdt', 'isolation-forest']);
  expect(model.calibration).toEqual({ kind: 'as-is', version: 1 });
  expect(model.ruleEvidence).toBe(null);
  expect(description.reviewAtRisk).toBe(0.5);
  expect(thresholdsOf(description)).toEqual({ reviewAtRisk: 0.5, holdAtRisk: 0.8 });
  const columns = model.definitions.length;
  const values = Float32Array.from(expected.rows.flat(), (value) => value ?? Number.NaN);
  const { risk, parts } = scoreRisk(model, { rows: expected.rows.length, columns, values });
  expect([...risk]).toEqual(expected.risk);
  expect(parts.map((scores) => [...scores])).toEqual(expected.parts);
});

test('autoencoder of format 1, whose categories were not repeated', async () => {
  const text = await readFile(new URL('autoencoder-format-1.json', import.meta.url), 'utf8');
  const stored = JSON.parse(text) as {
    artefact: Omit<Artefact, 'binary'> & { binary: string };
    rows: (number | null)[][];
    scores: number[];
    embeddings: number[];
  };
  const binary = new Uint8Array(Buffer.from(stored.artefact.binary, 'base64'));
  const detector = createAutoencoderDetector(createGraphRuntime());
  const loaded = detector.load({ ...stored.artefact, binary });
  const values = Float32Array.from(stored.rows.flat(), (value) => value ?? Number.NaN);
  const matrix = { rows: stored.rows.length, columns: stored.rows[0].length, values };
  expect([...loaded.score(matrix)]).toEqual(stored.scores);
  expect([...loaded.extract(matrix).values]).toEqual(stored.embeddings);
  expect(detector.load(loaded.save()).score(matrix)).toEqual(loaded.score(matrix));
});

test('an ensemble without labels of format 1, which had robust covariance in place of LODA', async () => {
  const path = new URL('unsupervised-ensemble-format-1.json', import.meta.url);
  const { artefact, binary, rows, values, scores } = JSON.parse(await readFile(path, 'utf8'));
  const loaded = unsupervisedEnsemble.load({ ...artefact, binary: new Uint8Array(Buffer.from(binary, 'base64')) });
  const matrix = { rows, columns: loaded.features.length, values: Float32Array.from(values) };
  expect([...loaded.score(matrix)]).toEqual(scores);
  expect([...unsupervisedEnsemble.load(loaded.save()).score(matrix)]).toEqual(scores);
});
