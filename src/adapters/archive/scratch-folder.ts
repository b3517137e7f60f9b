// Folders for work in progress on this machine's disk. What a process that died left behind goes when the next one opens.
import { mkdir, mkdtemp, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from '../../ports/archive.ts';

const WORK = /^work-(\d+)-/;

/** @param root made where it is not there; for processes of one machine */
export async function openScratch(root: string): Promise<Scratch> {
  await mkdir(root, { recursive: true });
  for (const name of await readdir(root)) {
    const owner = WORK.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    await rm(join(root, name), { recursive: true, force: true });
  }
  return {
    async folder() {
      const at = await mkdtemp(join(root, `work-${process.pid}-`));
      const path = (name: string) => join(at, name);
      return {
        path,
        async write(name, chunks) {
          const file = await open(path(name), 'w');
          try {
            for (const chunk of chunks) await file.writeFile(chunk);
          } finally {
            await file.close();
          }
        },
        read: async (name) => new Uint8Array(await readFile(path(name))),
        names: (folder) => readdir(path(folder)),
        remove: () => rm(at, { recursive: true, force: true }),
      };
    },
  };
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is there, and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
