import { expect, it } from 'vitest';
import { RecentValues } from './recent-values.ts';

it('forgets the oldest beyond its number, and counts a key once', () => {
  const values = new RecentValues<string>(3);
  for (const key of ['a', 'b', 'c', 'a', 'd']) values.set(key, key.repeat(2));
  expect(['a', 'b', 'c', 'd'].map((key) => values.get(key))).toEqual(['aa', undefined, 'cc', 'dd']);
});
