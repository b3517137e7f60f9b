// One process at a time writes a log. The lock is a file with who holds it; that of a process which is gone is taken over.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../../lib/errors.ts';

interface Holder {
  readonly pid: number;
  /** When the process began, in the kernel's own count, and since which start of the machine; empty where it cannot be told. */
  readonly started: string;
}

/**
 * @returns gives the lock back
 * @throws InputError LOG_IN_USE where a process that is alive holds it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  const mine = `${path}.${randomUUID()}.tmp`;
  const text = JSON.stringify({ pid: process.pid, started: startOfProcess(process.pid) } satisfies Holder);
  await writeFile(mine, text);
  try {
    await takeLock(path, mine, folder);
  } finally {
    await rm(mine, { force: true });
  }
  return () => rm(path, { force: true });
}

async function takeLock(path: string, mine: string, folder: string): Promise<void> {
  for (let attempt = 0; attempt < 10; attempt++) {
    try {
      await link(mine, path);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const found = await readFile(path, 'utf8').catch(() => null);
    if (found === null) continue;
    const holder = holderOf(found);
    if (holder !== null && isAlive(holder)) throw inUse(folder, holder.pid);
    await removeStale(path, found);
  }
  throw inUse(folder, null);
}

/** Takes away the lock that was read, and puts it back if it was another's by then. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}.tmp`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path);
  } catch (error) {
    if (!['ENOENT', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function holderOf(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isInteger(holder.pid) ? holder : null;
  } catch {
    return null;
  }
}

function isAlive({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // Another user's process may not be signalled, and is there.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Numbers of processes come again, in containers at once.
  return started === startOfProcess(pid);
}

function startOfProcess(pid: number): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // Field 22; the name in field 2 may hold blanks, and ends with the last bracket.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // One that was killed and not yet waited for holds nothing any more.
    return fields[0] === 'Z' ? 'ended' : `${boot} ${fields[19]}`;
  } catch {
    return '';
  }
}

function inUse(folder: string, pid: number | null): InputError {
  const who = pid === null ? 'another process' : `process ${pid}`;
  return new InputError(
    'LOG_IN_USE',
    `the log in ${folder} is in use by ${who}`,
    'Stop that one first, or use another folder',
  );
}
