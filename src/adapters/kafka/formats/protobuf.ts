// Reads Protobuf messages with the .proto text that describes them, field by field into plain objects (lowerCamelCase).
// protobufjs parses both (docs/decisions/0021-record-formats.md).
import protobuf from 'protobufjs';
import { InputError } from '../../../lib/errors.ts';

export type ProtobufReader = (bytes: Uint8Array) => Record<string, unknown>;

export interface ProtobufSchema {
  /** @param path index of the message in its file, then of the one nested in it, and so on */
  reader(path: readonly number[]): ProtobufReader;
}

const badSchema = (what: string) =>
  new InputError(
    'PROTOBUF_SCHEMA',
    `The Protobuf schema ${what}`,
    'Register a file like config/schemas/transaction.proto',
  );

/**
 * @param imported file name → its text, for what the file imports; google/protobuf/*.proto need not be given
 * @throws InputError where it cannot be read
 */
export function createProtobufSchema(text: string, imported: ReadonlyMap<string, string>): ProtobufSchema {
  const root = new protobuf.Root();
  let messages: readonly protobuf.Type[];
  try {
    for (const [, one] of imported) protobuf.parse(one, root, { keepCase: false });
    const before = new Set(allTypes(root));
    const { package: name } = protobuf.parse(text, root, { keepCase: false });
    const space = name === undefined || name === null ? root : root.lookup(name);
    messages = typesIn(space as protobuf.NamespaceBase).filter((type) => !before.has(type));
    root.resolveAll();
  } catch (error) {
    throw badSchema(`cannot be read (${(error as Error).message.slice(0, 200)})`);
  }
  return {
    reader(path) {
      let type = messages[path[0] ?? 0];
      for (const index of path.slice(1)) type = type === undefined ? type : typesIn(type)[index];
      if (type === undefined) throw badSchema(`has no message ${path.join('.')}`);
      return readerOf(type);
    },
  };
}

const typesIn = (space: protobuf.NamespaceBase) =>
  space.nestedArray.filter((one): one is protobuf.Type => one instanceof protobuf.Type);

function allTypes(space: protobuf.NamespaceBase): protobuf.Type[] {
  return space.nestedArray.flatMap((one) => {
    if (one instanceof protobuf.Type) return [one, ...allTypes(one)];
    return one instanceof protobuf.Namespace ? allTypes(one) : [];
  });
}

/** What was not sent is left out; numbers of 64 bits are numbers where they are exact. */
function readerOf(type: protobuf.Type): ProtobufReader {
  const wide = type.fieldsArray.filter(
    (field) => /^(s?fixed|u?s?int)64$|^(u|s)?int64$/.test(field.type) && !field.repeated,
  );
  const implicit = type.fieldsArray.filter(
    (field) => !field.repeated && !field.map && !(field.resolvedType instanceof protobuf.Type) && field.partOf === null,
  );
  return (bytes) => {
    let record: Record<string, unknown>;
    try {
      record = type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: Buffer, arrays: true });
    } catch (error) {
      const what = (error as Error).message.slice(0, 200);
      throw new InputError(
        'PROTOBUF_BYTES',
        `The Protobuf value cannot be read (${what})`,
        'Write it with the schema that it names',
      );
    }
    // A field without presence that is not sent has its default.
    for (const field of implicit) if (!(field.name in record)) record[field.name] = defaultOf(field);
    for (const { name } of wide) if (name in record) record[name] = exact(name, record[name]);
    return record;
  };
}

function defaultOf(field: protobuf.Field): unknown {
  if (field.long) return '0';
  if (field.resolvedType instanceof protobuf.Enum) return field.resolvedType.valuesById[Number(field.defaultValue)];
  return field.defaultValue;
}

function exact(name: string, text: unknown): number {
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  throw new InputError(
    'PROTOBUF_BYTES',
    `The Protobuf value has in ${name} a number beyond 2^53`,
    'Send it in smaller units',
  );
}
