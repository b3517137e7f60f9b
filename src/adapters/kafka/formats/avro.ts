// Reads Avro's binary encoding (specification 1.12) with the schema that wrote it, field by field into plain objects.
//
// Our own because the bytes come from outside: avsc 5.7 counts through the items that an array claims to have even where
// the bytes have ended, and six hostile bytes keep it busy for minutes. Here every length and count is bounded by the
// bytes that are left. It is checked against avsc in the tests (docs/decisions/0021-record-formats.md).
import { InputError } from '../../../lib/errors.ts';

type Read = (at: Cursor) => unknown;

interface Cursor {
  readonly bytes: Buffer;
  position: number;
}

const MAX_DEPTH = 32;
const MAX_NAMES = 1000;
const MAX_ITEMS = 10_000;
const PRIMITIVES = new Set(['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']);

const bad = (what: string) =>
  new InputError('AVRO_BYTES', `The Avro value ${what}`, 'Write it with the schema that it names');
const badSchema = (what: string) =>
  new InputError(
    'AVRO_SCHEMA',
    `The Avro schema ${what}`,
    'Register a schema of one record, as in config/schemas/transaction.avsc',
  );

function readLong(at: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = at.bytes[at.position++];
    if (byte === undefined) throw bad('ends too early');
    value += (byte & 127) * scale;
    if (byte < 128) {
      const signed = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      if (!Number.isSafeInteger(signed)) throw bad('has a number beyond 2^53');
      return signed;
    }
    scale *= 128;
  }
  throw bad('has a number of more than ten bytes');
}

function take(at: Cursor, length: number): Buffer {
  const from = at.position;
  if (length < 0 || from + length > at.bytes.length) throw bad('ends too early');
  at.position = from + length;
  return at.bytes.subarray(from, at.position);
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });

function readString(at: Cursor): string {
  const bytes = take(at, readLong(at));
  try {
    return UTF8.decode(bytes);
  } catch {
    throw bad('has text that is not UTF-8');
  }
}

function readBoolean(at: Cursor): boolean {
  const [byte] = take(at, 1);
  if (byte > 1) throw bad('has a boolean that is neither 0 nor 1');
  return byte === 1;
}

const READERS: Readonly<Record<string, Read>> = {
  null: () => null,
  boolean: readBoolean,
  int: readLong,
  long: readLong,
  float: (at) => take(at, 4).readFloatLE(0),
  double: (at) => take(at, 8).readDoubleLE(0),
  bytes: (at) => Buffer.from(take(at, readLong(at))),
  string: readString,
};

/** Blocks of items; a negative count is followed by the block's size. */
function inBlocks(at: Cursor, item: () => void): void {
  let items = 0;
  for (let count = readLong(at); count !== 0; count = readLong(at)) {
    if (count < 0) {
      count = -count;
      readLong(at);
    }
    items += count;
    if (items > MAX_ITEMS) throw bad(`has a list of more than ${MAX_ITEMS} items`);
    for (let i = 0; i < count; i++) item();
  }
}

type Schema = string | readonly Schema[] | { readonly [key: string]: unknown };

class SchemaReader {
  readonly #named = new Map<string, Read>();

  compile(schema: unknown, namespace: string, depth: number): Read {
    if (depth > MAX_DEPTH) throw badSchema('is nested too deeply');
    if (typeof schema === 'string') return this.#byName(schema, namespace);
    if (Array.isArray(schema)) return this.#union(schema, namespace, depth);
    if (typeof schema !== 'object' || schema === null) throw badSchema('has something that is no type');
    const { type, ...rest } = schema as Record<string, unknown>;
    if (typeof type !== 'string') return this.compile(type, namespace, depth + 1);
    if (PRIMITIVES.has(type)) return READERS[type];
    if (type === 'array') return this.#array(rest.items, namespace, depth);
    if (type === 'map') return this.#map(rest.values, namespace, depth);
    return this.#namedType(type, rest, namespace, depth);
  }

