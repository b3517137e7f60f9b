import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { DataKeys } from '../../src/privacy/data-keys.ts';
import { openPepper } from '../../src/privacy/pepper.ts';
import { LetterSealer } from '../../src/privacy/sealed-letter.ts';
import { TransactionCodec } from '../../src/privacy/sealed-transaction.ts';
import { Tokens } from '../../src/privacy/tokens.ts';
import { createDataKeyTable } from '../../src/records/keys/data-key-table.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { scanFolder, scanText } from './scan-disk.ts';

const VALUES = [
  { kind: 'name', text: 'Nicanor Ñahuí Peñaloza' },
  { kind: 'dni', text: '40000001' },
  { kind: 'pan', text: '9604000000000019' },
  { kind: 'phone', text: '987654321' },
];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-scan-'));
});
afterEach(() => rm(folder, { recursive: true }));

const scan = () => scanFolder(folder, { values: VALUES });
const noise = (bytes: number) => randomBytes(bytes).toString('base64');

const FORMS: Readonly<Record<string, (text: string) => Buffer>> = {
  'as it is': (text) => Buffer.from(text),
  'in capitals': (text) => Buffer.from(text.toUpperCase()),
  'in small letters': (text) => Buffer.from(text.toLowerCase()),
  'in Latin-1': (text) => Buffer.from(text, 'latin1'),
  'in UTF-16': (text) => Buffer.from(text, 'utf16le'),
  'in UTF-16, big end first': (text) => Buffer.from(text, 'utf16le').swap16(),
  'escaped in JSON': (text) =>
    Buffer.from(text.replace(/[^\0-~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)),
  'in Base64': (text) => Buffer.from(Buffer.from(`{"a":"${text}"}`).toString('base64')),
  'in Base64, one further': (text) => Buffer.from(Buffer.from(`{"ab":"${text}"}`).toString('base64')),
  'in Base64 for URLs': (text) => Buffer.from(Buffer.from(`{"abc":"${text}"}`).toString('base64url')),
  'in hexadecimal': (text) => Buffer.from(Buffer.from(text).toString('hex')),
  'in gzip': (text) => gzipSync(`${noise(5000)}${text}${noise(5000)}`),
  'in zlib': (text) => deflateSync(`${noise(5000)}${text}`),
  'in zstd': (text) => zstdCompressSync(`${noise(50_000)}${text}${noise(200_000)}`),
  'in zstd in gzip': (text) => gzipSync(zstdCompressSync(`${noise(100)}${text}`)),
  'in a zip': (text) => Buffer.from(zipSync({ 'a.txt': Buffer.from(`${'x'.repeat(500)}${text}`) })),
};

describe('the scanner', () => {
  for (const [form, write] of Object.entries(FORMS)) {
    it(`finds each value ${form}, in the middle of other bytes`, async () => {
      for (const { kind, text } of VALUES) {
        const bytes = Buffer.concat([randomBytes(3000), write(text), randomBytes(3000)]);
        await writeFile(join(folder, `${kind}.bin`), bytes);
      }
      const { findings, files, notScanned } = await scan();
      for (const { kind } of VALUES) {
        expect(
          findings.some((each) => each.path === `${kind}.bin` && each.kind === kind),
          kind,
        ).toBe(true);
      }
      expect([files, notScanned]).toEqual([VALUES.length, []]);
    });
  }

  it('finds a value across the border of two chunks, once', async () => {
    const at = 32 * 1024 * 1024 - 5;
    const bytes = Buffer.alloc(at + 100_000, 'x');
    bytes.write('40000001', at);
    await writeFile(join(folder, 'large'), bytes);
    expect((await scan()).findings).toMatchObject([{ path: 'large', kind: 'dni', offset: at }]);
  });

  it('finds a value in a Parquet file and in the name of a file', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const target = join(folder, 'day.parquet');
    await connection.run(
      `COPY (SELECT i AS n, CASE i WHEN 4321 THEN 'Nicanor Ñahuí Peñaloza' END AS t FROM range(5000) r(i)) TO '${target}' (FORMAT parquet, COMPRESSION snappy)`,
    );
    connection.closeSync();
    instance.closeSync();
    await mkdir(join(folder, 'cliente-40000001'));
    const { findings } = await scan();
    expect(findings.map(({ kind, within }) => [kind, within])).toEqual(
      expect.arrayContaining([
        ['name', 'parquet'],
        ['dni', 'name of the file'],
      ]),
    );
  });

  it('says what it could not look at', async () => {
    await symlink('/nowhere', join(folder, 'link'));
    await writeFile(join(folder, 'broken.parquet'), 'PAR1 and nothing else');
    const report = await scanFolder(folder, { values: [...VALUES, { kind: 'name', text: 'Ana' }] });
    expect(report.notScanned.map(({ path }) => path).sort()).toEqual(['', 'broken.parquet', 'link']);
  });

  it('finds by pattern what nobody gave', async () => {
    await writeFile(join(folder, 'log'), '{"msg":"pago con 9604123456789016 de ana@correo.pe"}\n');
    const report = await scanFolder(folder, { values: [], patterns: ['pan', 'mail'] });
    expect(report.findings.map(({ kind }) => kind)).toEqual(['pan', 'mail']);
    expect(scanText('metrics', 'a{b="987654321"} 1', { values: VALUES }).found).toBe(1);
  });

  it('finds nothing where transactions, letters and keys are sealed, and much where they are not', async () => {
    const database = await openPglite({ folder: join(folder, 'records'), onRecovery: () => undefined });
    const store = await openRecordStore(database);
    const table = createDataKeyTable(store);
    const masters = new LocalMasterKeys('file', [randomBytes(32)]);
    const tokens = new Tokens(await openPepper(table, masters, 0));
    const codec = new TransactionCodec(new DataKeys({ table, masters }), tokens);
    const all = [...createSimulator({ customers: 40, days: 2, seed: 5 }).batches()].flat().slice(0, 400);
    const sealed = await codec.sealAll(all, 1);
    const letters = new LetterSealer(masters);
    await letters.prepare(0);
    const lost = sealed.map((_, offset) => {
      const value = Buffer.from(JSON.stringify(all[offset]));
      return letters.seal({ key: null, value, headers: [] }, { topic: 't', partition: 0, offset }, 0).value;
    });
    await writeFile(join(folder, 'transactions.log'), Buffer.concat(sealed));
    await writeFile(join(folder, 'letters.log.gz'), gzipSync(Buffer.concat(lost)));
    await store.close();
    const values = all.flatMap((t) =>
      [
        ...([
          ['name', t.payerName],
          ['name', t.payeeName],
          ['dni', t.payerDocument],
          ['dni', t.payeeDocument],
        ] as const),
        ...([
          ['account', t.payerAccount],
          ['account', t.payeeAccount],
          ['concept', t.concept],
        ] as const),
      ].flatMap(([kind, text]) => (text === null || text.length < 8 ? [] : [{ kind, text }])),
    );
    expect(values.length).toBeGreaterThan(300);
    const clean = await scanFolder(folder, { values });
    expect(clean.findings).toEqual([]);
    expect(clean.files).toBeGreaterThan(5);
    await mkdir(join(folder, 'clear'));
    await writeFile(join(folder, 'clear', 'log.zst'), zstdCompressSync(JSON.stringify(all)));
    expect((await scanFolder(join(folder, 'clear'), { values })).found).toBeGreaterThan(300);
  });
});
