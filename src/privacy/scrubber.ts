// Takes what is personal or secret out of a line of a log, a label of a metric, a message: numbers of cards, accounts, tax
// payers, mobiles and documents, addresses of mail, given names, bearer tokens, passwords and keys. One pass over the signs;
// what is found is replaced by its kind, `[pan]`, and a line of JSON stays one.
//
// It is the last net, not the first: who logs names the fields, and they are not personal (telemetry/logger.ts).
import { isNameLetter, KnownNames } from './known-names.ts';
import { findNumbers, type NumberKind, type NumberSpan } from './number-spans.ts';
import { credentialsBefore, findPemAt, findSecretAt, type SecretSpan } from './secret-spans.ts';

export type FoundKind = NumberKind | 'mail' | 'name' | 'secret';

/** A stretch of text that is personal or secret. */
export interface FoundSpan {
  readonly kind: FoundKind;
  readonly start: number;
  /** exclusive */
  readonly end: number;
}

export interface ScrubberOptions {
  /** Names to look for, as they are written: "GARCIA PEREZ JUAN". Others cannot be told from other words. */
  readonly names?: Iterable<string>;
  /** A longer text is cut there, for what is behind it was not looked at. */
  readonly mostLength?: number;
}

const MOST_LENGTH = 256 * 1024;

export class Scrubber {
  readonly #names: KnownNames | null;
  readonly #mostLength: number;

  constructor({ names = [], mostLength = MOST_LENGTH }: ScrubberOptions = {}) {
    const known = new KnownNames(names);
    this.#names = known.size > 0 ? known : null;
    this.#mostLength = mostLength;
  }

  /** The text itself where nothing is found. */
  scrub(given: string): string {
    const isCut = given.length > this.#mostLength;
    const text = isCut ? given.slice(0, this.#mostLength) : given;
    const spans = this.find(text);
    if (spans.length === 0) return isCut ? `${text}[cut]` : text;
    const isJson = text.charCodeAt(0) === OPEN_BRACE;
    let scrubbed = '';
    let from = 0;
    let isInside = false;
    for (const { kind, start, end } of spans) {
      if (isJson) isInside = isInsideText(text, from, start, isInside);
      const isBare = isJson && !isInside && isBareValue(text, start, end);
      scrubbed += text.slice(from, start) + (isBare ? `"[${kind}]"` : `[${kind}]`);
      from = end;
    }
    return scrubbed + text.slice(from) + (isCut ? '[cut]' : '');
  }

  /** In their order, without overlaps. */
  find(text: string): FoundSpan[] {
    const spans: FoundSpan[] = [];
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code >= ZERO && code <= NINE) {
        at = findNumbers(text, at, spans as NumberSpan[]);
      } else if (isNameLetter(code)) {
        at = this.#lookAtWord(text, at, spans);
      } else {
        if (code === AT) at = addMail(text, at, spans);
        else if (code === HYPHEN) at = findPemAt(text, at, spans as SecretSpan[]);
        else at++;
      }
    }
    return spans;
  }

  /** A word goes on over hyphens and low lines, which names of secrets have; a name of a person ends before them. */
  #lookAtWord(text: string, start: number, spans: FoundSpan[]): number {
    let end = start + 1;
    while (isNameLetter(text.charCodeAt(end))) end++;
    const isEscape = text.charCodeAt(start - 1) === BACKSLASH && end > start + 1;
    if (isEscape) {
      // "\nJuana": the first letter is the escape's.
      const after = this.#lookAt(text, start + 1, end, spans);
      if (after > end) return after;
    }
    return this.#lookAt(text, start, end, spans);
  }

  /** @returns more than `end` where something was found */
  #lookAt(text: string, start: number, end: number, spans: FoundSpan[]): number {
    const nameEnd = this.#names?.endOfNameAt(text, start, end) ?? 0;
    if (nameEnd === 0) return findSecretAt(text, start, end, spans as SecretSpan[]);
    spans.push({ kind: 'name', start, end: nameEnd });
    return nameEnd;
  }
}

const QUOTE = 34;
const COMMA = 44;
const HYPHEN = 45;
const POINT = 46;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const AT = 64;
const OPEN_BRACKET = 91;
const OPEN_BRACE = 123;
const BACKSLASH = 92;
const MOST_LOCAL = 64;
const MOST_DOMAIN = 253;

/** @param at of the `@` @returns where looking goes on */
function addMail(text: string, at: number, spans: FoundSpan[]): number {
  const credentials = credentialsBefore(text, at);
  if (credentials !== null) {
    replaceFrom(spans, credentials.start);
    spans.push(credentials);
    return at + 1;
  }
  let start = at;
  while (start > 0 && at - start < MOST_LOCAL && isLocal(text.charCodeAt(start - 1))) start--;
  // "\nana@…" in JSON: the letter is the escape's.
  if (text.charCodeAt(start - 1) === BACKSLASH && at - start > 1) start++;
  let end = at + 1;
  while (end < text.length && end - at < MOST_DOMAIN && isDomain(text.charCodeAt(end))) end++;
  while (end > at && !isNameLetter(text.charCodeAt(end - 1))) end--;
  if (start === at || !isHost(text.slice(at + 1, end))) return at + 1;
  replaceFrom(spans, start);
  spans.push({ kind: 'mail', start, end });
  return end;
}

/** A number that was found in it is part of it. */
function replaceFrom(spans: FoundSpan[], start: number): void {
  while (spans.length > 0 && spans[spans.length - 1].end > start) spans.pop();
}

const HOST = /^(?:[\p{L}\d](?:[\p{L}\d-]*[\p{L}\d])?\.){1,8}\p{L}{2,24}$/u;

function isHost(text: string): boolean {
  return text.length > 3 && HOST.test(text);
}

function isLocal(code: number): boolean {
  if (isNameLetter(code) || (code >= ZERO && code <= NINE)) return true;
  return code === POINT || code === HYPHEN || code === 95 || code === 43 || code === 37;
}

function isDomain(code: number): boolean {
  return isNameLetter(code) || (code >= ZERO && code <= NINE) || code === POINT || code === HYPHEN;
}

/** A number of JSON: `"phone":987654321,`. */
function isBareValue(text: string, start: number, end: number): boolean {
  const first = text.charCodeAt(start);
  const before = text.charCodeAt(start - 1);
  const after = text.charCodeAt(end);
  const isBefore = before === COLON || before === COMMA || before === OPEN_BRACKET;
  return isBefore && first >= ZERO && first <= NINE && (after === COMMA || after === 125 || after === 93);
}

/** Whether `until` is inside of a text of JSON, where it is known of `from`. */
function isInsideText(text: string, from: number, until: number, isInside: boolean): boolean {
  let inside = isInside;
  for (let i = from; i < until; i++) {
    const code = text.charCodeAt(i);
    if (code === BACKSLASH) i++;
    else if (code === QUOTE) inside = !inside;
  }
  return inside;
}
