// Files of lists over HTTP: CSV of a team, and what OFAC and the UN publish; tried first, done once, counted in the audit
// without a value of them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, type Reply, startTestService, type TestService } from './running-service.ts';

const sample = (name: string) => readFileSync(new URL(`../lists/samples/${name}`, import.meta.url));

interface Team {
  readonly service: TestService;
  readonly ana: Caller;
  readonly auditor: Caller;
}

async function withTeam(
  open: () => ReturnType<Parameters<Parameters<typeof describeOnEachEngine>[1]>[0]>,
  run: (team: Team) => Promise<void>,
) {
  const service = await startTestService(await open());
  try {
    await run({ service, ana: await service.as('operations-manager'), auditor: await service.as('auditor') });
  } finally {
    await service.stop();
  }
}

function upload(
  caller: Caller,
  list: string,
  query: Record<string, string>,
  raw: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const words = new URLSearchParams({ source: 'lote', reason: 'denuncias de marzo', format: 'csv', ...query });
  const length = typeof raw === 'string' ? Buffer.byteLength(raw) : raw.length;
  return caller.ask(`/v1/lists/${list}/entries:upload?${words}`, {
    ...{ method: 'POST', raw },
    headers: { 'content-type': 'application/octet-stream', 'content-length': String(length), ...headers },
  });
}

const FIRST = 'cuenta,motivo,hasta\nD-70001,uno,2099-01-01\nD-70002,dos,\nD-70003,tres,\n';
const SECOND =
  'cuenta,motivo,hasta\nD-70002,dos,\nD-70003,otro,\nD-70004,cuatro,\nD-70004,cuatro,\nD-70005,cinco,ayer\n';

