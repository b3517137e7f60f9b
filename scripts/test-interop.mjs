// Proves interoperability with the real Keras, PyTorch, scikit-learn, XGBoost and LightGBM (python/README.md).
//
//   node scripts/test-interop.mjs
//
// What we write is loaded there and must predict the same; models are made there anew and must score the same here. Ends
// with "N passed, N failed, N skipped". The Python environment is kept between runs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name) => join(root, 'node_modules', '.bin', name);
const environment = join(root, 'node_modules', '.cache', 'interop-python');
const python = join(environment, 'bin', 'python');
const requirements = join(root, 'python', 'requirements.txt');
const stamp = join(environment, 'installed');

/** Debian's packages, which a virtual environment sees; PyPI's would bring gigabytes. */
const FROM_DEBIAN = {
  torch: 'python3-torch',
  sklearn: 'python3-sklearn',
  xgboost: 'python3-xgboost',
  h5py: 'python3-h5py',
};
const QUIET = { ...process.env, OMP_NUM_THREADS: '1', TF_CPP_MIN_LOG_LEVEL: '3', PYTHONWARNINGS: 'ignore' };
// Set for other programs' sake on some processors; NumPy's library then fails to start.
delete QUIET.OPENBLAS_CORETYPE;

function stop(reason) {
  process.stderr.write(`test:interop: ${reason}\n`);
  process.exit(1);
}

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: QUIET, maxBuffer: 1 << 28, ...options });
  if (result.error) stop(`cannot run ${command}: ${result.error.message}`);
  return result;
}

function must(what, result) {
  if (result.status === 0) return result;
  process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  return stop(`${what} failed`);
}

function prepare() {
  const system = ['/usr/bin/python3', 'python3'].find((name) => name === 'python3' || existsSync(name));
  const missing = Object.keys(FROM_DEBIAN).filter((name) => run(system, ['-c', `import ${name}`]).status !== 0);
  if (missing.length > 0) {
    stop(
      `missing in ${system}: ${missing.join(', ')}. apt-get install python3-venv ${missing.map((name) => FROM_DEBIAN[name]).join(' ')}`,
    );
  }
  const key = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(dirname(environment), { recursive: true });
  must(
    'making a virtual environment (apt-get install python3-venv)',
    run(system, ['-m', 'venv', '--system-site-packages', environment]),
  );
  must(
    'installing python/requirements.txt',
    run(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]),
  );
  writeFileSync(stamp, key);
}

/** The counts of the last line of python/check_written.py. */
function checkWritten(folder, fixtures) {
  must('writing samples', run(bin('node'), [join(root, 'scripts', 'write-interop-samples.ts'), folder]));
  const { stdout, stderr } = run(python, [join(root, 'python', 'check_written.py'), folder, fixtures]);
  const counts = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(stdout);
  if (counts === null) stop(`python/check_written.py ended early: ${stderr.slice(-2000)}`);
  process.stdout.write(stdout.slice(0, counts.index));
  return counts.slice(1).map(Number);
}

function readForeign(fixtures, report) {
  const result = run(
    bin('vitest'),
    ['run', 'test/interop', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
    {
      env: {
        ...QUIET,
        CENTINELA_INTEROP_FIXTURES: fixtures,
        CENTINELA_LONG_TESTS: '1',
        PATH: `${join(root, 'node_modules', '.bin')}:${process.env.PATH}`,
      },
    },
  );
  process.stdout.write(result.stdout);
  if (!existsSync(report)) stop(`vitest ended early: ${result.stderr.slice(-2000)}`);
  const { numPassedTests, numFailedTests, numPendingTests, success } = JSON.parse(readFileSync(report, 'utf8'));
  // A file that can't be loaded has no tests, and is no success.
  return [numPassedTests, success ? 0 : Math.max(1, numFailedTests), numPendingTests];
}

prepare();
const scratch = mkdtempSync(join(tmpdir(), 'centinela-interop-'));
try {
  const fixtures = join(scratch, 'fixtures');
  must('making fixtures', run(python, [join(root, 'python', 'make_fixtures.py'), fixtures]));
  const there = checkWritten(join(scratch, 'samples'), fixtures);
  const here = readForeign(fixtures, join(scratch, 'report.json'));
  const [passed, failed, skipped] = there.map((count, index) => count + here[index]);
  process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
