// Many values looked for at once in bytes, each in all the forms in which it may have been written.

export interface PersonalValue {
  /** `name`, `dni`, `pan`, `phone` … */
  readonly kind: string;
  readonly text: string;
}

export interface Needle {
  readonly kind: string;
  readonly encoding: string;
  readonly bytes: Buffer;
  /** Whatever the case of ASCII letters; not in Base64. */
  readonly isFolded: boolean;
}

/** Shorter ones would be found by chance. */
const LEAST_BYTES = 7;
const PREFIX = 4;
const BITS = 20;

export function needlesOf(values: readonly PersonalValue[]): {
  readonly needles: readonly Needle[];
  readonly tooShort: readonly PersonalValue[];
} {
  const needles: Needle[] = [];
  const tooShort: PersonalValue[] = [];
  for (const value of values) {
    if (value.text.length < LEAST_BYTES) tooShort.push(value);
    else needles.push(...formsOf(value));
  }
  return { needles, tooShort };
}

function formsOf({ kind, text }: PersonalValue): Needle[] {
  const forms: Needle[] = [];
  const add = (encoding: string, bytes: Buffer, isFolded: boolean) => {
    if (bytes.length >= LEAST_BYTES)
      forms.push({ kind, encoding, isFolded, bytes: isFolded ? foldedBytes(bytes) : bytes });
  };
  const spellings = new Set([text, text.toUpperCase(), text.toLowerCase(), withoutAccents(text)]);
  for (const spelling of new Set([...spellings].map((each) => each.normalize('NFC')))) {
    const utf8 = Buffer.from(spelling);
    const utf16 = Buffer.from(spelling, 'utf16le');
    add('utf-8', utf8, true);
    add('utf-16le', utf16, true);
    add('utf-16be', Buffer.from(utf16).swap16(), true);
    if (utf8.length !== spelling.length) {
      add('latin-1', Buffer.from(spelling, 'latin1'), true);
      add('escaped', Buffer.from(spelling.replace(/[^\0-~]/g, escaped)), true);
    }
    for (const [encoding, bytes] of [
      ['base64', utf8],
      ['base64 of utf-16le', utf16],
    ] as const) {
      for (let before = 0; before < 3; before++) {
        const coded = base64Within(bytes, before);
        add(encoding, Buffer.from(coded), false);
        const forUrls = coded.replaceAll('+', '-').replaceAll('/', '_');
        if (forUrls !== coded) add(encoding, Buffer.from(forUrls), false);
      }
    }
    add('hex', Buffer.from(utf8.toString('hex')), true);
  }
  return forms;
}

/** What is sure of it in Base64 where so many bytes come before it in its group of three. */
function base64Within(bytes: Buffer, before: number): string {
  const coded = Buffer.concat([Buffer.alloc(before), bytes])
    .toString('base64')
    .replace(/=+$/, '');
  const first = before === 0 ? 0 : before + 1;
  // The last sign holds bits of what comes after, unless the bytes end a group.
  const last = (before + bytes.length) % 3 === 0 ? coded.length : coded.length - 1;
  return coded.slice(first, last);
}

function withoutAccents(text: string): string {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '');
}

function escaped(sign: string): string {
  return `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

const FOLD = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte));

function foldedBytes(bytes: Buffer): Buffer {
  return Buffer.from(bytes.map((byte) => FOLD[byte]));
}

/** By the first four bytes: a bit says that some needle may begin so, a map which. */
export class NeedleIndex {
  readonly #folded = new Prefixes();
  readonly #exact = new Prefixes();

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) (needle.isFolded ? this.#folded : this.#exact).add(needle);
  }

  search(bytes: Buffer, found: (needle: Needle, at: number) => void): void {
    let [folded, exact] = [0, 0];
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      folded = (folded << 8) | FOLD[byte];
      exact = (exact << 8) | byte;
      if (i < PREFIX - 1) continue;
      const at = i - PREFIX + 1;
      if (this.#folded.mayBegin(folded)) this.#folded.compare(folded, bytes, at, true, found);
      if (this.#exact.mayBegin(exact)) this.#exact.compare(exact, bytes, at, false, found);
    }
  }
}

class Prefixes {
  readonly #bits = new Uint8Array(2 ** BITS);
  /** By the first four bytes and by the three after those: accounts of one bank begin alike. */
  readonly #needles = new Map<number, Map<number, Needle[]>>();
  readonly #known = new Set<string>();

  add(needle: Needle): void {
    const { bytes } = needle;
    const name = bytes.toString('latin1');
    if (this.#known.has(name)) return;
    this.#known.add(name);
    const first = bytes.readInt32BE(0);
    this.#bits[slotOf(first)] = 1;
    const alike = this.#needles.get(first) ?? new Map<number, Needle[]>();
    this.#needles.set(first, alike);
    const next = bytes.readUIntBE(PREFIX, 3);
    alike.set(next, [...(alike.get(next) ?? []), needle]);
  }

  mayBegin(prefix: number): boolean {
    return this.#bits[slotOf(prefix)] === 1;
  }

  compare(
    first: number,
    bytes: Buffer,
    at: number,
    isFolded: boolean,
    found: (needle: Needle, at: number) => void,
  ): void {
    const alike = this.#needles.get(first);
    if (alike === undefined || at + LEAST_BYTES > bytes.length) return;
    let next = 0;
    for (let i = at + PREFIX; i < at + LEAST_BYTES; i++) next = next * 256 + (isFolded ? FOLD[bytes[i]] : bytes[i]);
    for (const needle of alike.get(next) ?? []) if (isThere(needle.bytes, bytes, at, isFolded)) found(needle, at);
  }
}

function isThere(needle: Buffer, bytes: Buffer, at: number, isFolded: boolean): boolean {
  if (at + needle.length > bytes.length) return false;
  for (let i = PREFIX; i < needle.length; i++) {
    const byte = bytes[at + i];
    if ((isFolded ? FOLD[byte] : byte) !== needle[i]) return false;
  }
  return true;
}

function slotOf(prefix: number): number {
  return Math.imul(prefix, 0x9e3779b1) >>> (32 - BITS);
}
