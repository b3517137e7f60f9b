import fc from 'fast-check';
import { expect, it } from 'vitest';
import { RecentWrites } from './recent-writes.ts';
import { encodedBytes, encodeRecord } from './record-format.ts';

const NO_HEADERS: [] = [];

/** Group commits of so many records of so many bytes, written one after the other from offset 0. */
function written(commits: readonly (readonly number[])[]): { recent: RecentWrites; sizes: number[] } {
  const recent = new RecentWrites();
  const sizes: number[] = [];
  for (const commit of commits) {
    const records = commit.map((size) => ({
      ...{ topic: 't', partition: 0, key: null, headers: NO_HEADERS, timestampMs: 5 },
      value: new Uint8Array(size).fill(sizes.length % 251),
    }));
    const content = Buffer.allocUnsafe(records.reduce((sum, record) => sum + encodedBytes(record), 0));
    const starts: number[] = [];
    const first = sizes.length;
    let at = 0;
    records.forEach((record, index) => {
      starts.push(at);
      at = encodeRecord(content, at, record, first + index, 5);
    });
    recent.add(first, content, starts);
    sizes.push(...commit);
  }
  return { recent, sizes };
}

it('gives consecutive records from any offset that it has, and nothing else', () => {
  const commits = fc.array(fc.array(fc.nat(2000), { maxLength: 20 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(commits, fc.nat(300), fc.integer({ min: 1, max: 50 }), (given, offset, most) => {
      const { recent, sizes } = written(given);
      const records = recent.read(offset, most, 1_000_000);
      if (records === null) return;
      expect(records.map((record) => record.offset)).toEqual(
        Array.from({ length: Math.min(most, sizes.length - offset) }, (_, index) => offset + index),
      );
      expect(records.map(({ value }) => value?.length)).toEqual(sizes.slice(offset, offset + records.length));
    }),
  );
});

it('keeps the newest quarter of a mebibyte', () => {
  const { recent } = written(Array.from({ length: 100 }, () => [10_000]));
  expect(recent.read(0, 10, 1_000_000)).toBeNull();
  expect(recent.read(99, 10, 1_000_000)).toHaveLength(1);
  expect(recent.read(100, 10, 1_000_000)).toBeNull();
});

it('a commit that is larger than that is left to the disk, with all before it', () => {
  const { recent } = written([[10], [300_000], [20]]);
  expect(recent.read(0, 10, 1_000_000)).toBeNull();
  expect(recent.read(1, 10, 1_000_000)).toBeNull();
  expect(recent.read(2, 10, 1_000_000)).toHaveLength(1);
});

it('the first record is given whatever its size, and then what fits', () => {
  const { recent } = written([[5000, 100, 100]]);
  expect(recent.read(0, 10, 200)).toHaveLength(1);
  expect(recent.read(1, 10, 200)).toHaveLength(1);
  expect(recent.read(1, 10, 300)).toHaveLength(2);
});
