// Values in every format give the same transaction; hostile bytes give an error that says what is wrong. The registry
// here is a small HTTP server that speaks the registry's REST protocol, made for these tests.
import { createServer, type Server } from 'node:http';
import avsc from 'avsc';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTransaction, TransactionSchema } from '../../../domain/transaction.ts';
import { InputError, StreamUnavailableError } from '../../../lib/errors.ts';
import { createAvroReader } from './avro.ts';
import { createProtobufSchema } from './protobuf.ts';
import { createSchemaRegistry } from './schema-registry.ts';
import { createTransactionDecoder, schemaFile, type TransactionDecoder } from './transaction-decoder.ts';

const full = createTransaction({
  id: 'T-1',
  eventTimeMs: 1_790_000_000_123,
  ingestTimeMs: null,
  amountMinor: -123_456_789_012,
  currency: 'PEN',
  operation: 'transfer',
  rail: 'yape',
  channel: 'app',
  payerId: 'C-1',
  payeeName: 'Ñusta Quispe',
  latitude: -12.046,
  longitude: -77.043,
  concept: 'alquiler “marzo” 😀',
  authFactors: ['pin', 'biometric'],
  balanceAfterMinor: 0,
  isFraud: false,
  authExemption: 'low-risk',
});
const least = createTransaction({ id: 'T-2', eventTimeMs: 0, amountMinor: 0, currency: 'USD' });

const avroType = avsc.Type.forSchema(JSON.parse(schemaFile('transaction.avsc')));
const message = protobuf
  .parse(schemaFile('transaction.proto'), { keepCase: false })
  .root.lookupType('centinela.Transaction');
const known = (object: object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
const encoders = {
  json: (value: object) => Buffer.from(JSON.stringify(value)),
  avro: (value: object) => avroType.toBuffer(value),
  protobuf: (value: object) => Buffer.from(message.encode(message.fromObject(known(value))).finish()),
};
const FORMATS = ['json', 'avro', 'protobuf'] as const;

describe('values without a registry', () => {
  it.each(FORMATS)('%s gives the canonical transaction', (format) => {
    const { decode } = createTransactionDecoder(format, null);
    for (const transaction of [full, least]) expect(decode(encoders[format](transaction))).toEqual(transaction);
  });

  it('the schemas have every field of a transaction, and no other', () => {
    const names = Object.keys(TransactionSchema.properties);
    expect((avroType as avsc.types.RecordType).fields.map(({ name }) => name)).toEqual(names);
    expect(message.fieldsArray.map(({ name }) => name)).toEqual(names);
  });

  it.each([
    ['[]', 'VALUE_INVALID'],
    ['null', 'VALUE_INVALID'],
    ['{"id":', 'VALUE_NOT_JSON'],
    ['{"id":"1"}', 'VALUE_INVALID'],
    ['{"id":"1","eventTimeMs":1,"amountMinor":1,"currency":"PEN","sueldo":1}', 'VALUE_INVALID'],
    ['{"id":"1","eventTimeMs":1,"amountMinor":1.5,"currency":"PEN"}', 'VALUE_INVALID'],
    ['{"id":"1","eventTimeMs":1,"amountMinor":1,"currency":"soles"}', 'VALUE_INVALID'],
    ['{"id":"1","eventTimeMs":1,"amountMinor":1,"currency":"PEN","rail":"tren"}', 'VALUE_INVALID'],
  ])('%s is refused with %s', (text, code) => {
    const { decode } = createTransactionDecoder('json', null);
    expect(() => decode(Buffer.from(text))).toThrow(expect.objectContaining({ name: 'InputError', code }));
  });

  it.each(FORMATS)('whatever bytes come as %s, there is a transaction or an InputError, soon', (format) => {
    const { decode } = createTransactionDecoder(format, null);
    const good = encoders[format](full);
    const mutated = fc
      .tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 }), fc.nat(good.length))
      .map(([at, byte, end]) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        return bytes.subarray(0, end + 1);
      });
    const check = (bytes: Uint8Array) => {
      try {
        decode(bytes);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
      }
    };
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), check), { numRuns: 3000 });
  });
});

