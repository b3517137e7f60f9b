// Models over HTTP: listed with their figures, what decides is told, and another model decides once a second person approves.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../src/features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createMatrix, takeRows } from '../../src/models/matrix.ts';
import { saveModel } from '../../src/registry/model-store.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { fitRiskModel } from '../../src/training/fit-risk-model.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { eventually } from './eventually.ts';
import { type Caller, startTestService } from './running-service.ts';

const ROWS = 600;
let registry: string;

function fitModel(definitions: readonly FeatureDefinition[]) {
  const prng = createPrng(3);
  const columns = definitions.length;
  const matrix = createMatrix(ROWS, columns);
  const labels = new Int8Array(ROWS);
  for (let row = 0; row < ROWS; row++) {
    labels[row] = prng.nextFloat() < 0.2 ? 1 : 0;
    for (let column = 0; column < columns; column++) {
      matrix.values[row * columns + column] = prng.nextFloat() + (column === 0 ? labels[row] * 0.5 : 0);
    }
  }
  const timesMs = Float64Array.from({ length: ROWS }, (_, row) => row);
  const table = { rows: ROWS, labels, timesMs, take: (rows: Uint32Array) => takeRows(matrix, rows) };
  return fitRiskModel(table, {
    ...{ definitions, detectors: detectorChoices('isolation-forest', detectorsHere()), endMs: ROWS },
    ...{ labelDelayMs: 0, stackingShare: 0.25, maxRows: ROWS, seed: 1 },
  });
}

beforeAll(async () => {
  registry = mkdtempSync(join(tmpdir(), 'centinela-registry-'));
  const store = createFolderObjectStore(registry);
  const description = {
    ...{ createdAt: '2026-01-01T00:00:00.000Z', utcOffsetMinutes: -300, reviewAtRisk: 0.4 },
    trainedOn: { rows: ROWS, fromMs: 0, toMs: ROWS, seed: 1 },
    metrics: { averagePrecision: 0.7 },
  };
  const [first, second, ...more] = catalogueNamed(CATALOGUE_NAMES[0]);
  await saveModel(store, 'bank', fitModel([first, second]), description);
  await saveModel(store, 'bank', fitModel([first, second, ...more.slice(0, 3)]), description);
  await saveModel(store, 'foreign', fitModel([{ ...first, id: 'of_another_catalogue' }, second]), description);
  await saveModel(store, 'broken', fitModel([first, second]), description);
  writeFileSync(join(registry, 'models', 'broken', '1', 'manifest.json'), '{');
});

afterAll(() => rmSync(registry, { recursive: true, force: true }));

const propose = (caller: Caller, model: string | null) =>
  caller.ask('/v1/model-changes', { method: 'POST', body: { model, reason: 'Mejor en el último mes' } });

const decide = (caller: Caller, id: string, isApproved: boolean, version = 1) =>
  caller.ask(`/v1/model-changes/${id}/decision`, {
    ...{ method: 'POST', body: { isApproved, comment: 'visto' }, headers: { 'if-match': `"${version}"` } },
  });

