import { describe, expect, it } from 'vitest';
import type { RiskModel } from '../decisions/risk-model.ts';
import { createPrng } from '../lib/prng.ts';
import { AS_IS } from '../models/calibration.ts';
import { fitConformal } from '../models/conformal.ts';
import type { FittedDetector } from '../models/detector.ts';
import { createMatrix } from '../models/matrix.ts';
import { readRules } from '../rules/read-rules.ts';
import { fitRuleEvidence } from './fit-rule-evidence.ts';

const ROWS = 8000;
const END_MS = ROWS;
const RULES = ['repeats', 'alone', 'wrong', 'quiet'].map((id) => {
  const text = `[{ id: ${id}, version: 1, name: { es: a, en: a }, owner: o, reason: R, action: review, severity: medium, mode: ${id === 'quiet' ? 'shadow' : 'live'}, when: amount > 1 }]`;
  return readRules(text, 'r.yaml', new Set(['R'])).rules[0].rule;
});
const OPTIONS = { endMs: END_MS, labelDelayMs: 1000, stackingShare: 0.5 };

/** A third of the frauds the model sees, with a rule that repeats it; another third only a rule sees. */
function history() {
  const prng = createPrng(3);
  const labels = new Int8Array(ROWS);
  const seen = new Uint8Array(ROWS);
  const starts = new Uint32Array(ROWS + 1);
  const fired: number[] = [];
  for (let row = 0; row < ROWS; row++) {
    labels[row] = Number(prng.nextFloat() < 0.06);
    const kind = prng.nextBelow(3);
    if (labels[row] === 1 && kind === 0) {
      seen[row] = 1;
      fired.push(0);
    }
    if (labels[row] === 1 && kind === 1) fired.push(1, 3);
    for (const rule of labels[row] === 0 ? [0, 1, 2] : []) if (prng.nextFloat() < 0.02) fired.push(rule);
    starts[row + 1] = fired.length;
  }
  return { labels, seen, fired: { starts, rules: Uint16Array.from(fired) } };
}

const { labels, seen, fired } = history();
const timesMs = Float64Array.from({ length: ROWS }, (_, row) => row);
const detector = {
  name: 'sees',
  score: ({ rows, values }) => Float32Array.from({ length: rows }, (_, row) => (values[row] === 1 ? 0.95 : 0.01)),
} as Partial<FittedDetector> as FittedDetector;
const model: RiskModel = {
  definitions: [],
  parts: [{ detector, supervised: true, columns: [0], tail: fitConformal(Float32Array.of(0)) }],
  ...{ stacking: { bias: 0, weights: [1] }, calibration: AS_IS, ruleEvidence: null },
};
const tableOf = (given: Int8Array) => ({
  ...{ rows: ROWS, timesMs, labels: given },
  take(rows: Uint32Array) {
    const matrix = createMatrix(rows.length, 1);
    rows.forEach((row, index) => {
      matrix.values[index] = seen[row];
    });
    return matrix;
  },
});
const learnt = (given = labels, of = model) => fitRuleEvidence(of, tableOf(given), { rules: RULES, fired }, OPTIONS);

describe('what rules add to a model', () => {
  it('is much for what only the rule finds, less for what the model sees too, little for false alarms', () => {
    const evidence = learnt()!;
    expect(evidence['alone@1']).toBeGreaterThan(0.35);
    expect(evidence['repeats@1']).toBeLessThan(evidence['alone@1'] - 0.1);
    expect(evidence['wrong@1']).toBeLessThan(0.01);
  });

  it('takes no account of rules in shadow, which would share the credit', () => {
    expect(Object.keys(learnt()!).sort()).toEqual(['alone@1', 'repeats@1', 'wrong@1']);
  });

  it('comes from labels that were known: later ones change nothing', () => {
    const known = END_MS - OPTIONS.labelDelayMs;
    const later = labels.map((label, row) => (row >= known ? 1 - label : label));
    expect(learnt(later)).toEqual(learnt());
    const earlier = labels.map((label, row) => (row >= known - 500 ? 1 - label : label));
    expect(learnt(earlier)).not.toEqual(learnt());
  });

  it('cannot be learnt without labels', () => {
    expect(learnt(labels, { ...model, stacking: null })).toBe(null);
    // Stacked, but no labelled row has a rule: what the authors expect.
    expect(learnt(new Int8Array(ROWS).fill(-1))!['alone@1']).toBeCloseTo(0.1, 12);
  });
});
