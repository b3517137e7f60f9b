// The functions of conditions: what they take, what they give, what they cost. All are pure and take time in proportion to
// their arguments; there are no regular expressions, whose time nobody can foresee.
import { plainText } from '../lib/plain-text.ts';
import type { ValueType } from './names.ts';

/** A parameter's type; `list` is a kept list (`@name`), `rule` the id of another rule as a text. */
export type ParameterType = 'number' | 'text' | 'list' | 'rule' | 'constant-text';

export interface RuleFunction {
  readonly parameters: readonly ParameterType[];
  /** Further parameters of the last one's type are allowed. */
  readonly variadic: boolean;
  /** Numbers: `first` has the unit of the first parameter. */
  readonly result: Exclude<ValueType['kind'], 'texts'>;
  readonly unit: 'first' | 'plain' | 'distance';
  readonly cost: number;
  readonly meaning: { readonly es: string; readonly en: string };
}

const define = (
  parameters: readonly ParameterType[],
  result: RuleFunction['result'],
  cost: number,
  es: string,
  en: string,
  more: Partial<Pick<RuleFunction, 'variadic' | 'unit'>> = {},
): RuleFunction => ({ parameters, variadic: false, unit: 'plain', result, cost, meaning: { es, en }, ...more });

export const FUNCTIONS: Readonly<Record<string, RuleFunction>> = {
  abs: define(['number'], 'number', 1, 'valor sin signo', 'value without its sign', { unit: 'first' }),
  min: define(['number', 'number'], 'number', 2, 'el menor', 'the smallest', { variadic: true, unit: 'first' }),
  max: define(['number', 'number'], 'number', 2, 'el mayor', 'the greatest', { variadic: true, unit: 'first' }),
  round: define(['number'], 'number', 1, 'redondeado al entero', 'rounded to a whole number', { unit: 'first' }),
  remainder: define(['number', 'number'], 'number', 2, 'resto de la división', 'remainder of the division', {
    unit: 'first',
  }),
  length: define(['text'], 'number', 1, 'número de caracteres', 'number of characters'),
  lower: define(['text'], 'text', 8, 'en minúsculas y sin tildes', 'in lower case without accents'),
  contains: define(['text', 'text'], 'boolean', 10, 'contiene el texto', 'contains the text'),
  startsWith: define(['text', 'text'], 'boolean', 3, 'empieza con', 'starts with'),
  endsWith: define(['text', 'text'], 'boolean', 3, 'termina con', 'ends with'),
  hasWord: define(
    ['text', 'constant-text'],
    'boolean',
    20,
    'contiene una de las palabras, sin importar mayúsculas ni tildes',
    'contains one of the words, whatever its case and accents',
    { variadic: true },
  ),
  like: define(['text', 'constant-text'], 'boolean', 10, 'sigue el patrón (* y ?)', 'fits the pattern (* and ?)'),
  distanceKm: define(
    ['number', 'number', 'number', 'number'],
    'number',
    20,
    'distancia entre dos puntos (latitud, longitud)',
    'distance between two points (latitude, longitude)',
    { unit: 'distance' },
  ),
  nameSimilarity: define(
    ['text', 'list'],
    'number',
    300,
    'parecido con el nombre más parecido de la lista, 0 a 1',
    'likeness to the most similar name of the list, 0 to 1',
  ),
  fired: define(['rule'], 'boolean', 1, 'la otra regla se cumple', 'the other rule fired'),
};

const WORD_EDGE = /[^\p{L}\p{N}]+/u;

export function hasWord(text: string, words: ReadonlySet<string>): boolean {
  return plainText(text)
    .split(WORD_EDGE)
    .some((word) => words.has(word));
}

/**
 * Glob match, `*` any characters and `?` one, in at most text × pattern steps: the last star is the only one that is ever
 * tried again.
 */
export function isLike(text: string, pattern: string): boolean {
  let t = 0;
  let p = 0;
  let star = -1;
  let afterStar = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === '*') {
      star = p++;
      afterStar = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++afterStar;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}
