// Replays over HTTP: asked for, run in a thread over the service's own log, told in soles; cancelled, interrupted, refused.
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { eventually } from './eventually.ts';
import { type Caller, startTestService, type TestService } from './running-service.ts';

const RULE = `rules:
  - id: transfers-by-web
    version: 1
    name: { es: Transferencias por la web, en: Transfers on the web }
    owner: fraude-canales
    severity: high
    reason: HORA_INUSUAL
    action: hold
    mode: shadow
    typologies: [F03]
    when: channel = 'web' and amount > 20
`;
const files = [{ path: 'candidate.yaml', text: RULE }];

function transaction(n: number): object {
  const isLarge = n % 10 === 0;
  return {
    ...{ id: `R${n}`, eventTimeMs: Date.now() - 60_000 + n, amountMinor: isLarge ? 2_500 : 1_000, currency: 'PEN' },
    ...{ operation: 'transfer', channel: 'web', payerId: `C-${n}`, payerName: 'Rosa Quispe Mamani' },
    ...{ payeeId: `P-${n}`, payeeName: 'Rosa Quispe Mamani', status: 'approved', authFactors: ['token', 'biometric'] },
  };
}

async function withHistory(service: TestService, count: number): Promise<void> {
  const bank = await service.withKey(['transactions:score']);
  for (let from = 0; from < count; from += 500) {
    const transactions = Array.from({ length: Math.min(500, count - from) }, (_, n) => transaction(from + n));
    const reply = await bank.ask('/v1/transactions:batch', { method: 'POST', body: { transactions } });
    expect(reply.status, reply.text).toBe(200);
  }
}

const ask = (caller: Caller, body: object, headers: Record<string, string> = {}) =>
  caller.ask('/v1/replays', { method: 'POST', body: { name: 'prueba', ...body }, headers });

const ended = (caller: Caller, id: string) =>
  eventually(async () => {
    const { json } = await caller.ask(`/v1/replays/${id}`);
    return ['queued', 'running'].includes(json.replay.state) ? null : json;
  });

