// Finds words of extortion in the free text of a payment.
//
// Ley 32490 (2025) makes banks and wallets look for extortion payments; the bill names the euphemisms "cupo", "vacuna",
// "colaboración", "aporte" and "seguridad". Payers disguise them: accents, capitals, digits for letters ("cup0"),
// spaced or dotted letters ("c.u.p.o"), repeated letters. A match is one signal among others, never a verdict: "aporte
// AFP" and "vacuna de mi perro" are honest, so words that show an honest context silence the ambiguous terms.
import {
  HONEST_CONTEXT,
  LETTER_OF_DIGIT,
  LEXICON_PHRASES,
  LEXICON_WORDS,
  type LexiconEntry,
  type TermStrength,
} from './lexicon-data.ts';

export interface LexiconMatch {
  /** The term of the lexicon, as it is listed. */
  readonly term: string;
  readonly strength: TermStrength;
}

/** What a code unit is in a word: the code of its base letter, or one of the three below. */
const BREAK = 0;
const DIGIT = 1;
const MARK = 2;

const TABLE_SIZE = 0x370;
/** Base letter (accents removed, lower case) of a code unit; a sign that stands for a letter gives DIGIT. */
const CLASS_OF = buildClasses();
/** The letter that a digit or sign stands for, by code unit. */
const LETTER_OF = buildLetters();

function buildClasses(): Uint8Array {
  const table = new Uint8Array(TABLE_SIZE);
  for (let code = 0; code < TABLE_SIZE; code++) {
    const character = String.fromCharCode(code);
    const base = character.normalize('NFD').toLowerCase().charCodeAt(0);
    if (base >= 97 && base <= 122) table[code] = base;
    else if (LETTER_OF_DIGIT[character] !== undefined || (code >= 48 && code <= 57)) table[code] = DIGIT;
    else if (code >= 0x300) table[code] = MARK;
  }
  return table;
}

function buildLetters(): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < table.length; code++) {
    table[code] = LETTER_OF_DIGIT[String.fromCharCode(code)]?.charCodeAt(0) ?? code;
  }
  return table;
}

const classOf = (code: number): number => (code < TABLE_SIZE ? CLASS_OF[code]! : BREAK);

/**
 * Words of a text, folded: base letters, digits and signs read as letters inside words, runs of one letter made one,
 * letters written one by one joined. A word that ends in digits is given without them too ("cupo23").
 */
function foldedWords(text: string): string[] {
  const words: string[] = [];
  let spelled = '';
  for (const word of rawWords(text)) {
    if (word.length === 1) {
      spelled += word;
      continue;
    }
    if (spelled.length > 1) words.push(collapse(spelled));
    spelled = '';
    words.push(collapse(word));
    const trimmed = word.replace(/[^a-z]+$/, '');
    if (trimmed.length > 1 && trimmed !== word) words.push(collapse(trimmed));
  }
  if (spelled.length > 1) words.push(collapse(spelled));
  return words;
}

function rawWords(text: string): string[] {
  let plain = '';
  for (let i = 0; i < text.length; i++) {
    const kind = classOf(text.charCodeAt(i));
    if (kind > MARK) plain += String.fromCharCode(kind);
    else if (kind === DIGIT) plain += text[i];
    else if (kind === BREAK) plain += ' ';
  }
  return plain.split(' ').filter((word) => word !== '');
}

/** "cuup0" → "cupo". */
function collapse(word: string): string {
  let folded = '';
  for (const character of word) {
    const letter = LETTER_OF_DIGIT[character] ?? character;
    if (letter !== folded[folded.length - 1]) folded += letter;
  }
  return folded;
}

const foldTerm = (term: string): string => rawWords(term).map(collapse).join(' ');
const matchOf = ({ term, strength }: LexiconEntry): LexiconMatch => ({ term, strength });

const TERMS: ReadonlyMap<string, LexiconMatch> = new Map(
  LEXICON_WORDS.map((entry) => [foldTerm(entry.term), matchOf(entry)]),
);
const PHRASES = LEXICON_PHRASES.map((entry) => ({ folded: ` ${foldTerm(entry.term)} `, match: matchOf(entry) }));
const HONEST: ReadonlySet<string> = new Set(HONEST_CONTEXT.map(foldTerm));

const nextHash = (hash: number, code: number): number => (Math.imul(hash, 31) + code) | 0;

function hashOf(folded: string): number {
  let hash = 0;
  for (let i = 0; i < folded.length; i++) hash = nextHash(hash, folded.charCodeAt(i));
  return hash;
}

const ANCHORS: ReadonlySet<number> = new Set(
  [...LEXICON_WORDS, ...LEXICON_PHRASES].map(({ anchor }) => hashOf(foldTerm(anchor))),
);

/**
 * Whether a text may hold a term: hashes its words in one pass without making a string. It runs once per transaction,
 * and nearly always says no; a yes is checked word by word.
 */
function mayHoldTerm(text: string): boolean {
  let hash = 0;
  let lettersHash = 0;
  let length = 0;
  let last = BREAK;
  let spelledHash = 0;
  let spelledLast = BREAK;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 32;
    const kind = classOf(code);
    if (kind === MARK) continue;
    if (kind !== BREAK) {
      const letter = kind === DIGIT ? LETTER_OF[code]! : kind;
      if (letter !== last) hash = nextHash(hash, letter);
      if (kind !== DIGIT) lettersHash = hash;
      last = letter;
      length++;
      continue;
    }
    if (length === 1) {
      if (last !== spelledLast) spelledHash = nextHash(spelledHash, last);
      spelledLast = last;
    } else if (length > 1) {
      if (ANCHORS.has(hash) || ANCHORS.has(lettersHash) || ANCHORS.has(spelledHash)) return true;
      spelledHash = 0;
      spelledLast = BREAK;
    }
    hash = 0;
    lettersHash = 0;
    length = 0;
    last = BREAK;
  }
  return ANCHORS.has(spelledHash);
}

/** The strongest term of extortion in a concept, the first among equals; null if there is none. */
export function matchExtortion(concept: string): LexiconMatch | null {
  return mayHoldTerm(concept) ? strongestTerm(foldedWords(concept), foldTerm(concept)) : null;
}

function strongestTerm(words: readonly string[], sentence: string): LexiconMatch | null {
  const phrase = PHRASES.find(({ folded }) => ` ${sentence} `.includes(folded));
  if (phrase) return phrase.match;
  if (words.some((word) => HONEST.has(word))) return null;
  let weak: LexiconMatch | null = null;
  for (const word of words) {
    const match = TERMS.get(word);
    if (match?.strength === 'strong') return match;
    weak ??= match ?? null;
  }
  return weak;
}

/** The term alone, whatever its strength, or null. */
export function extortionTerm(concept: string): string | null {
  return matchExtortion(concept)?.term ?? null;
}
