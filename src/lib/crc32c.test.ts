import { expect, test } from 'vitest';
import { crc32c } from './crc32c.ts';

// RFC 3720, appendix B.4, and the check value of the catalogue of CRC algorithms (CRC-32/ISCSI).
test.each([
  ['32 zeros', new Uint8Array(32), 0x8a9136aa],
  ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['rising', Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
  ['falling', Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
  ['123456789', new TextEncoder().encode('123456789'), 0xe3069283],
  ['nothing', Uint8Array.of(), 0],
])('the published checksum of %s', (_, bytes, checksum) => {
  expect(crc32c(bytes)).toBe(checksum);
});

test('a part of an array counts alone', () => {
  const bytes = new TextEncoder().encode('xx123456789yyy');
  expect(crc32c(bytes, 2, 11)).toBe(0xe3069283);
});
