import { expect, it } from 'vitest';
import { RecentBytes } from './recent-bytes.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

it('keeps the newest in its blocks, and lets the oldest block go for a new one', () => {
  const recent = new RecentBytes(20, 10);
  const textOf = (key: string) => {
    const found = recent.get(key);
    return found === undefined ? null : new TextDecoder().decode(found);
  };
  for (const key of ['a', 'b', 'c']) recent.set(key, bytes(key.repeat(4)));
  expect(['a', 'b', 'c'].map(textOf)).toEqual(['aaaa', 'bbbb', 'cccc']);
  // Into the block of c: put in again, a is not lost with the block where it was.
  recent.set('a', bytes('AAAA'));
  recent.set('d', bytes('dddd'));
  expect(['a', 'b', 'c', 'd'].map(textOf)).toEqual(['AAAA', null, 'cccc', 'dddd']);
  recent.set('e', bytes('e'.repeat(10)));
  expect(['a', 'b', 'c', 'd', 'e'].map(textOf)).toEqual([null, null, null, 'dddd', 'e'.repeat(10)]);
});

it('copies what it is given, and keeps nothing that is larger than a block', () => {
  const recent = new RecentBytes(20, 10);
  const given = bytes('abc');
  recent.set('a', given);
  given.fill(0);
  expect(recent.get('a')).toEqual(bytes('abc'));
  recent.set('a', bytes('a'.repeat(11)));
  expect(recent.get('a')).toBeUndefined();
});

it('keeps nothing where it may not', () => {
  const recent = new RecentBytes(0);
  recent.set('a', bytes('a'));
  expect(recent.get('a')).toBeUndefined();
});
