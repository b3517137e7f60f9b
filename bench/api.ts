// `bench api`: the service with everything embedded (log, records, keys in a folder), asked over TLS for decisions, one
// transaction a request, each durable before it is answered; the asker is a process on the same machine.
//
// Closed loop for the most it can do, open loop for latency at a rate: from when a request was due to its answer. Beside it,
// in the same run and by the same asker, a minimal FastAPI service with scikit-learn models (python/api_peer.py).
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPglite } from '../src/adapters/pglite/open-pglite.ts';
import { openRecordStore } from '../src/records/record-store.ts';
import { fillAlerts } from '../test/alerts/many-alerts.ts';
import type { LoadFigures, LoadOptions } from './api/load-generator.ts';
import { makeScoringKey, startServiceProcess } from './api/service-process.ts';
import { type PreparedModel, preparedModel, ROOT } from './kafka/prepared-model.ts';
import { type PythonEnvironment, preparePython, pythonOf, pythonVariables } from './python-environment.ts';

const API_PEER: PythonEnvironment = { name: 'api-peer', requirements: 'requirements-api-peer.txt' };
const CONNECTIONS = 64;
const RATE = 1000;
const WARM_UP_SECONDS = 10;
const SECONDS = 30;
const ALERTS = 10_000;
const STARTS = 3;
const PEER_SECONDS = 10;
const PEER_START_MS = 120_000;
/** What the peer can be asked for without a queue that grows. */
const PEER_RATE = 100;

export async function benchApi(): Promise<Record<string, number>> {
  const prepared = await preparedModel({
    ...{ detectors: 'gbdt,isolation-forest,autoencoder', customers: 5000, historyDays: 30, liveDays: 6, seed: 7 },
  });
  const folder = mkdtempSync(join(tmpdir(), 'centinela-bench-api-'));
  try {
    const lines = join(folder, 'transactions.ndjson');
    writeFileSync(lines, prepared.lines.join('\n'));
    const data = join(folder, 'data');
    const service = await startServiceProcess(data, prepared);
    const figures: Record<string, number> = {};
    try {
      const key = await makeScoringKey(service, service.setupToken ?? '');
      const asked = { url: service.url, path: '/v1/transactions', key, authority: service.authority, lines };
      const most = await load({ ...asked, from: 0, mode: 'closed', seconds: SECONDS });
      const steady = await load({ ...asked, from: most.sent, mode: 'open', seconds: SECONDS });
      figures.decisionsPerSecond = Math.round(most.perSecond);
      figures.busyP99Milliseconds = most.p99;
      figures.p50Milliseconds = steady.p50;
      figures.p99Milliseconds = steady.p99;
      figures.mostMilliseconds = steady.most;
      figures.refused = most.refused + steady.refused;
      figures.undecided = most.undecided + steady.undecided;
    } finally {
      await service.stop();
    }
    await addAlerts(data);
    figures.startMilliseconds = await startMs(data, prepared);
    return { ...figures, ...(await peerFigures(folder, data, lines)) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Beside those of the decisions. */
async function addAlerts(data: string): Promise<void> {
  const records = await openRecordStore(
    await openPglite({ folder: join(data, 'records'), onRecovery: (text) => process.stderr.write(`${text}\n`) }),
  );
  try {
    await fillAlerts(records, ALERTS);
  } finally {
    await records.close();
  }
}

/** The median of several, each of a folder that was closed in order. */
async function startMs(data: string, prepared: PreparedModel): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const service = await startServiceProcess(data, prepared);
    times.push(service.startMs);
    await service.stop();
  }
  return Math.round(times.sort((a, b) => a - b)[Math.floor(STARTS / 2)]);
}

type Load = Pick<LoadOptions, 'url' | 'path' | 'key' | 'authority' | 'lines' | 'from' | 'mode' | 'seconds'> &
  Partial<LoadOptions>;

function load(options: Load): Promise<LoadFigures> {
  const given: LoadOptions = { connections: CONNECTIONS, perSecond: RATE, warmUpSeconds: WARM_UP_SECONDS, ...options };
  const child = spawn(process.execPath, [join(ROOT, 'bench', 'api', 'load-generator.ts'), JSON.stringify(given)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(output) as LoadFigures);
      else reject(new Error(`the load generator ended with ${code}`));
    });
  });
}

async function peerFigures(folder: string, data: string, lines: string): Promise<Record<string, number>> {
  const why = preparePython(API_PEER);
  if (why !== null) {
    process.stderr.write(`the peer is left out: ${why}\n`);
    return {};
  }
  const port = await freePort();
  const authority = join(data, 'keys', 'own-certificate.pem');
  const args = [join(ROOT, 'python', 'api_peer.py'), String(port), authority, join(data, 'keys', 'own-key.pem')];
  const child = spawn(pythonOf(API_PEER), args, {
    cwd: folder,
    env: { ...pythonVariables(), OMP_NUM_THREADS: '1' },
    stdio: 'inherit',
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    const url = `https://127.0.0.1:${port}`;
    const untilMs = performance.now() + PEER_START_MS;
    while (spawnSync('curl', ['-sk', '-o', '/dev/null', url]).status !== 0) {
      if (child.exitCode !== null || performance.now() > untilMs) throw new Error('the peer did not start');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const asked = {
      url,
      path: '/v1/transactions',
      key: null,
      authority,
      lines,
      seconds: PEER_SECONDS,
      warmUpSeconds: 3,
    };
    const most = await load({ ...asked, from: 0, mode: 'closed' });
    const steady = await load({ ...asked, from: most.sent, mode: 'open', perSecond: PEER_RATE });
    return {
      peerDecisionsPerSecond: Math.round(most.perSecond),
      peerP50Milliseconds: steady.p50,
      peerP99Milliseconds: steady.p99,
      peerRefused: most.refused + steady.refused,
    };
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
