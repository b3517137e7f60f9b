// A 64-bit hash of a text, as two 32-bit words: the key under which state is kept instead of the text itself.
//
// Two lanes of multiply-and-rotate over the UTF-16 code units with different constants, crossed and finalised with the
// murmur3 avalanche. Not cryptographic. Two of n different texts share a key with odds of about n² / 2^65: one in
// 370,000 for ten million texts, 3 in 10^8 for a million.

function avalanche(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Writes the low and high word (signed 32-bit) of the text's hash to `low[index]` and `high[index]`. */
export function hashText(text: string, low: Int32Array, high: Int32Array, index: number): void {
  let a = 0x2c1b3c6d;
  let b = 0x297a2d39;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ unit, 0x85ebca77);
    b = (b << 15) | (b >>> 17);
  }
  a ^= text.length;
  b ^= Math.imul(text.length, 0x27d4eb2f);
  // (a, b) → (a + b, b) loses nothing, so the pair keeps all 64 bits.
  low[index] = avalanche(a + b);
  high[index] = avalanche(b ^ 0x165667b1);
}

/** Combines two 64-bit keys, in order, into one; words are signed 32-bit, the result goes to `low[index]`, `high[index]`. */
export function hashPair(
  lowA: number,
  highA: number,
  lowB: number,
  highB: number,
  low: Int32Array,
  high: Int32Array,
  index: number,
): void {
  const a = Math.imul(lowA ^ 0x5bd1e995, 0x9e3779b1) + ((highB << 11) | (highB >>> 21));
  const b = Math.imul(highA ^ 0x1b873593, 0x85ebca77) + ((lowB << 7) | (lowB >>> 25));
  low[index] = avalanche(a ^ Math.imul(lowB, 0x27d4eb2f));
  high[index] = avalanche(b ^ Math.imul(highB, 0x165667b1));
}

/** A well-mixed 32-bit word of two words, for open-addressing tables. */
export function mixWords(a: number, b: number): number {
  return avalanche(Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca77));
}