  #byName(name: string, namespace: string): Read {
    if (PRIMITIVES.has(name)) return READERS[name];
    const full = fullName(name, namespace);
    if (!this.#named.has(full)) throw badSchema(`speaks of '${full.slice(0, 100)}', which it does not define`);
    // Looked up when it is read: a type may contain itself.
    return (at) => (this.#named.get(full) as Read)(at);
  }

  #union(branches: readonly unknown[], namespace: string, depth: number): Read {
    const readers = branches.map((branch) => this.compile(branch, namespace, depth + 1));
    return (at) => {
      const reader = readers[readLong(at)];
      if (reader === undefined) throw bad('has a branch of a union that there is not');
      return reader(at);
    };
  }

  #array(items: unknown, namespace: string, depth: number): Read {
    const read = this.compile(items, namespace, depth + 1);
    return (at) => {
      const result: unknown[] = [];
      inBlocks(at, () => result.push(read(at)));
      return result;
    };
  }

  #map(values: unknown, namespace: string, depth: number): Read {
    const read = this.compile(values, namespace, depth + 1);
    return (at) => {
      const result = new Map<string, unknown>();
      inBlocks(at, () => result.set(readString(at), read(at)));
      return Object.fromEntries(result);
    };
  }

  #namedType(type: string, rest: Record<string, unknown>, outer: string, depth: number): Read {
    const full = fullName(String(rest.name), typeof rest.namespace === 'string' ? rest.namespace : outer);
    const namespace = full.includes('.') ? full.slice(0, full.lastIndexOf('.')) : '';
    if (this.#named.size >= MAX_NAMES) throw badSchema(`defines more than ${MAX_NAMES} types`);
    this.#named.set(full, () => {
      throw badSchema('contains itself without an end');
    });
    const read = this.#body(type, rest, namespace, depth);
    this.#named.set(full, read);
    return read;
  }

  #body(type: string, rest: Record<string, unknown>, namespace: string, depth: number): Read {
    if (type === 'enum') {
      const symbols = rest.symbols as readonly string[];
      if (!Array.isArray(symbols)) throw badSchema('has an enum without symbols');
      return (at) => {
        const symbol = symbols[readLong(at)];
        if (symbol === undefined) throw bad('has a symbol that its enum does not have');
        return symbol;
      };
    }
    if (type === 'fixed') {
      const size = Number(rest.size);
      if (!Number.isInteger(size) || size < 0) throw badSchema('has a fixed without a size');
      return (at) => Buffer.from(take(at, size));
    }
    if (type !== 'record') throw badSchema(`has the unknown type '${type.slice(0, 100)}'`);
    return this.#record(rest.fields, namespace, depth);
  }

  #record(fields: unknown, namespace: string, depth: number): Read {
    if (!Array.isArray(fields)) throw badSchema('has a record without fields');
    const names = fields.map((field) => String(field?.name));
    if (names.includes('__proto__')) throw badSchema("has a field '__proto__'");
    const readers = fields.map((field) => this.compile(field?.type, namespace, depth + 1));
    return (at) => {
      const record: Record<string, unknown> = {};
      for (let i = 0; i < names.length; i++) record[names[i]] = readers[i](at);
      return record;
    };
  }
}

const fullName = (name: string, namespace: string) =>
  name.includes('.') || namespace === '' ? name : `${namespace}.${name}`;

export type AvroReader = (bytes: Uint8Array) => Record<string, unknown>;

/**
 * @param schemaText the writer's schema, JSON; of a record
 * @throws InputError where it is no schema that can be read with; the reader throws it for bytes that do not fit
 */
export function createAvroReader(schemaText: string): AvroReader {
  let schema: Schema;
  try {
    schema = JSON.parse(schemaText);
  } catch (error) {
    throw badSchema(`is no JSON (${(error as Error).message})`);
  }
  if ((schema as { type?: unknown } | null)?.type !== 'record') throw badSchema('is not of a record');
  const read = new SchemaReader().compile(schema, '', 0);
  return (bytes) => {
    const at = { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), position: 0 };
    let record: unknown;
    try {
      record = read(at);
    } catch (error) {
      if (error instanceof RangeError) throw bad('is nested too deeply');
      throw error;
    }
    if (at.position !== at.bytes.length) throw bad(`goes on for ${at.bytes.length - at.position} bytes after its end`);
    return record as Record<string, unknown>;
  };
}
