import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CsvScanner } from './csv-scanner.ts';
import { ROW_FAULTS, RowBlock } from './row-block.ts';

const COMMA = { delimiter: 44, newline: 10 };

/** Scans the text as if it came in pieces that end at the given places. */
function scan(text: string, columns: number, cuts: readonly number[] = [], maxBytes = 1000, rowsAtOnce = 3) {
  const whole = Buffer.from(text);
  const scanner = new CsvScanner(COMMA, 1, maxBytes);
  const buffer = Buffer.alloc(whole.length + 1);
  const block = new RowBlock(buffer, columns, rowsAtOnce);
  const rows: { line: number; fault: string; cells: string[] }[] = [];
  let filled = 0;
  let taken = 0;
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].sort((a, b) => a - b);
  for (const place of [...places, whole.length]) {
    whole.copy(buffer, filled, taken, place);
    filled += place - taken;
    taken = place;
    const final = place === whole.length;
    let position = 0;
    for (;;) {
      block.clear();
      const next = scanner.scan(block, position, filled, final);
      for (let row = 0; row < block.rows; row++) {
        const cells: string[] = [];
        for (let i = row * columns; i < (row + 1) * columns; i++)
          cells.push(buffer.toString('utf8', block.starts[i], block.ends[i]));
        const fault = ROW_FAULTS[block.faults[row]];
        rows.push({ line: block.lines[row], fault, cells: fault === 'NONE' ? cells : [] });
      }
      const stuck = next === position && block.rows === 0;
      position = next;
      if (stuck || position >= filled) break;
    }
    buffer.copyWithin(0, position, filled);
    filled -= position;
  }
  return rows;
}

const cellsOf = (text: string, columns: number) => scan(text, columns).map(({ cells }) => cells);
const faultsOf = (text: string, columns: number, maxBytes?: number) =>
  scan(text, columns, [], maxBytes).map(({ line, fault }) => `${line} ${fault}`);

describe('the scanner', () => {
  it('cuts records with quotes, doubled quotes, line breaks in quotes and CRLF', () => {
    expect(cellsOf('a,b\r\n"1,5","say ""hi"""\r\n"two\nlines",\n', 2)).toEqual([
      ['a', 'b'],
      ['1,5', 'say "hi"'],
      ['two\nlines', ''],
    ]);
  });

  it('counts lines, those inside quotes too, and skips blank ones', () => {
    expect(faultsOf('a,b\n"x\ny",1\n\n  \r\nc,d', 2)).toEqual(['1 NONE', '2 NONE', '6 NONE']);
  });

  it('refuses rows with another number of columns', () => {
    expect(faultsOf('a,b\n1\n1,2,3\n4,5\n', 2)).toEqual([
      '1 NONE',
      '2 TOO_FEW_COLUMNS',
      '3 TOO_MANY_COLUMNS',
      '4 NONE',
    ]);
  });

  it('goes on at the next line after a quote that is never closed', () => {
    expect(faultsOf('a,b\n"1,2\n3,4\n', 2)).toEqual(['1 NONE', '2 QUOTE_UNCLOSED', '3 NONE']);
    expect(faultsOf(`a,b\n"1,2\n${'3,4\n'.repeat(500)}`, 2, 100).slice(0, 3)).toEqual([
      '1 NONE',
      '2 QUOTE_UNCLOSED',
      '3 NONE',
    ]);
  });

  it('refuses text after a closing quote', () => {
    expect(faultsOf('"a"x,b\nc,d\n', 2)).toEqual(['1 QUOTE_INVALID', '2 NONE']);
  });

  it('refuses a line that is too long and goes on after it', () => {
    expect(faultsOf(`a,b\n${'x'.repeat(5000)},1\nc,d\n`, 2, 100)).toEqual(['1 NONE', '2 LINE_TOO_LONG', '3 NONE']);
    expect(faultsOf(`a,b\n${'x'.repeat(5000)}`, 2, 100)).toEqual(['1 NONE', '2 LINE_TOO_LONG']);
  });

  it('reads back any table, however it is cut into pieces', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', 'é', ',', '"', '\n', '\r', ' ', '1', '漢'), maxLength: 6 });
    const table = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        table,
        fc.array(fc.nat(2000), { maxLength: 8 }),
        fc.constantFrom('\n', '\r\n'),
        (rows, cuts, lineEnd) => {
          const quoted = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
          const text = rows.map((row) => row.map(quoted).join(',') + lineEnd).join('');
          expect(scan(text, 3, cuts).map(({ cells }) => cells)).toEqual(rows);
        },
      ),
    );
  });

  it('never stops or throws, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r'), maxLength: 200 }),
        fc.array(fc.nat(200)),
        (text, cuts) => {
          const lines = scan(text, 2, cuts, 50).map(({ line }) => line);
          expect([...lines].sort((a, b) => a - b)).toEqual(lines);
        },
      ),
    );
  });
});
