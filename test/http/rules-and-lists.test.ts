// Rules and lists over HTTP, as a team changes them: one proposes, another approves, the next decision is another one, and all
// of it is in the audit, bound to the history's own chain.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, type Reply, startTestService, type TestService } from './running-service.ts';

const CCI = '00299900000000000118';

function transaction(id: string, more: object = {}): object {
  return {
    ...{ id, eventTimeMs: Date.now(), amountMinor: 1_200, currency: 'PEN', operation: 'transfer', channel: 'app' },
    ...{ payerId: `C-${id}`, payeeId: 'P-1', status: 'approved', authFactors: [], ...more },
  };
}

const rule = (more: Record<string, unknown> = {}) =>
  JSON.stringify({
    rules: [
      {
        ...{ id: 'small-and-strange', version: 1, owner: 'fraude', severity: 'high', reason: 'HORA_INUSUAL' },
        ...{ name: { es: 'Monto exacto', en: 'Exact amount' }, action: 'decline', when: 'amount = 12' },
        ...more,
      },
    ],
  });

async function eventually<T>(look: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('it did not come');
}

interface Team {
  readonly service: TestService;
  readonly bank: Caller;
  readonly ana: Caller & { readonly userId: string };
  readonly luis: Caller & { readonly userId: string };
  readonly auditor: Caller;
}

async function withTeam(
  open: () => ReturnType<Parameters<Parameters<typeof describeOnEachEngine>[1]>[0]>,
  run: (team: Team) => Promise<void>,
) {
  const service = await startTestService(await open());
  try {
    const bank = await service.withKey(['transactions:score']);
    const [ana, luis] = [await service.as('operations-manager'), await service.as('operations-manager', '2')];
    await run({ service, bank, ana, luis, auditor: await service.as('auditor') });
  } finally {
    await service.stop();
  }
}

const post = (caller: Caller, path: string, body: object, headers: Record<string, string> = {}): Promise<Reply> =>
  caller.ask(path, { method: 'POST', body, headers });

/** As whoever saw the rule. */
async function change(caller: Caller, path: string, body: object, more: Record<string, string> = {}): Promise<Reply> {
  const [, , , id] = path.split('/');
  const { headers } = await caller.ask(`/v1/rules/${id}`);
  return post(caller, path, body, { 'if-match': headers.etag as string, ...more });
}

let scored = 0;
async function actionOf(bank: Caller, more: object = {}): Promise<string> {
  const reply = await post(bank, '/v1/transactions', transaction(`X${scored++}`, more));
  expect(reply.status, reply.text).toBe(200);
  return reply.json.action;
}

const isDeclined = async (bank: Caller, more: object = {}) => (await actionOf(bank, more)) === 'decline';
const untilDeclined = (bank: Caller, wanted: boolean, more: object = {}) =>
  eventually(async () => ((await isDeclined(bank, more)) === wanted ? true : null));

async function putInForce({ ana, luis }: Team, more: Record<string, unknown> = {}): Promise<void> {
  const proposed = await post(ana, '/v1/rules', { text: rule(more), reason: 'casos de marzo' });
  expect(proposed.status, proposed.text).toBe(201);
  const [id, version] = proposed.json.rule.split('@');
  const { sha256 } = proposed.json;
  const approved = await change(luis, `/v1/rules/${id}/versions/${version}/approval`, { sha256 });
  expect(approved.status, approved.text).toBe(200);
}

