// Mappings: the built-in ones on the data they are made for, and what is said about a wrong one.
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadMapping, parseMapping } from '../../src/adapters/files/load-mapping.ts';
import { openTransactions } from '../../src/adapters/files/open-transactions.ts';
import { failureOf, NOW_MS, readAll, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const HANDBOOK = '../shared/data/handbook/transactions.csv.gz';
const SPARKOV = '../shared/data/sparkov/transactions.csv.gz';
const LONG = process.env.CENTINELA_LONG_TESTS === '1';

describe('handbook', () => {
  it('reads the book’s columns', async () => {
    const path = folder.write(
      'book.csv',
      'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_TIME_SECONDS,TX_TIME_DAYS,TX_FRAUD,TX_FRAUD_SCENARIO\n' +
        '0,2018-04-01 00:00:31,596,3156,57.16,31,0,0,0\n' +
        '1,2018-04-01 00:02:10,4961,3412,81.51,130,0,1,2\n',
    );
    const { reader, transactions } = await readAll(path, { mapping: 'handbook' });
    expect(reader.utcOffsetMinutes).toBe(0);
    expect(reader.mapping.labelDelayDays).toBe(7);
    expect(reader.mapping.unusedColumns).toEqual(['TX_TIME_SECONDS', 'TX_TIME_DAYS']);
    expect(transactions[0]).toMatchObject({
      id: '0',
      eventTimeMs: Date.UTC(2018, 3, 1, 0, 0, 31),
      amountMinor: 5716,
      operation: 'purchase',
      rail: 'card',
      payerId: '596',
      terminalId: '3156',
      isFraud: false,
      typology: null,
      labelTimeMs: Date.UTC(2018, 3, 8, 0, 0, 31),
    });
    expect(transactions[1]).toMatchObject({ isFraud: true, typology: '2' });
    expect((await readAll(path)).reader.mapping).toMatchObject({ name: 'handbook', guessed: true });
  });

  it.skipIf(!existsSync(HANDBOOK) || !LONG)('reads all of the book’s file', async () => {
    const reader = await openTransactions(HANDBOOK, { mapping: 'handbook', nowMs: NOW_MS });
    let amount = 0;
    let frauds = 0;
    for await (const batch of reader) {
      for (const { amountMinor, isFraud } of batch) {
        amount += amountMinor;
        if (isFraud) frauds += 1;
      }
    }
    expect(reader.summary()).toMatchObject({ rows: 1_504_628, accepted: 1_504_628, rejected: 0 });
    expect(frauds / 1_504_628).toBeCloseTo(0.0084, 3);
    expect(amount).toBe(8_069_514_138);
  });
});

describe('sparkov', () => {
  const HEADER =
    'trans_num,unix_time,cc_num,merchant,category,amt,lat,long,merch_lat,merch_long,city_pop,gender,dob,state,is_fraud\n';

  it('reads the generator’s columns and keeps no card number', async () => {
    const row = (id: string, card: string, amount: string) =>
      `${id},1546300844,${card},"fraud_Ferry, Hand and Co",gas_transport,${amount},44.0,-92.4,44.746419,-93.327368,117815,M,1937-08-06,MN,1\n`;
    const path = folder.write(
      'sparkov.csv',
      HEADER +
        row('b01', '38785378435129', '7.0') +
        row('b02', '4111111111111111', '154.11') +
        row('b03', '38785378435129', '1'),
    );
    const { transactions } = await readAll(path, { mapping: 'sparkov' });
    expect(transactions[0]).toMatchObject({
      eventTimeMs: 1546300844000,
      amountMinor: 700,
      currency: 'USD',
      merchantId: 'fraud_Ferry, Hand and Co',
      mcc: '5541',
      latitude: 44.746419,
      longitude: -93.327368,
      isFraud: true,
    });
    expect(transactions[0].cardId).toMatch(/^tok_[0-9a-f]{16}_5129$/);
    expect(transactions[0].cardId).toBe(transactions[2].cardId);
    expect(transactions[0].cardId).not.toBe(transactions[1].cardId);
    expect(JSON.stringify(transactions)).not.toMatch(/38785378435129|4111111111111111/);
  });

  it.skipIf(!existsSync(SPARKOV) || !LONG)('reads all of the file', async () => {
    const { summary, transactions } = await readAll(SPARKOV, { mapping: 'sparkov' });
    expect(summary).toMatchObject({ rows: 449_201, rejected: 0 });
    expect(transactions.every(({ mcc }) => mcc !== null)).toBe(true);
  });
});

describe('a mapping of one’s own', () => {
  it('translates texts, takes constants and says when a label is known', async () => {
    const path = folder.write('own.csv', 'f,m,t,e\n2026-01-02 10:00:00,5.00,C,F\n2026-01-02 10:00:01,6.00,R,-\n');
    const mapping = folder.write(
      'own.yaml',
      `timeZone: '-05:00'
currency: USD
labelDelayDays: 2
missing: ['-']
fields:
  eventTimeMs: f
  amountMinor: m
  operation: { column: t, values: { C: purchase, R: cash-withdrawal } }
  isFraud: { column: e, values: { F: true, G: false } }
constants:
  channel: atm
`,
    );
    const { transactions } = await readAll(path, { mapping });
    expect(transactions[0]).toMatchObject({
      operation: 'purchase',
      channel: 'atm',
      currency: 'USD',
      isFraud: true,
      eventTimeMs: Date.UTC(2026, 0, 2, 15),
      labelTimeMs: Date.UTC(2026, 0, 4, 15),
    });
    expect(transactions[1]).toMatchObject({ operation: 'cash-withdrawal', isFraud: null, labelTimeMs: null });
  });

  it('refuses a row whose amount names another currency', async () => {
    const path = folder.write('mixed.csv', 'date,amount\n2026-01-02,S/ 5.00\n2026-01-02,US$ 5.00\n');
    const { summary } = await readAll(path);
    expect(summary.firstExamples).toMatchObject([
      { line: 3, reason: 'CURRENCY_INVALID', message: expect.stringContaining('says USD') },
    ]);
  });

  it('does not exist', async () => {
    expect(await failureOf(readAll(folder.write('a.csv', 'a\n'), { mapping: 'nothing' }))).toEqual({
      code: 'MAPPING_MISSING',
      message: "There is no mapping 'nothing'. Give the path of a YAML file, or one of canonical, handbook, sparkov",
    });
  });
});

describe('a wrong mapping', () => {
  it.each([
    ['fields: [', /m\.yaml:1:\d+: .*Correct the YAML/],
    ['- a', /m\.yaml:1:1: it must be a map of settings/],
    ['timeZone: UTC\n', /fields is missing/],
    ['fields:\n  id: a\n  amonut: b\n', /m\.yaml:3:3: 'amonut' is not a key of fields\. Allowed: id, eventTimeMs/],
    ['fields: {}\nzone: UTC\n', /m\.yaml:2:1: 'zone' is not a key of a mapping\. Allowed: name, description, timeZone/],
    ['timeZone: Lima\nfields: {}\n', /'Lima' is not a time zone/],
    ['currency: soles\nfields: {}\n', /m\.yaml:1:11: currency is 'soles'/],
    ["decimalMark: ';'\nfields: {}\n", /decimalMark is ';'\. Allowed: '\.', ','/],
    ['delimiter: ";;"\nfields: {}\n', /delimiter must be one character/],
    ['labelDelayDays: soon\nfields: {}\n', /labelDelayDays is 'soon'/],
    ['missing: x\nfields: {}\n', /missing must be a list/],
    [
      'fields:\n  eventTimeMs: { column: a, format: dmy }\n',
      /m\.yaml:2:\d+: format is 'dmy'\. Allowed: 'iso', 'day-month-year'/,
    ],
    ['fields:\n  id: { column: a, format: iso }\n', /id is not a time/],
    ['fields:\n  id: { column: a, unit: minor }\n', /id is not an amount/],
    ['fields:\n  id: { colunm: a }\n', /'colunm' is not a key of id\. Allowed: column, timeColumn/],
    ['fields:\n  id: { token: true }\n', /id names no column/],
    ['fields:\n  id:\n', /id names no column/],
    [
      'fields:\n  rail: { column: a, values: { X: train } }\n',
      /'train' cannot be rail\. rail must be one of card, yape/,
    ],
    ['fields:\n  rail: { column: a, values: 5 }\n', /values of rail must be a map/],
    ['fields: {}\nconstants: { amountMinor: 5 }\n', /'amountMinor' is not a key of constants/],
    ['fields: {}\nconstants: { mcc: food }\n', /'food' cannot be mcc\. mcc must be 4 digits/],
  ])('%j', (text, message) => {
    expect(() => parseMapping(text, 'm.yaml')).toThrow(message);
  });

  it('lacks the time', async () => {
    const path = folder.write('lack.csv', 'a,b\n1,2\n');
    const mapping = folder.write('lack.yaml', 'fields: { id: a, amountMinor: b }\n');
    expect((await failureOf(readAll(path, { mapping }))).message).toMatch(
      /feeds no eventTimeMs\. Add 'eventTimeMs: COLUMN'/,
    );
  });

  it('is none of those that come with the package', () => {
    for (const name of ['canonical', 'handbook', 'sparkov']) expect(loadMapping(name).name).toBe(name);
  });
});
