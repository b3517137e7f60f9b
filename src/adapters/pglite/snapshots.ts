// Snapshots of the data folder: a tar (POSIX ustar, gzip) of its files as they are after a checkpoint, named after the
// last redo entry that it holds. Written and read in a stream, so that memory does not grow with the records.
import {
  closeSync,
  createReadStream,
  createWriteStream,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import { assert } from '../../lib/assert.ts';
import { syncFileOrFolder, writeAll } from './sync-files.ts';

export interface Snapshot {
  readonly path: string;
  /** The last redo entry that is in it. */
  readonly entry: number;
  readonly bytes: number;
}

const NAME = /^snapshot-(\d{16})\.tar\.gz$/;
const BLOCK_BYTES = 512;
const CHUNK_BYTES = 1_048_576;
/** Of a server that runs, or of no use. */
const LEFT_OUT = new Set(['postmaster.pid', 'postmaster.opts', 'pg_stat_tmp']);

/** Newest first. */
export function listSnapshots(folder: string): Snapshot[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const names = readdirSync(folder);
  // Left over where the power went.
  for (const name of names) if (name.endsWith('.tmp')) rmSync(join(folder, name));
  return names
    .filter((name) => NAME.test(name))
    .sort()
    .reverse()
    .map((name) => {
      const path = join(folder, name);
      return { path, entry: Number(NAME.exec(name)![1]), bytes: statSync(path).size };
    });
}

/** Nothing may write to the data folder meanwhile. */
export async function writeSnapshot(folder: string, dataFolder: string, entry: number): Promise<Snapshot> {
  const path = join(folder, `snapshot-${String(entry).padStart(16, '0')}.tar.gz`);
  const temporary = `${path}.tmp`;
  try {
    // The folder is mostly zeros and texts: the quickest level makes a tenth of it.
    const gzip = createGzip({ level: constants.Z_BEST_SPEED });
    await pipeline(Readable.from(tarOf(dataFolder)), gzip, createWriteStream(temporary, { mode: 0o600 }));
    syncFileOrFolder(temporary);
    renameSync(temporary, path);
    syncFileOrFolder(folder);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  return { path, entry, bytes: statSync(path).size };
}

function* tarOf(root: string): Generator<Buffer> {
  yield* tarFolder(root, '');
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function* tarFolder(root: string, prefix: string): Generator<Buffer> {
  for (const { name, ...kind } of entriesOf(join(root, prefix))) {
    const relative = prefix === '' ? name : `${prefix}/${name}`;
    if (kind.isFolder) {
      yield tarHeader(`${relative}/`, 0);
      yield* tarFolder(root, relative);
    } else yield* tarFile(join(root, relative), relative);
  }
}

function entriesOf(folder: string): { name: string; isFolder: boolean }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => !LEFT_OUT.has(entry.name) && (entry.isFile() || entry.isDirectory()))
    .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function* tarFile(path: string, name: string): Generator<Buffer> {
  const handle = openSync(path, 'r');
  try {
    const { size } = statSync(path);
    yield tarHeader(name, size);
    for (let done = 0; done < size; ) {
      const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - done));
      const read = readSync(handle, chunk, 0, chunk.length, done);
      assert(read === chunk.length, `${path} changed while it was copied`);
      done += read;
      yield chunk;
    }
    const rest = size % BLOCK_BYTES;
    if (rest > 0) yield Buffer.alloc(BLOCK_BYTES - rest);
  } finally {
    closeSync(handle);
  }
}

function tarHeader(name: string, bytes: number): Buffer {
  assert(Buffer.byteLength(name) <= 100, `the name ${name} is too long for a tar`);
  const header = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, width: number) =>
    header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1');
  header.write(name, 0);
  octal(name.endsWith('/') ? 0o700 : 0o600, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(0, 136, 12);
  header.write(' '.repeat(8), 148, 'latin1');
  header.write(name.endsWith('/') ? '5' : '0', 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  header.write(`${checksumOf(header).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function checksumOf(header: Buffer): number {
  let sum = 0;
  for (let index = 0; index < BLOCK_BYTES; index++) sum += index >= 148 && index < 156 ? 32 : header[index]!;
  return sum;
}

/**
 * Writes the files of a snapshot into a new folder.
 *
 * @throws Error where it is not whole: gzip's own checksum, tar's headers and its end say so
 */
export async function unpackSnapshot({ path }: Snapshot, into: string): Promise<void> {
  mkdirSync(into, { mode: 0o700 });
  const unpacker = createUnpacker(into);
  await pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), createGunzip(), async (chunks) => {
    for await (const chunk of chunks as AsyncIterable<Buffer>) unpacker.add(chunk);
  });
  unpacker.end();
}

function createUnpacker(root: string) {
  let held: Buffer = Buffer.alloc(0);
  let file: { readonly handle: number; position: number; left: number; padding: number } | null = null;
  let hasEnded = false;

  function header(block: Buffer): void {
    if (block.every((byte) => byte === 0)) {
      hasEnded = true;
      return;
    }
    const text = (at: number, bytes: number) => block.toString('utf8', at, at + bytes).replace(/\0.*$/s, '');
    if (Number.parseInt(text(148, 8), 8) !== checksumOf(block)) throw new Error('a header of the tar is not whole');
    const name = text(0, 100);
    const bytes = Number.parseInt(text(124, 12), 8);
    if (name.startsWith('/') || name.split('/').includes('..')) throw new Error(`the tar holds the name ${name}`);
    if (name.endsWith('/')) {
      mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
      return;
    }
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (bytes === 0) {
      writeFileSync(path, '', { mode: 0o600 });
      return;
    }
    const handle = openSync(path, 'wx', 0o600);
    file = { handle, position: 0, left: bytes, padding: (BLOCK_BYTES - (bytes % BLOCK_BYTES)) % BLOCK_BYTES };
  }

  return {
    add(chunk: Buffer): void {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      for (let at = 0; ; ) {
        if (file === null) {
          if (hasEnded || held.length - at < BLOCK_BYTES) {
            held = hasEnded ? Buffer.alloc(0) : held.subarray(at);
            return;
          }
          header(held.subarray(at, at + BLOCK_BYTES));
          at += BLOCK_BYTES;
          continue;
        }
        const part = held.subarray(at, at + file.left);
        writeAll(file.handle, part, file.position);
        file.position += part.length;
        file.left -= part.length;
        at += part.length;
        if (file.left > 0 || held.length - at < file.padding) {
          held = held.subarray(at);
          return;
        }
        at += file.padding;
        closeSync(file.handle);
        file = null;
      }
    },
    end(): void {
      if (file !== null) closeSync(file.handle);
      if (!hasEnded) throw new Error('the tar has no end');
    },
  };
}