describeOnEachEngine('rules over HTTP', (open) => {
  it(
    'one proposes, the same is refused, another approves, the next decision is another one, and all of it can be proved',
    () =>
      withTeam(open, async ({ bank, ana, luis, auditor, service }) => {
        expect(await isDeclined(bank)).toBe(false);
        const proposed = await post(ana, '/v1/rules', { text: rule(), reason: 'casos de marzo' });
        expect([proposed.status, proposed.json.rule], proposed.text).toEqual([201, 'small-and-strange@1']);
        const waiting = (await luis.ask('/v1/rules?state=proposed')).json.rows;
        expect(waiting).toMatchObject([{ rule: 'small-and-strange@1', state: 'proposed', proposedBy: ana.userId }]);
        const approval = '/v1/rules/small-and-strange/versions/1/approval';
        const { sha256 } = proposed.json;
        const same = await change(ana, approval, { sha256 });
        expect([same.status, same.json.code], same.text).toEqual([403, 'RULE_SAME_PERSON']);
        const analyst = await service.as('fraud-analyst');
        expect((await change(analyst, approval, { sha256 })).status).toBe(403);
        expect((await post(luis, approval, { sha256 })).status).toBe(428);
        expect((await post(luis, approval, { sha256 }, { 'if-match': '"99"' })).status).toBe(412);
        const other = await change(luis, approval, { sha256: '0'.repeat(64) });
        expect([other.status, other.json.code]).toEqual([409, 'RULE_TEXT_CHANGED']);
        expect(await isDeclined(bank)).toBe(false);

        const before = (await luis.ask('/v1/rules?limit=1')).json.version;
        const approved = await change(luis, approval, { sha256, reason: 'de acuerdo' });
        expect([approved.status, approved.json.entry], approved.text).toEqual([200, 2]);
        await untilDeclined(bank, true);
        const after = (await luis.ask('/v1/rules?limit=1')).json.version;
        expect(after).not.toBe(before);
        const decided = await post(bank, '/v1/transactions', transaction('Z1'));
        expect(decided.json.decision.versions.rules).toBe(after);
        expect((await change(luis, approval, { sha256 })).json.code).toBe('RULE_NOT_PROPOSED');

        const shown = (await ana.ask('/v1/rules/small-and-strange')).json;
        expect(shown.inForce).toMatchObject({ state: 'live', proposedBy: ana.userId, approvedBy: luis.userId });
        const history = (await ana.ask('/v1/rule-history?ruleId=small-and-strange')).json.rows;
        expect(history.map(({ kind }: { kind: string }) => kind)).toEqual(['approved', 'proposed']);
        expect(history[0].previous).toBe(history[1].hash);
        const trail = (await auditor.ask('/v1/audit?action=rule.')).json.rows;
        expect(
          trail.map(({ action, actor, detail }: never) => [
            action,
            (actor as { id: string }).id,
            (detail as { hash: string }).hash,
          ]),
        ).toEqual([
          ['rule.approved', luis.userId, history[0].hash],
          ['rule.proposed', ana.userId, history[1].hash],
        ]);
        expect(trail[0].address).toBe('127.0.0.1');
        const chain = (await auditor.ask('/v1/rule-history:verify', { method: 'POST' })).json;
        expect(chain).toMatchObject({ isWhole: true, entries: 2, audited: 2, head: history[0].hash });
        expect((await auditor.ask('/v1/audit:verify', { method: 'POST' })).json.breaks).toEqual([]);
      }),
    60_000,
  );

  it(
    'a draft is checked: reading, types, tests, with their places; what is wrong is not proposed',
    () =>
      withTeam(open, async ({ ana }) => {
        const wrong = await post(ana, '/v1/rules:check', { text: rule({ when: 'amuont > 500' }) });
        expect(wrong.json.problems).toMatchObject([
          { file: 'rule', code: 'NAME_UNKNOWN', line: 1, path: '/rules/0/when', hint: 'Did you mean amount?' },
        ]);
        const tests = 'tests:\n  - name: twelve\n    given: { amount: 13 }\n    fires: [small-and-strange]\n';
        const failing = await post(ana, '/v1/rules:check', { text: rule(), tests });
        expect(failing.json).toMatchObject({ tests: 1, problems: [{ file: 'tests', code: 'TEST_FAILED', line: 2 }] });
        const sound = await post(ana, '/v1/rules:check', { text: rule(), tests: tests.replace('13', '12') });
        expect(sound.json).toMatchObject({
          rules: ['small-and-strange@1'],
          problems: [],
          untested: [],
          notComputed: [],
        });
        expect(sound.json.conditions[0]).toMatchObject({ printed: 'amount = 12', names: ['amount'] });
        const refused = await post(ana, '/v1/rules', { text: rule(), tests, reason: 'x' });
        expect([refused.status, refused.json.code], refused.text).toEqual([422, 'RULES_INVALID']);
        expect((await ana.ask('/v1/rules?state=proposed')).json.rows).toEqual([]);
        const names = (await ana.ask('/v1/rule-names')).json;
        expect(names.names.find(({ name }: { name: string }) => name === 'amount')).toMatchObject({ unit: 'money' });
      }),
    60_000,
  );

  it(
    'rules of files are superseded by the book, taken out of force, and brought back',
    () =>
      withTeam(open, async (team) => {
        const { ana, luis, bank } = team;
        const all = [];
        for (let cursor = ''; ; ) {
          const { rows, next } = (await ana.ask(`/v1/rules?limit=7${cursor}`)).json;
          all.push(...rows);
          if (next === null) break;
          cursor = `&cursor=${next}`;
        }
        expect(all.length).toBeGreaterThan(7);
        expect(new Set(all.map(({ rule: name }) => name)).size).toBe(all.length);
        const [ofFile] = all.filter(({ origin, action }) => origin === 'files' && action !== 'approve');
        const retired = await change(luis, `/v1/rules/${ofFile.id}/retirement`, { reason: 'x' });
        expect([retired.status, retired.json.code], retired.text).toEqual([409, 'RULE_OF_FILES']);

        await putInForce(team);
        await untilDeclined(bank, true);
        await putInForce(team, { version: 2, action: 'hold' });
        await untilDeclined(bank, false);
        const back = await change(luis, '/v1/rules/small-and-strange/rollback', { reason: 'la 2 sobra' });
        expect(back.status, back.text).toBe(200);
        await untilDeclined(bank, true);
        const path = '/v1/rules/small-and-strange/overrides';
        const override = { field: 'payerId', value: '10456789', untilMs: Date.now() + 3_600_000, reason: 'llamó' };
        expect((await change(luis, path, override)).status).toBe(200);
        await untilDeclined(bank, false, { payerId: '10456789' });
        expect(await isDeclined(bank)).toBe(true);
        const [shown] = (await ana.ask('/v1/rules/small-and-strange')).json.overrides;
        expect(shown.value).toMatch(/^dni_/);
        const snooze = '/v1/rules/small-and-strange/snooze';
        const untilMs = Date.now() + 3_600_000;
        expect((await change(luis, snooze, { untilMs, reason: 'campaña' })).status).toBe(200);
        await untilDeclined(bank, false);
        expect((await change(luis, snooze, { untilMs: null, reason: 'terminó' })).status).toBe(200);
        await untilDeclined(bank, true);
        expect((await change(luis, '/v1/rules/small-and-strange/retirement', { reason: 'ya no' })).status).toBe(200);
        await untilDeclined(bank, false);
      }),
    60_000,
  );

  it(
    'a proposal is withdrawn by who made it, and rejected by others',
    () =>
      withTeam(open, async ({ ana, luis }) => {
        await post(ana, '/v1/rules', { text: rule(), reason: 'x' });
        const of = (step: string, version = 1) => `/v1/rules/small-and-strange/versions/${version}/${step}`;
        expect((await change(luis, of('withdrawal'), { reason: 'x' })).json.code).toBe('RULE_OTHER_PERSON');
        expect((await change(ana, of('rejection'), { reason: 'x' })).json.code).toBe('RULE_SAME_PERSON');
        expect((await change(ana, of('withdrawal'), { reason: 'x' })).status).toBe(200);
        await post(ana, '/v1/rules', { text: rule({ version: 2 }), reason: 'x' });
        expect((await change(luis, of('rejection', 2), { reason: 'x' })).status).toBe(200);
      }),
    60_000,
  );

  it(
    'under an idempotency key a change is made once; a crash before its audit is mended, and the same request answered',
    () =>
      withTeam(open, async ({ service, ana, auditor }) => {
        const headers = { 'idempotency-key': 'propuesta-de-prueba-1' };
        const body = { text: rule(), reason: 'x' };
        const both = await Promise.all([1, 2].map(() => post(ana, '/v1/rules', body, headers)));
        expect(
          both.map(({ status }) => status),
          both[0].text + both[1].text,
        ).toEqual([201, 201]);
        expect(both[0].json).toEqual(both[1].json);
        expect((await post(ana, '/v1/rules', { ...body, reason: 'y' }, headers)).json.code).toBe(
          'IDEMPOTENCY_KEY_USED',
        );

        // As after a crash between the book and the records: neither the audit nor the key knows of it.
        await service.records.transact(async (tx) => {
          await tx.deleteFrom('idempotency_keys').execute();
          await tx.deleteFrom('audited_books').execute();
        });
        const again = await post(ana, '/v1/rules', body, headers);
        expect([again.status, again.json], again.text).toEqual([201, both[0].json]);
        const rows = (await ana.ask('/v1/rule-history')).json.rows;
        expect(rows).toHaveLength(1);
        const trail = (await auditor.ask('/v1/audit?action=rule.proposed')).json.rows;
        expect(new Set(trail.map(({ detail }: { detail: { hash: string } }) => detail.hash))).toEqual(
          new Set([rows[0].hash]),
        );
      }),
    60_000,
  );

  it(
    'a history that was cut off at its end is whole by itself, and the audit knows better',
    () =>
      withTeam(open, async (team) => {
        const { service, auditor, ana } = team;
        await putInForce(team);
        const folder = join(service.folder, 'registry', 'rules', 'history');
        const last = join(folder, readdirSync(folder).sort().at(-1)!);
        const kept = readFileSync(last);
        rmSync(last);
        const verify = async () => (await auditor.ask('/v1/rule-history:verify', { method: 'POST' })).json;
        expect(await verify()).toMatchObject({ isWhole: false, problem: expect.stringContaining('entry 2') });
        writeFileSync(last, kept.toString().replace('approved', 'rejected'));
        expect(await verify()).toMatchObject({ isWhole: false, problem: expect.stringContaining('hash differs') });
        writeFileSync(last, kept);
        expect(await verify()).toMatchObject({ isWhole: true, entries: 2 });
        expect((await post(ana, '/v1/rules', { text: rule({ version: 2 }), reason: 'x' })).status).toBe(201);
      }),
    60_000,
  );
});

