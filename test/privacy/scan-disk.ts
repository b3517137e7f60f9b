// Looks for personal values in everything that a run wrote: each file of a folder as it is, what is compressed in it (gzip,
// zlib, zstd, zip), the rows of Parquet files; the values as UTF-8, Latin-1, UTF-16, escaped in JSON and in Base64. Then for
// what looks like somebody's number or a secret though nobody gave it (`patterns`).
//
// What could not be looked at is said, never passed over: `notScanned`.
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { type FoundKind, Scrubber } from '../../src/privacy/scrubber.ts';
import { type Needle, NeedleIndex, needlesOf, type PersonalValue } from './needles.ts';

export interface ScanFinding {
  readonly path: string;
  /** `plain`, `gzip`, `zstd in gzip` … */
  readonly within: string;
  /** `name`, `pan` … of a value that was given, or of a pattern. */
  readonly kind: string;
  /** `utf-8`, `base64` … or `pattern`. */
  readonly encoding: string;
  readonly offset: number;
}

export interface ScanReport {
  readonly files: number;
  /** Of files, and of what was unpacked. */
  readonly bytes: number;
  /** The first of them. */
  readonly findings: readonly ScanFinding[];
  readonly found: number;
  readonly notScanned: readonly { readonly path: string; readonly why: string }[];
}

export interface ScanOptions {
  readonly values: readonly PersonalValue[];
  /** Kinds of patterns to look for beside the values. */
  readonly patterns?: readonly FoundKind[];
  /** Paths, relative to the folder, that are allowed to hold personal data (where a test put its input). */
  readonly skip?: (path: string) => boolean;
}

const MOST_FINDINGS = 200;
const CHUNK_BYTES = 32 * 1024 * 1024;
/** More than a value is long in any form, and than a compressed piece that is cut by a chunk is looked for. */
const OVERLAP_BYTES = 1024 * 1024;
const MOST_UNPACKED_BYTES = 256 * 1024 * 1024;
const MOST_PIECES = 200_000;
const MOST_DEPTH = 3;
const MOST_PARQUET_BYTES = 1024 * 1024 * 1024;

export async function scanFolder(folder: string, options: ScanOptions): Promise<ScanReport> {
  const scan = new Scan(options);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const relative = path.slice(folder.length + 1);
    if (options.skip?.(relative) === true) continue;
    scan.lookAtText(relative, 'name of the file', relative);
    if (entry.isFile()) await scan.lookAtFile(path, relative);
    else if (!entry.isDirectory()) scan.notScanned.push({ path: relative, why: 'no ordinary file' });
  }
  return scan;
}

/** The same for texts that are not in files: lines of a log, metrics, answers. */
export function scanText(name: string, text: string, options: ScanOptions): ScanReport {
  const scan = new Scan(options);
  scan.lookAtText(name, 'plain', text);
  return scan;
}

class Scan implements ScanReport {
  files = 0;
  bytes = 0;
  found = 0;
  readonly findings: ScanFinding[] = [];
  readonly notScanned: { path: string; why: string }[] = [];
  readonly #index: NeedleIndex;
  readonly #scrubber = new Scrubber({ mostLength: Number.POSITIVE_INFINITY });
  readonly #patterns: ReadonlySet<FoundKind>;
  /** One file at a time. */
  #memory: Buffer | null = null;

  constructor({ values, patterns = [] }: ScanOptions) {
    const { needles, tooShort } = needlesOf(values);
    for (const { kind } of tooShort) this.notScanned.push({ path: '', why: `a ${kind} is too short to be looked for` });
    this.#index = new NeedleIndex(needles);
    this.#patterns = new Set(patterns);
  }

  async lookAtFile(path: string, name: string): Promise<void> {
    this.files++;
    let file: FileHandle;
    try {
      file = await open(path);
    } catch (error) {
      this.notScanned.push({ path: name, why: (error as NodeJS.ErrnoException).code ?? 'cannot be opened' });
      return;
    }
    try {
      await this.#lookAtChunks(file, name);
    } finally {
      await file.close();
    }
    if (await isParquet(path)) await this.#lookAtRows(path, name);
  }

  lookAtText(name: string, within: string, text: string): void {
    this.#lookAtBytes(Buffer.from(text), name, within, 0, 0, text.length * 3);
  }

