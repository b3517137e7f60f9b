// Checkpoints of a partition in an object store: the state as of an offset, of which only the blocks that changed are written.
//
// The state is cut into blocks; each is stored once under its hash, and a manifest lists them. The manifest is written last,
// so a checkpoint is there whole or not at all, and the one before it stays until the new one is. Hashing is done block by
// block with the event loop in between: the stream goes on meanwhile.
import { createHash } from 'node:crypto';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { FeatureEngine } from '../../features/engine.ts';
import { restoreFeatureEngine } from '../../features/engine.ts';
import type { EngineLimits } from '../../features/limits.ts';
import { InputError } from '../../lib/errors.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import type { ObjectStore } from '../../ports.ts';
import type { FoldHead, PartitionFold } from './partition-fold.ts';

/** The state of a fold at one moment; the bytes are its own. */
export interface FoldSnapshot {
  /** The record that comes next. */
  readonly offset: number;
  readonly head: FoldHead;
  readonly engine: Uint8Array;
  readonly ids: readonly { readonly words: Int32Array; readonly entries: number }[];
}

export interface RestoredFold {
  readonly offset: number;
  readonly head: FoldHead;
  readonly engine: FeatureEngine;
  readonly seen: FingerprintSet;
}

interface Manifest {
  readonly format: 'centinela-checkpoint';
  readonly formatVersion: 1;
  readonly offset: number;
  readonly createdMs: number;
  readonly head: FoldHead;
  readonly parts: readonly StoredPart[];
}

/** The engine first, then each generation of ids. */
interface StoredPart {
  readonly bytes: number;
  readonly entries: number;
  readonly blocks: readonly string[];
}

export interface WrittenCheckpoint {
  readonly offset: number;
  /** Of the whole state. */
  readonly bytes: number;
  /** Of the blocks that had changed. */
  readonly writtenBytes: number;
}

const BLOCK_BYTES = 256 * 1024;
const KEPT = 2;
/** After so many blocks the event loop has its turn. */
const BLOCKS_AT_ONCE = 2;

export function snapshotOf(fold: PartitionFold, offset: number): FoldSnapshot {
  const ids = fold.seen.generations().map(({ words, entries }) => ({ words: words.slice(), entries }));
  return { offset, head: structuredClone(fold.head()), engine: fold.engine.checkpoint(), ids };
}

/** One writer per folder at a time. */
export class CheckpointStore {
  readonly #store: ObjectStore;
  readonly #folder: string;
  /** Hashes of the blocks that the store has. */
  #known: Set<string> | null = null;

  /** @param folder one per stream and partition */
  constructor(store: ObjectStore, folder: string) {
    this.#store = store;
    this.#folder = folder;
  }

