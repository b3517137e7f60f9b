// Checkpoints of a partition in an object store: the state as of an offset, of which only the blocks that changed are written.
//
// The state is cut into blocks; each is stored once under its hash, and a manifest lists them. The manifest is written last,
// so a checkpoint is there whole or not at all, and the one before it stays until the new one is. Hashing is done block by
// block with the event loop in between: the stream goes on meanwhile.
//
// Two may write at once for a while: the owner, and one who was and has not heard. What a late one writes is right (state up
// to an offset is the same whoever folds it), but what it clears away must not be the owner's. So each writer takes a number,
// its epoch, higher than all before; blocks bear it, and nobody removes anything of one who began to write after him. A writer
// that finds a higher epoch than its own takes a new one and begins anew, with a whole checkpoint.
import { createHash } from 'node:crypto';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { FeatureEngine } from '../../features/engine.ts';
import { restoreFeatureEngine } from '../../features/engine.ts';
import type { EngineLimits } from '../../features/limits.ts';
import type { EngineStage } from '../../features/stage.ts';
import { InputError } from '../../lib/errors.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import type { ObjectStore } from '../../ports.ts';
import type { FoldSnapshot, LastRecord, SnapshotMemory } from './fold-snapshot.ts';
import type { FoldHead } from './partition-fold.ts';

export interface RestoredFold {
  readonly offset: number;
  readonly head: FoldHead;
  readonly last: LastRecord | null;
  readonly engine: FeatureEngine;
  readonly seen: FingerprintSet;
}

interface Manifest {
  readonly format: 'centinela-checkpoint';
  readonly formatVersion: 2;
  readonly offset: number;
  readonly createdMs: number;
  readonly head: FoldHead;
  readonly last: LastRecord | null;
  /** Whose blocks they are. */
  readonly epoch: number;
  readonly parts: readonly StoredPart[];
}

/** The engine first, then each generation of ids. */
interface StoredPart {
  readonly bytes: number;
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
/** Blocks that are written or read at once: a bucket takes tens of milliseconds for each. */
const AT_ONCE = 4;
/** After so many blocks the event loop has its turn. */
const BLOCKS_AT_ONCE = 2;

export interface CheckpointStoreOptions {
  /** Who writes, for people who look into the folder. */
  readonly writer?: string;
  /** Default 256 KiB. */
  readonly blockBytes?: number;
  /** Between blocks; the event loop's next turn where not given. */
  readonly pause?: () => Promise<void>;
}

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** All of its buffer, which never changes. */
  readonly isFinal: boolean;
}

interface ManifestName {
  readonly key: string;
  readonly epoch: number;
  readonly number: number;
  readonly offset: number;
}

/** One for each time that a partition is owned; one write at a time. */
export class CheckpointStore {
  readonly #store: ObjectStore;
  readonly #folder: string;
  readonly #writer: string;
  readonly #blockBytes: number;
  readonly #pause: () => Promise<void>;
  /** 0 before the first write. */
  #epoch = 0;
  #written = 0;
  /** All its epochs; the first is lower than those of whoever began after it. */
  readonly #mine: number[] = [];
  /** Hashes of the blocks of this epoch that the store has. */
  readonly #known = new Set<string>();
  /** Of chunks that never change. */
  readonly #hashes = new WeakMap<ArrayBuffer, string>();

  /** @param folder one per stream and partition */
  constructor(store: ObjectStore, folder: string, options: CheckpointStoreOptions = {}) {
    const { writer = '', blockBytes = BLOCK_BYTES, pause = () => new Promise(setImmediate) } = options;
    this.#store = store;
    this.#folder = folder;
    this.#writer = writer;
    this.#blockBytes = blockBytes;
    this.#pause = pause;
  }

