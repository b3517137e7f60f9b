// Models over HTTP: listed with their figures, what decides is told, and another model decides once a second person approves.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../src/features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createMatrix, takeRows } from '../../src/models/matrix.ts';
import type { StreamLog, StreamRecord } from '../../src/ports.ts';
import { saveModel } from '../../src/registry/model-store.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { fitRiskModel } from '../../src/training/fit-risk-model.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { eventually } from './eventually.ts';
import { type Caller, openTestLog, startTestService, type TestService } from './running-service.ts';

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

const EVERYTHING = { reviewAtRisk: 0, holdAtRisk: 1 };

const harmless = (id: string) => ({
  ...{ id, eventTimeMs: Date.now(), amountMinor: 1_000, currency: 'PEN', operation: 'purchase' },
  ...{ payerId: `C-${id}`, status: 'approved', authFactors: [] },
});

const jsonOf = (value: Uint8Array | null) => JSON.parse(Buffer.from(value!).toString('utf8'));

/** Changes as they stand among the transactions. */
async function controlsOf(log: StreamLog) {
  const records = await log.read({ topic: 'transactions', partition: 0, offset: 0 }, 10_000, 0);
  const isControl = ({ headers }: StreamRecord) =>
    headers.some(({ name, value }) => name === 'centinela-kind' && Buffer.from(value).toString() === 'control');
  return records.filter(isControl).map(({ offset, value }) => ({ offset, change: jsonOf(value) }));
}

async function decisionsOf(log: StreamLog) {
  const records = await log.read({ topic: 'decisions', partition: 0, offset: 0 }, 10_000, 0);
  return records.map(({ value }) => jsonOf(value));
}

