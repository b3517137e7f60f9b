// Params, query and JSON bodies against the contract, before a handler sees them. What is wrong is told by field, without
// its value, which may be personal.
import type Type from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { Problem } from './problem.ts';

export type Check = (value: unknown) => unknown;

const MOST_TOLD = 3;
const NUL = '\u0000';
const NUL_TOLD = 'A text has the character U+0000. Leave it out';

interface Found {
  readonly instancePath: string;
  readonly keyword: string;
  readonly params: unknown;
  readonly message: string;
}

/** @param place for messages: `body`, `query`, `path` */
export function checkOf(schema: Type.TSchema, place: 'body' | 'query' | 'path'): Check {
  // Compiled with the first request: hundreds of them take a third of a second, which a start need not.
  let compiled: Validator | null = null;
  return (value) => {
    compiled ??= Compile(schema);
    const validator = compiled;
    if (validator.Check(value)) return value;
    const told = [...new Set((validator.Errors(value) as readonly Found[]).map(describe))]
      .slice(0, MOST_TOLD)
      .join('; ');
    throw new Problem(
      422,
      `${place.toUpperCase()}_INVALID`,
      `The ${place} is not as the contract says: ${told}. See /docs`,
    );
  };
}

/** Whether other names than the schema's are passed over. */
export function isOpen(schema: Type.TObject | undefined): boolean {
  return schema !== undefined && 'additionalProperties' in schema && schema.additionalProperties === true;
}

/**
 * Texts of a query become the numbers and booleans that the schema asks for. Unknown names are refused, or passed over where
 * the schema leaves them open: others write that query.
 */
export function queryCheckOf(schema: Type.TObject): Check {
  const check = checkOf(schema, 'query');
  const known = new Set(Object.keys(schema.properties));
  return (query) => {
    const wanted: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(query as Record<string, string | string[]>)) {
      if (!known.has(name)) {
        if (isOpen(schema)) continue;
        throw new Problem(
          422,
          'QUERY_INVALID',
          `The query has no ${name.slice(0, 40)}. It has: ${[...known].join(', ')}`,
        );
      }
      if (Array.isArray(value))
        throw new Problem(422, 'QUERY_INVALID', `${name} is given more than once. Give it once`);
      wanted[name] = typedValue(schema.properties[name], value);
    }
    return check(wanted);
  };
}

const NUMBER = /^-?\d{1,17}(\.\d{1,17})?$/;

/** Nothing else becomes a number or a boolean: `true` is no 1, and an empty text no 0. */
function typedValue(schema: Type.TSchema, text: string): unknown {
  const { type } = schema as { type?: string };
  if ((type === 'integer' || type === 'number') && NUMBER.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}

/** @throws Problem */
export function parseJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  try {
    return JSON.parse(text, dropPrototype);
  } catch (error) {
    if (error instanceof Problem) throw error;
    throw new Problem(400, 'BODY_NOT_JSON', 'The body is not JSON. Send one JSON value in UTF-8');
  }
}

/** @throws Problem */
export function parseForm(bytes: Uint8Array): Readonly<Record<string, string>> {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const fields = [...new URLSearchParams(text)];
  if (new Set(fields.map(([name]) => name)).size < fields.length) {
    throw new Problem(422, 'BODY_INVALID', 'A field of the form is given more than once. Give it once');
  }
  for (const [, value] of fields) if (value.includes(NUL)) throw new Problem(422, 'TEXT_NUL', NUL_TOLD);
  return Object.fromEntries(fields.filter(([name]) => name !== '__proto__'));
}

/** A field of the first name would change what an object is; the second is no text to a database, nor to anybody. */
function dropPrototype(name: string, value: unknown): unknown {
  if (typeof value === 'string' && value.includes(NUL)) throw new Problem(422, 'TEXT_NUL', NUL_TOLD);
  return name === '__proto__' ? undefined : value;
}

/** @throws Problem */
export function refuseNul(url: string): void {
  if (/%00/.test(url)) throw new Problem(422, 'TEXT_NUL', NUL_TOLD);
}

function describe({ instancePath, keyword, params, message }: Found): string {
  const { requiredProperties, additionalProperties } = params as Record<string, string[] | undefined>;
  if (keyword === 'required' && requiredProperties !== undefined) return `${requiredProperties.join(', ')} missing`;
  if (keyword === 'additionalProperties' && additionalProperties !== undefined) {
    return `${additionalProperties.map((name) => name.slice(0, 40)).join(', ')} unknown`;
  }
  const field = instancePath.slice(1).replaceAll('/', '.').slice(0, 100);
  return field === '' ? message : `${field} ${message}`;
}
