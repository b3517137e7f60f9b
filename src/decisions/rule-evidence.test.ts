import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combinedProbability, type FiredRows, fitEvidence, rulePrecisions } from './rule-evidence.ts';

/** @param rows the rules that fired, row by row */
function firedRows(rows: readonly (readonly number[])[]): FiredRows {
  const starts = Uint32Array.from([0, ...rows].keys(), (row) => rows.slice(0, row).flat().length);
  return { starts, rules: Uint16Array.from(rows.flat()) };
}

const repeat = <T>(value: T, times: number): T[] => Array.from({ length: times }, () => value);
const HIGH = { severity: 'high' } as const;

describe("a rule's precision", () => {
  it('is what its author expects until it has fired', () => {
    const precisions = rulePrecisions([HIGH, { severity: 'low' }], firedRows([]), new Int8Array(0));
    expect([...precisions]).toEqual([0.25, 0.02]);
  });

  it('nears the share of frauds among the labelled rows it fired on', () => {
    const rows = firedRows([...repeat([0], 400), ...repeat([0], 100), ...repeat([], 500)]);
    const labels = Int8Array.from([...repeat(1, 300), ...repeat(0, 100), ...repeat(-1, 100), ...repeat(0, 500)]);
    expect(rulePrecisions([HIGH], rows, labels)[0]).toBeCloseTo(301 / 404, 12);
  });
});

describe('what rules add to a model', () => {
  const labels = Int8Array.from([...repeat(1, 200), ...repeat(0, 200)]);

  it('is little for a rule that finds what the model knows, and much for one that finds the rest', () => {
    const fired = firedRows([...repeat([0], 100), ...repeat([1], 100), ...repeat([0], 100), ...repeat([1], 100)]);
    const probabilities = [...repeat(0.99, 100), ...repeat(0.001, 100), ...repeat(0.001, 200)];
    const precisions = rulePrecisions([HIGH, HIGH], fired, labels);
    const [repeated, own] = fitEvidence(precisions, probabilities, fired, labels);
    expect(repeated).toBeLessThan(0.1);
    expect(own).toBeGreaterThan(0.45);
  });

  it('rises with the model and with every rule, and stays a probability', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(share, { minLength: 1, maxLength: 5 }), share, share, (evidence, a, b) => {
        const rows = firedRows([[], [...evidence.keys()].slice(1), [...evidence.keys()]]);
        const of = (p: number, row: number) => combinedProbability(Float64Array.from(evidence), p, rows, row);
        expect(of(a, 0)).toBeCloseTo(a, 12);
        expect(of(a, 1)).toBeGreaterThanOrEqual(a - 1e-12);
        expect(of(a, 2)).toBeGreaterThanOrEqual(of(a, 1) - 1e-12);
        expect(of(Math.max(a, b), 2)).toBeGreaterThanOrEqual(of(Math.min(a, b), 2) - 1e-12);
        expect(of(a, 2)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
