import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StreamRecord } from '../../ports.ts';
import { bytesOf, deadLetter, originOf, revivedRecord } from './dead-letter.ts';

const AT = { topic: 'transactions', partition: 3, offset: 42 };
const REFUSAL = { code: 'VALUE_INVALID', message: 'Not a transaction: id missing' };

const bytes = fc.uint8Array({ maxLength: 50 });
const records: fc.Arbitrary<StreamRecord> = fc.record({
  offset: fc.constant(42),
  timestampMs: fc.integer({ min: 0, max: 2 ** 50 }),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 12 }), value: bytes }), { maxLength: 5 }),
});

describe('dead letters', () => {
  it('revive as the record that they were made of', async () => {
    await fc.assert(
      fc.asyncProperty(records, async (record) => {
        const letter = {
          ...deadLetter('dead-letters', AT, record, REFUSAL),
          offset: 0,
          timestampMs: record.timestampMs,
        };
        const { key, value, timestampMs, headers } = record;
        expect(await revivedRecord(letter, 'transactions', null)).toEqual({
          ...{ topic: 'transactions', partition: null, key, value, timestampMs, headers },
        });
        expect(originOf(letter)).toEqual({ ...REFUSAL, from: AT, byReference: false });
      }),
    );
  });

  it('say where the record is when it leaves no room for them', () => {
    const record = { offset: 42, timestampMs: 5, key: new Uint8Array(10), value: new Uint8Array(990), headers: [] };
    const letter = deadLetter('dead-letters', AT, record, REFUSAL, 1000);
    expect(bytesOf(letter)).toBeLessThan(1000);
    expect([letter.key, letter.value]).toEqual([null, null]);
    expect(originOf(letter)).toEqual({ ...REFUSAL, from: AT, byReference: true });
  });

  it('stay below the number of headers that logs take', () => {
    const headers = Array.from({ length: 100 }, (_, i) => ({ name: `h${i}`, value: new Uint8Array(1) }));
    const letter = deadLetter(
      'dead-letters',
      AT,
      { offset: 42, timestampMs: 5, key: null, value: null, headers },
      REFUSAL,
    );
    expect(letter.headers.length).toBeLessThanOrEqual(100);
    expect(originOf(letter).byReference).toBe(true);
  });

  it('have no origin where the header is missing or no place', () => {
    const from = (text: string) => ({ headers: [{ name: 'centinela-from', value: new TextEncoder().encode(text) }] });
    for (const text of ['', 'x', 'x/y/z', 'x/1/2/3']) expect(originOf(from(text)).from).toBeNull();
    expect(originOf({ headers: [] }).from).toBeNull();
  });
});
