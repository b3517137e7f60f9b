import { expect, test } from 'vitest';
import { createTransaction } from '../domain/transaction.ts';
import { createQualityTally, summariseQuality } from './quality-summary.ts';

const tx = (id: string, amountMinor: number, concept: string | null = null) =>
  createTransaction({ id, eventTimeMs: 1_793_000_000_000, amountMinor, currency: 'PEN', operation: 'fee', concept });

test('counts each finding, the most frequent first, with the first examples', () => {
  const clean = Array.from({ length: 92 }, (_, i) => tx(`ok${i}`, 100));
  const negative = Array.from({ length: 7 }, (_, i) => tx(`neg${i}`, -1));
  const summary = summariseQuality([...clean, ...negative, tx('both', -1, 'prueba')]);
  expect([summary.rows, summary.rowsWithFindings]).toEqual([100, 8]);
  expect(summary.findings.map(({ code, rows, share, systematic }) => [code, rows, share, systematic])).toEqual([
    ['SIGNO_INVERTIDO', 8, 0.08, false],
    ['DATOS_DE_PRUEBA', 1, 0.01, false],
  ]);
  expect(summary.findings[0]!.examples).toEqual(['neg0', 'neg1', 'neg2', 'neg3', 'neg4']);
  expect(summary.findings[0]!.text.es).toMatch(/negativo/);
});

test('a fifth of the rows points to the file itself', () => {
  const summary = summariseQuality([tx('a', -1), tx('b', 1), tx('c', 1), tx('d', 1), tx('e', 1)]);
  expect(summary.findings.map((finding) => finding.systematic)).toEqual([true]);
});

test('nothing counted is no finding', () => {
  expect(createQualityTally().summary()).toEqual({ rows: 0, rowsWithFindings: 0, findings: [] });
});
