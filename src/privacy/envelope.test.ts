import { createDecipheriv, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dataKey, ENVELOPE_BYTES, EnvelopeError, keyIdOf, openBytes, sealBytes } from './envelope.ts';

const id = '00112233445566778899aabbccddeeff';
const key = dataKey(id, randomBytes(32), 0);
const place = { table: 'transaction', row: 'T1', field: 'personal' };
const bytes = fc.uint8Array({ maxLength: 600 });

describe('an envelope', () => {
  it('opens to what was sealed, and names its key', () => {
    fc.assert(
      fc.property(bytes, (plain) => {
        const sealed = sealBytes(key, plain, place);
        expect(sealed.length).toBe(plain.length + ENVELOPE_BYTES);
        expect(keyIdOf(sealed)).toBe(id);
        expect(Uint8Array.from(openBytes(key, sealed, place))).toEqual(plain);
      }),
    );
  });

  it('is AES-256-GCM as it is written down: version, key id, nonce, ciphertext, tag', () => {
    const raw = randomBytes(32);
    const own = dataKey(id, Uint8Array.from(raw), 0);
    const sealed = sealBytes(own, Buffer.from('hola'), place);
    const decipher = createDecipheriv('aes-256-gcm', raw, sealed.subarray(17, 29), { authTagLength: 16 });
    decipher.setAAD(Buffer.from('centinela/1/11:transaction/2:T1/personal'));
    decipher.setAuthTag(sealed.subarray(33));
    expect(decipher.update(sealed.subarray(29, 33)).toString() + decipher.final('utf8')).toBe('hola');
  });

  it('does not open with any bit changed', () => {
    const sealed = sealBytes(key, Buffer.from('S/ 1,234.56'), place);
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Uint8Array.from(sealed);
      changed[bit >> 3] ^= 1 << (bit & 7);
      expect(() => openBytes(key, changed, place)).toThrow(EnvelopeError);
    }
  });

  it('does not open cut off or longer', () => {
    const sealed = sealBytes(key, Buffer.from('x'), place);
    for (let length = 0; length < sealed.length; length++) {
      expect(() => openBytes(key, sealed.subarray(0, length), place)).toThrow(EnvelopeError);
    }
    expect(() => openBytes(key, Buffer.concat([sealed, Buffer.of(0)]), place)).toThrow(EnvelopeError);
  });

  it('does not open at another table, row or field, however the names run into each other', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 6 }), { minLength: 6, maxLength: 6 }), ([a, b, c, d, e, f]) => {
        const [one, other] = [
          { table: a, row: b, field: c },
          { table: d, row: e, field: f },
        ];
        fc.pre(JSON.stringify(one) !== JSON.stringify(other));
        const sealed = sealBytes(key, Buffer.from('x'), one);
        expect(() => openBytes(key, sealed, other)).toThrow(EnvelopeError);
      }),
    );
    const sealed = sealBytes(key, Buffer.from('x'), { table: 'ab', row: 'c', field: 'd' });
    expect(() => openBytes(key, sealed, { table: 'a', row: 'bc', field: 'd' })).toThrow(EnvelopeError);
  });

  it('does not open with another key', () => {
    const sealed = sealBytes(key, Buffer.from('x'), place);
    expect(() => openBytes(dataKey('f'.repeat(32), randomBytes(32), 0), sealed, place)).toThrow('another key');
    expect(() => openBytes(dataKey(id, randomBytes(32), 0), sealed, place)).toThrow(EnvelopeError);
  });

  it('never uses a nonce twice', () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 5000; i++) {
      nonces.add(Buffer.from(sealBytes(key, new Uint8Array(0), place)).toString('hex', 17, 29));
    }
    expect(nonces.size).toBe(5000);
  });

  it('leaves nothing of the key in the bytes that were given', () => {
    const given = randomBytes(32);
    dataKey(id, given, 0);
    expect(given.every((byte) => byte === 0)).toBe(true);
  });
});
