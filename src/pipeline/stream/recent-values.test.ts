import { expect, it } from 'vitest';
import { RecentValues } from './recent-values.ts';

it('forgets the oldest beyond its number or its size, and counts a key once', () => {
  const values = new RecentValues<string>(3, 10, (value) => value.length);
  for (const key of ['a', 'b', 'c', 'a', 'd']) values.set(key, key.repeat(2));
  expect(['a', 'b', 'c', 'd'].map((key) => values.get(key))).toEqual(['aa', undefined, 'cc', 'dd']);
  values.set('e', 'e'.repeat(8));
  expect(['a', 'c', 'd', 'e'].map((key) => values.get(key))).toEqual([undefined, undefined, 'dd', 'eeeeeeee']);
  values.set('f', 'f'.repeat(11));
  expect(['d', 'e', 'f'].map((key) => values.get(key))).toEqual([undefined, undefined, undefined]);
});