describeOnEachEngine('models', (open) => {
  it('are listed by pages with their training figures, damaged ones with what is wrong', async () => {
    const service = await startTestService(await open(), { registryFolder: registry });
    try {
      const analyst = await service.as('data-analyst');
      const first = (await analyst.ask('/v1/models?limit=3')).json;
      const second = (await analyst.ask(`/v1/models?limit=3&cursor=${first.next}`)).json;
      const rows = [...first.rows, ...second.rows];
      expect(rows.map(({ id }) => id)).toEqual(['bank@1', 'bank@2', 'broken@1', 'foreign@1']);
      expect(rows[1]).toMatchObject({
        ...{ name: 'bank', version: 2, isLive: false, problem: null },
        card: { detectors: ['isolation-forest'], features: 5, metrics: { averagePrecision: 0.7 }, reviewAtRisk: 0.4 },
      });
      expect(rows[2]).toMatchObject({ card: null, problem: expect.stringContaining('manifest.json') });
      expect((await analyst.ask('/v1/models?name=bank')).json.rows).toHaveLength(2);
      const one = await analyst.ask('/v1/models/bank@1');
      expect([one.status, one.json.featureIds.length]).toEqual([200, 2]);
      expect((await analyst.ask('/v1/models/bank@9')).status).toBe(404);
      expect((await analyst.ask('/v1/models/..%2F..@1')).status).toBe(422);
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('decide from a second person on, and decisions say so', async () => {
    const service = await startTestService(await open(), { registryFolder: registry });
    try {
      const bank = await service.withKey(['transactions:score']);
      const scientist = await service.as('data-scientist');
      const engineer = await service.as('ml-engineer');
      const versionsOf = async (id: string) => {
        const body = {
          ...{ id, eventTimeMs: Date.now(), amountMinor: 1_000, currency: 'PEN', operation: 'purchase' },
          ...{ payerId: 'C-1', status: 'approved', authFactors: [] },
        };
        return (await bank.ask('/v1/transactions', { method: 'POST', body })).json.decision.versions;
      };
      const before = (await scientist.ask('/v1/models:live')).json;
      expect(before).toMatchObject({ decidesHere: true, model: null, isSettled: true, waiting: null });
      expect(await versionsOf('M1')).toEqual({ model: null, rules: before.rules });

      const proposed = await propose(scientist, 'bank@2');
      expect(proposed.status, proposed.text).toBe(201);
      const { id } = proposed.json;
      expect((await propose(engineer, 'bank@1')).json.code).toBe('MODEL_CHANGE_WAITS');
      expect((await scientist.ask('/v1/models:live')).json.waiting).toMatchObject({ id, model: 'bank@2' });
      expect([(await decide(scientist, id, true)).status, (await decide(engineer, id, true, 5)).status]).toEqual([
        403, 412,
      ]);
      const approved = await decide(engineer, id, true);
      expect([approved.status, approved.json.state, approved.headers.etag], approved.text).toEqual([
        ...[200, 'approved', '"2"'],
      ]);
      expect((await decide(engineer, id, true, 2)).json.code).toBe('REQUEST_DECIDED');

      const live = await eventually(async () => {
        const { json } = await scientist.ask('/v1/models:live');
        return json.model === 'bank@2' ? json : null;
      });
      expect(live).toMatchObject({ rules: before.rules, isSettled: true, waiting: null });
      expect(await versionsOf('M2')).toEqual({ model: 'bank@2', rules: before.rules });
      expect((await scientist.ask('/v1/models/bank@2')).json.model.isLive).toBe(true);
      expect((await scientist.ask('/v1/model-changes?state=sent')).json.rows[0].id).toBe(id);

      const off = (await propose(engineer, null)).json.id;
      expect((await decide(scientist, off, false)).json.state).toBe('refused');
      const withdrawn = (await propose(engineer, null)).json.id;
      const withdrawal = { method: 'POST', headers: { 'if-match': '"1"' } };
      expect((await scientist.ask(`/v1/model-changes/${withdrawn}/withdrawal`, withdrawal)).status).toBe(403);
      expect((await engineer.ask(`/v1/model-changes/${withdrawn}/withdrawal`, withdrawal)).json.state).toBe(
        'withdrawn',
      );
      const { rows } = (await (await service.as('auditor')).ask('/v1/audit?action=model.')).json;
      expect(rows.map(({ action }: { action: string }) => action.replace('model.change-', '')).reverse()).toEqual([
        ...['proposed', 'approved', 'sent', 'proposed', 'refused', 'proposed', 'withdrawn'],
      ]);
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('that cannot decide here are refused when they are proposed', async () => {
    const service = await startTestService(await open(), { registryFolder: registry });
    try {
      const scientist = await service.as('data-scientist');
      const refused = async (model: string) => {
        const { status, json } = await propose(scientist, model);
        return [status, json.code];
      };
      expect(await refused('bank@9')).toEqual([422, 'MODEL_UNKNOWN']);
      expect(await refused('broken@1')).toEqual([422, 'MODEL_UNUSABLE']);
      expect(await refused('foreign@1')).toEqual([422, 'FEATURE_NOT_COMPUTED']);
      expect((await scientist.ask('/v1/model-changes')).json.rows).toEqual([]);
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('are the candidate of a replay, with thresholds of its own', async () => {
    const service = await startTestService(await open(), { registryFolder: registry });
    try {
      const bank = await service.withKey(['transactions:score']);
      const transactions = Array.from({ length: 100 }, (_, n) => ({
        ...{ id: `P${n}`, eventTimeMs: Date.now() - 1000 + n, amountMinor: 1_000 + n, currency: 'PEN' },
        ...{ operation: 'transfer', channel: 'web', payerId: `C-${n}`, payeeId: `P-${n}`, status: 'approved' },
        ...{ authFactors: ['token', 'biometric'], payerName: 'Rosa Quispe Mamani', payeeName: 'Rosa Quispe Mamani' },
      }));
      const { answers } = (await bank.ask('/v1/transactions:batch', { method: 'POST', body: { transactions } })).json;
      const alerted = answers.filter(({ action }: { action: string }) => action !== 'approve').length;
      const scientist = await service.as('data-scientist');
      const body = { name: 'modelo', model: 'bank@2', thresholds: { reviewAtRisk: 0, holdAtRisk: 1 } };
      const { id } = (await scientist.ask('/v1/replays', { method: 'POST', body })).json;
      const { replay, result } = await eventually(async () => {
        const { json } = await scientist.ask(`/v1/replays/${id}`);
        return ['queued', 'running'].includes(json.replay.state) ? null : json;
      });
      expect([replay.state, replay.problem]).toEqual(['done', null]);
      expect(result).toMatchObject({ live: { model: null }, candidate: { model: 'bank@2' } });
      expect(result.comparison.candidate.alerts.value).toBe(100);
      // What is live in the replay is what decided.
      expect(result.comparison.live.alerts.value).toBe(alerted);
    } finally {
      await service.stop();
    }
  }, 120_000);
});
