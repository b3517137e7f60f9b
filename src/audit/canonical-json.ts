// One text for one value, so that a hash of the text is a hash of the value: JSON in the canonical form of RFC 8785
// (members sorted by their names' UTF-16 code units, no spaces, numbers as ECMAScript writes them).
import { InputError } from '../lib/errors.ts';
import type { JsonValue } from './entry.ts';

/** Deeper values are refused: nobody writes them, and reading them could exhaust the stack. */
const MOST_DEPTH = 32;

/** @throws InputError for what JSON cannot say (NaN, infinities) and for what is nested too deeply */
export function canonicalJson(value: JsonValue): string {
  return write(value, 0);
}

/** @returns the value, or undefined where the text is not the canonical text of anything */
export function readCanonicalJson(text: string): JsonValue | undefined {
  try {
    const value = JSON.parse(text) as JsonValue;
    return canonicalJson(value) === text ? value : undefined;
  } catch {
    return undefined;
  }
}

function write(value: JsonValue, depth: number): string {
  if (typeof value === 'number' && !Number.isFinite(value)) throw refused(`${value} is no number of JSON`);
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (depth >= MOST_DEPTH) throw refused(`It is nested more than ${MOST_DEPTH} deep`);
  if (Array.isArray(value)) return `[${value.map((each) => write(each, depth + 1)).join(',')}]`;
  const members = value as { readonly [name: string]: JsonValue | undefined };
  const parts: string[] = [];
  for (const name of Object.keys(members).sort()) {
    const member = members[name];
    // As JSON.stringify does: what is not there is not written.
    if (member !== undefined) parts.push(`${JSON.stringify(name)}:${write(member, depth + 1)}`);
  }
  return `{${parts.join(',')}}`;
}

function refused(problem: string): InputError {
  return new InputError('AUDIT_NOT_JSON', `What was to be written into the audit is no JSON: ${problem}`, 'Change it');
}
