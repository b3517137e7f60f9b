// Turns bytes into values, remembering recent ones: ids, currencies and names repeat, and making a string costs ten
// times a look-up. A direct-mapped table keyed by a hash of the bytes; a collision replaces, so memory is bounded.
import { isUtf8 } from 'node:buffer';
import type { TextEncoding } from './row-block.ts';

const SLOTS = 1 << 15;
/** After so many look-ups with few hits the column is taken as one of unique values, and the table is left alone. */
const TRIAL_LOOKUPS = 20_000;
const LEAST_HIT_SHARE = 0.2;

const windows1252 = new TextDecoder('windows-1252');

/** @returns null where the bytes are not text in the encoding */
export function decodeText(bytes: Buffer, start: number, end: number, encoding: TextEncoding): string | null {
  for (let i = start; i < end; i++) {
    if (bytes[i] >= 0x80) return decodeBeyondAscii(bytes, start, end, encoding);
  }
  return bytes.toString('latin1', start, end);
}

function decodeBeyondAscii(bytes: Buffer, start: number, end: number, encoding: TextEncoding): string | null {
  if (encoding === 'latin1') return windows1252.decode(bytes.subarray(start, end));
  return isUtf8(bytes.subarray(start, end)) ? bytes.toString('utf8', start, end) : null;
}

export class TextCache<Value> {
  readonly #convert: (text: string) => Value;
  readonly #encoding: TextEncoding;
  readonly #texts: (string | undefined)[];
  readonly #values: (Value | undefined)[];
  #lookups = 0;
  #hits = 0;
  #enabled: boolean;

  constructor(encoding: TextEncoding, convert: (text: string) => Value, enabled = true) {
    this.#encoding = encoding;
    this.#convert = convert;
    this.#enabled = enabled;
    this.#texts = enabled ? new Array<string | undefined>(SLOTS) : [];
    this.#values = enabled ? new Array<Value | undefined>(SLOTS) : [];
  }

  /** The converted value, or null where the bytes are not text in the encoding. */
  get(bytes: Buffer, start: number, end: number): Value | null {
    if (!this.#enabled) return this.#make(bytes, start, end);
    let hash = end - start;
    for (let i = start; i < end; i++) {
      const byte = bytes[i];
      if (byte >= 0x80) return this.#make(bytes, start, end);
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    const slot = (hash ^ (hash >>> 15)) & (SLOTS - 1);
    const known = this.#texts[slot];
    this.#lookups += 1;
    if (known !== undefined && isSame(known, bytes, start, end)) {
      this.#hits += 1;
      return this.#values[slot] as Value;
    }
    if (this.#lookups === TRIAL_LOOKUPS && this.#hits < TRIAL_LOOKUPS * LEAST_HIT_SHARE) this.#enabled = false;
    const text = bytes.toString('latin1', start, end);
    const value = this.#convert(text);
    this.#texts[slot] = text;
    this.#values[slot] = value;
    return value;
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
