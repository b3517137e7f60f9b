// Seeded pseudo-random numbers that are the same on every machine: only 32-bit integer arithmetic.
//
// xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47(4), 2021), seeded by
// splitmix32. Normal deviates avoid Math.log and Math.cos, whose last bit may differ between engines.

export interface Prng {
  /** Uniform in [0, 2^32). */
  nextUint32(): number;
  /** Uniform in [0, 1) with 53 random bits. */
  nextFloat(): number;
  /** Uniform integer in [0, bound), bound in [1, 2^32). */
  nextBelow(bound: number): number;
  /** Standard normal (sum of twelve uniforms, tails to ±6). */
  nextNormal(): number;
  /** A new independent generator for a named part, without changing this one. */
  fork(stream: number): Prng;
}

function splitmix32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}

/** @param seed any integer; only its low 32 bits count. */
export function createPrng(seed: number): Prng {
  const mix = splitmix32(seed);
  let a = mix();
  let b = mix();
  let c = mix();
  let d = mix();

  function nextUint32(): number {
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  }

  function nextFloat(): number {
    const high = nextUint32() >>> 5;
    const low = nextUint32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  return {
    nextUint32,
    nextFloat,
    nextBelow: (bound) => Math.floor((nextUint32() / 4294967296) * bound),
    nextNormal: () => {
      let sum = 0;
      for (let i = 0; i < 12; i++) sum += nextUint32();
      return sum / 4294967296 - 6;
    },
    fork: (stream) => createPrng(Math.imul(seed ^ 0x5bd1e995, 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77)),
  };
}