function withAppend(log: StreamLog, append: StreamLog['append']): StreamLog {
  return new Proxy(log, {
    get(target, name) {
      if (name === 'append') return append;
      const found = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

afterAll(() => rmSync(registry, { recursive: true, force: true }));

const propose = (caller: Caller, model: string | null) =>
  caller.ask('/v1/model-changes', { method: 'POST', body: { model, reason: 'Mejor en el último mes' } });

const proposeThresholds = (caller: Caller, thresholds: object | null, more: object = {}) =>
  caller.ask('/v1/model-changes', { method: 'POST', body: { thresholds, reason: 'Menos falsas alarmas', ...more } });

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

  it('change their thresholds alone, by two people, at one place of the stream, and decisions and evidence name them', async () => {
    const service = await startTestService(await open(), { registryFolder: registry });
    try {
      const bank = await service.withKey(['transactions:score']);
      const scientist = await service.as('data-scientist');
      const engineer = await service.as('ml-engineer');
      const analyst = await service.as('fraud-analyst');
      const refused = async (thresholds: object | null | undefined, more: object = {}) => {
        const { status, json } = await proposeThresholds(scientist, thresholds as object | null, more);
        return `${status} ${json.code}`;
      };
      expect(await refused(EVERYTHING)).toBe('422 THRESHOLDS_WITHOUT_MODEL');
      expect(await refused(EVERYTHING, { model: null })).toBe('422 THRESHOLDS_WITHOUT_MODEL');
      expect(await refused(undefined)).toBe('422 MODEL_CHANGE_EMPTY');
      expect(await refused({ reviewAtRisk: 0.9, holdAtRisk: 0.8 }, { model: 'bank@2' })).toBe('422 THRESHOLDS_INVALID');
      const live = () => scientist.ask('/v1/models:live').then(({ json }) => json);
      const isLive = (model: string, thresholds: object | null) =>
        eventually(async () => {
          const { model: now, thresholds: those } = await live();
          return now === model && JSON.stringify(those) === JSON.stringify(thresholds) ? now : null;
        });
      const approve = async (proposed: Awaited<ReturnType<typeof propose>>) => {
        expect(proposed.status, proposed.text).toBe(201);
        const approved = await decide(engineer, proposed.json.id, true);
        expect(approved.status, approved.text).toBe(200);
        return approved.json;
      };
      expect(await approve(await propose(scientist, 'bank@2'))).toMatchObject({ setsModel: true, thresholds: null });
      await isLive('bank@2', null);

      // While transactions come all the time.
      let isOver = false;
      const feeding = (async () => {
        for (let n = 0; !isOver; n++) await bank.ask('/v1/transactions', { method: 'POST', body: harmless(`D${n}`) });
      })();
      const proposed = await proposeThresholds(scientist, EVERYTHING);
      expect((await decide(scientist, proposed.json.id, true)).status).toBe(403);
      expect(await approve(proposed)).toMatchObject({ setsModel: false, model: 'bank@2', thresholds: EVERYTHING });
      await isLive('bank@2', EVERYTHING);
      const last = await bank.ask('/v1/transactions', { method: 'POST', body: harmless('last') });
      isOver = true;
      await feeding;
      expect(last.json).toMatchObject({ action: 'review', decision: { thresholds: 'review=0,hold=1' } });
      expect(last.json.decision.versions.model).toBe('bank@2');
      const changes = await controlsOf(service.log);
      expect(changes.map(({ change }) => change)).toEqual([
        { model: 'bank@2', thresholds: null },
        { thresholds: { model: 'bank@2', ...EVERYTHING } },
      ]);
      const decisions = await decisionsOf(service.log);
      expect(decisions.length).toBeGreaterThan(2);
      for (const { at, thresholds, action } of decisions) {
        const isAfter = at.offset > changes[1].offset;
        expect(thresholds).toBe(isAfter ? 'review=0,hold=1' : undefined);
        if (isAfter) expect(action).toBe('review');
      }
      expect(new Set(decisions.map(({ thresholds }) => thresholds)).size).toBe(2);
      const kept = await eventually(async () => {
        const { status, json } = await analyst.ask('/v1/decisions/last/evidence');
        return status === 200 ? json.evidence : null;
      });
      expect(kept.policy.thresholds).toEqual(EVERYTHING);
      const archived = await eventually(async () => {
        const { status, json } = await analyst.ask('/v1/decisions/last');
        return status === 200 ? json : null;
      });
      expect(JSON.stringify(archived)).toContain('"thresholds":"review=0,hold=1"');

      // A replay's live side decides by them, too.
      const { id } = (await scientist.ask('/v1/replays', { method: 'POST', body: { name: 'x', model: 'bank@2' } }))
        .json;
      const { replay, result } = await eventually(async () => {
        const { json } = await scientist.ask(`/v1/replays/${id}`);
        return ['queued', 'running'].includes(json.replay.state) ? null : json;
      });
      expect([replay.state, result.comparison.live.alerts.value]).toEqual(['done', decisions.length]);

      // Its own again; and a model comes with its own.
      await approve(await proposeThresholds(scientist, null));
      await isLive('bank@2', null);
      await approve(await proposeThresholds(scientist, EVERYTHING));
      await isLive('bank@2', EVERYTHING);
      await approve(await propose(scientist, 'bank@1'));
      await isLive('bank@1', null);

      // Of a model that no longer decides, they are approved for nothing.
      const late = (await proposeThresholds(scientist, EVERYTHING)).json.id;
      const value = Buffer.from('{"model":"bank@2"}');
      await service.log.append([{ topic: 'control', partition: 0, key: null, value, headers: [], timestampMs: null }]);
      await isLive('bank@2', null);
      expect((await decide(engineer, late, true)).json.code).toBe('MODEL_CHANGE_OVERTAKEN');
      expect((await decide(engineer, late, false)).json).toMatchObject({ state: 'refused', model: 'bank@1' });
    } finally {
      await service.stop();
    }
  }, 120_000);

  for (const [when, isWritten] of [
    ['before it was on the stream', false],
    ['after it was on the stream', true],
  ] as const) {
    it(`approved just before a crash are sent again and have their effect once: ${when}`, async () => {
      const [records, log] = [await open(), await openTestLog()];
      const masters = new LocalMasterKeys('file', [randomBytes(32)]);
      const options = { registryFolder: registry, masters };
      let hasDied = false;
      const dying = withAppend(log, async (outgoing) => {
        if (!outgoing.some(({ topic }) => topic === 'control')) return await log.append(outgoing);
        if (isWritten && !hasDied) await log.append(outgoing);
        hasDied = true;
        throw new Error('the process died here');
      });
      const first = await startTestService(records, { ...options, log: dying });
      const { key } = await first.withKey(['transactions:score']);
      const scientist = await first.as('data-scientist');
      const engineer = await first.as('ml-engineer');
      const ask = (service: TestService, { credentials }: Caller, path: string) =>
        service.stranger.ask(path, { headers: { ...credentials } }).then(({ json }) => json);
      const score = async (service: TestService, id: string) => {
        const headers = { authorization: `Bearer ${key}` };
        const { json } = await service.stranger.ask('/v1/transactions', {
          method: 'POST',
          body: harmless(id),
          headers,
        });
        return json.decision;
      };
      expect((await score(first, 'S1')).versions.model).toBeNull();
      const proposed = await proposeThresholds(scientist, EVERYTHING, { model: 'bank@2' });
      const { id } = proposed.json;
      expect((await decide(engineer, id, true)).status).toBe(200);
      await eventually(async () => (hasDied ? true : null));
      expect((await ask(first, scientist, `/v1/model-changes/${id}`)).state).toBe('approved');
      await first.stop();

      const second = await startTestService(records, { ...options, log });
      try {
        const sent = await eventually(async () => {
          const change = await ask(second, scientist, `/v1/model-changes/${id}`);
          return change.state === 'sent' ? change : null;
        });
        expect(sent).toMatchObject({ model: 'bank@2', setsModel: true, thresholds: EVERYTHING });
        const decided = await eventually(async () => {
          const decision = await score(second, `S${Math.random()}`);
          return decision.versions.model === 'bank@2' ? decision : null;
        });
        expect(decided.thresholds).toBe('review=0,hold=1');
        const changes = await controlsOf(log);
        const asked = { model: 'bank@2', thresholds: { model: 'bank@2', ...EVERYTHING } };
        expect(changes.map(({ change }) => change)).toEqual(isWritten ? [asked, asked] : [asked]);
        // From the first of them on, and never otherwise again; each transaction once.
        const decisions = await decisionsOf(log);
        expect(new Set(decisions.map(({ id: each }) => each)).size).toBe(decisions.length);
        for (const { at, versions } of decisions) {
          expect(versions.model).toBe(at.offset > changes[0].offset ? 'bank@2' : null);
        }
        const sends = await records.db
          .selectFrom('audit_entries')
          .select('action')
          .where('action', '=', 'model.change-sent');
        expect(await sends.execute()).toHaveLength(1);
      } finally {
        await second.stop();
        await log.close();
      }
    }, 120_000);
  }

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
