// Parameters as PostgreSQL's own texts, the same for the embedded database and a server.
//
// The server knows the types of `$1` and so on and reads a text for each, as `psql` would give it: no client has to guess
// a type from a JavaScript value, and what is sent can be kept as it is in the embedded database's redo log.
import { assert } from '../../lib/assert.ts';

/** null is NULL. */
export type ParameterText = string | null;

/** @throws AssertionError for what has no text: undefined, a Date (times are milliseconds), a symbol, a function */
export function parameterText(value: unknown): ParameterText {
  if (value === null) return null;
  if (Array.isArray(value)) return arrayText(value);
  return scalarText(value);
}

function scalarText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      // PostgreSQL cannot keep U+0000 in a text, and would refuse it with a message about bytes.
      assert(!value.includes('\0'), 'a text with the character U+0000 cannot be kept in the records');
      return value;
    case 'number':
    case 'bigint':
      return numberText(value);
    case 'boolean':
      return value ? 't' : 'f';
    case 'object':
      if (value instanceof Uint8Array) return bytesText(value);
      if (value === null || !isPlain(value)) throw notAParameter(`a ${value?.constructor.name ?? 'null'}`);
      return jsonText(value);
    default:
      throw notAParameter(`a value of the type ${typeof value}`);
  }
}

/** `String` writes −0 as 0. */
function numberText(value: number | bigint): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function notAParameter(what: string): TypeError {
  return new TypeError(`${what} cannot be a parameter of a statement: times are milliseconds, the rest plain JSON`);
}

function jsonText(value: object): string {
  const text = JSON.stringify(value);
  assert(!/(?<!\\)(?:\\\\)*\\u0000/.test(text), 'JSON with the character U+0000 cannot be kept in the records');
  return text;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function bytesText(bytes: Uint8Array): string {
  return `\\x${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')}`;
}

/** `{1,NULL,"a \"b\""}`: quotes around all, which every element type but arrays reads. */
function arrayText(values: readonly unknown[]): string {
  return `{${values.map((value) => (Array.isArray(value) ? arrayText(value) : elementText(value))).join(',')}}`;
}

function elementText(value: unknown): string {
  if (value === null) return 'NULL';
  if (typeof value === 'number' || typeof value === 'bigint') return numberText(value);
  return `"${scalarText(value).replace(/["\\]/g, '\\$&')}"`;
}
