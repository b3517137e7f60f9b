// RUC (Registro Único de Contribuyentes): the 11-digit taxpayer number given by SUNAT.
//
// Weights 5 4 3 2 7 6 5 4 3 2 on the first ten digits, check digit (11 − Σ mod 11) mod 10. A vendor's manual says that
// a result of 0 or 10 becomes 1; the real number 20100070970 (Σ mod 11 = 1, check digit 0) shows that it is wrong.
import { assert } from '../lib/assert.ts';
import { digitAt, isDigits, weightedSum } from './digits.ts';

const RUC_LENGTH = 11;
const WEIGHTS: readonly number[] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2];

/** 10 natural person, 15–17 others (non-domiciled, successions …), 20 legal entity. */
const PREFIXES: ReadonlySet<string> = new Set(['10', '15', '16', '17', '20']);

/** @param first10 10 digits */
export function rucCheckDigit(first10: string): number {
  assert(isDigits(first10, RUC_LENGTH - 1), 'the check digit of a RUC needs its first 10 digits');
  return (11 - (weightedSum(first10, WEIGHTS) % 11)) % 10;
}

/** A whole RUC from its first 10 digits. */
export function completeRuc(first10: string): string {
  return `${first10}${rucCheckDigit(first10)}`;
}

/** True if `text` is 11 digits without separators, with a known prefix and the right check digit. */
export function isValidRuc(text: string): boolean {
  if (!isDigits(text, RUC_LENGTH) || !PREFIXES.has(text.slice(0, 2))) return false;
  return (11 - (weightedSum(text, WEIGHTS) % 11)) % 10 === digitAt(text, RUC_LENGTH - 1);
}

/** The DNI inside the RUC of a natural person (prefix 10), or null. @param ruc a valid RUC */
export function dniOfRuc(ruc: string): string | null {
  return ruc.startsWith('10') ? ruc.slice(2, 10) : null;
}
