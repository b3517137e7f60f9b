import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LocalMasterKeys } from '../adapters/keys/local-master-keys.ts';
import type { MasterKeys } from '../ports.ts';
import { EnvelopeError } from './envelope.ts';
import { LetterKeyError, LetterOpener, LetterSealer, masterOfLetter, SEALED_BY } from './sealed-letter.ts';

const at = { topic: 'transactions', partition: 3, offset: 42 };
const HOUR_MS = 3_600_000;
const bytes = fc.uint8Array({ maxLength: 300 });
const parts = fc.record({
  ...{ key: fc.option(bytes), value: fc.option(bytes) },
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 20 }), value: bytes }), { maxLength: 5 }),
});
const letter = { key: null, value: Buffer.from('{"payerDocument":"40000001"'), headers: [] };

function masters(): MasterKeys {
  return new LocalMasterKeys('file', [randomBytes(32)]);
}

describe('a sealed letter', () => {
  it('opens to key, value and headers as they were, whatever they are', async () => {
    const keys = masters();
    const sealer = new LetterSealer(keys);
    await sealer.prepare(0);
    const opener = new LetterOpener(keys);
    await fc.assert(
      fc.asyncProperty(parts, async (given) => {
        const { value, header } = sealer.seal(given, at, 1);
        const found = await opener.open({ value, headers: [...given.headers, header] }, at);
        expect(found.key).toEqual(given.key);
        expect(found.value).toEqual(given.value);
        expect(found.headers.map(({ name }) => name)).toEqual(
          given.headers.map(({ name }) => Buffer.from(name).toString()),
        );
        expect(found.headers.map((each) => each.value)).toEqual(given.headers.map((each) => each.value));
      }),
    );
  });

  it('shows nothing of the record, and names its master', async () => {
    const keys = masters();
    const sealer = new LetterSealer(keys);
    await sealer.prepare(0);
    const { value, header } = sealer.seal(letter, at, 0);
    expect(Buffer.concat([value, header.value]).toString('latin1')).not.toContain('40000001');
    expect(masterOfLetter({ headers: [header] })).toBe(keys.currentId);
    expect(masterOfLetter({ headers: [] })).toBeNull();
  });

  it('opens with another process, after many changes of the key, and with no other master or place', async () => {
    const keys = masters();
    const sealer = new LetterSealer(keys);
    const sealed = [];
    for (let hour = 0; hour < 30; hour += 6) {
      await sealer.prepare(hour * HOUR_MS);
      sealed.push(sealer.seal(letter, at, hour * HOUR_MS));
    }
    expect(new Set(sealed.map(({ header }) => Buffer.from(header.value).toString())).size).toBe(5);
    const opener = new LetterOpener(keys);
    for (const { value, header } of sealed) {
      expect(Buffer.from((await opener.open({ value, headers: [header] }, at)).value!)).toEqual(letter.value);
    }
    const [{ value, header }] = sealed;
    const elsewhere = { ...at, offset: 43 };
    await expect(opener.open({ value, headers: [header] }, elsewhere)).rejects.toThrow(EnvelopeError);
    await expect(opener.open({ value, headers: [sealed[1].header] }, at)).rejects.toThrow(EnvelopeError);
    await expect(opener.open({ value, headers: [] }, at)).rejects.toThrow('not sealed');
    await expect(new LetterOpener(masters()).open({ value, headers: [header] }, at)).rejects.toMatchObject({
      code: 'MASTER_KEY_MISSING',
    });
  });

  it('seals on with an old key while the masters do not answer, but not for ever', async () => {
    const keys = masters();
    let isDown = false;
    const shaky: MasterKeys = {
      ...{ currentId: keys.currentId, opens: () => true, unwrap: keys.unwrap.bind(keys) },
      wrap: (requests) => (isDown ? Promise.reject(new Error('down')) : keys.wrap(requests)),
    };
    const sealer = new LetterSealer(shaky);
    expect(() => sealer.seal(letter, at, 0)).toThrow(LetterKeyError);
    await sealer.prepare(0);
    isDown = true;
    await expect(sealer.prepare(7 * HOUR_MS)).rejects.toThrow('down');
    expect(sealer.isDue(7 * HOUR_MS)).toBe(true);
    sealer.seal(letter, at, 72 * HOUR_MS);
    expect(() => sealer.seal(letter, at, 72 * HOUR_MS + 1)).toThrow(LetterKeyError);
    isDown = false;
    await sealer.prepare(73 * HOUR_MS);
    sealer.seal(letter, at, 73 * HOUR_MS);
  });

  it('changes the key before it has sealed too many', async () => {
    const sealer = new LetterSealer(masters(), { mostLetters: 10 });
    await sealer.prepare(0);
    for (let i = 0; i < 5; i++) sealer.seal(letter, at, 0);
    expect(sealer.isDue(0)).toBe(true);
    for (let i = 0; i < 5; i++) sealer.seal(letter, at, 0);
    expect(() => sealer.seal(letter, at, 0)).toThrow(LetterKeyError);
  });

  it('refuses a header that is broken, quickly', async () => {
    const keys = masters();
    const sealer = new LetterSealer(keys);
    await sealer.prepare(0);
    const { value } = sealer.seal(letter, at, 0);
    for (const text of [
      '',
      '{}',
      'x',
      '[]',
      'null',
      JSON.stringify({ master: 1, key: 2, wrapped: 3 }),
      ' '.repeat(1e6),
    ]) {
      const headers = [{ name: SEALED_BY, value: Buffer.from(text) }];
      await expect(new LetterOpener(keys).open({ value, headers }, at)).rejects.toThrow(EnvelopeError);
    }
  });
});
