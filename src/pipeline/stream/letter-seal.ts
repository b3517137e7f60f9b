// What dead letters are sealed with when some are to be written: a key that is not old, where the master keys answer; where
// they do not, the one before serves for a while, and after that none is written and the worker begins again.
import type { LetterSealer } from '../../privacy/sealed-letter.ts';
import type { LetterSeal } from './dead-letter.ts';

interface Sealing {
  /** null or left out: letters are written as they came. */
  readonly letters?: LetterSealer | null;
  readonly now: () => number;
  readonly observer: { troubled(code: string, message: string): void };
}

export async function readySeal({ letters = null, now, observer }: Sealing): Promise<LetterSeal | null> {
  if (letters === null) return null;
  await letters.prepare(now()).catch((error: Error & { readonly code?: unknown }) => {
    observer.troubled(String(error.code ?? 'LETTER_KEY'), `there is no new key for dead letters: ${error.message}`);
  });
  return (parts, at) => letters.seal(parts, at, now());
}
