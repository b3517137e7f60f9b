// Dead letters, sealed: what could not be processed may hold anything, so its key, value and headers are sealed together under
// a data key that changes every few hours, and whose wrapped form travels in a header. Who writes letters needs no database,
// only a master key, and that only when the key changes; who reads them needs the same master.
//
//   sealed: envelope of  key length u32 | key | value length u32 | value | headers (u16) | each: name u16, value u32
//   (length 2^32−1: null)
//   header `centinela-sealed-by`: JSON { master, key, wrapped } (Base64)
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { MasterKeys, StreamHeader, StreamPosition, StreamRecord } from '../ports.ts';
import {
  type DataKey,
  dataKey,
  EnvelopeError,
  KEY_BYTES,
  KEY_ID_BYTES,
  keyIdOf,
  openBytes,
  sealBytes,
} from './envelope.ts';
import { RecentMap } from './recent-map.ts';

export type LetterParts = Pick<StreamRecord, 'key' | 'value' | 'headers'>;

export interface SealedLetter {
  readonly value: Uint8Array;
  /** Names the key, wrapped. */
  readonly header: StreamHeader;
}

export interface LetterSealerSettings {
  /** After so long another key is made. */
  readonly changeMs: number;
  /** Where the master keys do not answer then, the old one goes on for so long and no longer. */
  readonly mostMs: number;
  readonly mostLetters: number;
}

const HOUR_MS = 3_600_000;
const DEFAULTS: LetterSealerSettings = { changeMs: 6 * HOUR_MS, mostMs: 72 * HOUR_MS, mostLetters: 2 ** 30 };

export const SEALED_BY = 'centinela-sealed-by';
const NULL = 0xffffffff;
const MOST_HEADERS = 1000;
const MOST_KEPT = 256;
const MOST_HEADER_BYTES = 16 * 1024;
const encoder = new TextEncoder();

interface LetterKey {
  readonly key: DataKey;
  readonly header: StreamHeader;
  letters: number;
}

/** No key to seal with: the letter must not be written in clear. Later there may be one. */
export class LetterKeyError extends Error {
  override readonly name = 'LetterKeyError';
  readonly code = 'LETTER_KEY_OLD';
}

export class LetterSealer {
  readonly #masters: MasterKeys;
  readonly #settings: LetterSealerSettings;
  readonly #randomBytes: (bytes: number) => Uint8Array;
  #current: LetterKey | null = null;
  #making: Promise<void> | null = null;

  constructor(
    masters: MasterKeys,
    settings: Partial<LetterSealerSettings> = {},
    randomBytes: (bytes: number) => Uint8Array = systemRandomBytes,
  ) {
    this.#masters = masters;
    this.#settings = { ...DEFAULTS, ...settings };
    this.#randomBytes = randomBytes;
  }

  /** Whether `prepare` would make a key. */
  isDue(nowMs: number): boolean {
    const { changeMs, mostLetters } = this.#settings;
    const current = this.#current;
    return current === null || nowMs - current.key.createdMs >= changeMs || current.letters >= mostLetters / 2;
  }

  /**
   * At start, and from time to time: sees to it that there is a key that is not old.
   *
   * @throws what the master keys throw; an older key is used on meanwhile
   */
  async prepare(nowMs: number): Promise<void> {
    if (!this.isDue(nowMs)) return;
    this.#making ??= this.#make(nowMs).finally(() => {
      this.#making = null;
    });
    await this.#making;
  }

  /**
   * @param at where the record stood: the letter opens with this place alone
   * @throws LetterKeyError where there is no key, or only one that is too old
   */
  seal(parts: LetterParts, at: StreamPosition, nowMs: number): SealedLetter {
    const current = this.#current;
    const { mostMs, mostLetters } = this.#settings;
    if (current === null || nowMs - current.key.createdMs > mostMs || current.letters >= mostLetters) {
      throw new LetterKeyError('There is no fresh key for dead letters: the master keys did not answer for long');
    }
    current.letters++;
    return { value: sealBytes(current.key, packed(parts), placeOf(at)), header: current.header };
  }

  async #make(nowMs: number): Promise<void> {
    const id = Buffer.from(this.#randomBytes(KEY_ID_BYTES)).toString('hex');
    const bytes = Buffer.from(this.#randomBytes(KEY_BYTES));
    const master = this.#masters.currentId;
    const [wrapped] = await this.#masters.wrap([{ bytes, context: letterContext(id) }]);
    const text = JSON.stringify({ master, key: id, wrapped: Buffer.from(wrapped).toString('base64') });
    const header = { name: SEALED_BY, value: encoder.encode(text) };
    this.#current = { key: dataKey(id, bytes, nowMs), header, letters: 0 };
  }
}

