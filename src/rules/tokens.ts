// Splits the text of a condition into tokens, each with its place.
import type { RuleUnit } from './node.ts';
import type { Problem } from './problem.ts';

export type TokenKind = 'number' | 'text' | 'word' | 'list' | 'symbol' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Words and symbols as written (words that join conditions in lower case), texts without quotes. */
  readonly text: string;
  /** Numbers only, in the unit that they are kept in. */
  readonly value: number;
  readonly unit: RuleUnit | null;
  readonly from: number;
  readonly to: number;
}

/** Words with a meaning of their own; no field or feature may be called so. */
export const RESERVED: ReadonlySet<string> = new Set([
  'and',
  'or',
  'not',
  'in',
  'is',
  'between',
  'missing',
  'known',
  'true',
  'false',
]);

const SECOND_MS = 1000;
const DURATIONS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND_MS,
  min: 60 * SECOND_MS,
  h: 3600 * SECOND_MS,
  d: 86_400 * SECOND_MS,
};
/** What may stand behind a number, and what it then measures. */
export const UNIT_SUFFIXES: Readonly<Record<string, RuleUnit>> = {
  ...Object.fromEntries(Object.keys(DURATIONS).map((suffix) => [suffix, 'duration'] as const)),
  ...{ km: 'distance', '%': 'ratio' },
};
const NUMBER = /(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const WORD = /[\p{L}_][\p{L}\p{N}_.]*/uy;
const LIST = /@[\p{L}_][\p{L}\p{N}_-]*/uy;
const SYMBOL = /<=|>=|!=|<>|==|&&|\|\||\?\?|[-+*/()[\],<>=!]/y;
const SPACE = /(?:\s|#[^\n]*)+/y;

/** Never throws; what can't be read is left out and told. */
export function tokenize(source: string): { readonly tokens: Token[]; readonly problems: Problem[] } {
  const tokens: Token[] = [];
  const problems: Problem[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    return pattern.exec(source)?.[0] ?? null;
  };
  const push = (kind: TokenKind, text: string, length: number, value = Number.NaN, unit: RuleUnit | null = null) => {
    tokens.push({ kind, text, value, unit, from: at, to: at + length });
    at += length;
  };
  while (at < source.length) {
    const space = match(SPACE);
    if (space !== null) {
      at += space.length;
      continue;
    }
    const quote = source[at];
    if (quote === "'" || quote === '"') {
      const closing = closingQuote(source, at);
      if (closing < 0) {
        problems.push({
          code: 'SYNTAX_INVALID',
          offset: at,
          message: 'a text is not closed',
          hint: `Add ${quote} at its end`,
        });
        break;
      }
      const inner = source.slice(at + 1, closing).replaceAll(quote + quote, quote);
      push('text', inner, closing + 1 - at);
      continue;
    }
    const number = match(NUMBER);
    if (number !== null) {
      pushNumber(number);
      continue;
    }
    const list = match(LIST);
    if (list !== null) {
      push('list', list.slice(1), list.length);
      continue;
    }
    const word = match(WORD);
    if (word !== null) {
      const lower = word.toLowerCase();
      push('word', RESERVED.has(lower) ? lower : word, word.length);
      continue;
    }
    const symbol = match(SYMBOL);
    if (symbol !== null) {
      push('symbol', plainSymbol(symbol), symbol.length);
      continue;
    }
    const character = String.fromCodePoint(source.codePointAt(at)!);
    problems.push({
      code: 'SYNTAX_INVALID',
      offset: at,
      message: `'${character}' means nothing in a condition`,
      hint: 'Remove it, or put texts between quotes',
    });
    at += character.length;
  }
  push('end', '', 0);
  return { tokens, problems };

  function pushNumber(digits: string): void {
    const value = Number(digits.replaceAll('_', ''));
    const start = at;
    at += digits.length;
    const suffix = source[at] === '%' ? '%' : match(WORD);
    at = start;
    if (suffix === null) push('number', digits, digits.length, value);
    else if (suffix === '%') push('number', digits, digits.length + 1, value / 100, 'ratio');
    else pushMeasured(digits, suffix, value);
  }

  function pushMeasured(digits: string, suffix: string, value: number): void {
    const length = digits.length + suffix.length;
    const unit = suffix.toLowerCase();
    if (Object.hasOwn(DURATIONS, unit)) push('number', digits, length, value * DURATIONS[unit], 'duration');
    else if (unit === 'km') push('number', digits, length, value, 'distance');
    else {
      problems.push({
        code: 'SYNTAX_INVALID',
        offset: at + digits.length,
        message: `'${suffix}' is no unit`,
        hint: 'Units are ms, s, min, h, d (5min), km and %; a number without one stands alone',
      });
      push('number', digits, length, value);
    }
  }
}

/** A quote written twice stands for itself. @returns −1 where there is none */
function closingQuote(source: string, from: number): number {
  const quote = source[from];
  for (let i = from + 1; i < source.length; i++) {
    if (source[i] !== quote) continue;
    if (source[i + 1] !== quote) return i;
    i++;
  }
  return -1;
}

function plainSymbol(symbol: string): string {
  if (symbol === '==') return '=';
  return symbol === '<>' ? '!=' : symbol;
}