describeOnEachEngine('files of lists over HTTP', (open) => {
  it(
    'a dry run says what the import then does, and changes nothing; the import is done once, and audited by its counts',
    () =>
      withTeam(open, async ({ service, ana, auditor }) => {
        const first = await upload(ana, 'bloqueados', {}, FIRST);
        expect([first.status, first.json.entry], first.text).toEqual([200, 1]);
        expect(first.json).toMatchObject({ rows: 3, rejected: 0, added: 3, changed: 0, unchanged: 0, expired: 0 });

        const query = { replaces: 'true' };
        const counts = { rows: 3, rejected: 2, added: 1, changed: 1, unchanged: 1, expired: 1, weakNames: 0 };
        const tried = await upload(ana, 'bloqueados', { ...query, dryRun: 'true' }, SECOND);
        expect([tried.status, tried.json.entry], tried.text).toEqual([200, null]);
        expect(tried.json).toMatchObject(counts);
        expect(tried.json.firstRejected).toEqual([
          { line: 5, message: 'the same value stands in line 4 already' },
          { line: 6, message: "column 'hasta' holds no day: write YYYY-MM-DD" },
        ]);
        expect((await ana.ask('/v1/list-history')).json.rows).toHaveLength(1);

        const headers = { 'idempotency-key': 'carga-de-prueba-1', 'if-match': tried.headers.etag as string };
        const both = await Promise.all([1, 2].map(() => upload(ana, 'bloqueados', query, SECOND, headers)));
        expect(
          both.map(({ status }) => status),
          both[0].text + both[1].text,
        ).toEqual([200, 200]);
        expect(both[0].json).toEqual({ ...tried.json, entry: 2, hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
        expect(both[1].json).toEqual(both[0].json);
        const other = await upload(ana, 'bloqueados', query, FIRST, headers);
        expect(other.json.code).toBe('IDEMPOTENCY_KEY_USED');
        const stale = await upload(ana, 'bloqueados', query, FIRST, { 'if-match': tried.headers.etag as string });
        expect([stale.status, stale.json.code]).toEqual([412, 'VERSION_CONFLICT']);

        const on = (await ana.ask('/v1/lists/bloqueados/entries')).json.rows;
        expect(on.map(({ value }: { value: string }) => value).sort()).toEqual(['D-70002', 'D-70003', 'D-70004']);
        const one = (await ana.ask('/v1/lists/bloqueados/entries?id=0')).json.rows;
        expect(one).toMatchObject([{ id: 0, reason: 'uno', isInForce: false }]);
        const trail = (await auditor.ask('/v1/audit?action=list.imported')).json.rows;
        expect(trail).toHaveLength(2);
        expect(trail[0]).toMatchObject({
          subject: { kind: 'list', id: 'bloqueados' },
          detail: { source: 'lote', replaces: true, format: 'csv', hash: both[0].json.hash, ...counts },
        });
        const attempts = (await auditor.ask('/v1/audit?action=list.import-tried')).json.rows;
        expect(attempts).toMatchObject([{ detail: { added: 1, changed: 1, unchanged: 1, expired: 1, rows: 3 } }]);
        expect(JSON.stringify([trail, attempts])).not.toContain('D-7000');
        const kept = await service.records.db.selectFrom('idempotency_keys').select('body').execute();
        expect(kept.length).toBeGreaterThan(0);
        for (const text of [JSON.stringify(kept), ...filesBelow(service.folder)]) expect(text).not.toContain('D-7000');
      }),
    60_000,
  );

  it(
    'sanctions lists of the UN and OFAC, packed or not; who is no longer published is taken off; weak names when asked for',
    () =>
      withTeam(open, async ({ ana }) => {
        const un = { format: 'xml', source: 'ONU' };
        const whole = await upload(ana, 'sanciones', un, gzipSync(sample('xml/consolidated.xml')));
        expect(whole.json, whole.text).toMatchObject({ format: 'xml', rows: 5, weakNames: 1, added: 5 });
        const found = await ana.ask('/v1/lists/sanciones/entries:find', {
          ...{ method: 'POST', body: { value: 'ÑAHUI MARÍA INVENTADA' } },
        });
        expect(found.json.isOn).toBe(true);
        const again = await upload(ana, 'sanciones', { ...un, weakNames: 'true' }, sample('xml/consolidated.xml'));
        expect(again.json).toMatchObject({ rows: 6, weakNames: 0, added: 1, unchanged: 5, expired: 0 });
        const fewer = await upload(ana, 'sanciones', { ...un, dryRun: 'true' }, sample('xml/sdn.xml'));
        expect(fewer.json).toMatchObject({ rows: 3, rejected: 1, added: 3, expired: 6 });
        const ofac = await upload(ana, 'sanciones', { format: 'ofac-csv', source: 'OFAC' }, sample('ofac/sdn.csv'));
        expect(ofac.json, ofac.text).toMatchObject({ rows: 3, rejected: 2, added: 3, expired: 0 });
      }),
    60_000,
  );

  it(
    'what is wrong with a file is told with its place and what to do, and nothing is imported',
    () =>
      withTeam(open, async ({ service, ana }) => {
        const refusals: [Reply, number, string, string][] = [
          [await upload(ana, 'bloqueados', {}, 'a,b\n1,2\n'), 422, 'LIST_COLUMN_MISSING', "Call it 'valor'"],
          [await upload(ana, 'bloqueados', {}, 'valor\n""\n'), 422, 'LIST_EMPTY', 'line 2'],
          [await upload(ana, 'sanciones', { format: 'xml' }, '<sdnList>\n<a></sdnList>'), 422, 'XML_INVALID', 'file:2'],
          [await upload(ana, 'sanciones', { format: 'xml' }, '<rss/>'), 422, 'LIST_FORMAT_UNKNOWN', '<sdnList>'],
          [await upload(ana, 'sanciones', { format: 'pdf' }, 'x'), 422, 'QUERY_INVALID', 'format'],
          [await upload(ana, 'nada', {}, FIRST), 404, 'LIST_UNKNOWN', 'nada'],
          [
            await upload(ana, 'bloqueados', {}, gzipSync(`valor\n${manyRows(5000)}`).subarray(0, 500)),
            422,
            'GZIP_TRUNCATED',
            '',
          ],
          [await upload(ana, 'bloqueados', {}, `valor\n${manyRows(100_001)}`), 413, 'LIST_TOO_LONG', 'command line'],
          [await upload(await service.as('data-analyst'), 'bloqueados', {}, FIRST), 403, 'NOT_ALLOWED', ''],
        ];
        for (const [{ status, json, text }, wanted, code, told] of refusals) {
          expect([status, json.code], text).toEqual([wanted, code]);
          expect(json.detail).toContain(told);
        }
        expect((await ana.ask('/v1/list-history')).json.rows).toEqual([]);
      }),
    60_000,
  );
});

function manyRows(count: number): string {
  return Array.from({ length: count }, (_, n) => `V${n}`).join('\n');
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => readFileSync(join(each.parentPath, each.name), 'latin1'));
}
