import { describe, expect, it } from 'vitest';
import { type DecisionThresholds, decideAction } from '../../decisions/decision.ts';
import { DEFAULT_COSTS } from '../../decisions/money-policy.ts';
import { createPrng } from '../../lib/prng.ts';
import { chooseThresholds, type LaterRows } from './choose-thresholds.ts';
import { policyFigures } from './policy-figures.ts';

const DAY_MS = 86_400_000;
const ROWS = 20_000;

/** Ten days of rows whose risk is the probability that their labels were drawn with. */
function laterRows(seed = 1): LaterRows {
  const prng = createPrng(seed);
  const risk = Float32Array.from({ length: ROWS }, () => prng.nextFloat() ** 20);
  return {
    risk,
    calibrated: true,
    movedByRules: false,
    referenceRows: 0,
    labels: Int8Array.from(risk, (p) => (prng.nextFloat() < p ? 1 : 0)),
    timesMs: Float64Array.from({ length: ROWS }, (_, row) => (row / ROWS) * 10 * DAY_MS),
    startMs: 0,
    endMs: 10 * DAY_MS,
  };
}

const flaggedShare = (risk: Float32Array, threshold: number) =>
  risk.filter((each) => each >= threshold).length / risk.length;

describe('one in N', () => {
  it('of the genuine rows is flagged, and of those that come later', () => {
    const later = laterRows();
    const { decide, chosen } = chooseThresholds(later, { by: 'one-in', flagOneIn: 100 }, DEFAULT_COSTS);
    const genuineOf = ({ risk, labels }: LaterRows) => risk.filter((_, row) => labels[row] === 0);
    const genuine = genuineOf(later);
    expect(flaggedShare(genuine, decide.reviewAtRisk)).toBeCloseTo(0.01, 3);
    const shares = Array.from({ length: 20 }, (_, i) => flaggedShare(genuineOf(laterRows(i + 2)), decide.reviewAtRisk));
    // The threshold is an estimate from as many rows as it is measured on.
    const fourErrors = 4 * Math.sqrt((0.01 * 0.99 * 2) / genuine.length);
    for (const share of shares) expect(Math.abs(share - 0.01)).toBeLessThan(fourErrors);
    if (chosen.by !== 'one-in') throw new Error('not as wished');
    expect(chosen.measured.rows).toBe(genuine.length - (genuine.length >> 1));
    expect(chosen.measured.interval.low).toBeLessThan(0.01);
    expect(chosen.measured.interval.high).toBeGreaterThan(0.01);
  });

  it('by p-value needs no choice: the level is 1 − 1/N, and a p-value of exactly 1/N is flagged', () => {
    for (const flagOneIn of [3, 7, 10, 999, 1000]) {
      const risk = Float32Array.of(1 - 1 / flagOneIn, 1 - 1.001 / flagOneIn);
      const later = { ...laterRows(), risk, calibrated: false, referenceRows: 5000 };
      const { decide, chosen } = chooseThresholds(later, { by: 'one-in', flagOneIn }, DEFAULT_COSTS);
      expect(Array.from(risk, (each) => each >= decide.reviewAtRisk)).toEqual([true, false]);
      expect(chosen).toMatchObject({ measured: { rows: 2, flagged: 1, share: 0.5 } });
    }
  });

  it('of more rows than there are cannot be told', () => {
    const wish = { by: 'one-in', flagOneIn: 30_000 } as const;
    expect(() => chooseThresholds(laterRows(), wish, DEFAULT_COSTS)).toThrow('once in 30000');
    const unlabelled = { ...laterRows(), calibrated: false, referenceRows: 29_998 };
    expect(() => chooseThresholds(unlabelled, wish, DEFAULT_COSTS)).toThrow('from 29998 of them');
  });
});

function figuresOf(later: LaterRows, worthsMinor: Float64Array, decide: DecisionThresholds) {
  const { risk, calibrated } = later;
  const actionOf = (row: number) => decideAction(risk[row], calibrated, worthsMinor[row], decide);
  return policyFigures(later, worthsMinor, actionOf, DEFAULT_COSTS);
}

describe('by cost', () => {
  const worthsMinor = Float64Array.from({ length: ROWS }, (_, row) => 1000 + (row % 100) * 1000);

  it('costs less than approving all and than the level of a share', () => {
    const later = laterRows();
    const figuresBy = (by: 'share' | 'cost') => {
      const { decide } = chooseThresholds(later, { by, reviewShare: 0.005 }, DEFAULT_COSTS);
      return figuresOf(later, worthsMinor, decide)!.costPerDay!;
    };
    const [byShare, byCost] = [figuresBy('share'), figuresBy('cost')];
    expect(byCost.policySoles).toBeLessThan(byShare.policySoles);
    expect(byShare.policySoles).toBeLessThan(byShare.approveAllSoles);
    expect(byCost.savedSoles).toBeCloseTo(byCost.approveAllSoles - byCost.policySoles, 9);
    const lostMinor = later.labels.reduce((sum, label, row) => sum + label * worthsMinor[row] * 0.9, 0);
    expect(byCost.approveAllSoles).toBeCloseTo(lostMinor / 100 / 10, 6);
  });

  it('counts rows without a label or a worth among the flagged, and not in the cost', () => {
    const later = laterRows();
    later.labels.fill(-1, 0, ROWS / 2);
    const worths = worthsMinor.slice().fill(Number.NaN, 0, ROWS / 4);
    const { decide } = chooseThresholds(later, { by: 'cost', reviewShare: 0.01 }, DEFAULT_COSTS);
    const figures = figuresOf(later, worths, decide)!;
    expect(figures.costPerDay!.rows).toBe(ROWS / 2);
    const unknown = later.risk.subarray(0, ROWS / 4).filter((risk) => risk >= decide.reviewAtRisk).length;
    expect(unknown).toBeGreaterThan(0);
    expect(figures.flaggedPerDay * 10).toBeGreaterThan(unknown);
    expect(figures.heldPerDay).toBeLessThan(figures.flaggedPerDay);
  });

  it('needs probabilities', () => {
    const later = { ...laterRows(), calibrated: false };
    const wish = { by: 'cost', reviewShare: 0.01 } as const;
    expect(() => chooseThresholds(later, wish, DEFAULT_COSTS)).toThrow('need probabilities');
    const { decide } = chooseThresholds(later, { by: 'share', reviewShare: 0.01 }, DEFAULT_COSTS);
    expect(figuresOf(later, worthsMinor, decide)!.costPerDay).toBe(null);
  });

  it('rows of a single moment have no days', () => {
    const later = { ...laterRows(), endMs: 0 };
    const { decide } = chooseThresholds(later, { by: 'share', reviewShare: 0.01 }, DEFAULT_COSTS);
    expect(figuresOf(later, worthsMinor, decide)).toBe(null);
  });
});

it('a share of the later rows is flagged, one at least', () => {
  const later = laterRows();
  const at = (reviewShare: number) =>
    chooseThresholds(later, { by: 'share', reviewShare }, DEFAULT_COSTS).decide.reviewAtRisk;
  expect(flaggedShare(later.risk, at(0.02))).toBeCloseTo(0.02, 9);
  expect(flaggedShare(later.risk, at(1e-9))).toBe(1 / ROWS);
});