  /** Beside the work: a snapshot that is taken into fresh pages holds up decisions. */
  makeRoom(memory: SnapshotMemory, bytes: number): Promise<void> {
    return memory.grow(bytes, this.#pause);
  }

  async write({ offset, head, engine, ids, last }: FoldSnapshot, createdMs: number): Promise<WrittenCheckpoint> {
    await this.#takeEpoch();
    const written = { bytes: 0, writtenBytes: 0 };
    const parts = [await this.#writePart(cut(engine, this.#blockBytes), written)];
    for (const { chunks } of ids) {
      const last = chunks.length - 1;
      const blocks = chunks.map((words, index) => ({ bytes: bytesOf(words), isFinal: index < last }));
      parts.push(await this.#writePart(blocks, written));
    }
    const manifest: Manifest = {
      ...{ format: 'centinela-checkpoint', formatVersion: 2, offset, createdMs, head, last, epoch: this.#epoch, parts },
    };
    const sealed = { sha256: sealOf(manifest), manifest };
    await this.#store.put(this.#manifestKey(offset), new TextEncoder().encode(JSON.stringify(sealed)));
    await this.#forgetOlder();
    return { offset, ...written };
  }

  /**
   * The newest that is whole, not beyond the offset, and of this stream.
   *
   * @param isOurs whether the last record in it is the one that the stream has there
   * @returns null where there is none
   * @throws InputError CHECKPOINT_OTHER_FEATURES, CHECKPOINT_OTHER_LIMIT where it was made with other features or another limit of ids
   */
  async restore(
    upTo: number,
    definitions: readonly FeatureDefinition[],
    limits: Partial<EngineLimits>,
    maxIds: number,
    isOurs: (last: LastRecord) => Promise<boolean> = async () => true,
    stage: EngineStage | null = null,
  ): Promise<RestoredFold | null> {
    const names = (await this.#manifests()).filter(({ offset }) => offset <= upTo);
    names.sort((a, b) => b.offset - a.offset || b.epoch - a.epoch || b.number - a.number);
    for (const { key } of names) {
      const manifest = await this.#manifest(key);
      if (manifest === null || manifest.offset > upTo) continue;
      if (manifest.last !== null && !(await isOurs(manifest.last))) continue;
      const parts = await this.#readParts(manifest);
      if (parts === null) continue;
      const [engineBytes, ...ids] = parts;
      const generations = ids.map(({ buffer }) => new Int32Array(buffer));
      const { offset, head, last } = manifest;
      const seen = restoredIds(maxIds, generations);
      return { offset, head, last, seen, engine: restoredEngine(definitions, engineBytes, limits, stage) };
    }
    return null;
  }

  /** The first time, and again where another has begun to write since. */
  async #takeEpoch(): Promise<void> {
    const claimed = (await this.#store.list(`${this.#folder}/epochs/`)).map((key) => Number(nameOf(key)));
    const manifests = (await this.#manifests()).map(({ epoch }) => epoch);
    let newest = Math.max(0, ...claimed, ...manifests);
    if (this.#epoch !== 0 && newest <= this.#epoch) return;
    const writer = new TextEncoder().encode(this.#writer);
    do newest++;
    while (!(await this.#store.putNew(this.#epochKey(newest), writer)));
    this.#epoch = newest;
    this.#mine.push(newest);
    this.#written = 0;
    this.#known.clear();
  }

  async #writePart(blocks: readonly Block[], written: { bytes: number; writtenBytes: number }): Promise<StoredPart> {
    const hashes: string[] = [];
    const puts: Promise<unknown>[] = [];
    let partBytes = 0;
    let hashed = 0;
    for (const block of blocks) {
      const { bytes } = block;
      const known = block.isFinal ? this.#hashes.get(bytes.buffer) : undefined;
      const hash = known ?? createHash('sha256').update(bytes).digest('hex');
      if (block.isFinal) this.#hashes.set(bytes.buffer, hash);
      hashes.push(hash);
      partBytes += bytes.length;
      if (!this.#known.has(hash)) {
        const put = this.#store.put(this.#blockKey(this.#epoch, hash), bytes).then(() => this.#known.add(hash));
        // It may fail before it is waited for, which is where that is heard of.
        put.catch(() => undefined);
        puts.push(put);
        written.writtenBytes += bytes.length;
        if (puts.length === AT_ONCE) await allDone(puts.splice(0));
      } else if (known === undefined && ++hashed % BLOCKS_AT_ONCE === 0) await this.#pause();
    }
    await allDone(puts);
    written.bytes += partBytes;
    return { bytes: partBytes, blocks: hashes };
  }

  /** Those whose names are such, from the oldest to the newest as they were written. */
  async #manifests(): Promise<ManifestName[]> {
    const keys = await this.#store.list(`${this.#folder}/manifests/`);
    return keys.flatMap((key) => {
      const [epoch, number, offset] = nameOf(key).split('-').map(Number);
      return [epoch, number, offset].every(Number.isSafeInteger) ? [{ key, epoch, number, offset }] : [];
    });
  }

  /** null where it is damaged or of another format: an older one serves. */
  async #manifest(key: string): Promise<Manifest | null> {
    const bytes = await this.#store.get(key);
    if (bytes === null) return null;
    try {
      const { sha256, manifest } = JSON.parse(new TextDecoder().decode(bytes)) as {
        sha256: string;
        manifest: Manifest;
      };
      const isOfThisFormat = manifest.format === 'centinela-checkpoint' && manifest.formatVersion === 2;
      return isOfThisFormat && sealOf(manifest) === sha256 ? manifest : null;
    } catch {
      return null;
    }
  }

  /** null where a block is missing or is not what its name says. */
  async #readParts({ parts, epoch }: Manifest): Promise<Uint8Array<ArrayBuffer>[] | null> {
    const read: Uint8Array<ArrayBuffer>[] = [];
    for (const { bytes, blocks } of parts) {
      const part = new Uint8Array(bytes);
      let at = 0;
      for (let first = 0; first < blocks.length; first += AT_ONCE) {
        const hashes = blocks.slice(first, first + AT_ONCE);
        const read = await Promise.all(hashes.map((hash) => this.#store.get(this.#blockKey(epoch, hash))));
        for (const [index, block] of read.entries()) {
          if (block === null || createHash('sha256').update(block).digest('hex') !== hashes[index]) return null;
          if (at + block.length > bytes) return null;
          part.set(block, at);
          at += block.length;
        }
      }
      if (at !== bytes) return null;
      read.push(part);
    }
    return read;
  }

  /** Keeps the newest two and the blocks that they name, and whatever is of somebody who began later. */
  async #forgetOlder(): Promise<void> {
    const manifests = await this.#manifests();
    const needed = new Set<string>();
    for (const { key } of manifests.slice(-KEPT)) {
      const manifest = await this.#manifest(key);
      for (const hash of manifest?.parts.flatMap(({ blocks }) => blocks) ?? []) {
        needed.add(this.#blockKey(manifest!.epoch, hash));
      }
    }
    for (const { key, epoch } of manifests.slice(0, -KEPT)) if (this.#mayRemove(epoch)) await this.#store.remove(key);
    for (const key of await this.#store.list(`${this.#folder}/blocks/`)) {
      const [epoch, hash] = nameOf(key).split('-');
      if (needed.has(key) || !this.#mayRemove(Number(epoch))) continue;
      if (Number(epoch) === this.#epoch) this.#known.delete(hash);
      await this.#store.remove(key);
    }
    for (const key of await this.#store.list(`${this.#folder}/epochs/`)) {
      const epoch = Number(nameOf(key));
      if (epoch !== this.#epoch && this.#mayRemove(epoch)) await this.#store.remove(key);
    }
  }

  #mayRemove(epoch: number): boolean {
    return epoch < this.#mine[0] || this.#mine.includes(epoch);
  }

  #blockKey(epoch: number, hash: string): string {
    return `${this.#folder}/blocks/${digits(epoch, 8)}-${hash}`;
  }

  #epochKey(epoch: number): string {
    return `${this.#folder}/epochs/${digits(epoch, 8)}`;
  }

  /** Names sort in the order of writing. */
  #manifestKey(offset: number): string {
    const name = `${digits(this.#epoch, 8)}-${digits(this.#written++, 8)}-${digits(offset, 16)}`;
    return `${this.#folder}/manifests/${name}`;
  }
}

/**
 * Also where one fails the others are waited for: one that is answered only while the next checkpoint clears away would be taken
 * to be in the store when it has been removed from there.
 */
async function allDone(puts: readonly Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(puts)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
}

function sealOf(manifest: Manifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, '0');
}

function restoredIds(maxIds: number, generations: readonly Int32Array[]): FingerprintSet {
  try {
    return FingerprintSet.restore(maxIds, generations);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(
      'CHECKPOINT_OTHER_LIMIT',
      `The checkpoint cannot be continued: ${error.message}`,
      'Start with the limit it was made with, or remove the checkpoints: the state is then rebuilt from the stream',
    );
  }
}

function restoredEngine(
  definitions: readonly FeatureDefinition[],
  bytes: Uint8Array,
  limits: Partial<EngineLimits>,
  stage: EngineStage | null,
): FeatureEngine {
  try {
    return restoreFeatureEngine(definitions, bytes, limits, stage);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(
      'CHECKPOINT_OTHER_FEATURES',
      `The checkpoint cannot be continued: ${error.message}`,
      'Remove the checkpoints of the stream: its state is then rebuilt from the stream itself',
    );
  }
}

function cut(bytes: Uint8Array<ArrayBuffer>, blockBytes: number): Block[] {
  const count = Math.ceil(bytes.length / blockBytes);
  return Array.from({ length: count }, (_, index) => {
    const start = index * blockBytes;
    return { bytes: bytes.subarray(start, start + blockBytes), isFinal: false };
  });
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function nameOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
