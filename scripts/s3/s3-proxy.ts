// A real store that speaks the protocol of Amazon S3 for tests: S3Proxy over a folder, on loopback. It checks signatures and
// honours conditional writes, since version 4 also those of several writers at once.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findJars, type Jars } from '../jvm/jars.ts';

export interface RunningS3 {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** One that is there. */
  readonly bucket: string;
  stop(): Promise<void>;
}

const POM = join(dirname(fileURLToPath(import.meta.url)), 'pom.xml');
const MAIN = 'org.gaul.s3proxy.Main';
const BUCKET = 'centinela';
const KEY = { accessKeyId: 'local-identity', secretAccessKey: 'local-credential' };
const START_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 100;

/** Why no real store can be used in tests, in one line; null where one can. */
export function whyNoS3(): string | null {
  const found = findJars(POM, 's3');
  return 'why' in found ? found.why : null;
}

/** @throws Error where it cannot be had or does not start */
export async function startS3(): Promise<RunningS3> {
  const found = findJars(POM, 's3');
  if ('why' in found) throw new Error(found.why);
  const folder = mkdtempSync(join(tmpdir(), 'centinela-s3-'));
  mkdirSync(join(folder, 'buckets', BUCKET), { recursive: true });
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const child = start(found, folder, endpoint);
  const stop = async () => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await answers(endpoint, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { endpoint, ...KEY, bucket: BUCKET, stop };
}

function start({ java, classPath }: Jars, folder: string, endpoint: string): ChildProcess {
  const settings = {
    's3proxy.endpoint': endpoint,
    's3proxy.authorization': 'aws-v4',
    's3proxy.identity': KEY.accessKeyId,
    's3proxy.credential': KEY.secretAccessKey,
    'jclouds.provider': 'filesystem-nio2',
    'jclouds.filesystem.basedir': join(folder, 'buckets'),
  };
  const file = join(folder, 's3proxy.properties');
  writeFileSync(
    file,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
  // It tells every step of its web server: nobody reads that.
  return spawn(java, ['-Xmx256m', '-XX:+UseSerialGC', '-cp', classPath, MAIN, '--properties', file], {
    stdio: 'ignore',
  });
}

async function answers(endpoint: string, child: ChildProcess): Promise<void> {
  for (const untilMs = Date.now() + START_LIMIT_MS; Date.now() < untilMs; ) {
    if (child.exitCode !== null) throw new Error(`S3Proxy ended with ${child.exitCode}`);
    const response = await fetch(endpoint).catch(() => null);
    if (response !== null) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error(`S3Proxy does not answer after ${START_LIMIT_MS / 1000} s`);
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