describeOnEachEngine('replays', (open) => {
  it('run a draft rule over the history of the log with the labels of the records, and tell it in soles', async () => {
    const service = await startTestService(await open());
    try {
      await withHistory(service, 200);
      const analyst = await service.as('fraud-analyst');
      const labels = [10, 20, 30].map((n) => ({ transactionId: `R${n}`, outcome: 'fraud', typology: 'F03' }));
      labels.push({ transactionId: 'R40', outcome: 'genuine', typology: null as unknown as string });
      const labelled = await analyst.ask('/v1/labels', { method: 'POST', body: { labels } });
      expect(labelled.status, labelled.text).toBe(200);

      const rules = { mode: 'join', files };
      const headers = { 'idempotency-key': 'replay-once-1' };
      const asked = await ask(analyst, { rules }, headers);
      expect(asked.status, asked.text).toBe(202);
      expect((await ask(analyst, { rules }, headers)).json.id).toBe(asked.json.id);
      const { replay, request, result } = await ended(analyst, asked.json.id);
      expect([replay.state, replay.problem, replay.progress, replay.attempts]).toEqual(['done', null, 1, 1]);
      expect(request).toMatchObject({ rules, bootstrap: 'customer', seed: 42 });
      expect(result.comparison).toMatchObject({ transactions: 200, frauds: 3 });
      expect(result.rules.filter(({ record }: { record: { hits: number } }) => record.hits > 0)).toHaveLength(1);
      expect(result.comparison.candidate.caughtFrauds.value - result.comparison.live.caughtFrauds.value).toBe(3);
      const found = result.rules.find(
        ({ record }: { record: { rule: string } }) => record.rule === 'transfers-by-web@1',
      );
      expect(found).toMatchObject({ change: 'new', record: { hits: 20 } });
      const appears = result.changes.find(
        ({ change, label }: Record<string, string>) => change === 'appears' && label === 'fraud',
      );
      expect(appears).toMatchObject({ count: 3, worthMinor: 7_500 });
      expect(JSON.stringify(result)).not.toContain('Quispe');

      const auditor = await service.as('auditor');
      const { rows } = (await auditor.ask('/v1/audit?action=replay.')).json;
      expect(rows.map(({ action }: { action: string }) => action).sort()).toEqual(['replay.asked', 'replay.ended']);
      expect((await ask(auditor, { rules })).status).toBe(403);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('that cannot be done are refused at once, or fail with what is wrong', async () => {
    const service = await startTestService(await open());
    try {
      const analyst = await service.as('fraud-analyst');
      const refused = async (body: object) => {
        const { status, json } = await ask(analyst, body);
        return [status, json.code];
      };
      expect(await refused({})).toEqual([422, 'REPLAY_EMPTY']);
      const broken = [{ path: 'x.yaml', text: RULE.replace("channel = 'web'", 'channel =') }];
      expect(await refused({ rules: { mode: 'join', files: broken } })).toEqual([422, 'RULES_INVALID']);
      expect(await refused({ model: 'nada@1' })).toEqual([422, 'MODEL_UNKNOWN']);
      expect(await refused({ rules: { mode: 'join', files }, fromMs: 5, untilMs: 5 })).toEqual([422, 'PERIOD_EMPTY']);
      const unknown = [{ path: 'x.yaml', text: RULE.replace('channel', 'chanel') }];
      const { id } = (await ask(analyst, { rules: { mode: 'join', files: unknown } })).json;
      const { replay, result } = await ended(analyst, id);
      expect([replay.state, replay.problemCode, result]).toEqual(['failed', 'RULES_INVALID', null]);
      expect(replay.problem).toContain('x.yaml');
      const thresholds = (await ask(analyst, { thresholds: 'cost' })).json.id;
      expect((await ended(analyst, thresholds)).replay.problemCode).toBe('MODEL_MISSING');
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('wait in turn, are cancelled while they wait and while they run, listed by pages, and bounded', async () => {
    const service = await startTestService(await open());
    try {
      await withHistory(service, 4000);
      const analyst = await service.as('fraud-analyst');
      const rules = { mode: 'join', files };
      const ids: string[] = [];
      let full = await ask(analyst, { rules });
      for (; full.status === 202 && ids.length < 50; full = await ask(analyst, { rules })) ids.push(full.json.id);
      expect([full.status, full.json.code]).toEqual([429, 'REPLAYS_FULL']);
      const cancel = (id: string) =>
        analyst.ask(`/v1/replays/${id}/cancel`, { method: 'POST', body: { reason: 'ya no' } });
      for (const id of [...ids].reverse()) {
        const { status, json } = await cancel(id);
        expect([200, 409], json?.code).toContain(status);
      }
      for (const id of ids) expect(['cancelled', 'done']).toContain((await ended(analyst, id)).replay.state);
      expect((await ended(analyst, ids[ids.length - 1])).replay.state).toBe('cancelled');
      expect((await cancel(ids[ids.length - 1])).json.code).toBe('REPLAY_ENDED');

      const first = (await analyst.ask('/v1/replays?limit=15')).json;
      const second = (await analyst.ask(`/v1/replays?limit=60&cursor=${first.next}`)).json;
      const told = [...first.rows, ...second.rows].map(({ id }: { id: string }) => id);
      expect(told).toEqual([...ids].sort().reverse());
      expect(second.next).toBeNull();
      expect((await analyst.ask('/v1/replays?cursor=nada')).status).toBe(422);
    } finally {
      await service.stop();
    }
  }, 120_000);

  it('that are cancelled while they run are stopped, their thread too, and the next is begun', async () => {
    const counter = new SharedArrayBuffer(4);
    const turns = new Int32Array(counter);
    const module = new URL('endless-replay.worker.ts', import.meta.url);
    const service = await startTestService(await open(), { replayThread: { module, data: counter } });
    try {
      const analyst = await service.as('fraud-analyst');
      const rules = { mode: 'join', files };
      const endless = (await ask(analyst, { rules, seed: 1 })).json.id;
      const next = (await ask(analyst, { rules, seed: 2 })).json.id;
      await eventually(async () => (Atomics.load(turns, 0) > 0 ? true : null));
      const stateOf = async (id: string) => (await analyst.ask(`/v1/replays/${id}`)).json.replay.state;
      expect([await stateOf(endless), await stateOf(next)]).toEqual(['running', 'queued']);

      const body = { reason: 'ya no' };
      const cancelled = await analyst.ask(`/v1/replays/${endless}/cancel`, { method: 'POST', body });
      expect(cancelled.status, cancelled.text).toBe(200);
      expect((await ended(analyst, endless)).replay.state).toBe('cancelled');
      // Nobody counts any more.
      const atEnd = Atomics.load(turns, 0);
      await new Promise((resolve) => setTimeout(resolve, 300));
      expect(Atomics.load(turns, 0)).toBe(atEnd);
      expect((await ended(analyst, next)).replay.state).toBe('done');
    } finally {
      await service.stop();
    }
  }, 60_000);

  it('whose service died are queued once more, and failed the second time', async () => {
    const records = await open();
    const row = (id: string, attempts: number) => ({
      ...{ id, name: id, state: 'running' as const, progress: 0.4, attempts, is_cancel_asked: false, version: 1 },
      request: JSON.stringify({
        ...{ rules: { mode: 'join', files }, thresholds: null, fromMs: null, untilMs: null },
        ...{ bootstrap: 'customer', analysts: 1, seed: 1 },
      }),
      ...{ runner: 'another', lease_ms: 1, result: null, problem_code: null, problem: null, created_ms: 1 },
      ...{ started_ms: 1, ended_ms: null, by_kind: 'user', by_id: 'one', by_name: 'persona' },
    });
    await records.transact(async (tx) => {
      await tx
        .insertInto('replay_jobs')
        .values([row('once', 1), row('twice', 2)])
        .execute();
    });
    const service = await startTestService(records);
    try {
      const reader = await service.as('data-analyst');
      const [once, twice] = [await ended(reader, 'once'), await ended(reader, 'twice')];
      expect([once.replay.state, once.replay.attempts]).toEqual(['done', 2]);
      expect([twice.replay.state, twice.replay.problemCode]).toEqual(['failed', 'REPLAY_INTERRUPTED']);
    } finally {
      await service.stop();
    }
  }, 120_000);
});
