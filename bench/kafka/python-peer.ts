// The obvious alternative in the same run: a Python consumer that calls a Keras model (python/kafka_peer.py).
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './prepared-model.ts';

const ENVIRONMENT = join(ROOT, 'node_modules', '.cache', 'kafka-peer-python');
const PYTHON = join(ENVIRONMENT, 'bin', 'python');
const REQUIREMENTS = join(ROOT, 'python', 'requirements-kafka-peer.txt');
const STAMP = join(ENVIRONMENT, 'installed');
const INSTALL_LIMIT_MS = 900_000;
/** Above what it is asked to measure. */
const START_LIMIT_MS = 180_000;

export interface PeerOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly outputTopic: string;
  /** Messages that one call of `predict` takes. */
  readonly batch: number;
  readonly seconds: number;
}

/** The virtual environment is kept between runs. @returns why there is none, in one line; null where it is ready */
export function preparePeer(): string | null {
  const key = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === key) return null;
  rmSync(ENVIRONMENT, { recursive: true, force: true });
  mkdirSync(dirname(ENVIRONMENT), { recursive: true });
  const system = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  for (const [command, args] of [
    [system, ['-m', 'venv', ENVIRONMENT]],
    [PYTHON, ['-m', 'pip', 'install', '--quiet', '--requirement', REQUIREMENTS]],
  ] as const) {
    const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (error || status !== 0) {
      const said = (error?.message ?? stderr).trim().split('\n').at(-1) ?? '';
      return `${command} ${args.slice(0, 3).join(' ')} failed: ${said}`;
    }
  }
  writeFileSync(STAMP, key);
  return null;
}

/** @returns transactions decided a second */
export function runPeer({ brokers, topic, outputTopic, batch, seconds }: PeerOptions): Promise<number> {
  // Set for other programs' sake on some processors; NumPy's library then fails to start.
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const args = [brokers, topic, outputTopic, batch, seconds].map(String);
  const child = spawn(PYTHON, [join(ROOT, 'python', 'kafka_peer.py'), ...args], {
    env: { ...environment, KERAS_BACKEND: 'jax', JAX_PLATFORMS: 'cpu', PYTHONWARNINGS: 'ignore' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000 + START_LIMIT_MS,
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve((JSON.parse(output) as { transactionsPerSecond: number }).transactionsPerSecond);
      else reject(new Error(`python/kafka_peer.py ended with ${signal ?? code}: ${complaint}`));
    });
  });
}