export class LetterOpener {
  readonly #masters: MasterKeys;
  readonly #keys = new RecentMap<string, Promise<DataKey>>(MOST_KEPT);

  constructor(masters: MasterKeys) {
    this.#masters = masters;
  }

  /**
   * @param at where the record stood, as the letter says
   * @throws EnvelopeError where it is no sealed letter, was changed, or says another place; what the master keys throw
   */
  async open({ value, headers }: Pick<StreamRecord, 'value' | 'headers'>, at: StreamPosition): Promise<LetterParts> {
    const header = headers.findLast(({ name }) => name === SEALED_BY);
    if (header === undefined || value === null) throw new EnvelopeError('The letter is not sealed');
    const key = await this.#keyOf(Buffer.from(header.value).toString('utf8'));
    if (keyIdOf(value) !== key.id) throw new EnvelopeError('The letter names another key than it was sealed with');
    return unpacked(Buffer.from(openBytes(key, value, placeOf(at))));
  }

  #keyOf(text: string): Promise<DataKey> {
    const known = this.#keys.get(text);
    if (known !== undefined) return known;
    const opening = this.#unwrap(text);
    this.#keys.set(text, opening);
    opening.catch(() => this.#keys.delete(text));
    return opening;
  }

  async #unwrap(text: string): Promise<DataKey> {
    const { master, key: id, wrapped } = readHeader(text);
    const request = { bytes: Buffer.from(wrapped, 'base64'), context: letterContext(id) };
    const [bytes] = await this.#masters.unwrap(master, [request]);
    return dataKey(id, bytes, 0);
  }
}

/** The master that is needed to open a letter; null where it is not sealed. */
export function masterOfLetter({ headers }: Pick<StreamRecord, 'headers'>): string | null {
  const header = headers.findLast(({ name }) => name === SEALED_BY);
  return header === undefined ? null : readHeader(Buffer.from(header.value).toString('utf8')).master;
}

function readHeader(text: string): { readonly master: string; readonly key: string; readonly wrapped: string } {
  if (text.length <= MOST_HEADER_BYTES) {
    try {
      const { master, key, wrapped } = JSON.parse(text) as Record<string, unknown>;
      const isWhole = typeof master === 'string' && typeof key === 'string' && typeof wrapped === 'string';
      if (isWhole && /^[0-9a-f]{32}$/.test(key)) return { master, key, wrapped };
    } catch {
      // Told below.
    }
  }
  throw new EnvelopeError(`The header ${SEALED_BY} of the letter is broken`);
}

function letterContext(id: string): string {
  return `letter-key/${id}`;
}

function placeOf({ topic, partition, offset }: StreamPosition) {
  return { table: topic, row: `${partition}/${offset}`, field: 'record' };
}

function packed({ key, value, headers }: LetterParts): Buffer {
  if (headers.length > MOST_HEADERS) throw new EnvelopeError(`The record has more than ${MOST_HEADERS} headers`);
  const names = headers.map(({ name }) => Buffer.from(name));
  let length = 4 + (key?.length ?? 0) + 4 + (value?.length ?? 0) + 2;
  headers.forEach((header, index) => {
    length += 2 + names[index].length + 4 + header.value.length;
  });
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  const put = (part: Uint8Array | null) => {
    at = bytes.writeUInt32BE(part?.length ?? NULL, at);
    if (part === null) return;
    bytes.set(part, at);
    at += part.length;
  };
  put(key);
  put(value);
  at = bytes.writeUInt16BE(headers.length, at);
  headers.forEach((header, index) => {
    at = bytes.writeUInt16BE(names[index].length, at);
    bytes.set(names[index], at);
    at += names[index].length;
    put(header.value);
  });
  return bytes;
}

function unpacked(bytes: Buffer): LetterParts {
  let at = 0;
  const take = (length: number) => {
    if (at + length > bytes.length) throw new EnvelopeError('The sealed letter is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  const part = () => {
    const length = take(4).readUInt32BE();
    return length === NULL ? null : Uint8Array.from(take(length));
  };
  const [key, value] = [part(), part()];
  const headers: StreamHeader[] = [];
  for (let left = take(2).readUInt16BE(); left > 0; left--) {
    const name = take(take(2).readUInt16BE()).toString('utf8');
    headers.push({ name, value: part() ?? new Uint8Array(0) });
  }
  if (at !== bytes.length) throw new EnvelopeError('The sealed letter is longer than what it holds');
  return { key, value, headers };
}
