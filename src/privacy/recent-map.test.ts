import { expect, it } from 'vitest';
import { RecentMap } from './recent-map.ts';

it('keeps what is used and never more than its capacity', () => {
  const map = new RecentMap<number, number>(100);
  for (let i = 0; i < 10_000; i++) {
    map.set(i, i);
    expect(map.get(7)).toBe(i >= 7 ? 7 : undefined);
    // At most 30 others were used since.
    expect(map.get(i - 10)).toBe(i >= 10 ? i - 10 : undefined);
    expect(map.size).toBeLessThanOrEqual(100);
  }
  expect(map.get(5000)).toBeUndefined();
});

it('forgets what is deleted, one by one and by what it is', () => {
  const map = new RecentMap<number, number>(10);
  for (let i = 0; i < 8; i++) map.set(i, i);
  map.delete(1);
  map.deleteWhere((value) => value >= 6);
  expect([0, 1, 2, 3, 4, 5, 6, 7].filter((key) => map.get(key) !== undefined)).toEqual([0, 2, 3, 4, 5]);
});
