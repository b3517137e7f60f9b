// The many ways in which a sound table is written, and what is recognised without a mapping.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createTableWriter } from '../../src/adapters/files/write-table.ts';
import { failureOf, NOW_MS, readAll, temporaryFolder } from './files.ts';

const folder = temporaryFolder();

describe('recognised', () => {
  it('a Peruvian export: semicolons, decimal comma, day first, date and clock apart, Spanish names and codes', async () => {
    const path = folder.write(
      'banco.csv',
      '\ufeffNro. Operación;Fecha;Hora;Cliente;Beneficiario;Monto;Moneda;Canal;Estado;Glosa;Tarjeta\r\n' +
        'A1;13/11/2026;08:15:00;C1;B1;1.234,56;S/;Banca Móvil;Aprobada;"pago; luz";4111111111111111\r\n' +
        'A2;14/11/2026;3:15 p. m.;C2;B1;12,5;US$;Agente;Rechazada;"dijo ""hola""";4242 4242 4242 4242\r\n' +
        '\r\n',
    );
    const { reader, transactions } = await readAll(path);
    expect(reader.mapping.guessed).toBe(true);
    expect(reader.utcOffsetMinutes).toBe(-300);
    expect(transactions).toHaveLength(2);
    expect(transactions[0]).toMatchObject({
      id: 'A1',
      eventTimeMs: Date.UTC(2026, 10, 13, 13, 15),
      amountMinor: 123456,
      currency: 'PEN',
      channel: 'app',
      status: 'approved',
      payerId: 'C1',
      payeeId: 'B1',
      concept: 'pago; luz',
    });
    expect(transactions[1]).toMatchObject({
      eventTimeMs: Date.UTC(2026, 10, 14, 20, 15),
      amountMinor: 1250,
      currency: 'USD',
      channel: 'agent',
      status: 'declined',
      concept: 'dijo "hola"',
    });
    expect(transactions.map(({ cardId }) => cardId)).toEqual([
      expect.stringMatching(/^tok_[0-9a-f]{16}_1111$/),
      expect.stringMatching(/^tok_[0-9a-f]{16}_4242$/),
    ]);
    expect(reader.mapping.describe()).toContain(
      'eventTimeMs ← Fecha (with Hora, day-month-year, America/Lima where no offset is written)',
    );
    expect([...reader.fieldsPresent]).toEqual(expect.arrayContaining(['cardId', 'channel', 'currency']));
    expect(reader.fieldsPresent.has('deviceId')).toBe(false);
  });

  it.each([
    ['tabs', '\t', 'tabs'],
    ['bars', '|', "'|'"],
    ['commas', ',', "','"],
  ])('%s', async (name, delimiter, shown) => {
    const line = (...cells: string[]) => `${cells.join(delimiter)}\n`;
    const path = folder.write(
      `${name}.tsv`,
      line('date', 'amount', 'customer') + line('2026-01-02 10:00:00', '5.00', 'a;b') + line('2026-01-03', '6', 'c'),
    );
    const { reader, transactions } = await readAll(path);
    expect(reader.mapping.describe()[0]).toContain(shown);
    expect(transactions.map(({ id, amountMinor, payerId }) => [id, amountMinor, payerId])).toEqual([
      ['1', 500, 'a;b'],
      ['2', 600, 'c'],
    ]);
    expect(reader.mapping.fields.get('id')).toEqual({ kind: 'row-number' });
  });

  it('a packed file without .gz in its name, and lines that end in CR alone', async () => {
    const packed = folder.write('packed.csv', gzipSync('date,amount\n2026-01-02,5\n'));
    expect((await readAll(packed)).transactions).toHaveLength(1);
    const mac = folder.write('mac.csv', 'date,amount\r2026-01-02,5\r2026-01-03,6\r');
    expect((await readAll(mac)).transactions).toHaveLength(2);
  });

  it('nested JSON, numbers as texts or numbers, and ids longer than a double holds', async () => {
    const path = folder.write(
      'nested.ndjson',
      '{"id":12345678901234567890,"payer":{"id":"a"},"timestamp":1795303300,"amount":57.16}\n' +
        '{"id":12345678901234567891,"payer":{"id":"b"},"timestamp":"1795303301","amount":"57.17","payee":null}\n',
    );
    const mapping = folder.write(
      'nested.yaml',
      'fields:\n  id: id\n  payerId: payer.id\n  eventTimeMs: { column: timestamp, format: epoch-seconds }\n  amountMinor: amount\n',
    );
    const { transactions } = await readAll(path, { mapping });
    expect(
      transactions.map(({ id, payerId, eventTimeMs, amountMinor }) => [id, payerId, eventTimeMs, amountMinor]),
    ).toEqual([
      ['12345678901234567890', 'a', 1795303300000, 5716],
      ['12345678901234567891', 'b', 1795303301000, 5717],
    ]);
  });

  it('a Parquet table of plain numbers and texts', async () => {
    const path = folder.path('plain.parquet');
    const writer = await createTableWriter(path, [
      { name: 'fecha', type: 'text' },
      { name: 'importe', type: 'number' },
      { name: 'cliente', type: 'integer' },
    ]);
    await writer.write([
      ['2026-01-02 10:00:00', 57.16, 7],
      ['2026-01-02 11:00:00', 0.1, null],
    ]);
    await writer.close();
    const { transactions } = await readAll(path);
    expect(transactions.map(({ amountMinor, payerId }) => [amountMinor, payerId])).toEqual([
      [5716, '7'],
      [10, null],
    ]);
  });
});

