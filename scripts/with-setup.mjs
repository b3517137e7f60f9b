// Prepares a checkout and then starts or tests it, so that `npm start` and `npm test` are the only commands to know.
//
// Runs on any Node 20 or newer: the locked dependencies bring the Node that the project itself runs on, and every
// later step is started with that one. Installing and building are skipped when nothing changed since the last time.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, 'node_modules', '.bin');
const windows = process.platform === 'win32';
const environment = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` };

const CHECKS = ['check:types', 'check:lint', 'check:layers', 'check:dead-code', 'test:fast'];

function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: environment, shell: windows });
  if (result.error) {
    process.stderr.write(`centinela: cannot run ${command}: ${result.error.message}\n`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(path).update(readFileSync(join(root, path)));
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(join(root, folder))
    .map((name) => `${folder}/${name}`)
    .flatMap((path) => (statSync(join(root, path)).isDirectory() ? filesUnder(path) : [path]))
    .sort();
}

/** Runs `step` unless the stamp file already holds the hash of what the step depends on. */
function unlessDone(stamp, key, step) {
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  step();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, key);
}

function install() {
  unlessDone(join(root, 'node_modules', '.centinela-installed'), hashOf(['package.json', 'package-lock.json']), () => {
    process.stderr.write('centinela: installing the locked dependencies (npm ci)\n');
    run(windows ? 'npm.cmd' : 'npm', ['ci', '--loglevel=error']);
  });
}

function build() {
  const sources = [...filesUnder('src'), 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  unlessDone(join(root, 'dist', '.centinela-built'), hashOf(sources), () => {
    process.stderr.write('centinela: building\n');
    run(windows ? 'npm.cmd' : 'npm', ['run', '--silent', 'build']);
  });
}

const [task, ...rest] = process.argv.slice(2);
install();
build();
if (task === 'start') {
  run(join(bin, windows ? 'node.cmd' : 'node'), [join(root, 'dist', 'main.js'), 'demo', ...rest]);
} else if (task === 'check') {
  for (const check of CHECKS)
    run(windows ? 'npm.cmd' : 'npm', [
      'run',
      '--silent',
      check,
      ...(check === 'test:fast' && rest.length > 0 ? ['--', ...rest] : []),
    ]);
} else {
  process.stderr.write('centinela: usage: node scripts/with-setup.mjs start|check\n');
  process.exit(2);
}
