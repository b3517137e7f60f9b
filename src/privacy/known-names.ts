// Names that are given (of a case's parties, of a run's customers) found in a text: word by word, whatever the case and the
// accents, with up to three signs between the words.
import { plainText } from '../lib/plain-text.ts';

interface Node {
  readonly next: Map<string, Node>;
  /** A name ends here. */
  isEnd: boolean;
}

const MOST_NAMES = 100_000;
const MOST_WORDS = 10;
/** A shorter name would be found in every other line. */
const LEAST_LETTERS = 5;
const MOST_BETWEEN = 3;
const WORDS = /[\p{L}\p{M}]+/gu;

export class KnownNames {
  readonly #root: Node = { next: new Map(), isEnd: false };
  /** Names that are looked for. */
  readonly size: number;

  /** Of more than 100,000 names the rest is not looked for, nor is one with fewer than five letters. */
  constructor(names: Iterable<string>) {
    let size = 0;
    for (const name of names) {
      const words = (plainText(name).match(WORDS) ?? []).slice(0, MOST_WORDS);
      if (words.join('').length < LEAST_LETTERS || size === MOST_NAMES) continue;
      let node = this.#root;
      for (const word of words) {
        const next = node.next.get(word) ?? { next: new Map(), isEnd: false };
        node.next.set(word, next);
        node = next;
      }
      node.isEnd = true;
      size++;
    }
    this.size = size;
  }

  /** @param end of the word that begins at `start` @returns where the longest name that begins there ends, 0 for none */
  endOfNameAt(text: string, start: number, end: number): number {
    let node = this.#root.next.get(folded(text, start, end));
    let found = 0;
    let to = end;
    while (node !== undefined) {
      if (node.isEnd) found = to;
      if (node.next.size === 0) return found;
      let from = to;
      while (from < to + MOST_BETWEEN && !isNameLetter(text.charCodeAt(from))) from++;
      if (from >= text.length || !isNameLetter(text.charCodeAt(from))) return found;
      to = from + 1;
      while (isNameLetter(text.charCodeAt(to))) to++;
      node = node.next.get(folded(text, from, to));
    }
    return found;
  }
}

/** ASCII letters, and what is beyond: not the spaces, dashes and quotes of Unicode. */
export function isNameLetter(code: number): boolean {
  const lower = code | 32;
  if (lower >= 97 && lower <= 122) return true;
  return code >= 192 && (code < 0x2000 || code > 0x206f) && code !== 0x3000;
}

function folded(text: string, start: number, end: number): string {
  const word = text.slice(start, end);
  for (let i = start; i < end; i++) if (text.charCodeAt(i) >= 128) return plainText(word);
  return word.toLowerCase();
}