describeOnEachEngine('lists over HTTP', (open) => {
  it(
    'what is put on a list counts for the next decision, until it is taken off; nothing of it is in clear at rest',
    () =>
      withTeam(open, async (team) => {
        const { service, bank, ana, auditor } = team;
        const list = '/v1/lists/mulas';
        const defined = await post(ana, '/v1/lists', { name: 'mulas', purpose: 'block', reason: 'investigación' });
        expect(defined.status, defined.text).toBe(201);
        await putInForce(team, { id: 'to-a-mule', when: 'payeeAccount in @mulas or payerId in @mulas' });
        const toMule = { payeeAccount: CCI };
        expect(await isDeclined(bank, toMule)).toBe(false);
        const added = await post(ana, `${list}/entries`, { value: '002-999-000000000001-18', reason: 'caso 17' });
        expect(added.status, added.text).toBe(201);
        await untilDeclined(bank, true, toMule);
        const { json } = await post(bank, '/v1/transactions', transaction('Z2', toMule));
        expect(json.decision.listed).toEqual([{ rule: 'to-a-mule@1', list: 'mulas', entry: 0 }]);
        expect(await isDeclined(bank)).toBe(false);
        // The stream knows the customer by a token, whoever put the document on the list wrote it as it is.
        await post(ana, `${list}/entries`, { value: '10456789', reason: 'caso 18' });
        await untilDeclined(bank, true, { payerId: '10456789' });

        const rows = (await ana.ask(`${list}/entries`)).json.rows;
        expect(rows).toMatchObject([
          { id: 0, isInForce: true },
          { id: 1, value: '****6789' },
        ]);
        const found = await post(ana, `${list}/entries:find`, { value: CCI });
        expect(found.json).toMatchObject({ isOn: true, similarity: 1, entry: { id: 0 } });
        const clear = await ana.ask(`${list}/entries:view`);
        expect(clear.json.rows[1].value).toBe('10456789');
        expect((await auditor.ask(`${list}/entries:view`)).status).toBe(403);

        const off = await post(ana, `${list}/entries:remove`, { value: CCI, reason: 'error' });
        expect(off.status, off.text).toBe(200);
        await untilDeclined(bank, false, toMule);
        expect((await ana.ask(`${list}/entries?inForce=false`)).json.rows).toHaveLength(2);
        expect((await ana.ask(`${list}/entries`)).json.rows).toHaveLength(1);

        const history = (await ana.ask('/v1/list-history?list=mulas')).json.rows;
        expect(history.map(({ kind }: { kind: string }) => kind)).toEqual(['removed', 'added', 'added', 'defined']);
        const trail = (await auditor.ask('/v1/audit')).json.rows.filter(
          ({ subject }: { subject: { kind: string } | null }) => subject?.kind === 'list',
        );
        expect(trail.map(({ action }: { action: string }) => action)).toEqual([
          ...['list.entry-removed', 'personal-data.viewed', 'list.entry-added', 'list.entry-added', 'list.defined'],
        ]);
        expect(JSON.stringify(trail)).not.toContain('10456789');
        const chain = (await auditor.ask('/v1/list-history:verify', { method: 'POST' })).json;
        expect(chain).toMatchObject({ isWhole: true, entries: 4, audited: 4, head: history[0].hash });
        for (const text of filesBelow(service.folder)) {
          expect(text).not.toContain('10456789');
          expect(text).not.toContain('999000000000001');
        }
      }),
    60_000,
  );

  it(
    'an import replaces what its source listed before; entries end, are paged, and a stale view is refused',
    () =>
      withTeam(open, async ({ ana, luis }) => {
        const list = '/v1/lists/bloqueados';
        const rows = Array.from({ length: 25 }, (_, n) => ({ value: `D-${n}` }));
        const load = { source: 'lote', reason: 'denuncias', rows };
        expect((await post(ana, `${list}/entries:import`, load)).status).toBe(201);
        const seen: string[] = [];
        for (let cursor = ''; ; ) {
          const page = (await ana.ask(`${list}/entries?limit=10${cursor}`)).json;
          seen.push(...page.rows.map(({ value }: { value: string }) => value));
          if (page.next === null) break;
          cursor = `&cursor=${page.next}`;
        }
        expect(seen).toEqual(rows.map(({ value }) => value));
        const { headers } = await ana.ask(`${list}/entries`);
        const untilMs = Date.now() + 400;
        expect((await post(luis, `${list}/entries`, { value: 'D-99', untilMs, reason: 'x' })).status).toBe(201);
        const stale = await post(ana, `${list}/entries:import`, load, { 'if-match': headers.etag as string });
        expect([stale.status, stale.json.code]).toEqual([412, 'VERSION_CONFLICT']);
        await eventually(async () =>
          (await post(ana, `${list}/entries:find`, { value: 'D-99' })).json.isOn ? null : true,
        );
        const replaced = await post(ana, `${list}/entries:import`, { ...load, replaces: true, rows: rows.slice(0, 3) });
        expect(replaced.status, replaced.text).toBe(201);
        const [own] = (await ana.ask('/v1/lists')).json.rows.filter(
          ({ name }: { name: string }) => name === 'bloqueados',
        );
        expect(own).toMatchObject({ entries: 3, touched: 3 });
        expect((await post(ana, '/v1/lists/nada/entries', { value: 'x', reason: 'x' })).json.code).toBe('LIST_UNKNOWN');
        expect((await post(ana, `${list}/entries:remove`, { value: 'D-24', reason: 'x' })).status).toBe(404);
      }),
    60_000,
  );

  it(
    'names are found by likeness, and shown to those without the permission by their initials',
    () =>
      withTeam(open, async ({ service, ana }) => {
        await post(ana, '/v1/lists/sanciones/entries', { value: 'Rosaura Tarqui Illanes', reason: 'UIF 12' });
        const analyst = await service.as('data-analyst');
        const found = await post(analyst, '/v1/lists/sanciones/entries:find', { value: 'ILLANES TARQUI ROSAURA' });
        expect(found.json).toMatchObject({ isOn: true, entry: { value: 'R****** T***** I******' } });
        expect((await post(analyst, '/v1/lists/sanciones/entries', { value: 'x', reason: 'x' })).status).toBe(403);
      }),
    60_000,
  );
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => readFileSync(join(each.parentPath, each.name), 'latin1'));
}
