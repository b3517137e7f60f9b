import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type IdIndexReader, openIdIndexes, rowsOfId as rowsOfIdOnce } from './id-index.ts';

let folder: string;
let indexes: IdIndexReader;
let written = 0;
const rowsOfId = (path: string, id: string) => indexes.rowsOf(path, id);
beforeEach(() => {
  indexes = openIdIndexes(3);
  folder = mkdtempSync(join(tmpdir(), 'ids-'));
});
afterEach(async () => {
  await indexes.close();
  rmSync(folder, { recursive: true, force: true });
});

function indexOf(ids: readonly string[]): string {
  const entries = ids.map((id, row) => {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(row);
    return Buffer.concat([createHash('sha256').update(id).digest().subarray(0, 8), number]);
  });
  const path = join(folder, `${written++}.ids`);
  writeFileSync(path, Buffer.concat(entries.sort(Buffer.compare)));
  return path;
}

test('finds the rows of every id, and none of another', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ maxLength: 3 }), { maxLength: 60 }), fc.string(), async (ids, other) => {
      const path = indexOf(ids);
      for (const id of [...new Set(ids), other]) {
        expect(await rowsOfId(path, id)).toEqual(ids.flatMap((one, row) => (one === id ? [row] : [])));
      }
    }),
    { numRuns: 50 },
  );
});

test('finds them in an index of many times what is read at once, the first and the last too', async () => {
  const ids = Array.from({ length: 12_000 }, (_, row) => `TX-${row}`);
  const path = indexOf(ids);
  const sorted = ids.toSorted((a, b) => (hashOf(a) < hashOf(b) ? -1 : 1));
  const asked = [...sorted.slice(0, 5), ...sorted.slice(-5), ...ids.slice(6000, 6050)];
  for (const id of asked) {
    expect(await rowsOfId(path, id)).toEqual([Number(id.slice(3))]);
    expect(await rowsOfIdOnce(path, id)).toEqual([Number(id.slice(3))]);
  }
  for (let n = 0; n < 50; n++) expect(await rowsOfId(path, `none-${n}`)).toEqual([]);
});

test('an id that is there thousands of times is found every time, though hashes are then not spread evenly', async () => {
  const ids = [...Array.from({ length: 9000 }, () => 'again'), ...Array.from({ length: 500 }, (_, n) => `TX-${n}`)];
  const path = indexOf(ids);
  expect(await rowsOfId(path, 'again')).toEqual(Array.from({ length: 9000 }, (_, row) => row));
  for (let n = 0; n < 500; n += 7) expect(await rowsOfId(path, `TX-${n}`)).toEqual([9000 + n]);
});

test('many at once share open files, and one that is not there is told each time', async () => {
  const paths = Array.from({ length: 8 }, (_, n) => indexOf([`a-${n}`, `b-${n}`]));
  const looked = await Promise.all(
    Array.from({ length: 200 }, (_, turn) => rowsOfId(paths[turn % 8], `${turn % 3 === 0 ? 'a' : 'b'}-${turn % 8}`)),
  );
  expect(looked).toEqual(looked.map((_, turn) => [turn % 3 === 0 ? 0 : 1]));
  for (let turn = 0; turn < 2; turn++) {
    await expect(rowsOfId(join(folder, 'none.ids'), 'a')).rejects.toMatchObject({ code: 'ENOENT' });
  }
  const late = join(folder, 'none.ids');
  writeFileSync(late, '');
  expect(await rowsOfId(late, 'a')).toEqual([]);
});

function hashOf(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}
