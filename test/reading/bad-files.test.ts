// Each way in which a file can be wrong gets a message that says what, where and what to do.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTransactions } from '../../src/adapters/files/open-transactions.ts';
import { failureOf, NOW_MS, readAll, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const HEADER = 'id,eventTimeMs,amountMinor,currency\n';
const row = (i: number) => `t${i},${NOW_MS - 1_000_000 + i},${100 + i},PEN\n`;
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i)).join('');
const canonical = { mapping: 'canonical' };

describe('a file that cannot be read', () => {
  it.each<[string, string | Uint8Array | null, string, RegExp]>([
    ['missing.csv', null, 'FILE_MISSING', /There is no file .*missing\.csv/],
    ['empty.csv', '', 'FILE_EMPTY', /is empty\. It needs a line with the names of the columns/],
    ['empty.csv.gz', gzipSync(''), 'FILE_EMPTY', /is empty/],
    ['header-only.csv', HEADER, 'NO_ROWS', /has the names of columns but no rows/],
    ['x.xls', 'abc', 'FORMAT_UNKNOWN', /does not say what it is\. Known endings: \.csv/],
    ['sheet.csv', 'PK\u0003\u0004rest', 'FORMAT_UNKNOWN', /zip archive or a spreadsheet \(\.xlsx\).*Save it as CSV/],
    ['parquet.csv', 'PAR1rest', 'FORMAT_UNKNOWN', /is a Parquet file.*\.parquet/],
    [
      'garbage.csv',
      Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256),
      'FORMAT_UNKNOWN',
      /not text: it holds binary data/,
    ],
    [
      'utf16.csv',
      Buffer.from(`\ufeff${HEADER}${rows(3)}`, 'utf16le'),
      'ENCODING_INVALID',
      /is UTF-16 text.*iconv -f UTF-16/,
    ],
    ['utf16-bare.csv', Buffer.from(`${HEADER}${rows(3)}`, 'utf16le'), 'ENCODING_INVALID', /is UTF-16 text/],
    ['plain.csv.gz', HEADER + rows(3), 'GZIP_INVALID', /ends in \.gz but is not a gzip file/],
    ['not.parquet', 'hello', 'PARQUET_INVALID', /is not a Parquet file/],
    ['broken.parquet', 'PAR1hello', 'PARQUET_INVALID', /cannot be read as Parquet/],
    ['twice.csv', `id,id,amountMinor\n1,2,3\n`, 'HEADER_INVALID', /two columns called 'id'/],
    ['scalar.json', '5', 'JSON_INVALID', /holds no JSON objects/],
    ['empty-array.json', '[]', 'NO_ROWS', /holds no objects/],
  ])('%s', async (name, content, code, message) => {
    if (content !== null) folder.write(name, content);
    const failure = await failureOf(readAll(folder.path(name), canonical));
    expect(failure.code).toBe(code);
    expect(failure.message).toMatch(message);
    expect(failure.message.split('\n')).toHaveLength(1);
  });

  it('a folder', async () => {
    const failure = await failureOf(readAll(dirname(folder.path('x')), canonical));
    expect(failure.code).toBe('FILE_IS_FOLDER');
  });

  it('names a missing column, what the file has, and a name that is almost it', async () => {
    const path = folder.write('columns.csv', 'ID,eventTimeMs,amountMinor\n1,2,3\n');
    const failure = await failureOf(readAll(path, canonical));
    expect(failure.code).toBe('COLUMN_MISSING');
    expect(failure.message).toMatch(
      /no column 'id', which the mapping canonical wants for id; it has ID, eventTimeMs, amountMinor\. Did you mean 'ID'/,
    );
  });

  it('Latin-1 text, with the first line that shows it', async () => {
    const text = 'fecha;monto;cliente\n2026-01-02;1,50;Ana\n2026-01-02;1,50;Núñez\n2026-01-03;2,50;Peña\n';
    const path = folder.write('latin1.csv', Buffer.from(text, 'latin1'));
    const failure = await failureOf(readAll(path));
    expect(failure.code).toBe('ENCODING_INVALID');
    expect(failure.message).toMatch(/Latin-1 .*line 3 is not valid UTF-8.*encoding: latin1.*iconv/);
    const mapping = folder.write(
      'latin1.yaml',
      'encoding: latin1\nfields: { eventTimeMs: fecha, amountMinor: monto, payerName: cliente }\n',
    );
    const { transactions } = await readAll(path, { mapping });
    expect(transactions.map(({ payerName }) => payerName)).toEqual(['Ana', 'Núñez', 'Peña']);
  });

  it('a truncated gzip, with the row after which it ends', async () => {
    const whole = gzipSync(HEADER + rows(200_000));
    const path = folder.write('cut.csv.gz', whole.subarray(0, Math.floor(whole.length * 0.8)));
    const failure = await failureOf(readAll(path, canonical));
    expect(failure.code).toBe('GZIP_TRUNCATED');
    const after = Number(/after row ([\d,]+)\./.exec(failure.message)?.[1]?.replaceAll(',', ''));
    expect(after).toBeGreaterThan(100_000);
    expect(after).toBeLessThan(200_000);
  });

  it('a damaged gzip', async () => {
    const whole = gzipSync(HEADER + rows(200_000));
    whole.fill(0x55, Math.floor(whole.length / 2), Math.floor(whole.length / 2) + 200);
    const failure = await failureOf(readAll(folder.write('damaged.csv.gz', whole), canonical));
    expect(failure.code).toBe('GZIP_CORRUPT');
  });
});

