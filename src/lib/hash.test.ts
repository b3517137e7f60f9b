import { describe, expect, it } from 'vitest';
import { hashPair, hashText } from './hash.ts';

const low = new Int32Array(3);
const high = new Int32Array(3);
const keyOf = (text: string) => {
  hashText(text, low, high, 0);
  return `${low[0]} ${high[0]}`;
};

describe('hashText', () => {
  it('gives a quarter of a million similar ids different keys, and even single words few repeats', () => {
    const keys = new Set<string>();
    const lows = new Set<number>();
    const highs = new Set<number>();
    const ids = 250_000;
    for (let i = 0; i < ids; i++) {
      keys.add(keyOf(i % 2 === 0 ? `C${i}` : `${i}-${i % 10}`));
      lows.add(low[0]!);
      highs.add(high[0]!);
    }
    expect(keys.size).toBe(ids);
    // Random 32-bit words would repeat about n² / 2^33 = 7 times.
    expect(ids - lows.size).toBeLessThan(40);
    expect(ids - highs.size).toBeLessThan(40);
  });

  it('changes about half of its bits with one bit of the text', () => {
    let changed = 0;
    for (let i = 0; i < 2000; i++) {
      hashText(`cuenta-${i}`, low, high, 0);
      hashText(`cuenta-${i}`.replace('c', 'b'), low, high, 1);
      for (let bit = 0; bit < 32; bit++)
        changed += (((low[0]! ^ low[1]!) >>> bit) & 1) + (((high[0]! ^ high[1]!) >>> bit) & 1);
    }
    expect(changed / 2000).toBeGreaterThan(30);
    expect(changed / 2000).toBeLessThan(34);
  });

  it('tells a text from its prefix, and the empty text from none', () => {
    expect(new Set(['', '\0', '\0\0', 'a', 'a\0'].map(keyOf)).size).toBe(5);
  });
});

describe('hashPair', () => {
  it('depends on the order and on both parts', () => {
    const keys = new Set<string>();
    for (let a = 0; a < 300; a++) {
      for (let b = 0; b < 300; b++) {
        hashText(`a${a}`, low, high, 0);
        hashText(`a${b}`, low, high, 1);
        hashPair(low[0]!, high[0]!, low[1]!, high[1]!, low, high, 2);
        keys.add(`${low[2]} ${high[2]}`);
      }
    }
    expect(keys.size).toBe(90_000);
  });
});
