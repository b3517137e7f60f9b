// Lists in the forms in which they come: what a team keeps, and what OFAC and the UN publish (small samples, invented names).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readListFile } from '../../src/adapters/files/lists/read-list.ts';

const sample = (name: string) => fileURLToPath(new URL(`samples/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'lists-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (path: string, withWeakNames = false) => readListFile(path, { format: null, withWeakNames });
const written = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

it('CSV: columns are recognised, and bad rows told with their line', async () => {
  const { format, rows, rejected } = await read(sample('cuentas.csv'));
  expect(format).toBe('csv');
  expect(rows).toEqual([
    {
      ...{ value: '191-001', reason: 'caso 17' },
      ...{ fromMs: Date.UTC(2026, 0, 5, 5), untilMs: Date.UTC(2027, 0, 1, 5) },
    },
    { value: '191-002', reason: null, fromMs: null, untilMs: null },
  ]);
  expect(rejected.map(({ line, message }) => ({ line, message }))).toEqual([
    { line: 4, message: 'the value is empty' },
    { line: 5, message: "column 'Desde' holds no day: write YYYY-MM-DD" },
    { line: 6, message: 'the same value stands in line 2 already' },
    { line: 7, message: 'it ends before it begins' },
    { line: 8, message: 'TOO_MANY_COLUMNS' },
  ]);
});

it('a CSV of one column needs no known name, one of several does', async () => {
  expect((await read(written('one.csv', 'Cliente\nC1\nC2\n'))).rows.map(({ value }) => value)).toEqual(['C1', 'C2']);
  await expect(read(written('two.csv', 'a,b\n1,2\n'))).rejects.toThrow('no column holds the values, among a, b');
});

it('sdn.csv of OFAC with the other names of alt.csv', async () => {
  const { format, rows, rejected } = await read(sample('ofac/sdn.csv'));
  expect(format).toBe('ofac-csv');
  expect(rows.map(({ value, reason }) => [value, reason])).toEqual([
    ['COMERCIAL FICTICIA DEL NORTE, S.A.', 'OFAC 9001 [PRUEBA-UNO]'],
    ['EJEMPLO PRADO, Inventado Jose', 'OFAC 9002 [PRUEBA-UNO] [PRUEBA-DOS]'],
    ['NAVE IMAGINARIA', 'OFAC 9003 [PRUEBA-DOS]'],
    ['COFICNORTE', 'OFAC 9001 [PRUEBA-UNO] aka'],
    ['PRADO EJEMPLO, Pepe', 'OFAC 9002 [PRUEBA-UNO] [PRUEBA-DOS] fka'],
  ]);
  expect(rejected).toEqual([
    { file: sample('ofac/sdn.csv'), line: 4, message: 'TOO_FEW_COLUMNS' },
    { file: sample('ofac/sdn.csv'), line: 5, message: 'the name is empty' },
    { file: sample('ofac/alt.csv'), line: 3, message: `${sample('ofac/sdn.csv')} has no entry 9999` },
  ]);
});

it('sdn.xml of OFAC; names that are called weak only when asked for', async () => {
  const { rows, rejected, weakNames } = await read(sample('xml/sdn.xml'));
  expect(rows.map(({ value, reason }) => [value, reason])).toEqual([
    ['Inventado Jose EJEMPLO PRADO', 'OFAC 9002 [PRUEBA-UNO] [PRUEBA-DOS]'],
    ['Pepe & Hijos PRADO', 'OFAC 9002 [PRUEBA-UNO] [PRUEBA-DOS] a.k.a.'],
    ['COMERCIAL FICTICIA DEL NORTE, S.A.', 'OFAC 9001 [PRUEBA-UNO]'],
  ]);
  expect(rejected).toEqual([{ file: sample('xml/sdn.xml'), line: 24, message: '<sdnEntry> has no name' }]);
  expect(weakNames).toBe(1);
  const all = await read(sample('xml/sdn.xml'), true);
  expect(all.rows.map(({ value }) => value)).toContain('EL INVENTADO');
});

it('sdn_advanced.xml of OFAC', async () => {
  const { rows, weakNames } = await read(sample('xml/sdn_advanced.xml'));
  expect(rows.map(({ value, reason }) => [value, reason])).toEqual([['EJEMPLO PRADO Inventado Jose', 'OFAC 9002']]);
  expect(weakNames).toBe(1);
});

it('the consolidated list of the UN', async () => {
  const { rows, weakNames } = await read(sample('xml/consolidated.xml'));
  expect(rows.map(({ value, reason }) => [value, reason])).toEqual([
    ['Inventada María Ñahui', 'ONU XXi.001 [Prueba]'],
    ['Maruja Ñahui', 'ONU XXi.001 [Prueba] a.k.a.'],
    ['Marujita Nahui', 'ONU XXi.001 [Prueba] a.k.a.'],
    ['FUNDACIÓN IMAGINARIA & CÍA.', 'ONU XXe.001 [Prueba]'],
    ['FUNDIMAG', 'ONU XXe.001 [Prueba] a.k.a.'],
  ]);
  expect(weakNames).toBe(1);
});

describe('XML that is refused', () => {
  const deep = `<sdnList>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</sdnList>`;
  const wide = `<sdnList><sdnEntry>${'<program>x</program>'.repeat(60_000)}</sdnEntry></sdnList>`;
  const long = `<sdnList><sdnEntry><lastName>${'x'.repeat(1_100_000)}</lastName></sdnEntry></sdnList>`;
  const bomb =
    '<!DOCTYPE l [<!ENTITY a "ja"><!ENTITY b "&a;&a;&a;&a;">]><sdnList><sdnEntry><lastName>&b;</lastName></sdnEntry></sdnList>';
  const outside = '<!DOCTYPE l SYSTEM "file:///etc/passwd"><sdnList/>';
  it.each([
    ['bomb', bomb, 'document type'],
    ['outside', outside, 'document type'],
    ['entity', '<sdnList><sdnEntry><lastName>&b;</lastName></sdnEntry></sdnList>', 'entity'],
    ['cut off', '<sdnList><sdnEntry><lastName>x', 'nclosed'],
    ['crossed', '<sdnList><a></sdnList></a>', 'nexpected close tag'],
    ['another kind', '<rss><item/></rss>', 'begins with <rss>'],
    ['deep', deep, 'nested deeper than 64'],
    ['wide', wide, 'more than 50000 elements'],
    ['long', long, 'more than 1000000 characters'],
  ])('%s', async (name, text, message) => {
    await expect(read(written(`${name}.xml`, text))).rejects.toThrow(message);
  });
});
