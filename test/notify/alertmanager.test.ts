import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openAlertmanagerChannel } from '../../src/adapters/alertmanager/alertmanager-channel.ts';
import { createGuardedPost } from '../../src/adapters/webhook/guarded-post.ts';
import { createNetworkGuard } from '../../src/adapters/webhook/network-guard.ts';

/** Debian's package prometheus-alertmanager; where it is not on the machine this is left out. */
const PROGRAM = 'prometheus-alertmanager';
const isHere = spawnSync(PROGRAM, ['--version']).status === 0;
if (!isHere) process.stderr.write(`Tests on a real Alertmanager are skipped: there is no ${PROGRAM}\n`);

interface KnownAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly endsAt: string;
  readonly status: { readonly state: string };
}

describe.runIf(isHere)('a real Alertmanager', () => {
  let folder: string;
  let program: ChildProcess;
  let url: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-alertmanager-'));
    writeFileSync(join(folder, 'config.yml'), 'route: { receiver: none }\nreceivers: [{ name: none }]\n');
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    program = spawn(
      PROGRAM,
      [
        ...[`--config.file=${join(folder, 'config.yml')}`, `--storage.path=${folder}`, '--cluster.listen-address='],
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    );
  });
  afterAll(async () => {
    if (program.exitCode === null) {
      const ended = new Promise((resolve) => program.once('exit', resolve));
      program.kill();
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const alerts = async (): Promise<KnownAlert[]> =>
    (await fetch(`${url}/api/v2/alerts`)).json() as Promise<KnownAlert[]>;

  it('knows an alert while it fires, renewed as one, and no more once it is over', async () => {
    const isReady = () =>
      fetch(`${url}/-/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await expect.poll(isReady, { timeout: 20_000 }).toBe(true);
    const post = createGuardedPost({ guard: createNetworkGuard(['127.0.0.0/8']) });
    const channel = openAlertmanagerChannel({
      url: `${url}/`,
      token: null,
      resolveAfterMs: 3_600_000,
      timeoutMs: 5000,
      post,
    });
    const item = (id: string, state: 'firing' | 'resolved' = 'firing') => ({
      ...{ id, kind: 'system', severity: 'high', state, title: 'Canal caído', text: 'x', code: 'channel-failing' },
      ...{ link: 'https://centinela.example/x', queue: null, typology: null, atMs: Date.now() },
    });
    expect(await channel.deliver({ items: [item('n1')] })).toEqual({ kind: 'delivered' });
    expect(await channel.deliver({ items: [item('n2')] })).toEqual({ kind: 'delivered' });
    const firing = await alerts();
    expect(firing).toHaveLength(1);
    expect(firing[0]).toMatchObject({
      labels: { alertname: 'Centinela_system', severity: 'high', code: 'channel-failing' },
      annotations: { summary: 'Canal caído', notification: 'n2' },
      status: { state: 'active' },
    });
    expect(await channel.deliver({ items: [item('n3', 'resolved')] })).toEqual({ kind: 'delivered' });
    await expect.poll(async () => (await alerts()).length, { timeout: 5000 }).toBe(0);
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
