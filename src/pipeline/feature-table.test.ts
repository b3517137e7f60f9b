import { expect, test } from 'vitest';
import { openBlockFile } from '../adapters/files/block-file.ts';
import { createTransaction } from '../domain/transaction.ts';
import type { FeatureEngine } from '../features/engine.ts';
import { FeatureTable } from './feature-table.ts';

const COLUMNS = 3;
/** More than two blocks. */
const ROWS = 150_000;

/** Writes the amount, its double and a missing value. */
const engine = {
  fold(transaction, out, offset = 0) {
    out[offset] = transaction.amountMinor;
    out[offset + 1] = transaction.amountMinor * 2;
    out[offset + 2] = Number.NaN;
    return 'ok';
  },
} as Pick<FeatureEngine, 'fold'> as FeatureEngine;

function fill(memoryLimitBytes: number) {
  const table = new FeatureTable(COLUMNS, { memoryLimitBytes, openStore: () => openBlockFile() });
  for (let row = 0; row < ROWS; row++) {
    table.add(
      engine,
      createTransaction({
        id: String(row),
        eventTimeMs: row * 10,
        amountMinor: row,
        currency: ['PEN', 'USD', 'CLP'][row % 3],
        payerId: row % 7 === 0 ? null : `p${row % 5}`,
        isFraud: row % 3 === 0 ? null : row % 2 === 0,
        typology: row % 2 === 0 ? 'F02' : null,
      }),
    );
  }
  return table;
}

const blockValues = (table: FeatureTable) => {
  const values: number[] = [];
  for (const [block, firstRow] of table.blocks()) {
    for (let row = 0; row < block.rows; row++) values[firstRow + row] = block.values[row * COLUMNS + 1];
  }
  return values;
};

test('keeps the columns that training needs', () => {
  const table = fill(1e9);
  expect(table.rows).toBe(ROWS);
  expect(Array.from(table.timesMs.subarray(0, 3))).toEqual([0, 10, 20]);
  expect(Array.from(table.worthsMinor.subarray(3, 6))).toEqual([3, Math.round(4 * 3.3582), Number.NaN]);
  expect(Array.from(table.labels.subarray(0, 6))).toEqual([-1, 0, 1, -1, 1, 0]);
  expect(Array.from(table.payers.subarray(0, 7))).toEqual([0, 1, 2, 3, 4, 5, 1]);
  expect(table.distinctPayers).toBe(5);
  expect(table.typologyNames[table.typologies[2]]).toBe('F02');
  expect(table.typologyNames[table.typologies[1]]).toBe(null);
});

test('blocks in a file hold the same rows as blocks in memory', () => {
  const inMemory = fill(1e9);
  const inFile = fill(0);
  expect(blockValues(inFile)).toEqual(blockValues(inMemory));
  expect(blockValues(inFile)[149_999]).toBe(299_998);
  const rows = Uint32Array.of(149_999, 0, 65_536, 65_535, 131_071, 131_072, 5);
  expect(inFile.take(rows).values).toEqual(inMemory.take(rows).values);
  expect(Array.from(rows.keys(), (i) => inFile.take(rows).values[i * COLUMNS])).toEqual(Array.from(rows));
  inFile.close();
});
