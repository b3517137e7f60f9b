// Python programs that benchmarks compare with, each with a virtual environment of its own, kept between runs.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './kafka/prepared-model.ts';

export interface PythonEnvironment {
  readonly name: string;
  /** File in python/. */
  readonly requirements: string;
}

const INSTALL_LIMIT_MS = 900_000;

/** Its interpreter. */
export function pythonOf({ name }: PythonEnvironment): string {
  return join(folderOf(name), 'bin', 'python');
}

/** What a Python program is given of our variables. */
export function pythonVariables(): NodeJS.ProcessEnv {
  // Set for other programs' sake on some processors; NumPy's library then fails to start.
  const { OPENBLAS_CORETYPE: _, ...variables } = process.env;
  return variables;
}

/** @returns why there is none, in one line; null where it is ready */
export function preparePython(environment: PythonEnvironment): string | null {
  const folder = folderOf(environment.name);
  const requirements = join(ROOT, 'python', environment.requirements);
  const stamp = join(folder, 'installed');
  // Its programs name where they were installed: a checkout that was moved needs them anew.
  const key = createHash('sha256').update(folder).update(readFileSync(requirements)).digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return null;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(dirname(folder), { recursive: true });
  const system = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
  for (const [command, args] of [
    [system, ['-m', 'venv', folder]],
    [pythonOf(environment), ['-m', 'pip', 'install', '--quiet', '--requirement', requirements]],
  ] as const) {
    const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: INSTALL_LIMIT_MS });
    if (error || status !== 0) {
      const said = (error?.message ?? stderr).trim().split('\n').at(-1) ?? '';
      return `${command} ${args.slice(0, 3).join(' ')} failed: ${said}`;
    }
  }
  writeFileSync(stamp, key);
  return null;
}

function folderOf(name: string): string {
  return join(ROOT, 'node_modules', '.cache', `${name}-python`);
}