describe('a bad row', () => {
  const rejectedPath = () => folder.path('rejected.csv');

  it('is written to rejected.csv with line, field, reason and message, and the rest goes on', async () => {
    const future = NOW_MS + 3_600_000;
    const path = folder.write(
      'rows.csv',
      'id,eventTimeMs,amountMinor,currency,operation,isFraud,mcc,payerName\n' +
        `a,${NOW_MS},100,PEN,purchase,0,5411,"Ana\nLuz"\n` +
        `a,${NOW_MS},100,PEN,purchase,0,5411,\n` +
        `,${NOW_MS},100,PEN,purchase,0,5411,\n` +
        `b,yesterday,100,PEN,purchase,0,5411,\n` +
        `c,${future},100,PEN,purchase,0,5411,\n` +
        `d,${NOW_MS},1.5,PEN,purchase,0,5411,\n` +
        `e,${NOW_MS},100,SOLAR,purchase,0,5411,\n` +
        `f,${NOW_MS},100,PEN,gift,0,5411,\n` +
        `g,${NOW_MS},100,PEN,purchase,maybe,5411,\n` +
        `h,${NOW_MS},100,PEN,purchase,0,54111,\n` +
        `i,${NOW_MS},100\n` +
        `j,${NOW_MS},100,PEN,purchase,0,5411,x,y\n` +
        `k,${NOW_MS},100,PEN,purchase,0,5411,"x"y\n` +
        `l,${NOW_MS},4111111111111111x,PEN,purchase,0,5411,\n` +
        `m,${NOW_MS},200,USD,transfer,1,0742,Zoë\n`,
    );
    const { transactions, summary } = await readAll(path, { ...canonical, rejectedPath: rejectedPath() });
    expect(transactions.map(({ id, isFraud, mcc, payerName }) => [id, isFraud, mcc, payerName])).toEqual([
      ['a', false, '5411', 'Ana\nLuz'],
      ['m', true, '0742', 'Zoë'],
    ]);
    expect(summary).toMatchObject({ rows: 15, accepted: 2, rejected: 13 });
    expect(summary.byReason).toEqual({
      ID_DUPLICATE: 1,
      ID_MISSING: 1,
      TIME_INVALID: 1,
      TIME_IN_FUTURE: 1,
      AMOUNT_INVALID: 2,
      CURRENCY_INVALID: 1,
      FIELD_INVALID: 2,
      LABEL_INVALID: 1,
      TOO_FEW_COLUMNS: 1,
      TOO_MANY_COLUMNS: 1,
      QUOTE_INVALID: 1,
    });
    const written = readFileSync(rejectedPath(), 'utf8').trim().split('\n');
    expect(written[0]).toBe('line,field,reason,value,message');
    expect(written).toHaveLength(14);
    expect(written[1]).toBe('4,id,ID_DUPLICATE,a,a row above has the same id');
    expect(written[7]).toMatch(/^10,operation,FIELD_INVALID,gift,"operation must be one of purchase, transfer/);
    expect(written.at(-1)).toMatch(/^16,amountMinor,AMOUNT_INVALID,411111\*{6}1111x,/);
    expect(written.join()).not.toContain('4111111111111111');
  });

  it('with invalid UTF-8 is refused alone', async () => {
    const bytes = Buffer.concat([
      Buffer.from(`id,eventTimeMs,amountMinor,payerName\na,1,1,ñ\nb,1,1,`),
      Buffer.from([0xf1]),
      Buffer.from('\nc,1,1,n\n'),
    ]);
    const { transactions, summary } = await readAll(folder.write('utf8.csv', bytes), canonical);
    expect(transactions.map(({ id }) => id)).toEqual(['a', 'c']);
    expect(summary.firstExamples[0]).toMatchObject({ line: 3, field: 'payerName', reason: 'ENCODING_INVALID' });
  });

  it('that is megabytes long is refused alone', async () => {
    const content = `${HEADER}${row(1)}x${'y'.repeat(3_000_000)},1,1,PEN\n${row(2)}`;
    const { transactions, summary } = await readAll(folder.write('long.csv', content), canonical);
    expect(transactions.map(({ id }) => id)).toEqual(['t1', 't2']);
    expect(summary.firstExamples[0]).toMatchObject({ line: 3, reason: 'LINE_TOO_LONG' });
  });

  it('of NDJSON that is broken, too long or no object is refused alone', async () => {
    const good = (id: string) => `{"id":"${id}","eventTimeMs":1,"amountMinor":5}\n`;
    const content = `${good('a')}{"id":\n[1]\n\n${good('b')}{"id":"${'x'.repeat(1_200_000)}"}\n${good('c')}{"id":"cut`;
    const { transactions, summary } = await readAll(folder.write('rows.ndjson', content), canonical);
    expect(transactions.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(summary.firstExamples.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      '2 JSON_INVALID',
      '3 JSON_INVALID',
      '6 LINE_TOO_LONG',
      '8 JSON_INVALID',
    ]);
  });

  it('of a JSON array that ends in the middle is refused alone', async () => {
    const content = '[\n{"id":"a","eventTimeMs":1,"amountMinor":5},\n {"id":"b","eventTimeMs":1,"am';
    const { transactions, summary } = await readAll(folder.write('cut.json', content), canonical);
    expect(transactions.map(({ id }) => id)).toEqual(['a']);
    expect(summary.firstExamples[0]).toMatchObject({ line: 3, reason: 'JSON_INVALID' });
  });
});

describe('too many bad rows', () => {
  const mixed = (count: number, badEvery: number) =>
    HEADER + Array.from({ length: count }, (_, i) => (i % badEvery === 0 ? `b${i},x,1,PEN\n` : row(i))).join('');

  it('stop the reading, name the reasons and leave rejected.csv whole', async () => {
    const path = folder.write('bad.csv', mixed(20_000, 10));
    const rejectedPath = folder.path('bad-rejected.csv');
    const failure = await failureOf(readAll(path, { ...canonical, rejectedPath }));
    expect(failure.code).toBe('TOO_MANY_BAD_ROWS');
    expect(failure.message).toMatch(
      /\(more than 5 % are allowed to be\): TIME_INVALID \d+; the first is line 2, eventTimeMs/,
    );
    expect(readFileSync(rejectedPath, 'utf8').split('\n').length).toBeGreaterThan(100);
  });

  it('are a matter of the share allowed, and of enough rows', async () => {
    const path = folder.write('bad.csv', mixed(20_000, 10));
    expect((await readAll(path, { ...canonical, maxBadShare: 0.2 })).summary.rejected).toBe(2000);
    const short = folder.write('short.csv', mixed(50, 10));
    expect((await readAll(short, canonical)).summary).toMatchObject({ accepted: 45, rejected: 5 });
    expect((await failureOf(readAll(short, { ...canonical, minRowsForShare: 10 }))).code).toBe('TOO_MANY_BAD_ROWS');
  });

  it('that is all of them stop even a short file', async () => {
    const path = folder.write('all.csv', `${HEADER}a,x,1,PEN\n`);
    expect((await failureOf(readAll(path, canonical))).message).toMatch(
      /1 of the first 1 rows .* \(every one are bad|every one/,
    );
  });

  it('leave nothing half-written when the reader stops early', async () => {
    const path = folder.write('early.csv', `${HEADER}a,x,1,PEN\n${rows(9000)}`);
    const rejectedPath = folder.path('early-rejected.csv');
    const reader = await openTransactions(path, { ...canonical, nowMs: NOW_MS, rejectedPath, batchSize: 100 });
    for await (const batch of reader) if (batch.length > 0) break;
    expect(existsSync(rejectedPath)).toBe(false);
    expect(readdirSync(dirname(rejectedPath)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
