// The random numbers of NumPy's `np.random.seed`, so that published splits can be drawn again row for row.
//
// MT19937 (Matsumoto and Nishimura, "Mersenne twister", ACM TOMACS 8(1), 1998), and on top of it what NumPy's legacy
// generator, which is frozen, does with it: bounded integers by masking and rejection, Fisher and Yates's shuffle from
// the end. For splits that others have published only; everything else draws from lib/prng.ts.

export interface NumpyRandom {
  /** Uniform in [0, 2^32). */
  nextUint32(): number;
  /** Uniform integer in [0, greatest]; draws nothing where `greatest` is 0. */
  nextUpTo(greatest: number): number;
  /** `np.random.permutation` of the given numbers; they stay as they were. */
  permutation(of: Uint32Array): Uint32Array;
}

const WORDS = 624;
const SHIFT = 397;

/** @param seed an integer in [0, 2^32) */
export function createNumpyRandom(seed: number): NumpyRandom {
  const words = seededWords(seed);
  let next = WORDS;

  function nextUint32(): number {
    if (next === WORDS) {
      twist(words);
      next = 0;
    }
    let word = words[next++];
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  }

  function nextUpTo(greatest: number): number {
    if (greatest === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(greatest);
    for (;;) {
      const value = (nextUint32() & mask) >>> 0;
      if (value <= greatest) return value;
    }
  }

  function permutation(of: Uint32Array): Uint32Array {
    const shuffled = of.slice();
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = nextUpTo(last);
      const value = shuffled[last];
      shuffled[last] = shuffled[other];
      shuffled[other] = value;
    }
    return shuffled;
  }

  return { nextUint32, nextUpTo, permutation };
}

function seededWords(seed: number): Uint32Array {
  const words = new Uint32Array(WORDS);
  words[0] = seed;
  for (let i = 1; i < WORDS; i++) {
    words[i] = Math.imul(1812433253, words[i - 1] ^ (words[i - 1] >>> 30)) + i;
  }
  return words;
}

function twist(words: Uint32Array): void {
  for (let i = 0; i < WORDS; i++) {
    const mixed = (words[i] & 0x80000000) | (words[(i + 1) % WORDS] & 0x7fffffff);
    words[i] = words[(i + SHIFT) % WORDS] ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
  }
}
