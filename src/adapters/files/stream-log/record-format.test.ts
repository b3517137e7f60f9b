import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OutgoingRecord } from '../../../ports.ts';
import {
  decodeRecord,
  decodeSegmentHeader,
  encodedBytes,
  encodeRecord,
  encodeSegmentHeader,
  measureRecord,
} from './record-format.ts';

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => new Uint8Array(array));
const records: fc.Arbitrary<OutgoingRecord> = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(null),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 10 }), value: bytes }), {
    maxLength: 4,
  }),
  timestampMs: fc.constant(null),
});

test('a record is decoded as it was encoded, with any offset and time', () => {
  const whole = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const time = fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(records, whole, time, fc.nat(20), (record, offset, timestampMs, at) => {
      const size = encodedBytes(record);
      const into = Buffer.alloc(at + size + 5, 0xff);
      expect(encodeRecord(into, at, record, offset, timestampMs)).toBe(at + size);
      expect(measureRecord(into, at, into.length)).toBe(size);
      const { key, value, headers } = record;
      expect(decodeRecord(into, at)).toEqual({ offset, timestampMs, key, value, headers });
    }),
  );
});

test('a changed bit, wherever it is, makes no record of another content', () => {
  fc.assert(
    fc.property(records, fc.nat(), fc.nat(7), (record, place, bit) => {
      const size = encodedBytes(record);
      const into = Buffer.alloc(size);
      encodeRecord(into, 0, record, 42, 7);
      into[place % size]! ^= 1 << bit;
      expect(measureRecord(into, 0, size)).not.toBe(size);
    }),
  );
});

test('a header of a segment says what it was given, and is none when a bit of it changed', () => {
  const header = { base: 2 ** 40 + 3, coveredTo: 2 ** 41 };
  const encoded = encodeSegmentHeader(header);
  expect(decodeSegmentHeader(encoded)).toEqual(header);
  for (let at = 0; at < encoded.length; at++) {
    const changed = Buffer.from(encoded);
    changed[at]! ^= 4;
    expect(decodeSegmentHeader(changed)).toBe(null);
  }
});
