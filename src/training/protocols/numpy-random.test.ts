// Against the figures of NumPy 1.24 for the same seeds.
import { describe, expect, it } from 'vitest';
import { createNumpyRandom } from './numpy-random.ts';

const countTo = (count: number) => Uint32Array.from({ length: count }, (_, i) => i);

describe("NumPy's seeded random numbers", () => {
  it('are the words of randint(0, 2**32, dtype=uint32)', () => {
    const { nextUint32 } = createNumpyRandom(1);
    expect([1, 2, 3, 4].map(nextUint32)).toEqual([1791095845, 4282876139, 3093770124, 4005303368]);
  });

  it('stay the same after the state was renewed several times', () => {
    const { nextUint32 } = createNumpyRandom(5);
    for (let i = 0; i < 1999; i++) nextUint32();
    expect(nextUint32()).toBe(4018181980);
  });

  it('permute as permutation does, for the greatest seed too', () => {
    expect([...createNumpyRandom(4294967295).permutation(countTo(10))]).toEqual([6, 9, 5, 1, 8, 0, 7, 4, 2, 3]);
  });

  it('follow one another: a permutation, then draws with replacement', () => {
    const random = createNumpyRandom(42);
    expect([...random.permutation(countTo(12))]).toEqual([10, 9, 0, 8, 5, 2, 1, 11, 4, 7, 3, 6]);
    const drawn = Array.from({ length: 8 }, () => random.nextUpTo(299));
    expect(drawn).toEqual([151, 130, 149, 257, 293, 191, 276, 160]);
  });

  it('leave what they permute as it was', () => {
    const given = countTo(5);
    createNumpyRandom(1).permutation(given);
    expect([...given]).toEqual([0, 1, 2, 3, 4]);
  });
});