  async write({ offset, head, engine, ids }: FoldSnapshot, createdMs: number): Promise<WrittenCheckpoint> {
    this.#known ??= new Set((await this.#store.list(`${this.#folder}/blocks/`)).map(nameOf));
    const written = { bytes: 0, writtenBytes: 0 };
    const parts: StoredPart[] = [await this.#writePart(engine, 0, written)];
    for (const { words, entries } of ids) parts.push(await this.#writePart(bytesOf(words), entries, written));
    const manifest: Manifest = {
      ...{ format: 'centinela-checkpoint', formatVersion: 1, offset, createdMs, head, parts },
    };
    await this.#store.put(this.#manifestKey(offset), new TextEncoder().encode(JSON.stringify(manifest)));
    await this.#forgetOlder();
    return { offset, ...written };
  }

  /**
   * The newest that is whole and not beyond the offset.
   *
   * @returns null where there is none
   * @throws InputError CHECKPOINT_OTHER_FEATURES where it was made with other features
   */
  async restore(
    upTo: number,
    definitions: readonly FeatureDefinition[],
    limits: Partial<EngineLimits>,
    maxIds: number,
  ): Promise<RestoredFold | null> {
    const keys = await this.#store.list(`${this.#folder}/manifests/`);
    for (const key of keys.reverse()) {
      if (Number(nameOf(key)) > upTo) continue;
      const manifest = await this.#manifest(key);
      const parts = manifest === null ? null : await this.#readParts(manifest);
      if (manifest === null || parts === null) continue;
      const [engineBytes, ...ids] = parts;
      const seen = FingerprintSet.restore(
        maxIds,
        ids.map((bytes, index) => ({
          words: new Int32Array(bytes.buffer),
          entries: manifest.parts[index + 1].entries,
        })),
      );
      const { offset, head } = manifest;
      return { offset, head, seen, engine: restoredEngine(definitions, engineBytes, limits) };
    }
    return null;
  }

  async #writePart(
    bytes: Uint8Array,
    entries: number,
    written: { bytes: number; writtenBytes: number },
  ): Promise<StoredPart> {
    const blocks: string[] = [];
    for (let start = 0, done = 1; start < bytes.length; start += BLOCK_BYTES, done++) {
      const block = bytes.subarray(start, start + BLOCK_BYTES);
      const hash = createHash('sha256').update(block).digest('hex');
      blocks.push(hash);
      if (!this.#known!.has(hash)) {
        await this.#store.put(this.#blockKey(hash), block);
        this.#known!.add(hash);
        written.writtenBytes += block.length;
      } else if (done % BLOCKS_AT_ONCE === 0) await new Promise(setImmediate);
    }
    written.bytes += bytes.length;
    return { bytes: bytes.length, entries, blocks };
  }

  /** null where it is damaged or of another format: an older one serves. */
  async #manifest(key: string): Promise<Manifest | null> {
    const bytes = await this.#store.get(key);
    if (bytes === null) return null;
    try {
      const manifest = JSON.parse(new TextDecoder().decode(bytes)) as Manifest;
      return manifest.format === 'centinela-checkpoint' && manifest.formatVersion === 1 ? manifest : null;
    } catch {
      return null;
    }
  }

  /** null where a block is missing or is not what its name says. */
  async #readParts({ parts }: Manifest): Promise<Uint8Array<ArrayBuffer>[] | null> {
    const read: Uint8Array<ArrayBuffer>[] = [];
    for (const { bytes, blocks } of parts) {
      const part = new Uint8Array(bytes);
      let at = 0;
      for (const hash of blocks) {
        const block = await this.#store.get(this.#blockKey(hash));
        if (block === null || createHash('sha256').update(block).digest('hex') !== hash) return null;
        part.set(block, at);
        at += block.length;
      }
      if (at !== bytes) return null;
      read.push(part);
    }
    return read;
  }

  /** Keeps the newest two, and the blocks that they name. */
  async #forgetOlder(): Promise<void> {
    const keys = await this.#store.list(`${this.#folder}/manifests/`);
    const old = keys.slice(0, -KEPT);
    if (old.length === 0) return;
    const needed = new Set<string>();
    for (const key of keys.slice(-KEPT)) {
      for (const { blocks } of (await this.#manifest(key))?.parts ?? []) for (const hash of blocks) needed.add(hash);
    }
    for (const key of old) await this.#store.remove(key);
    for (const hash of [...this.#known!]) {
      if (needed.has(hash)) continue;
      await this.#store.remove(this.#blockKey(hash));
      this.#known!.delete(hash);
    }
  }

  #blockKey(hash: string): string {
    return `${this.#folder}/blocks/${hash}`;
  }

  /** Names sort as the offsets do. */
  #manifestKey(offset: number): string {
    return `${this.#folder}/manifests/${String(offset).padStart(16, '0')}`;
  }
}

function restoredEngine(
  definitions: readonly FeatureDefinition[],
  bytes: Uint8Array,
  limits: Partial<EngineLimits>,
): FeatureEngine {
  try {
    return restoreFeatureEngine(definitions, bytes, limits);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(
      'CHECKPOINT_OTHER_FEATURES',
      `The checkpoint cannot be continued: ${error.message}`,
      'Remove the checkpoints of the stream: its state is then rebuilt from the stream itself',
    );
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
