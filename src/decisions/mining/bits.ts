// Sets of rows as bits, 32 to a word.

export type Bits = Uint32Array;

export function createBits(rows: number): Bits {
  return new Uint32Array(Math.ceil(rows / 32));
}

export function setBit(bits: Bits, row: number): void {
  bits[row >>> 5] |= 1 << (row & 31);
}

export function hasBit(bits: Bits, row: number): boolean {
  return (bits[row >>> 5] & (1 << (row & 31))) !== 0;
}

export function both(a: Bits, b: Bits): Bits {
  return a.map((word, index) => word & b[index]);
}

export function without(a: Bits, b: Bits): Bits {
  return a.map((word, index) => word & ~b[index]);
}

export function countBits(bits: Bits): number {
  let count = 0;
  for (let i = 0; i < bits.length; i++) count += popCount(bits[i]);
  return count;
}

export function countBoth(a: Bits, b: Bits): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) count += popCount(a[i] & b[i]);
  return count;
}

export function* rowsOf(bits: Bits): Generator<number> {
  for (let i = 0; i < bits.length; i++) {
    for (let word = bits[i]; word !== 0; word &= word - 1) yield i * 32 + 31 - Math.clz32(word & -word);
  }
}

/** H. S. Warren, "Hacker's Delight", 5-1. */
function popCount(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
