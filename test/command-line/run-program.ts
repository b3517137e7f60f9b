// Runs the program and keeps what it wrote: as a user does, in its own process, or in this one, which saves the second
// that every start takes.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommandLine } from '../../src/cli/run.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const TIME_LIMIT_MS = 25_000;

export interface Outcome {
  readonly exitCode: number;
  readonly out: string;
  readonly errors: string;
}

export function centinela(...argv: string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [MAIN, ...argv], { timeout: TIME_LIMIT_MS }, (error, out, errors) => {
      const exitCode = error === null ? 0 : error.code;
      if (typeof exitCode === 'number') resolve({ exitCode, out, errors });
      else reject(error);
    });
  });
}

export async function centinelaHere(...argv: string[]): Promise<Outcome> {
  let out = '';
  let errors = '';
  const exitCode = await runCommandLine(argv, {
    out: (text) => {
      out += text;
    },
    log: (text) => {
      errors += text;
    },
    terminal: false,
    nowMs: () => Date.now(),
  });
  return { exitCode, out, errors };
}

/** Adds --json and reads all of standard output as one object: anything else on it fails. */
export async function jsonOf(run: typeof centinela, ...argv: string[]) {
  const { exitCode, out, errors } = await run(...argv, '--json');
  if (exitCode !== 0) throw new Error(`exit code ${exitCode}: ${errors}`);
  return JSON.parse(out);
}

export interface TemporaryFolder {
  path(...names: string[]): string;
  remove(): void;
}

export function temporaryFolder(): TemporaryFolder {
  const folder = mkdtempSync(join(tmpdir(), 'centinela-command-line-'));
  return { path: (...names) => join(folder, ...names), remove: () => rmSync(folder, { recursive: true, force: true }) };
}
