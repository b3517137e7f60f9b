// How deep a YAML text nests, before it is parsed: the parser's time grows faster than the depth, up to the end of its stack.
import { Lexer } from 'yaml';

/** Rules need six levels, and conditions 32 more. */
const MAX_NESTING = 64;
/** Stands before the text of a scalar and is no character of the file; so are the next two. */
const SCALAR = '\u001f';
const WITHOUT_LENGTH: ReadonlySet<string> = new Set([SCALAR, '\u0002', '\u0018']);

/** Where brackets, or dashes on one line, are nested too deep; null where they are not. */
export function tooDeepAt(text: string): number | null {
  let brackets = 0;
  let dashes = 0;
  let at = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (!isScalar) {
      if (token === '[' || token === '{') brackets++;
      else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
      else if (token === '-' || token === '?') dashes++;
      else if (token === '\n' || token === '\r\n') dashes = 0;
    }
    if (brackets + dashes > MAX_NESTING) return at;
    isScalar = token === SCALAR;
    if (!WITHOUT_LENGTH.has(token)) at += token.length;
  }
  return null;
}

/** Line and column of a character, both from 1. */
export function placeIn(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, offset);
  return { line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}
