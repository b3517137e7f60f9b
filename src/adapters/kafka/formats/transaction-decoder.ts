// From a record's value to the canonical transaction: JSON, Avro or Protobuf, bare or in the wire format of Confluent's
// schema registry (a zero byte, the schema's id, for Protobuf the path to the message, then the value).
import { readFileSync } from 'node:fs';
import type { Transaction } from '../../../domain/transaction.ts';
import { InputError } from '../../../lib/errors.ts';
import { decodeJson, transactionOf } from '../../formats/transaction-value.ts';
import { createAvroReader } from './avro.ts';
import { createProtobufSchema } from './protobuf.ts';
import type { RegisteredSchema, SchemaRegistry } from './schema-registry.ts';

export const VALUE_FORMATS = ['json', 'avro', 'protobuf'] as const;
export type ValueFormat = (typeof VALUE_FORMATS)[number];

export interface TransactionDecoder {
  /**
   * Asks for the schemas that the values name and that are not known yet.
   *
   * @returns null where there is nothing to wait for
   * @throws StreamUnavailableError, by the promise, where the registry does not answer: to be tried again
   */
  prepare(values: readonly Uint8Array[]): Promise<void> | null;
  /**
   * At once: its schema has been asked for.
   *
   * @throws InputError where the value is no transaction, or the registry does not have its schema: a dead letter
   */
  decode(value: Uint8Array): Transaction;
}

type Read = (bytes: Buffer, from: number) => Record<string, unknown>;

const MAX_VALUE_BYTES = 1024 * 1024;
const MAX_PATH = 16;
const MAX_READERS = 1000;
const WIRE_HEAD_BYTES = 5;
/** New schemas of one batch: bad bytes must not become a flood of requests. */
const MAX_ASKED = 50;

const bad = (code: string, problem: string, hint: string) => new InputError(code, problem, hint);

/** The transaction's own schema as text, for registering it. */
export const schemaFile = (name: 'transaction.avsc' | 'transaction.proto') =>
  readFileSync(new URL(`../../../../config/schemas/${name}`, import.meta.url), 'utf8');

/** @param registry null: values are bare, of the schemas in config/schemas; JSON may be in either form */
export function createTransactionDecoder(format: ValueFormat, registry: SchemaRegistry | null): TransactionDecoder {
  if (registry === null) {
    const read = bareReader(format);
    return { prepare: () => null, decode: (value) => transactionOf(read(bounded(value), 0)) };
  }
  const readers = new Map<number, Read>();
  const ask = async (id: number, from: SchemaRegistry) => {
    const read = await from
      .schema(id)
      .then((schema) => readerFor(schema, format, id))
      .catch((error) => {
        if (!(error instanceof InputError)) throw error;
        return refusing(error);
      });
    if (readers.size >= MAX_READERS) readers.clear();
    readers.set(id, read);
  };
  return {
    prepare(values) {
      const unknown = new Set(values.map((value) => schemaIdOf(bufferOf(value))).filter((id) => id !== null));
      // What was refused is asked for again: the registry's client says when that makes sense.
      for (const id of unknown) if (readers.has(id) && !isRefusing(readers.get(id)!)) unknown.delete(id);
      if (unknown.size === 0) return null;
      return Promise.all([...unknown].slice(0, MAX_ASKED).map((id) => ask(id, registry))).then(() => undefined);
    },
    decode(value) {
      const bytes = bounded(value);
      if (format === 'json' && bytes[0] !== 0) return transactionOf(readJson(bytes, 0));
      const id = schemaIdOf(bytes);
      if (id === null) {
        throw bad(
          'WIRE_FORMAT',
          'The value does not begin with a zero byte and a schema id',
          'Write it with a serialiser of the schema registry',
        );
      }
      const read = readers.get(id);
      if (read === undefined) {
        throw bad('SCHEMA_UNKNOWN', `Schema ${id} has not been asked for`, `A batch may name ${MAX_ASKED} new schemas`);
      }
      return transactionOf(read(bytes, WIRE_HEAD_BYTES));
    },
  };
}

const refused = new WeakSet<Read>();

/** A schema that cannot be had, or not be read by: each of its values is refused with the reason. */
function refusing(error: InputError): Read {
  const read: Read = () => {
    throw error;
  };
  refused.add(read);
  return read;
}

const isRefusing = (read: Read) => refused.has(read);

const bufferOf = (value: Uint8Array) => Buffer.from(value.buffer, value.byteOffset, value.byteLength);

/** null for a value in no wire format. */
function schemaIdOf(bytes: Buffer): number | null {
  return bytes.length >= WIRE_HEAD_BYTES && bytes[0] === 0 ? bytes.readInt32BE(1) : null;
}

function bounded(value: Uint8Array): Buffer {
  if (value.length > MAX_VALUE_BYTES) {
    throw bad('VALUE_TOO_LARGE', `A value of ${value.length} bytes`, `At most ${MAX_VALUE_BYTES} are read`);
  }
  return bufferOf(value);
}

function bareReader(format: ValueFormat): Read {
  if (format === 'json') return readJson;
  if (format === 'avro') {
    const read = createAvroReader(schemaFile('transaction.avsc'));
    return (bytes, from) => read(bytes.subarray(from));
  }
  const read = createProtobufSchema(schemaFile('transaction.proto'), new Map()).reader([0]);
  return (bytes, from) => read(bytes.subarray(from));
}

function readerFor({ kind, text, references }: RegisteredSchema, format: ValueFormat, id: number): Read {
  if (kind.toLowerCase() !== format) {
    throw bad(
      'SCHEMA_KIND',
      `Schema ${id} is ${kind}, not ${format}`,
      'Choose the format that the topic is written in',
    );
  }
  if (kind === 'JSON') return readJson;
  if (kind === 'AVRO') {
    if (references.size > 0) {
      throw bad('AVRO_SCHEMA', `Avro schema ${id} refers to other schemas`, 'Register it with all its types in one');
    }
    const read = createAvroReader(text);
    return (bytes, from) => read(bytes.subarray(from));
  }
  const schema = createProtobufSchema(text, references);
  const byPath = new Map<string, ReturnType<typeof schema.reader>>();
  return (bytes, from) => {
    const { path, end } = readPath(bytes, from);
    const key = path.join('.');
    let read = byPath.get(key);
    if (read === undefined) {
      read = schema.reader(path);
      if (byPath.size >= MAX_READERS) byPath.clear();
      byPath.set(key, read);
    }
    return read(bytes.subarray(end));
  };
}

/** How many numbers, then the numbers, zigzag; a lone 0 stands for the first message. */
function readPath(bytes: Buffer, from: number): { readonly path: readonly number[]; readonly end: number } {
  let position = from;
  const next = () => {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = bytes[position++];
      if (byte === undefined) break;
      value |= (byte & 127) << shift;
      if (byte < 128) return (value >>> 1) ^ -(value & 1);
    }
    throw bad(
      'WIRE_FORMAT',
      'The path to the Protobuf message cannot be read',
      'Write it with a serialiser of the schema registry',
    );
  };
  const count = next();
  if (count < 0 || count > MAX_PATH)
    throw bad('WIRE_FORMAT', `A path of ${count} to a Protobuf message`, 'Nest less deeply');
  const path = count === 0 ? [0] : Array.from({ length: count }, next);
  return { path, end: position };
}

const readJson: Read = (bytes, from) =>
  decodeJson(from === 0 ? bytes : bytes.subarray(from), MAX_VALUE_BYTES) as Record<string, unknown>;
