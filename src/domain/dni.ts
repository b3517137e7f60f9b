// DNI (Documento Nacional de Identidad), the 8-digit number that RENIEC gives, with its verification character.
//
// The character is printed beside the number and is not part of it. Weights 3 2 7 6 5 4 3 2, s = Σ mod 11: new cards
// print a digit, old ones a letter. The number itself has no redundancy, so 8 digits alone can only be checked for shape.
import { assert } from '../lib/assert.ts';
import { isDigits, isOneCharacterRepeated, weightedSum } from './digits.ts';

const DNI_LENGTH = 8;
const WEIGHTS: readonly number[] = [3, 2, 7, 6, 5, 4, 3, 2];
const DIGIT_BY_REMAINDER = '65432110987';
const LETTER_BY_REMAINDER = 'KJIHGFEDCBA';

/** Numbers that people type when they have none. Repeated digits are treated alike, though a few belong to someone. */
const COUNTING_PLACEHOLDERS: ReadonlySet<string> = new Set(['12345678', '87654321', '01234567']);

export interface VerificationCharacter {
  readonly digit: string;
  readonly letter: string;
}

/** What the card prints beside the number, in its new (digit) and old (letter) form. @param dni 8 digits */
export function dniVerificationCharacter(dni: string): VerificationCharacter {
  assert(isDigits(dni, DNI_LENGTH), 'a DNI has 8 digits');
  const remainder = weightedSum(dni, WEIGHTS) % 11;
  return { digit: DIGIT_BY_REMAINDER[remainder]!, letter: LETTER_BY_REMAINDER[remainder]! };
}

/**
 * The 8 digits of a DNI written alone ("10117410") or with its verification character ("10117410-2", "10117410G").
 * Null if the shape or the character is wrong.
 */
export function parseDni(text: string): string | null {
  if (isDigits(text, DNI_LENGTH)) return text;
  const number = text.slice(0, DNI_LENGTH);
  if (!isDigits(number, DNI_LENGTH)) return null;
  const rest = text[DNI_LENGTH] === '-' ? text.slice(DNI_LENGTH + 1) : text.slice(DNI_LENGTH);
  const { digit, letter } = dniVerificationCharacter(number);
  return rest === digit || rest.toUpperCase() === letter ? number : null;
}

/** True for 00000000, 12345678 and the like: filled in where the true number was missing. @param dni 8 digits */
export function isPlaceholderDni(dni: string): boolean {
  return COUNTING_PLACEHOLDERS.has(dni) || isOneCharacterRepeated(dni);
}
