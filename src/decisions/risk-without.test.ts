import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FeatureDefinition } from '../features/definition.ts';
import { AS_IS } from '../models/calibration.ts';
import { fitConformal } from '../models/conformal.ts';
import type { FittedDetector } from '../models/detector.ts';
import { createMatrix } from '../models/matrix.ts';
import { ASK_ALL, type Asking, explainRisk, type RiskModel, type RiskModelPart, scoreRisk } from './risk-model.ts';

const REFERENCE_ROWS = 999;

/** Its score is its column; ordinary rows have every score from 0 to 1 alike. */
function part(name: string, column: number, supervised: boolean): RiskModelPart {
  const detector: Partial<FittedDetector> = {
    name,
    score: ({ rows, columns, values }) =>
      Float32Array.from({ length: rows }, (_, row) => values[row * columns + column]),
    explain: (row) => ({ base: 0, contributions: Float64Array.from(row, (value, i) => (i === column ? value : 0)) }),
  };
  const tail = fitConformal(Float32Array.from({ length: REFERENCE_ROWS }, (_, i) => (i + 1) / (REFERENCE_ROWS + 1)));
  return { detector: detector as FittedDetector, supervised, columns: [0, 1, 2], tail };
}

const PARTS = [part('trees', 0, true), part('forest', 1, false), part('network', 2, true)];
const definitions = ['a', 'b', 'c'].map((id) => ({ id }) as FeatureDefinition);
const rest = { definitions, parts: PARTS, calibration: AS_IS, ruleEvidence: null };
const LABELLED: RiskModel = { ...rest, stacking: { bias: -4, weights: [1, 2, 0.5] } };
const UNLABELLED: RiskModel = { ...rest, stacking: null };

const rowOf = (...scores: number[]) => ({ ...createMatrix(1, 3), values: Float32Array.from(scores) });
const without = (...leftOut: string[]): Asking => ({ ...ASK_ALL, leftOut });
const riskOf = (model: RiskModel, row: ReturnType<typeof rowOf>, asking?: Asking) =>
  scoreRisk(model, row, asking).risk[0];
const score = fc.float({ min: Math.fround(0.01), max: Math.fround(0.99), noNaN: true });

describe('the risk without a detector', () => {
  it('is near the whole one where all find a row equally unusual', () => {
    for (const each of [0.1, 0.5, 0.9, 0.99]) {
      const row = rowOf(each, each, each);
      for (const name of ['trees', 'forest', 'network']) {
        expect(riskOf(LABELLED, row, without(name))).toBeCloseTo(riskOf(LABELLED, row), 2);
      }
      expect(riskOf(UNLABELLED, row, without('trees'))).toBeCloseTo(riskOf(UNLABELLED, row), 2);
    }
  });

  it('does not take the missing one for silent: what the others find unusual stays risky', () => {
    const row = rowOf(0.999, 0.999, 0.999);
    const silent = riskOf(LABELLED, rowOf(0.5, 0.999, 0.999));
    expect(1 - riskOf(LABELLED, row, without('trees'))).toBeLessThan((1 - silent) / 100);
  });

  it('rises with every score there is, and does not know the one that is missing', () => {
    const property = fc.property(score, score, score, score, (a, b, c, other) => {
      const asking = without('forest');
      const risk = riskOf(LABELLED, rowOf(a, b, c), asking);
      expect(riskOf(LABELLED, rowOf(a, other, c), asking)).toBe(risk);
      expect(riskOf(LABELLED, rowOf(Math.max(a, other), b, c), asking)).toBeGreaterThanOrEqual(risk);
      const unlabelled = riskOf(UNLABELLED, rowOf(a, b, c), without('trees'));
      expect(riskOf(UNLABELLED, rowOf(other, b, c), without('trees'))).toBe(unlabelled);
      expect(riskOf(UNLABELLED, rowOf(a, Math.max(b, other), c), without('trees'))).toBeGreaterThanOrEqual(unlabelled);
    });
    fc.assert(property);
  });

  it('is not known without any, nor where none that is left says anything', () => {
    expect(riskOf(LABELLED, rowOf(0.9, 0.9, 0.9), without('trees', 'forest', 'network'))).toBeNaN();
    expect(riskOf(UNLABELLED, rowOf(0.9, Number.NaN, 0.9), without('trees', 'network'))).toBeNaN();
  });

  it('is the same whether a detector was left out or failed, and its own score is missing', () => {
    const row = rowOf(0.2, 0.9, 0.8);
    const failing: Asking = { leftOut: [], ask: (name, run) => (name === 'trees' ? null : run()) };
    expect(scoreRisk(LABELLED, row, failing)).toEqual(scoreRisk(LABELLED, row, without('trees')));
    expect(scoreRisk(LABELLED, row, failing).parts[0][0]).toBeNaN();
  });

  it('is explained by those that were asked', () => {
    const row = rowOf(0.9, 0.9, 0.9);
    expect(explainRisk(LABELLED, row, 0, 'quick', { leftOut: ['trees'] })[0]).toBe(0);
    expect(explainRisk(LABELLED, row, 0, 'quick', { leftOut: ['trees'] })[1]).toBeGreaterThan(0);
    expect([...explainRisk(UNLABELLED, row, 0, 'quick', { leftOut: ['trees'] })].map((each) => each > 0)).toEqual([
      ...[false, true, false],
    ]);
  });
});
