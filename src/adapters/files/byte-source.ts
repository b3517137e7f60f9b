// Bytes of a file in large chunks, unpacked where they are gzip, with errors that say what is wrong with the file.
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { InputError } from '../../lib/errors.ts';

/** Bytes per chunk: large enough that the cost of handing over a chunk vanishes, small enough for the cache. */
const CHUNK_BYTES = 1 << 20;

export interface ByteSource {
  readonly path: string;
  readonly gzip: boolean;
  readonly bytesTotal: number;
  /** Bytes of the file (packed) read by the latest `chunks`. */
  bytesRead(): number;
  chunks(): AsyncIterable<Buffer>;
}

/** Fails with a clear message where the path is not a readable file with content. */
export async function openBytes(path: string, onProgress?: (read: number, total: number) => void): Promise<ByteSource> {
  const bytesTotal = await sizeOf(path);
  const gzip = isGzip(await firstBytes(path, 4));
  if (path.toLowerCase().endsWith('.gz') && !gzip) {
    throw new InputError(
      'GZIP_INVALID',
      `${path} ends in .gz but is not a gzip file`,
      'If it is plain text, take the .gz off its name; otherwise copy it again',
    );
  }
  let bytesRead = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    bytesRead = 0;
    const file = createReadStream(path, { highWaterMark: gzip ? CHUNK_BYTES / 4 : CHUNK_BYTES });
    file.on('data', (chunk) => {
      bytesRead += chunk.length;
      onProgress?.(bytesRead, bytesTotal);
    });
    yield* unpackedChunks(path, file, gzip);
  }
  return { path, gzip, bytesTotal, bytesRead: () => bytesRead, chunks };
}

/**
 * A file that is in memory.
 *
 * @param path how problems call it
 * @param mostBytes of its content; a packed file may have any number of them
 */
export function heldBytes(path: string, bytes: Buffer, mostBytes: number): ByteSource {
  if (bytes.length === 0) throw emptyFile(path);
  const gzip = isGzip(bytes);
  let bytesRead = 0;
  async function* chunks(): AsyncGenerator<Buffer> {
    let length = 0;
    for await (const chunk of unpackedChunks(path, Readable.from(slices(bytes), { objectMode: false }), gzip)) {
      length += chunk.length;
      if (length > mostBytes) throw tooLarge(path, mostBytes);
      yield chunk;
    }
    bytesRead = bytes.length;
  }
  return { path, gzip, bytesTotal: bytes.length, bytesRead: () => bytesRead, chunks };
}

function* slices(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; from += CHUNK_BYTES) yield bytes.subarray(from, from + CHUNK_BYTES);
}

async function* unpackedChunks(path: string, file: Readable, gzip: boolean): AsyncGenerator<Buffer> {
  const unpacked = gzip ? file.pipe(createGunzip({ chunkSize: CHUNK_BYTES })) : file;
  if (gzip) file.on('error', (error) => unpacked.destroy(error));
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
  } catch (error) {
    throw explainReadError(path, error);
  } finally {
    file.destroy();
    unpacked.destroy();
  }
}

/** The whole content (unpacked). @throws InputError where it is larger */
export async function allBytes(source: ByteSource, mostBytes: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.chunks()) {
    parts.push(chunk);
    length += chunk.length;
    if (length > mostBytes) throw tooLarge(source.path, mostBytes);
  }
  return Buffer.concat(parts);
}

function tooLarge(path: string, mostBytes: number): InputError {
  return new InputError('FILE_TOO_LARGE', `${path} has more than ${mostBytes} bytes`, 'Split it');
}

function isGzip(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** The first `limit` bytes of the content (unpacked), fewer where it is shorter. */
export async function readStart(source: ByteSource, limit: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of source.chunks()) {
    parts.push(chunk);
    length += chunk.length;
    if (length >= limit) break;
  }
  return Buffer.concat(parts).subarray(0, limit);
}

export async function firstBytes(path: string, length: number): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  let entry: Awaited<ReturnType<typeof stat>>;
  try {
    entry = await stat(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new InputError('FILE_MISSING', `There is no file ${path}`, 'Check the name and the folder');
    }
    throw explainReadError(path, error);
  }
  if (entry.isDirectory()) {
    throw new InputError('FILE_IS_FOLDER', `${path} is a folder`, 'Give one file of transactions in it');
  }
  if (entry.size === 0) throw emptyFile(path);
  return entry.size;
}

export function emptyFile(path: string): InputError {
  return new InputError('FILE_EMPTY', `${path} is empty`, 'It needs a line with the names of the columns, and rows');
}

function explainReadError(path: string, error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'Z_BUF_ERROR') {
    return new InputError(
      'GZIP_TRUNCATED',
      `${path} is cut off: the gzip data ends in the middle`,
      'Copy or download it again, or unpack what there is with zcat',
    );
  }
  if (code === 'Z_DATA_ERROR') {
    return new InputError('GZIP_CORRUPT', `${path} holds damaged gzip data`, 'Copy or download it again');
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new InputError('FILE_FORBIDDEN', `${path} may not be read`, 'Check its permissions');
  }
  return error;
}
