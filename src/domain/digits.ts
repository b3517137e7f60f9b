// Decimal digits in text, without regular expressions: identifiers are checked once or twice per transaction.

const ZERO = 48;
const NINE = 57;

/** True if `text` is exactly `length` characters, all of them 0–9 (ASCII). */
export function isDigits(text: string, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code < ZERO || code > NINE) return false;
  }
  return true;
}

/** The digit at `index`, 0–9; the caller has checked that it is one. */
export function digitAt(text: string, index: number): number {
  return text.charCodeAt(index) - ZERO;
}

/** Σ digit × weight over the first `weights.length` characters. */
export function weightedSum(text: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += digitAt(text, i) * weights[i]!;
  return sum;
}

/** True if every character is the same. */
export function isOneCharacterRepeated(text: string): boolean {
  for (let i = 1; i < text.length; i++) if (text.charCodeAt(i) !== text.charCodeAt(0)) return false;
  return text.length > 0;
}
