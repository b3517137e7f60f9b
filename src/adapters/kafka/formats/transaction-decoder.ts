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

/**
 * A promise only where a schema has to be asked for first.
 *
 * @throws InputError, at once or by the promise, where the value is no transaction: a dead letter
 * @throws StreamUnavailableError where the registry does not answer: to be tried again
 */
export type TransactionDecoder = (value: Uint8Array) => Transaction | Promise<Transaction>;

type Read = (bytes: Buffer, from: number) => Record<string, unknown>;

const MAX_VALUE_BYTES = 1024 * 1024;
const MAX_PATH = 16;
const MAX_READERS = 1000;
const WIRE_HEAD_BYTES = 5;

const bad = (code: string, problem: string, hint: string) => new InputError(code, problem, hint);

/** The transaction's own schema as text, for registering it. */
export const schemaFile = (name: 'transaction.avsc' | 'transaction.proto') =>
  readFileSync(new URL(`../../../../config/schemas/${name}`, import.meta.url), 'utf8');

/** @param registry null: values are bare, of the schemas in config/schemas; JSON may be in either form */
export function createTransactionDecoder(format: ValueFormat, registry: SchemaRegistry | null): TransactionDecoder {
  if (registry === null) {
    const read = bareReader(format);
    return (value) => transactionOf(read(bounded(value), 0));
  }
  const readers = new Map<number, Read>();
  return (value) => {
    const bytes = bounded(value);
    if (format === 'json' && bytes[0] !== 0) return transactionOf(readJson(bytes, 0));
    if (bytes.length < WIRE_HEAD_BYTES || bytes[0] !== 0) {
      throw bad(
        'WIRE_FORMAT',
        'The value does not begin with a zero byte and a schema id',
        'Write it with a serialiser of the schema registry',
      );
    }
    const id = bytes.readInt32BE(1);
    const known = readers.get(id);
    if (known !== undefined) return transactionOf(known(bytes, WIRE_HEAD_BYTES));
    return registry.schema(id).then((schema) => {
      const read = readerFor(schema, format, id);
      if (readers.size >= MAX_READERS) readers.clear();
      readers.set(id, read);
      return transactionOf(read(bytes, WIRE_HEAD_BYTES));
    });
  };
}

function bounded(value: Uint8Array): Buffer {
  if (value.length > MAX_VALUE_BYTES) {
    throw bad('VALUE_TOO_LARGE', `A value of ${value.length} bytes`, `At most ${MAX_VALUE_BYTES} are read`);
  }
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
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
