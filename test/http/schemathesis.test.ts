// The running service against a fuzzer that knows it from its OpenAPI document alone (Schemathesis): whoever asks, nothing is
// a mistake of ours, every answer is as the document says, and no status comes that it does not name.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from '../../bench/kafka/prepared-model.ts';
import { type PythonEnvironment, preparePython, pythonOf, pythonVariables } from '../../bench/python-environment.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import type { Role } from '../../src/identity/permissions.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { type Caller, startTestService, type TestService } from './running-service.ts';

const FUZZER: PythonEnvironment = { name: 'schemathesis', requirements: 'requirements-schemathesis.txt' };
const asked = process.env.CENTINELA_LONG_TESTS === '1';
const why = asked ? preparePython(FUZZER) : null;
if (why !== null) process.stderr.write(`Fuzzing from the OpenAPI document is skipped: ${why}\n`);

/** They end the session that is asked in, or never end; the rest of abuse.test.ts asks them. */
const LEFT_OUT = ['watch', 'logOut', 'endSession', 'changePassword', 'enrolTotp', 'confirmTotp', 'disableTotp'];
const FUZZING = [
  'administrator',
  'fraud-analyst',
  'operations-manager',
  'compliance-officer',
] as const satisfies Role[];
const EXAMPLES = 30;
const SEED = 20_261_126;
const LIMIT_MS = 900_000;
const PYTHON = join(ROOT, 'python');
const UNLIMITED = 1_000_000;

describe.runIf(asked && why === null)('fuzzed from the OpenAPI document', () => {
  let records: RecordStore;
  let service: TestService;
  let folder: string;
  const running = new Set<ChildProcess>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-fuzzed-'));
    records = await openRecordStore(await openPglite({ folder: null, onRecovery: () => undefined }));
    const perMinute = { read: UNLIMITED, change: UNLIMITED, own: UNLIMITED };
    service = await startTestService(records, { limits: { perMinute, strangersPerMinute: UNLIMITED } });
    writeFileSync(join(folder, 'authority.pem'), service.authority);
    writeFileSync(join(folder, 'openapi.json'), (await service.stranger.ask('/v1/openapi.json')).text);
    // Before the fuzzer fails to log in so often that nobody of this address may.
    for (const role of FUZZING) await service.as(role);
    while ((await service.stranger.ask('/readyz')).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 50));
  });

  afterAll(async () => {
    for (const child of running) child.kill();
    await service?.stop();
    await records?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function fuzz(caller: Caller): Promise<{ readonly code: number | null; readonly text: string }> {
    const { authorization, cookie, 'x-csrf-token': csrf } = caller.credentials;
    const config = join(folder, 'schemathesis.toml');
    writeFileSync(config, configOf({ key: authorization?.split(' ')[1], session: cookie?.split('=')[1] }));
    const options = [
      ...['--config-file', config, 'run', join(folder, 'openapi.json'), '--url', service.url],
      ...['--tls-verify', join(folder, 'authority.pem')],
      ...['--seed', String(SEED), '--max-examples', String(EXAMPLES)],
      ...['--request-timeout', '30', '--continue-on-failure'],
      ...['--suppress-health-check', 'all', '--warnings', 'off'],
      ...(csrf === undefined ? [] : ['-H', `X-CSRF-Token: ${csrf}`]),
      ...LEFT_OUT.flatMap((name) => ['--exclude-operation-id', name]),
    ];
    const command = join(dirname(pythonOf(FUZZER)), 'schemathesis');
    const env = { ...pythonVariables(), NO_COLOR: '1', SCHEMATHESIS_HOOKS: 'schemathesis_hooks', PYTHONPATH: PYTHON };
    return new Promise((resolve, reject) => {
      const child = spawn(command, options, { cwd: folder, env });
      running.add(child);
      let text = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk: Buffer) => {
          text += chunk;
        });
      }
      child.once('error', reject).once('close', (code) => {
        running.delete(child);
        resolve({ code, text });
      });
    });
  }

  const callers: readonly [string, () => Promise<Caller>][] = [
    ['nobody', async () => service.stranger],
    ['a key of the bank', () => service.withKey(['transactions:score'])],
    ...FUZZING.map((role): [string, () => Promise<Caller>] => [role, () => service.as(role)]),
  ];
  it.each(callers)(
    'by %s',
    async (who, caller) => {
      const { code, text } = await fuzz(await caller());
      if (process.env.CENTINELA_FUZZ_REPORT !== undefined) {
        writeFileSync(join(process.env.CENTINELA_FUZZ_REPORT, `${who.replaceAll(' ', '-')}.txt`), text);
      }
      expect(code, shortened(text)).toBe(0);
      expect(service.logged.filter((line) => line.includes('a request failed'))).toEqual([]);
      expect((await service.stranger.ask('/readyz')).status).toBe(200);
    },
    LIMIT_MS,
  );
});

/** Requests with bodies of many kilobytes would hide what is wrong with them. */
function shortened(text: string): string {
  const lines = text.split('\n').map((line) => line.slice(0, 300));
  return lines.join('\n').slice(-20_000);
}

/** As who it asks: the fuzzer adds it where the document says so, and leaves it out to see that it matters. */
function configOf({ key, session }: { readonly key?: string; readonly session?: string }): string {
  const lines = [
    // RFC 6585: what is missing there is a precondition.
    '[checks]',
    // What a valid value means may still refuse it: a cursor of another list, a date in the past.
    'positive_data_acceptance.enabled = false',
    'missing_required_header.expected-statuses = ["400", "401", "403", "406", "415", "422", "428"]',
    // The usual ones, and 413: a body may be too large for its endpoint before a text in it is too long.
    'negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "5xx"]',
    // A line that is wrong is answered in its place, for the others count.
    '[[operations]]',
    'include-operation-id = "uploadTransactions"',
    'checks.negative_data_rejection.enabled = false',
  ];
  if (key !== undefined || session !== undefined) lines.push('[auth.openapi]');
  if (key !== undefined) lines.push(`key = { bearer = "${key}" }`);
  if (session !== undefined) lines.push(`session = { api_key = "${session}" }`);
  return `${lines.join('\n')}\n`;
}
