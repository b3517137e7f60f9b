// Completes package-lock.json with the optional platform packages that npm left out.
//
// npm drops an optional dependency from the lock file when the registry in use does not serve it (private mirrors
// often hold one platform only), and `npm ci` then refuses the lock file. Platform packages are named after their
// platform, so the missing entries can be written from the name and the exact version their parent asks for.
// Run after a change of dependencies: node scripts/complete-lock-file.mjs
import { readFileSync, writeFileSync } from 'node:fs';

const OPERATING_SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
  'aix',
  'netbsd',
];
const PROCESSORS = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'mips64el', 'wasm32'];

const file = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(file, 'utf8'));

function platformOf(name) {
  const parts = name.split(/[/-]/);
  const os = OPERATING_SYSTEMS.filter((candidate) => parts.includes(candidate));
  const cpu = PROCESSORS.filter((candidate) => parts.includes(candidate));
  return { ...(os.length > 0 && { os }), ...(cpu.length > 0 && { cpu }) };
}

const added = [];
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    if (path === '' || lock.packages[key] !== undefined) continue;
    const platform = platformOf(name);
    // wasm fallbacks carry no os or cpu of a real machine: never install them by chance.
    if (platform.os === undefined && platform.cpu === undefined) {
      process.stderr.write(`complete-lock-file: ${name} names no platform; add it by hand\n`);
      process.exitCode = 1;
      continue;
    }
    lock.packages[key] = { version, ...(entry.dev && { dev: true }), optional: true, ...platform };
    added.push(name);
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
process.stderr.write(`complete-lock-file: ${added.length} platform packages added\n`);