describe('the Avro reader', () => {
  it('reads what avsc writes, whatever the schema', () => {
    const leaf = fc.constantFrom('null', 'boolean', 'int', 'long', 'float', 'double', 'string', 'bytes');
    const type = fc.oneof(
      leaf,
      leaf.map((items) => ({ type: 'array', items })),
      leaf.map((values) => ({ type: 'map', values })),
      fc.constantFrom(['null', 'string'], ['null', 'long'], ['string', 'double']),
    );
    fc.assert(
      fc.property(fc.array(type, { minLength: 1, maxLength: 6 }), (types) => {
        const schema = {
          type: 'record',
          name: 'R',
          fields: types.map((one, index) => ({ name: `f${index}`, type: one })),
        };
        const theirs = avsc.Type.forSchema(schema as avsc.Schema);
        const value = theirs.random();
        const bytes = theirs.toBuffer(value);
        expect(createAvroReader(JSON.stringify(schema))(bytes)).toEqual({ ...theirs.fromBuffer(bytes) });
      }),
      { numRuns: 300 },
    );
  });

  it('does not count through items that the bytes do not have', () => {
    const schema = { type: 'record', name: 'R', fields: [{ name: 'a', type: { type: 'array', items: 'null' } }] };
    const read = createAvroReader(JSON.stringify(schema));
    expect(() => read(Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0x7f, 0]))).toThrow('more than 10000 items');
  });

  it('bounds types that contain themselves, and refuses schemas that are none', () => {
    const node = { type: 'record', name: 'N', fields: [{ name: 'next', type: ['null', 'N'] }] };
    expect(() => createAvroReader(JSON.stringify(node))(Buffer.alloc(900_000, 2))).toThrow(InputError);
    const endless = { type: 'record', name: 'N', fields: [{ name: 'next', type: 'N' }] };
    expect(() => createAvroReader(JSON.stringify(endless))(Buffer.alloc(10))).toThrow(InputError);
    for (const text of [
      '',
      '"int"',
      '{"type":"record"}',
      '{"type":"record","name":"R","fields":[{"name":"a","type":"x"}]}',
    ]) {
      expect(() => createAvroReader(text)).toThrow(InputError);
    }
  });
});

/** As a worker does it. */
const decoding = (decoder: TransactionDecoder) => async (value: Uint8Array) => {
  await decoder.prepare([value]);
  return decoder.decode(value);
};

