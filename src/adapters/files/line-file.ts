// Lines of text in files: read one by one, written under their name only when whole.
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { InputError } from '../../lib/errors.ts';
import type { RowWriter } from '../../ports.ts';

export async function createLineWriter(path: string): Promise<RowWriter<string>> {
  const temporary = `${path}.${process.pid}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  const file: FileHandle = await open(temporary, 'w');
  let rows = 0;
  let bytes = 0;
  return {
    async write(lines) {
      if (lines.length === 0) return;
      const text = `${lines.join('\n')}\n`;
      await file.appendFile(text);
      rows += lines.length;
      bytes += Buffer.byteLength(text);
    },
    async close() {
      await file.close();
      await rename(temporary, path);
      return { rows, bytes };
    },
    async abort() {
      await file.close();
      await rm(temporary, { force: true });
    },
  };
}

/** @throws InputError FILE_UNREADABLE at the first line */
export async function* readLines(path: string): AsyncGenerator<string> {
  const lines = createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) yield line;
  } catch (error) {
    throw new InputError('FILE_UNREADABLE', `${path} cannot be read: ${(error as Error).message}`, 'Check its name');
  } finally {
    lines.close();
  }
}