describe('not recognised', () => {
  it('lists the columns and shows the mapping to write', async () => {
    const path = folder.write('unknown.csv', 'alpha,beta\nx,y\n');
    const failure = await failureOf(readAll(path));
    expect(failure.code).toBe('COLUMNS_UNKNOWN');
    expect(failure.message).toContain('alpha, beta');
    expect(failure.message).toMatch(
      /the time and the amount .*fields: \{ eventTimeMs: COLUMN, amountMinor: COLUMN \}.*--mapping mapping\.yaml/,
    );
  });

  it('says that a file has no header', async () => {
    const path = folder.write('bare.csv', '2026-01-02,5.00\n2026-01-03,6.00\n');
    expect(await failureOf(readAll(path))).toMatchObject({ code: 'HEADER_MISSING' });
  });

  it('does not choose between two columns that may be the amount', async () => {
    const path = folder.write('two.csv', 'fecha,uno,dos\n2026-01-02,5.00,6.00\n');
    expect((await failureOf(readAll(path))).message).toMatch(/the amount could not be recognised/);
  });
});

describe('time zones', () => {
  const zoned = (zone: string) =>
    folder.write(`${zone.replace('/', '-')}.yaml`, `timeZone: ${zone}\nfields: { eventTimeMs: t, amountMinor: a }\n`);

  it('with daylight saving time: what happened twice or never is settled by rule and told', async () => {
    const path = folder.write(
      'dst.csv',
      't,a\n2026-03-08 01:59:59,1\n2026-03-08 02:30:00,1\n2026-03-08 03:30:00,1\n2025-11-02 01:30:00,1\n',
    );
    const { transactions, summary, reader } = await readAll(path, { mapping: zoned('America/New_York') });
    expect(transactions.map(({ eventTimeMs }) => new Date(eventTimeMs).toISOString())).toEqual([
      '2026-03-08T06:59:59.000Z',
      '2026-03-08T07:30:00.000Z',
      '2026-03-08T07:30:00.000Z',
      '2025-11-02T05:30:00.000Z',
    ]);
    expect(summary.findings).toEqual([
      '1 local time happened twice in America/New_York (clocks set back): taken as the first',
      '1 local time never happened in America/New_York (clocks set forward): moved forward',
    ]);
    expect(reader.utcOffsetMinutes).toBe(-300);
  });

  it('that change in the middle of a file: each row has its own offset, and it is told', async () => {
    const path = folder.write(
      'offsets.csv',
      't,a\n2026-01-01T10:00:00-05:00,1\n2026-01-01T10:00:00-05:00,1\n2026-01-01T10:00:00+01:00,1\n2026-01-01T10:00:00,1\n',
    );
    const { transactions, summary } = await readAll(path, { mapping: zoned('America/Lima') });
    expect(transactions.map(({ eventTimeMs }) => new Date(eventTimeMs).getUTCHours())).toEqual([15, 15, 9, 15]);
    expect(summary.findings).toEqual([
      'the UTC offset written in the times changes once: each row was read with its own',
    ]);
  });
});

it('says what it rounded', async () => {
  const path = folder.write('float.csv', `date,amount\n2026-01-02,57.160000000001\n2026-01-02,1\n`);
  const { summary, transactions } = await readAll(path);
  expect(transactions[0].amountMinor).toBe(5716);
  expect(summary.findings).toEqual(['1 amount had more decimals than its currency: rounded half to even']);
});

it('reports progress', async () => {
  const path = folder.write('progress.csv', `date,amount\n${`${new Date(NOW_MS).toISOString()},5\n`.repeat(100_000)}`);
  const seen: number[] = [];
  const { reader } = await readAll(path, { onProgress: (read, total) => seen.push(read / total) });
  expect(seen.at(-1)).toBe(1);
  expect(reader.progress()).toBe(1);
});