describe('values with a registry', () => {
  const nested =
    'syntax = "proto3"; package b; import "shared.proto"; message Other { string x = 1; } message Outer { message Tx { optional string id = 1; optional int64 event_time_ms = 2; optional sint64 amount_minor = 3; optional shared.Money money = 4; optional string currency = 5; } }';
  const shared = 'syntax = "proto3"; package shared; message Money { string code = 1; }';
  const schemas: Record<string, object> = {
    '/schemas/ids/1': { schema: schemaFile('transaction.avsc') },
    '/schemas/ids/2': { schema: schemaFile('transaction.proto'), schemaType: 'PROTOBUF' },
    '/schemas/ids/3': { schema: '{}', schemaType: 'JSON' },
    '/schemas/ids/4': {
      schema: nested,
      schemaType: 'PROTOBUF',
      references: [{ name: 'shared.proto', subject: 's/h', version: 2 }],
    },
    '/subjects/s%2Fh/versions/2': { schema: shared, schemaType: 'PROTOBUF' },
  };
  const asked: string[] = [];
  let server: Server;
  let url: string;
  let failures = 0;

  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url ?? '');
      const found = schemas[request.url ?? ''];
      if (request.headers.authorization !== 'Basic YTpi') response.writeHead(401).end();
      else if (failures > 0) {
        failures--;
        response.writeHead(503).end();
      } else if (found === undefined) response.writeHead(404).end('{"error_code":40403}');
      else response.setHeader('content-type', 'application/vnd.schemaregistry.v1+json').end(JSON.stringify(found));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}/`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const registry = (authorization: string | null = 'Basic YTpi') =>
    createSchemaRegistry({ url, authorization, timeoutMs: 2000 }, Date.now);
  const wire = (id: number, value: Uint8Array, path: readonly number[] = []) => {
    const head = Buffer.alloc(5);
    head.writeInt32BE(id, 1);
    return Buffer.concat([head, Buffer.from(path), value]);
  };

  it('asks for each schema once, and is quick from then on', async () => {
    asked.length = 0;
    const one = registry();
    const avro = decoding(createTransactionDecoder('avro', one));
    const both = await Promise.all([avro(wire(1, encoders.avro(full))), avro(wire(1, encoders.avro(least)))]);
    expect(both).toEqual([full, least]);
    const known = createTransactionDecoder('avro', one);
    await known.prepare([wire(1, encoders.avro(full))]);
    expect(known.prepare([wire(1, encoders.avro(least))])).toBeNull();
    expect(known.decode(wire(1, encoders.avro(full)))).toEqual(full);
    const proto = decoding(createTransactionDecoder('protobuf', one));
    expect(await proto(wire(2, encoders.protobuf(full), [0]))).toEqual(full);
    expect(await proto(wire(2, encoders.protobuf(full), [2, 0]))).toEqual(full);
    const json = decoding(createTransactionDecoder('json', one));
    expect(await json(encoders.json(full))).toEqual(full);
    expect(await json(wire(3, encoders.json(full)))).toEqual(full);
    expect(asked).toEqual(['/schemas/ids/1', '/schemas/ids/2', '/schemas/ids/3']);
  });

  it('finds nested messages and what a file imports', async () => {
    const root = new protobuf.Root();
    protobuf.parse(shared, root);
    const type = protobuf.parse(nested, root).root.lookupType('b.Outer.Tx');
    const value = type.encode({ id: 'N', eventTimeMs: 5, amountMinor: -7, currency: 'PEN' }).finish();
    const transaction = await decoding(createTransactionDecoder('protobuf', registry()))(wire(4, value, [4, 2, 0]));
    expect(transaction).toMatchObject({ id: 'N', amountMinor: -7 });
  });

  it('says what is wrong: unknown ids, other kinds, no wire format, bad paths, no rights', async () => {
    const decode = decoding(createTransactionDecoder('avro', registry()));
    asked.length = 0;
    for (let again = 0; again < 2; again++) {
      await expect(decode(wire(99, Buffer.alloc(1)))).rejects.toThrow(
        expect.objectContaining({ code: 'SCHEMA_UNKNOWN' }),
      );
    }
    expect(asked.length).toBe(1);
    await expect(decode(wire(2, Buffer.alloc(1)))).rejects.toThrow('Schema 2 is PROTOBUF, not avro');
    await expect(decode(Buffer.from('hola'))).rejects.toThrow(expect.objectContaining({ code: 'WIRE_FORMAT' }));
    const proto = decoding(createTransactionDecoder('protobuf', registry()));
    await expect(proto(wire(2, Buffer.alloc(1), [0x80]))).rejects.toThrow(InputError);
    await expect(proto(wire(2, Buffer.alloc(1), [2, 18]))).rejects.toThrow('has no message 9');
    await expect(decoding(createTransactionDecoder('avro', registry(null)))(wire(1, Buffer.alloc(1)))).rejects.toThrow(
      'refuses (401)',
    );
  });

  it('tries again, and tells a registry that does not answer from a bad value', async () => {
    failures = 2;
    expect(await decoding(createTransactionDecoder('avro', registry()))(wire(1, encoders.avro(full)))).toEqual(full);
    const none = createSchemaRegistry({ url: 'http://127.0.0.1:1', authorization: null, timeoutMs: 500 }, Date.now);
    await expect(decoding(createTransactionDecoder('avro', none))(wire(1, Buffer.alloc(1)))).rejects.toThrow(
      StreamUnavailableError,
    );
  });

  it('a Protobuf file that cannot be read is refused', () => {
    for (const text of ['', 'message', 'syntax = "proto3"; message A { Missing m = 1; }']) {
      expect(() => createProtobufSchema(text, new Map()).reader([0])).toThrow(InputError);
    }
  });
});
