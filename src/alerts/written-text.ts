// What people write into cases. Reasons and notes stay in histories and in the audit, so what is recognisably somebody's number
// is masked in them before anything is kept; comments are sealed where they are kept, and only cards are masked in them
// (PCI DSS 4.0.1, 3.5.1). What changes how text reads (control characters, reversed writing) is taken out.
import { maskNumbersIn, maskPansIn } from '../domain/mask.ts';
import { InputError } from '../lib/errors.ts';
import { plainText } from '../lib/plain-text.ts';

export const MOST_COMMENT = 10_000;
export const MOST_TAG = 40;
export const MOST_TAGS = 20;

/** @throws InputError where it is empty or too long */
export function cleanText(text: string, most: number, what: string): string {
  return cleaned(text, most, what, maskNumbersIn);
}

/** @throws InputError where it is empty or too long */
export function cleanComment(text: string, what: string): string {
  return cleaned(text, MOST_COMMENT, what, maskPansIn);
}

function cleaned(text: string, most: number, what: string, mask: (text: string) => string): string {
  const clean = mask(withoutControls(text).trim());
  if (clean === '') throw new InputError('TEXT_EMPTY', `The ${what} is empty`, 'Write something');
  if (clean.length <= most) return clean;
  throw new InputError('TEXT_TOO_LONG', `The ${what} has ${clean.length} letters`, `At most ${most} are kept`);
}

/** "Cuenta Mula" → `cuenta-mula`. @throws InputError where nothing is left of it */
export function cleanTag(text: string): string {
  const tag = plainText(text)
    .replace(/[^a-z0-9ñ]+/g, '-')
    .replace(/^-+|-+$/g, '');
  // Long numbers are accounts, cards or documents, which no tag is to carry.
  if (tag !== '' && tag.length <= MOST_TAG && !/\d{7}/.test(tag)) return tag;
  const rule = `A tag has 1 to ${MOST_TAG} letters, digits and hyphens, and no long number`;
  throw new InputError('TAG_INVALID', `This is no tag`, rule);
}

/** Line breaks and tabs stay. */
export function withoutControls(text: string): string {
  return text
    .normalize('NFC')
    .replace(/[\p{Cc}\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu, (sign) =>
      sign === '\n' || sign === '\t' ? sign : '',
    );
}
