import { expect, it } from 'vitest';
import { KIND_HEADER, kindHeader, kindOf, RECORD_KINDS } from './record-kinds.ts';

it('a record says what it is, and is a transaction where it says nothing', () => {
  expect(kindOf({ headers: [] })).toBe('transaction');
  expect(kindOf({ headers: [{ name: 'trace', value: new Uint8Array(0) }] })).toBe('transaction');
  for (const kind of RECORD_KINDS) expect(kindOf({ headers: [kindHeader(kind)] })).toBe(kind);
});

it('an unknown kind is none', () => {
  for (const bytes of [Uint8Array.of(), Uint8Array.of(0xff), new TextEncoder().encode('Label')]) {
    expect(kindOf({ headers: [{ name: KIND_HEADER, value: bytes }] })).toBeNull();
  }
});
