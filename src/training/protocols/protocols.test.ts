import { existsSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADBENCH_SEEDS, adbenchSplit, scaleMinMax } from './adbench.ts';
import { prequentialFolds } from './prequential.ts';
import { timeSplit } from './time-split.ts';

const DAY_MS = 86_400_000;
const HANDBOOK = '../shared/data/handbook/transactions.csv.gz';

describe('prequentialFolds', () => {
  const oneDay = { trainStartMs: 0, folds: 1, trainDays: 2, delayDays: 2, testDays: 3 };

  function testRows(rows: readonly (readonly [day: number, customer: number, label: number])[]) {
    const [fold] = prequentialFolds(
      Float64Array.from(rows, ([day]) => day * DAY_MS + 1),
      Uint32Array.from(rows, ([, customer]) => customer),
      Uint8Array.from(rows, ([, , label]) => label),
      oneDay,
    );
    return { train: [...fold.train], test: [...fold.test], days: [...fold.testDays] };
  }

  it('trains on the first days, skips the delay and tests on the days after', () => {
    const rows = [-1, 0, 1, 2, 3, 4, 5, 6, 7].map((day) => [day, day + 1, 0] as const);
    expect(testRows(rows)).toEqual({ train: [1, 2], test: [5, 6, 7], days: [0, 1, 2] });
  });

  it('drops customers with a fraud in the training rows from all test days', () => {
    expect(
      testRows([
        [0, 7, 1],
        [4, 7, 0],
        [6, 7, 0],
        [6, 8, 0],
      ]).test,
    ).toEqual([3]);
  });

  it('drops customers with a fraud during the delay once the label has arrived', () => {
    const afterFraudOn = (day: number) =>
      testRows([
        [day, 7, 1],
        [4, 7, 0],
        [5, 7, 0],
        [6, 7, 0],
      ]).days;
    expect(afterFraudOn(1)).toEqual([]);
    expect(afterFraudOn(2)).toEqual([0]);
    expect(afterFraudOn(3)).toEqual([0, 1]);
    expect(afterFraudOn(4)).toEqual([0, 0, 1, 2]);
    expect(afterFraudOn(-1)).toEqual([0, 1, 2]);
  });

  it('moves earlier folds back by the test days', () => {
    const times = Float64Array.from({ length: 20 }, (_, day) => day * DAY_MS);
    const none = new Uint8Array(20);
    const folds = prequentialFolds(times, new Uint32Array(20), none, { ...oneDay, trainStartMs: 9 * DAY_MS, folds: 3 });
    expect(folds.map(({ train, test }) => [...train, ...test])).toEqual([
      [9, 10, 13, 14, 15],
      [6, 7, 10, 11, 12],
      [3, 4, 7, 8, 9],
    ]);
  });
});

describe.skipIf(!existsSync(HANDBOOK))('prequentialFolds on the Handbook file', () => {
  it('has the published rows and frauds of the single split', async () => {
    const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
    const reader = await connection.runAndReadAll(
      `select epoch_ms(TX_DATETIME::timestamp)::double, CUSTOMER_ID::integer, TX_FRAUD::integer
       from read_csv('${HANDBOOK}') where TX_DATETIME::date between '2018-07-25' and '2018-08-15'`,
    );
    const [times, customers, frauds] = reader.getColumns() as number[][];
    connection.closeSync();
    const labels = Uint8Array.from(frauds);
    const folds = prequentialFolds(Float64Array.from(times), Uint32Array.from(customers), labels, {
      trainStartMs: Date.UTC(2018, 6, 25),
      folds: 1,
    });
    const counts = (rows: Uint32Array) => [rows.length, rows.reduce((sum, row) => sum + labels[row], 0)];
    expect(counts(folds[0].train)).toEqual([67_240, 598]);
    expect(counts(folds[0].test)).toEqual([58_264, 385]);
  });
});

describe('timeSplit', () => {
  it('puts every row on one side and no training row after a test row', () => {
    const times = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(times, fc.double({ min: 0.05, max: 0.95, noNaN: true }), (given, fraction) => {
        const fold = timeSplit(
          Float64Array.from(given, (day) => day * DAY_MS),
          fraction,
        );
        expect([...fold.train, ...fold.test].sort((a, b) => a - b)).toEqual([...given.keys()]);
        expect(fold.train.length).toBe(Math.floor(given.length * fraction));
        const last = Math.max(...[...fold.train].map((row) => given[row]));
        for (const row of fold.test) expect(given[row]).toBeGreaterThanOrEqual(last);
        expect([...fold.testDays]).toEqual([...fold.test].map((row) => given[row] - given[fold.test[0]]));
      }),
    );
  });

  it('refuses a fraction that leaves one side empty by design', () => {
    expect(() => timeSplit(Float64Array.of(1, 2), 1)).toThrow('train fraction is 1');
  });
});

describe('adbench', () => {
  it.each([
    [300, 1_000],
    [4_000, 4_000],
    [25_000, 10_000],
  ])('%i rows become %i, in 70/30 with both classes in their shares', (rows, used) => {
    const labels = Uint8Array.from({ length: rows }, (_, row) => Number(row % 10 === 0));
    const { train, test } = adbenchSplit(labels, ADBENCH_SEEDS[0]);
    const share = (part: Uint32Array) => part.reduce((sum, row) => sum + labels[row], 0) / part.length;
    expect(train.length + test.length).toBe(used);
    expect(test.length / used).toBeCloseTo(0.3, 2);
    expect(share(test)).toBeCloseTo(share(train), 2);
    if (rows >= 1_000) expect(new Set([...train, ...test]).size).toBe(used);
    expect(adbenchSplit(labels, 2).test).not.toEqual(test);
    expect(adbenchSplit(labels, ADBENCH_SEEDS[0]).test).toEqual(test);
  });

  // Drawn with NumPy 1.24 and scikit-learn 1.2 by the paper's program: choice, then train_test_split(stratify=y).
  it.each([
    [300, 700, [174, 195, 76, 268, 280, 124], 152, [142, 266, 212, 268, 49, 47], 101],
    [4_001, 2_800, [3369, 2439, 908, 3603, 1075, 3686], 3762, [289, 2670, 2632, 3339, 1330, 2416], 184],
    [25_000, 7_000, [14406, 6390, 8721, 3558, 19867, 20986], 12008, [14903, 8139, 17045, 10621, 8460, 5717], 19704],
    [1_005, 703, [128, 365, 308, 382, 572, 69], 773, [295, 674, 945, 610, 51, 985], 698],
  ])('%i rows are split row for row as the published ones', (rows, trained, first, last, firstTest, lastTest) => {
    const { train, test } = adbenchSplit(
      Uint8Array.from({ length: rows }, (_, row) => Number(row % 10 === 0)),
      7,
    );
    expect(train.length).toBe(trained);
    expect([...train.subarray(0, 6)]).toEqual(first);
    expect(train.at(-1)).toBe(last);
    expect([...test.subarray(0, 6)]).toEqual(firstTest);
    expect(test.at(-1)).toBe(lastTest);
  });

  it('scales by the training rows', () => {
    const train = { rows: 3, columns: 2, values: Float32Array.of(1, 5, 3, 5, 2, Number.NaN) };
    const test = { rows: 1, columns: 2, values: Float32Array.of(5, 7) };
    const scaled = scaleMinMax(train, test);
    expect([...scaled.train.values]).toEqual([0, 0, 1, 0, 0.5, Number.NaN]);
    expect([...scaled.test.values]).toEqual([2, 2]);
  });
});
