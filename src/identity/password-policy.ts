// Which passwords are taken, after NIST SP 800-63B-4 3.1.1.2: long enough, not among those that everybody tries first, not
// one's own name; no composition rules and no expiry, which make people choose worse ones.
//
// Everybody's passwords are known as short words; twelve characters of them are made by adding digits, doubling them or
// writing 3 for e. So the list is one of words, and a password that comes apart into two of them at most, digits and signs
// is refused like the word itself.
import { plainText } from '../lib/plain-text.ts';
import { COMMON_PASSWORDS, KEYBOARD_ROWS } from './common-passwords-data.ts';

export const LEAST_PASSWORD_LENGTH = 12;
export const MOST_PASSWORD_LENGTH = 128;

export interface PasswordOwner {
  readonly login: string;
  readonly displayName: string;
  readonly email: string | null;
}

export type PasswordProblem =
  | 'PASSWORD_TOO_SHORT'
  | 'PASSWORD_TOO_LONG'
  | 'PASSWORD_COMMON'
  | 'PASSWORD_PREDICTABLE'
  | 'PASSWORD_IS_NAME';

/** Shorter words of a name are in too many good passwords. */
const LEAST_NAME_LENGTH = 4;
const MOST_COMMON_WORDS = 2;
/** Letters, digits and signs that do not follow from the ones before them. */
const LEAST_SURPRISES = 7;
const SERVICE_NAMES = ['centinela'];
const LOOKALIKES: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  '@': 'a',
  $: 's',
  '!': 'i',
};

/** What is wrong with a new password, or null. */
export function passwordProblem(password: string, owner: PasswordOwner): PasswordProblem | null {
  // A character that people see is one, whatever it takes to write it down.
  const length = [...password.normalize('NFKC')].length;
  if (length < LEAST_PASSWORD_LENGTH) return 'PASSWORD_TOO_SHORT';
  if (length > MOST_PASSWORD_LENGTH) return 'PASSWORD_TOO_LONG';
  const plain = plainText(password.normalize('NFKC'));
  const readings = [plain, ...[LONG_NUMBERS, OUTER_SIGNS].map((signs) => withoutLookalikes(plain.replace(signs, '')))];
  if (readings.some((text) => ownWords(owner).some((word) => text.includes(word)))) return 'PASSWORD_IS_NAME';
  if (readings.some(isOfCommonWords)) return 'PASSWORD_COMMON';
  return surprises(plain) < LEAST_SURPRISES ? 'PASSWORD_PREDICTABLE' : null;
}

/** What is a number rather than digits that stand for letters. */
const LONG_NUMBERS = /\d{3,}/g;
const OUTER_SIGNS = /^\P{L}+|\P{L}+$/gu;

function withoutLookalikes(text: string): string {
  return [...text].map((character) => LOOKALIKES[character] ?? character).join('');
}

function ownWords({ login, displayName, email }: PasswordOwner): string[] {
  const texts = [login, displayName, email?.split('@')[0] ?? '', ...SERVICE_NAMES];
  return texts
    .flatMap((text) => plainText(text).split(/[^\p{L}\p{N}]+/u))
    .filter((word) => word.length >= LEAST_NAME_LENGTH);
}

const LETTERS = /\p{L}+/gu;

/** All letters belong to two common words at most, however often they are repeated. */
function isOfCommonWords(text: string): boolean {
  const letters = (text.match(LETTERS) ?? []).join('');
  return letters !== '' && isSpelt(letters, 0, [], new Set());
}

/** @param failed places from which words that were used before lead nowhere: each is tried once */
function isSpelt(letters: string, from: number, used: readonly string[], failed: Set<string>): boolean {
  if (from === letters.length) return true;
  const place = `${from} ${used.join(' ')}`;
  if (failed.has(place)) return false;
  for (const word of used.length < MOST_COMMON_WORDS ? COMMON_PASSWORDS : used) {
    if (!letters.startsWith(word, from)) continue;
    const usedThen = used.includes(word) ? used : [...used, word];
    if (isSpelt(letters, from + word.length, usedThen, failed)) return true;
  }
  failed.add(place);
  return false;
}

/** How many characters do not repeat, or come before or after, an earlier one: 'aaaa' 1, '1234' 1, 'abcabc' 1. */
function surprises(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (!isExpected(text, i)) count++;
  return count;
}

function isExpected(text: string, index: number): boolean {
  if (index === 0) return false;
  const pair = text.slice(index - 1, index + 1);
  if (pair[0] === pair[1]) return true;
  const reversed = pair[1] + pair[0];
  if (KEYBOARD_ROWS.some((row) => row.includes(pair) || row.includes(reversed))) return true;
  return text.indexOf(pair) < index - 1;
}
