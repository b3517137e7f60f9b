// Turns bytes into texts and values, remembering recent ones: ids, codes and names repeat, and making a string costs ten
// times a look-up. A direct-mapped table keyed by a hash of the bytes; a collision replaces, so memory is bounded.
import { isUtf8 } from 'node:buffer';
import type { TextEncoding } from './row-block.ts';

const SLOTS = 1 << 15;
/** Cells up to this length are compared as two words instead of byte by byte. */
const WORDS_LENGTH = 8;
/** After so many look-ups with few hits the column is taken as one of unique values, and the table is left alone. */
const TRIAL_LOOKUPS = 20_000;
const LEAST_HIT_SHARE = 0.2;

const windows1252 = new TextDecoder('windows-1252');
const textOf = String.fromCharCode;

/** @returns null where the bytes are not text in the encoding */
export function decodeText(bytes: Buffer, start: number, end: number, encoding: TextEncoding): string | null {
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 0x80) return decodeBeyondAscii(bytes, start, end, encoding);
  }
  return decodeAscii(bytes, start, end);
}

/** Short texts are made without leaving JavaScript: half the time of a call into the engine. */
function decodeAscii(b: Buffer, s: number, end: number): string {
  switch (end - s) {
    case 1:
      return textOf(b[s]);
    case 2:
      return textOf(b[s], b[s + 1]);
    case 3:
      return textOf(b[s], b[s + 1], b[s + 2]);
    case 4:
      return textOf(b[s], b[s + 1], b[s + 2], b[s + 3]);
    case 5:
      return textOf(b[s], b[s + 1], b[s + 2], b[s + 3], b[s + 4]);
    case 6:
      return textOf(b[s], b[s + 1], b[s + 2], b[s + 3], b[s + 4], b[s + 5]);
    case 7:
      return textOf(b[s], b[s + 1], b[s + 2], b[s + 3], b[s + 4], b[s + 5], b[s + 6]);
    case 8:
      return textOf(b[s], b[s + 1], b[s + 2], b[s + 3], b[s + 4], b[s + 5], b[s + 6], b[s + 7]);
    default:
      return b.toString('latin1', s, end);
  }
}

function decodeBeyondAscii(bytes: Buffer, start: number, end: number, encoding: TextEncoding): string | null {
  if (encoding === 'latin1') return windows1252.decode(bytes.subarray(start, end));
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : null;
}

export class TextCache<Value> {
  readonly #convert: (text: string) => Value;
  readonly #encoding: TextEncoding;
  readonly #slots: number;
  readonly #lengths: Uint8Array;
  readonly #firstWords: Int32Array;
  readonly #secondWords: Int32Array;
  /** The texts of longer cells, to compare with. */
  readonly #texts: (string | undefined)[];
  readonly #values: (Value | undefined)[];
  #lookups = 0;
  #hits = 0;
  #enabled: boolean;

  constructor(encoding: TextEncoding, convert: (text: string) => Value, enabled = true) {
    this.#encoding = encoding;
    this.#convert = convert;
    this.#enabled = enabled;
    this.#slots = enabled ? SLOTS : 0;
    this.#lengths = new Uint8Array(this.#slots);
    this.#firstWords = new Int32Array(this.#slots);
    this.#secondWords = new Int32Array(this.#slots);
    this.#texts = new Array<string | undefined>(this.#slots);
    this.#values = new Array<Value | undefined>(this.#slots);
  }

  /** The converted value, or null where the bytes are not text in the encoding. `start < end`. */
  get(bytes: Buffer, start: number, end: number): Value | null {
    if (!this.#enabled) return this.#make(bytes, start, end);
    return end - start <= WORDS_LENGTH ? this.#getShort(bytes, start, end) : this.#getLong(bytes, start, end);
  }

  #getShort(bytes: Buffer, start: number, end: number): Value | null {
    const length = end - start;
    const half = length > 4 ? start + 4 : end;
    let first = 0;
    let second = 0;
    let highBits = 0;
    for (let i = start; i < half; i++) {
      first = (first << 8) | bytes[i];
      highBits |= bytes[i];
    }
    for (let i = half; i < end; i++) {
      second = (second << 8) | bytes[i];
      highBits |= bytes[i];
    }
    if (highBits >= 0x80) return this.#make(bytes, start, end);
    const hash = Math.imul(first ^ Math.imul(second, 0x85ebca6b), 0x9e3779b1);
    const slot = hash >>> 17;
    this.#lookups += 1;
    if (this.#firstWords[slot] === first && this.#secondWords[slot] === second && this.#lengths[slot] === length) {
      this.#hits += 1;
      return this.#values[slot] as Value;
    }
    this.#judge();
    const value = this.#convert(decodeAscii(bytes, start, end));
    this.#firstWords[slot] = first;
    this.#secondWords[slot] = second;
    this.#lengths[slot] = length;
    this.#texts[slot] = undefined;
    this.#values[slot] = value;
    return value;
  }

  #getLong(bytes: Buffer, start: number, end: number): Value | null {
    let hash = end - start;
    let highBits = 0;
    for (let i = start; i < end; i++) {
      hash = Math.imul(hash ^ bytes[i], 0x01000193);
      highBits |= bytes[i];
    }
    if (highBits >= 0x80) return this.#make(bytes, start, end);
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#texts[slot];
    this.#lookups += 1;
    if (known !== undefined && isSame(known, bytes, start, end)) {
      this.#hits += 1;
      return this.#values[slot] as Value;
    }
    this.#judge();
    const text = bytes.toString('latin1', start, end);
    const value = this.#convert(text);
    this.#lengths[slot] = 0;
    this.#texts[slot] = text;
    this.#values[slot] = value;
    return value;
  }

  #judge(): void {
    if (this.#lookups >= TRIAL_LOOKUPS && this.#hits < this.#lookups * LEAST_HIT_SHARE) this.#enabled = false;
  }

  #make(bytes: Buffer, start: number, end: number): Value | null {
    const text = decodeText(bytes, start, end, this.#encoding);
    return text === null ? null : this.#convert(text);
  }
}

function isSame(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
