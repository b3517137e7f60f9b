// The anomalies as CSV cells and as lines of a terminal.
import { describe, expect, test } from 'vitest';
import { anomalyColumns, anomalyTableRows } from '../../src/report/anomaly-table.ts';
import type { ReportAnomaly } from '../../src/report/report-data.ts';
import { renderTerminalTable } from '../../src/report/terminal-table.ts';
import { reportFixture } from './report-fixture.ts';

const data = reportFixture({ anomalies: 12 });
const [first] = data.anomalies;
const cell = (anomaly: ReportAnomaly, column: string) =>
  anomalyTableRows({ anomalies: [anomaly] })[0][anomalyColumns.indexOf(column)];

describe('anomalies.csv', () => {
  test('one cell per column, in rank order', () => {
    const rows = anomalyTableRows(data);
    expect(rows).toHaveLength(12);
    expect(new Set(anomalyColumns).size).toBe(anomalyColumns.length);
    for (const row of rows) expect(row).toHaveLength(anomalyColumns.length);
    expect(rows.map((row) => row[anomalyColumns.indexOf('rank')])).toEqual(data.anomalies.map(({ rank }) => rank));
  });

  test('amounts are in currency units, times in Lima', () => {
    const anomaly = { ...first, amountMinor: 123_456, currency: 'PEN', timeMs: Date.UTC(2025, 0, 1, 4, 59, 59) };
    expect(cell(anomaly, 'amount')).toBe(1234.56);
    expect(cell({ ...anomaly, currency: 'CLP' }, 'amount')).toBe(123_456);
    expect(cell(anomaly, 'time_lima')).toBe('2024-12-31T23:59:59-05:00');
  });

  test('reasons are in both languages; what is missing is null', () => {
    expect(cell(first, 'reason_1_es')).toBe(first.reasons[0].es);
    expect(cell(first, 'reason_1_en')).toBe(first.reasons[0].en);
    expect(cell({ ...first, reasons: [] }, 'reason_1_code')).toBeNull();
    expect(cell({ ...first, payer: null }, 'payer')).toBeNull();
  });

  test('the cluster is the number of the group', () => {
    expect(cell({ ...first, group: 3 }, 'cluster')).toBe(3);
    expect(cell({ ...first, group: null }, 'cluster')).toBeNull();
  });

  test.each(['=1+1', '+1', '-1', '@x', '\t=1'])('%j is no formula in a spreadsheet', (text) => {
    expect(cell({ ...first, payer: text }, 'payer')).toBe(`'${text}`);
  });
});

describe('terminal table', () => {
  const plain = { locale: 'es', width: 100, colour: false } as const;
  const ansi = /\p{Cc}\[[0-9;]*m/gu;

  test('columns line up and fit the width', () => {
    for (const width of [60, 80, 100, 160]) {
      const lines = renderTerminalTable(data, { ...plain, width })
        .trimEnd()
        .split('\n');
      expect(lines).toHaveLength(13);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(width);
      const amountEnd = lines[0].indexOf('Monto') + 'Monto'.length;
      for (const line of lines.slice(1)) expect(line.slice(0, amountEnd)).toMatch(/\d\.\d\d$/);
    }
  });

  test('a narrow terminal drops columns, not the reason', () => {
    const narrow = renderTerminalTable(data, { ...plain, width: 60 });
    expect(narrow).toContain('Motivo');
    expect(narrow).not.toContain('Ordenante');
    expect(renderTerminalTable(data, { ...plain, width: 140 })).toContain('Ordenante');
    expect(renderTerminalTable(data, { ...plain, width: 10 })).toBe(narrow);
    expect(renderTerminalTable(data, { ...plain, width: Number.NaN })).toBe(narrow);
  });

  test('colours only when asked, and they change nothing else', () => {
    const bare = renderTerminalTable(data, plain);
    const coloured = renderTerminalTable(data, { ...plain, colour: true });
    expect(bare).not.toMatch(ansi);
    expect(coloured).toMatch(ansi);
    expect(coloured.replace(ansi, '')).toBe(bare);
  });

  test('a file cannot steer the terminal', () => {
    const payer = '\u001b[2Jevil\u202e\r\n';
    const text = renderTerminalTable({ anomalies: [{ ...first, payer }] }, { ...plain, width: 160 });
    expect(text.replace(/\n/g, '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(text.trimEnd().split('\n')).toHaveLength(2);
  });

  test('in English, limited, and when there is nothing', () => {
    expect(
      renderTerminalTable(data, { ...plain, locale: 'en', limit: 3 })
        .trimEnd()
        .split('\n'),
    ).toHaveLength(4);
    expect(renderTerminalTable(data, { ...plain, locale: 'en' })).toContain('Main reason');
    expect(renderTerminalTable({ anomalies: [] }, plain)).toBe('Ninguna operación supera el umbral.\n');
  });

  test('a score without a probability is shown as its rarity', () => {
    const [anomaly] = reportFixture({ anomalies: 1, labelled: false }).anomalies;
    expect(renderTerminalTable({ anomalies: [anomaly] }, plain)).toMatch(/1 en \d/);
  });
});
