// What an index of names makes of names and words, kept for the next index of the same list: reading 40,000 names takes a
// second, and a list that changes by one name is read again by every worker, between two transactions.
//
// Its words only grow in number, whole names do not stay once they are off the list, and an index finds the same whatever else its vocabulary has seen: what no listed name has counts for nothing.
import { type NameWord, wordsOf } from './name-words.ts';

/** A name as numbers of this vocabulary, word by word. */
export interface ReadName {
  readonly texts: readonly number[];
  readonly sounds: readonly number[];
  /** The same for names of the same words, whatever their order. */
  readonly key: string;
}

/** Shorter sounds are not compared with a letter wrong. */
const SHORTEST_IN_ERROR_TABLE = 3;
/** Names that are not listed any more, beside as many that are. */
const MOST_FORGOTTEN = 1000;
const NONE: readonly number[] = [];

export class NameVocabulary {
  /** By its number. */
  readonly soundTexts: string[] = [];
  readonly #texts = new Map<string, number>();
  readonly #sounds = new Map<string, number>();
  readonly #names = new Map<string, ReadName>();
  /** Each sound and all that is left of it with one letter taken out → sounds. */
  readonly #errors = new Map<string, number[]>();
  #namesRead = 0;

  /** Names that it remembers as a whole. */
  get size(): number {
    return this.#names.size;
  }

  /** Whether what it remembers is mostly of names that are listed: otherwise a new one is smaller. */
  isWorthKeeping(names: number): boolean {
    return this.#namesRead <= 2 * names + MOST_FORGOTTEN;
  }

  /** Who came off the list, or was erased, is not remembered here. */
  keepOnly(names: Iterable<string>): void {
    const listed = new Set(names);
    for (const name of this.#names.keys()) if (!listed.has(name)) this.#names.delete(name);
  }

  read(name: string): ReadName {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const words = wordsOf(name);
    const read: ReadName = {
      texts: words.map(({ text }) => numberOf(this.#texts, text)),
      sounds: words.map(({ sound }) => this.#numberOfSound(sound)),
      key: keyOf(words),
    };
    this.#names.set(name, read);
    this.#namesRead++;
    return read;
  }

  textNumber(text: string): number | undefined {
    return this.#texts.get(text);
  }

  soundNumber(sound: string): number | undefined {
    return this.#sounds.get(sound);
  }

  /** Those that may be one letter away, some of them again. */
  eachNear(sound: string, visit: (number: number) => void): void {
    for (const number of this.#errors.get(sound) ?? NONE) visit(number);
    for (let at = 0; at < sound.length; at++) {
      for (const number of this.#errors.get(shortened(sound, at)) ?? NONE) visit(number);
    }
  }

  #numberOfSound(sound: string): number {
    const number = numberOf(this.#sounds, sound);
    if (number < this.soundTexts.length) return number;
    this.soundTexts.push(sound);
    if (sound.length < SHORTEST_IN_ERROR_TABLE) return number;
    const keys = new Set([sound, ...Array.from(sound, (_, at) => shortened(sound, at))]);
    for (const key of keys) {
      const same = this.#errors.get(key);
      if (same === undefined) this.#errors.set(key, [number]);
      else same.push(number);
    }
    return number;
  }
}

/** The same for names of the same words, whatever their order. */
export function keyOf(words: readonly NameWord[]): string {
  return words
    .map(({ text }) => text)
    .sort()
    .join(' ');
}

function numberOf(numbers: Map<string, number>, text: string): number {
  const known = numbers.get(text);
  if (known !== undefined) return known;
  numbers.set(text, numbers.size);
  return numbers.size - 1;
}

function shortened(sound: string, at: number): string {
  return sound.slice(0, at) + sound.slice(at + 1);
}
