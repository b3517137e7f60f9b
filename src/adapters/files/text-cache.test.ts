import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decodeText, TextCache } from './text-cache.ts';

it('gives the same text as decoding, hit or miss, for short and long cells', () => {
  const word = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', 'b', '0', '\u0000', 'é', '漢'), minLength: 1, maxLength: 12 }),
    fc.constantFrom('00000000', '0000', '\u0000', '\u0000\u0000', 'abcdefgh', 'abcdefghi'),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (words) => {
      const cache = new TextCache('utf-8', (text) => ({ text }));
      for (const text of [...words, ...words]) {
        const bytes = Buffer.from(`<${text}>`);
        expect(cache.get(bytes, 1, bytes.length - 1)).toEqual({ text });
      }
    }),
  );
});

it('converts a repeated text once, and gives up on a column of unique ones', () => {
  let conversions = 0;
  const cache = new TextCache('utf-8', (text) => {
    conversions += 1;
    return text;
  });
  const get = (text: string) => cache.get(Buffer.from(text), 0, text.length);
  for (let i = 0; i < 1000; i++) get(`p${i % 10}`);
  expect(conversions).toBe(10);
  for (let i = 0; i < 30_000; i++) expect(get(`unique-${i}`)).toBe(`unique-${i}`);
  conversions = 0;
  get('same');
  get('same');
  expect(conversions).toBe(2);
});

it('knows text that is not in its encoding', () => {
  const latin1 = Buffer.from('Núñez', 'latin1');
  expect(decodeText(latin1, 0, latin1.length, 'utf-8')).toBeNull();
  expect(decodeText(latin1, 0, latin1.length, 'latin1')).toBe('Núñez');
  expect(decodeText(Buffer.from('Núñez'), 0, 7, 'utf-8')).toBe('Núñez');
});
