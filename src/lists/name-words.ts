// A person's or company's name as words that can be compared: case, accents, order, particles and legal forms aside, and each
// word's sound in Spanish.
//
// The key of a sound merges what Spanish writes differently and says alike (b v w, c s z x, g j h, ll y, q k, silent h),
// after the idea of Soundex (Russell 1918) and its Spanish adaptations; Peruvian names bring k and w of Quechua besides.
import { plainText } from '../lib/plain-text.ts';

export interface NameWord {
  readonly text: string;
  readonly sound: string;
}

/** Words that come and go between two writings of the same name. */
const PARTICLES: ReadonlySet<string> = new Set([
  'de',
  'del',
  'la',
  'las',
  'los',
  'el',
  'y',
  'e',
  'da',
  'do',
  'van',
  'von',
]);
const LEGAL_FORMS: ReadonlySet<string> = new Set([
  ...[
    'sa',
    'sac',
    'saa',
    'srl',
    'scrl',
    'eirl',
    'ltda',
    'cia',
    'inc',
    'llc',
    'ltd',
    'corp',
    'co',
    'sociedad',
    'anonima',
  ],
  ...['cerrada', 'abierta', 'empresa', 'individual', 'responsabilidad', 'limitada'],
]);
const MAX_WORDS = 12;
/** DELACRUZ is written for de la Cruz. */
const JOINED = /^de(?:la|las|los)(?=\p{L}{3})/u;
/** S.A.C. is one word. */
const DOTTED = /\b(?:\p{L}\.){2,}/gu;
const NO_LETTER = /[^\p{L}\p{N}]+/u;

/** At most twelve words; empty for a name without letters. */
export function wordsOf(name: string): NameWord[] {
  const plain = plainText(name).replace(DOTTED, (dotted) => dotted.replaceAll('.', ''));
  const all = plain.split(NO_LETTER).filter((word) => word !== '');
  const telling = all
    .filter((word) => !PARTICLES.has(word) && !LEGAL_FORMS.has(word))
    .map((word) => word.replace(JOINED, ''));
  return (telling.length > 0 ? telling : all).slice(0, MAX_WORDS).map((text) => ({ text, sound: soundOf(text) }));
}

const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/ñ/g, 'n'],
  [/ph/g, 'f'],
  [/ch/g, '1'],
  [/sh/g, '1'],
  [/ll/g, 'y'],
  [/qu(?=[ei])/g, 'k'],
  [/gu(?=[ei])/g, '2'],
  [/c(?=[eiy])/g, 's'],
  [/g(?=[eiy])/g, 'j'],
  [/[cq]/g, 'k'],
  [/[zx]/g, 's'],
  [/g/g, '2'],
  [/[vw]/g, 'b'],
  [/(?<=[aeiou])y$/, 'i'],
  [/h/g, ''],
  // A nasal before another consonant is said, and written, either way.
  [/m(?=[^aeiouy]|$)/g, 'n'],
  [/(.)\1+/g, '$1'],
];

export function soundOf(word: string): string {
  // Between vowels or at a word's beginning the Andean hu is said as gu: Huamán, Guamán.
  let sound = word
    .replace(/hu(?=[aeio])/g, '2u')
    .replace(/gu(?=[ao])/g, '2u')
    .replace(/(?<![aeiou])w(?=[ao])/g, '2u');
  for (const [pattern, replacement] of SOUNDS) sound = sound.replace(pattern, replacement);
  return sound;
}
