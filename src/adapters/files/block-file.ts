// Blocks of numbers in a temporary file, for feature rows that do not fit in memory.
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Opens a file that only this process uses; `close` deletes it. */
export function openBlockFile(folder = tmpdir()) {
  const directory = mkdtempSync(join(folder, 'centinela-'));
  const path = join(directory, 'blocks.bin');
  const file = openSync(path, 'w+', 0o600);
  const offsets: number[] = [];
  let end = 0;
  return {
    append(block: Float32Array): number {
      const bytes = new Uint8Array(block.buffer, block.byteOffset, block.byteLength);
      let written = 0;
      while (written < bytes.length) written += writeSync(file, bytes, written, bytes.length - written, end + written);
      offsets.push(end);
      end += bytes.length;
      return offsets.length - 1;
    },
    read(index: number, length: number): Float32Array {
      const block = new Float32Array(length);
      const bytes = new Uint8Array(block.buffer);
      let read = 0;
      while (read < bytes.length) {
        const got = readSync(file, bytes, read, bytes.length - read, offsets[index] + read);
        if (got === 0) throw new Error(`${path} ends after ${offsets[index] + read} bytes; the disk may be full`);
        read += got;
      }
      return block;
    },
    close(): void {
      closeSync(file);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