  async #lookAtChunks(file: FileHandle, name: string): Promise<void> {
    this.#memory ??= Buffer.alloc(CHUNK_BYTES + OVERLAP_BYTES);
    const memory = this.#memory;
    for (let at = 0; ; at += CHUNK_BYTES) {
      const bytes = await readFully(file, memory, at);
      if (bytes === 0) return;
      this.#lookAtBytes(memory.subarray(0, bytes), name, 'plain', at, 0, CHUNK_BYTES);
      if (bytes < memory.length) return;
    }
  }

  /** @param end what begins at or after it is found with the next chunk */
  #lookAtBytes(bytes: Buffer, path: string, within: string, base: number, depth: number, end: number): void {
    this.bytes += bytes.length;
    this.#index.search(bytes, (needle: Needle, at) => {
      if (at < end) this.#tell({ path, within, kind: needle.kind, encoding: needle.encoding, offset: base + at });
    });
    if (this.#patterns.size > 0) {
      for (const { kind, start } of this.#scrubber.find(bytes.toString('latin1'))) {
        if (this.#patterns.has(kind) && start < end) {
          this.#tell({ path, within, kind, encoding: 'pattern', offset: base + start });
        }
      }
    }
    this.#unpack(bytes, path, within, depth, end);
  }

  #unpack(bytes: Buffer, path: string, within: string, depth: number, end: number): void {
    let pieces = 0;
    for (let at = 0; at < Math.min(end, bytes.length - 8); at++) {
      const packing = packingAt(bytes, at);
      if (packing === null) continue;
      if (depth === MOST_DEPTH || ++pieces > MOST_PIECES) {
        this.notScanned.push({ path, why: depth === MOST_DEPTH ? 'packed too often' : 'too many packed pieces' });
        return;
      }
      const unpacked = unpack(packing, bytes, at);
      if (unpacked === 'too large') this.notScanned.push({ path, why: `${packing} unpacks to more than is looked at` });
      else if (unpacked !== null && unpacked.length > 0) {
        const inside = within === 'plain' ? packing : `${packing} in ${within}`;
        this.#lookAtBytes(unpacked, path, inside, 0, depth + 1, unpacked.length);
      }
    }
  }

  async #lookAtRows(path: string, name: string): Promise<void> {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    try {
      const file = `read_parquet('${path.replaceAll("'", "''")}')`;
      const result = await connection.stream(`SELECT to_json(each)::VARCHAR FROM ${file} AS each`);
      let bytes = 0;
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      ) {
        const text = chunk
          .getRows()
          .map(([cell]) => String(cell))
          .join('\n');
        bytes += text.length;
        if (bytes > MOST_PARQUET_BYTES) {
          this.notScanned.push({ path: name, why: 'more rows than are looked at' });
          return;
        }
        this.lookAtText(name, 'parquet', text);
      }
    } catch {
      this.notScanned.push({ path: name, why: 'looks like Parquet and cannot be read' });
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  }

  #tell(finding: ScanFinding): void {
    this.found++;
    if (this.findings.length < MOST_FINDINGS) this.findings.push(finding);
  }
}

type Packing = 'gzip' | 'zlib' | 'zstd' | 'zip';

function packingAt(bytes: Buffer, at: number): Packing | null {
  const a = bytes[at];
  if (a !== 0x1f && a !== 0x28 && a !== 0x50 && a !== 0x78) return null;
  const [b, c, d] = [bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  if (a === 0x1f && b === 0x8b && c === 8) return 'gzip';
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  if (a === 0x50 && b === 0x4b && c === 3 && d === 4) return 'zip';
  return a === 0x78 && (b === 0x01 || b === 0x5e || b === 0x9c || b === 0xda) ? 'zlib' : null;
}

/** null: it only looked like it. */
function unpack(packing: Packing, bytes: Buffer, at: number): Buffer | 'too large' | null {
  const limit = { maxOutputLength: MOST_UNPACKED_BYTES };
  try {
    switch (packing) {
      case 'gzip':
        // Not gunzipSync: it refuses what comes after the member.
        return inflateRawSync(bytes.subarray(endOfGzipHeader(bytes, at)), limit);
      case 'zlib':
        return inflateSync(bytes.subarray(at), limit);
      case 'zstd': {
        const end = endOfZstdFrame(bytes, at);
        return end === null ? null : zstdDecompressSync(bytes.subarray(at, end), limit);
      }
      default: {
        // Method 8 is deflate; what is only stored is seen as it is.
        if (bytes.readUInt16LE(at + 8) !== 8) return null;
        const from = at + 30 + bytes.readUInt16LE(at + 26) + bytes.readUInt16LE(at + 28);
        return inflateRawSync(bytes.subarray(from), limit);
      }
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : null;
  }
}

/** RFC 1952, 2.3. */
function endOfGzipHeader(bytes: Buffer, from: number): number {
  const flags = bytes[from + 3];
  let at = from + 10;
  if ((flags & 4) !== 0) at += 2 + bytes.readUInt16LE(at);
  for (const text of [8, 16]) if ((flags & text) !== 0) at = bytes.indexOf(0, at) + 1;
  return (flags & 2) !== 0 ? at + 2 : at;
}

/** RFC 8878, 3.1.1: the frame's header and blocks say how long they are. */
function endOfZstdFrame(bytes: Buffer, from: number): number | null {
  const descriptor = bytes[from + 4];
  const isSingle = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingle) : 2 ** sizeFlag;
  let at = from + 5 + (isSingle ? 0 : 1) + [0, 1, 2, 4][descriptor & 3] + sizeBytes;
  for (;;) {
    if (at + 3 > bytes.length) return null;
    const header = bytes.readUIntLE(at, 3);
    const type = (header >> 1) & 3;
    if (type === 3) return null;
    at += 3 + (type === 1 ? 1 : header >> 3);
    if ((header & 1) === 1) break;
  }
  if ((descriptor & 4) !== 0) at += 4;
  return at <= bytes.length ? at : null;
}

async function isParquet(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return bytesRead === 4 && buffer.toString('latin1') === 'PAR1';
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, memory: Buffer, position: number): Promise<number> {
  let bytes = 0;
  while (bytes < memory.length) {
    const { bytesRead } = await file.read(memory, bytes, memory.length - bytes, position + bytes);
    if (bytesRead === 0) break;
    bytes += bytesRead;
  }
  return bytes;
}
