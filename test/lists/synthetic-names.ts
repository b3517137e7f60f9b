// Invented people with names as they are given in Peru, and the ways in which a payment may write them.
//
// A few surnames are very common and thousands are rare: the common ones are those of the simulator, and the others
// are made of syllables. All comes from one seed.
import type { Prng } from '../../src/lib/prng.ts';
import { FEMALE_NAMES, MALE_NAMES, SURNAMES } from '../../src/simulate/names.ts';

export interface PersonName {
  readonly given: readonly string[];
  readonly surnames: readonly string[];
}

const ONSETS = ['b', 'c', 'ch', 'd', 'f', 'g', 'h', 'j', 'l', 'll', 'm', 'n', 'p', 'qu', 'r', 's', 't', 'v', 'y', 'z'];
const CODAS = ['', '', '', '', 'n', 'r', 's', 'l'];
const ENDINGS = ['ez', 'es', 'ado', 'era', 'ico', 'ari', 'uma', 'ca', 'ndo', 'aza', 'uri', 'ello', 'ona', 'ino'];
const RARE_SURNAMES = 4000;
const RARE_GIVEN = 600;
const COMMON_SURNAME_SHARE = 0.5;
const COMMON_GIVEN_SHARE = 0.75;

const capital = (text: string) => text[0].toUpperCase() + text.slice(1);

/** The first of the common names are the commonest: a surname of theirs is had by one in thirty. */
function pick(prng: Prng, common: readonly string[], commonShare: number, rare: readonly string[]): string {
  if (prng.nextFloat() >= commonShare) return rare[prng.nextBelow(rare.length)];
  const draw = prng.nextFloat();
  return common[Math.floor(common.length * draw * Math.sqrt(draw))];
}

function rareWords(prng: Prng, count: number): string[] {
  const any = (from: readonly string[]) => from[prng.nextBelow(from.length)];
  const syllable = () => {
    const onset = any(ONSETS);
    return onset + (onset === 'qu' ? any(['e', 'i']) : any(['a', 'e', 'i', 'o', 'u'])) + any(CODAS);
  };
  return Array.from({ length: count }, () => {
    const stem = prng.nextBelow(2) === 0 ? syllable() : syllable() + syllable();
    return capital(`${stem}${/[aeiou]$/.test(stem) ? any(['r', 'm', 'l', 'n', 't']) : ''}${any(ENDINGS)}`);
  });
}

/** @returns draws one name after another */
export function nameSource(prng: Prng): () => PersonName {
  const surnames = rareWords(prng.fork(1), RARE_SURNAMES);
  const given = rareWords(prng.fork(2), RARE_GIVEN);
  return () => {
    const common = prng.nextBelow(2) === 0 ? FEMALE_NAMES : MALE_NAMES;
    const first = pick(prng, common, COMMON_GIVEN_SHARE, given);
    const second = prng.nextFloat() < 0.7 ? [pick(prng, common, COMMON_GIVEN_SHARE, given)] : [];
    const surname = () => pick(prng, SURNAMES, COMMON_SURNAME_SHARE, surnames);
    return { given: [first, ...second.filter((name) => name !== first)], surnames: [surname(), surname()] };
  };
}

export const fullName = ({ given, surnames }: PersonName): string => [...given, ...surnames].join(' ');

/** Spanish says both alike. */
const ALIKE: readonly (readonly [RegExp, string])[] = [
  ...([
    [/v/i, 'b'],
    [/b/i, 'v'],
    [/z/i, 's'],
    [/s(?=[aeiou])/i, 'z'],
    [/c(?=[ei])/i, 's'],
    [/ll/i, 'y'],
    [/hua/i, 'gua'],
  ] as const),
  ...([
    [/y(?=[aeiou])/i, 'll'],
    [/qu(?=[ei])/i, 'k'],
    [/^h/i, ''],
    [/ge/i, 'je'],
    [/j(?=[ei])/i, 'g'],
    [/ñ/i, 'n'],
  ] as const),
];

function changeOneWord(prng: Prng, name: string, change: (word: string) => string): string {
  const words = name.split(' ');
  const long = words.flatMap((word, index) => (word.length >= 4 ? [index] : []));
  if (long.length === 0) return name;
  const index = long[prng.nextBelow(long.length)];
  words[index] = change(words[index]);
  return words.join(' ');
}

function misspelled(prng: Prng, word: string): string {
  const at = 1 + prng.nextBelow(word.length - 2);
  const letter = String.fromCharCode(97 + prng.nextBelow(26));
  switch (prng.nextBelow(4)) {
    case 0:
      return word.slice(0, at) + letter + word.slice(at + 1);
    case 1:
      return word.slice(0, at) + word.slice(at + 1);
    case 2:
      return word.slice(0, at) + letter + word.slice(at);
    default:
      return word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
  }
}

function soundAlike(prng: Prng, word: string): string {
  const fitting = ALIKE.filter(([pattern]) => pattern.test(word));
  if (fitting.length === 0) return word;
  const [pattern, instead] = fitting[prng.nextBelow(fitting.length)];
  return word.replace(pattern, instead);
}

const surnamesFirst = ({ given, surnames }: PersonName) => `${surnames.join(' ')}, ${given.join(' ')}`;
const plain = (name: string) =>
  name
    .normalize('NFD')
    .replace(/[\u0300-\u036f]/g, '')
    .toUpperCase();
const oneSurname = ({ given, surnames }: PersonName): PersonName => ({ given, surnames: surnames.slice(0, 1) });
const oneGiven = ({ given, surnames }: PersonName): PersonName => ({ given: given.slice(0, 1), surnames });

/** Ways of writing; the last ones join two. */
export const WRITINGS: Readonly<Record<string, (name: PersonName, prng: Prng) => string>> = {
  same: fullName,
  'surnames first': surnamesFirst,
  'no accents': (name) => plain(fullName(name)),
  'one given name': (name) => fullName(oneGiven(name)),
  'one surname': (name) => fullName(oneSurname(name)),
  'sounds alike': (name, prng) => changeOneWord(prng, fullName(name), (word) => soundAlike(prng, word)),
  initial: ({ given, surnames }) =>
    fullName({ given: [given[0], ...given.slice(1).map((word) => `${word[0]}.`)], surnames }),
  'typing error': (name, prng) => changeOneWord(prng, fullName(name), (word) => misspelled(prng, word)),
  'two typing errors': (name, prng) => {
    const once = changeOneWord(prng, fullName(name), (word) => misspelled(prng, word));
    return changeOneWord(prng, once, (word) => misspelled(prng, word));
  },
  'surnames first, one given name, no accents': (name) => plain(surnamesFirst(oneGiven(name))),
  'one surname, sounds alike': (name, prng) =>
    changeOneWord(prng, fullName(oneSurname(name)), (word) => soundAlike(prng, word)),
};
