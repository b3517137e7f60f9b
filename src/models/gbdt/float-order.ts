// The bits of a float32 as an unsigned integer that sorts as the number does, and a radix sort on it.
//
// A positive float's bits already sort as integers; a negative one's sort backwards, so all its bits are flipped.

/** @param bits of a float32, as a signed integer; −0 gets the key of +0, and NaN has no place: leave it out before. */
export function orderKey(bits: number): number {
  const flipped = bits ^ ((bits >> 31) | 0x80000000);
  return (flipped === 0x7fffffff ? 0x80000000 : flipped) >>> 0;
}

const RADIX_BITS = 11;
const RADIX = 1 << RADIX_BITS;

/** Sorts keys ascending in three counting passes; `scratch` is as long as `keys` and is overwritten. */
export function sortKeys(keys: Uint32Array, scratch: Uint32Array): Uint32Array {
  let from = keys;
  let to = scratch;
  for (let shift = 0; shift < 32; shift += RADIX_BITS) {
    const starts = new Uint32Array(RADIX + 1);
    for (let i = 0; i < from.length; i++) starts[((from[i] >>> shift) & (RADIX - 1)) + 1]++;
    for (let digit = 1; digit <= RADIX; digit++) starts[digit] += starts[digit - 1];
    for (let i = 0; i < from.length; i++) to[starts[(from[i] >>> shift) & (RADIX - 1)]++] = from[i];
    [from, to] = [to, from];
  }
  return from;
}

const oneFloat = new Float32Array(1);
const oneFloatBits = new Int32Array(oneFloat.buffer);

/** The order key of one number. */
export function keyOfFloat(value: number): number {
  oneFloat[0] = value;
  return orderKey(oneFloatBits[0]);
}

/** The number of an order key. */
export function floatOfKey(key: number): number {
  oneFloatBits[0] = key >>> 31 === 1 ? key ^ 0x80000000 : ~key;
  return oneFloat[0];
}
