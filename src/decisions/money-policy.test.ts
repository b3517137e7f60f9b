import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../lib/prng.ts';
import { DEFAULT_HOLD_AT_RISK, decideAction } from './decision.ts';
import type { DecisionAction } from './decision-action.ts';
import {
  abstainBand,
  cheapestAction,
  costOfAction,
  DEFAULT_COSTS,
  type DecisionCosts,
  expectedCostOfAction,
} from './money-policy.ts';

/** Evenly over [0, 1]; doubles by their bits would nearly all be next to 0. */
const share = fc.integer({ min: 0, max: 100_000 }).map((each) => each / 100_000);
const amount = fc.integer({ min: 1, max: 200_000 });
const costs: fc.Arbitrary<DecisionCosts> = fc.record({
  lossGivenFraudShare: share,
  reviewMinor: fc.integer({ min: 0, max: 20_000 }),
  wrongDeclineMinor: fc.integer({ min: 0, max: 50_000 }),
  analystAccuracyShare: share.map((each) => 0.5 + each / 2),
});
const SEVERITY: Record<DecisionAction, number> = { approve: 0, review: 1, hold: 2 };

describe('the cheapest action', () => {
  it('is worked out by hand', () => {
    // S/ 1,000: approving loses p × 900; a review costs 4.50 + 5 % of what either error costs; holding (1 − p) × 30.
    const action = (p: number) => cheapestAction(p, 100_000, DEFAULT_COSTS);
    expect([0.006, 0.008, 0.3, 0.5].map(action)).toEqual(['approve', 'review', 'review', 'hold']);
    const { fromProbability, toProbability } = abstainBand(100_000, DEFAULT_COSTS)!;
    expect(fromProbability).toBeCloseTo(6 / (855 + 1.5), 12);
    expect(toProbability).toBeCloseTo((28.5 - 4.5) / (45 + 28.5), 12);
    expect(costOfAction('review', true, 100_000, DEFAULT_COSTS)).toBeCloseTo(450 + 4500, 9);
  });

  it('costs no more in expectation than any other', () => {
    fc.assert(
      fc.property(share, amount, costs, (p, minor, given) => {
        const cost = (action: DecisionAction) => expectedCostOfAction(action, p, minor, given);
        const least = cost(cheapestAction(p, minor, given));
        for (const action of ['approve', 'review', 'hold'] as const) expect(least).toBeLessThanOrEqual(cost(action));
      }),
    );
  });

  it('is never milder for a greater probability or a greater amount', () => {
    fc.assert(
      fc.property(share, share, amount, amount, costs, (p, q, a, b, given) => {
        const severity = (probability: number, minor: number) => SEVERITY[cheapestAction(probability, minor, given)];
        const [low, high] = [Math.min(p, q), Math.max(p, q)];
        const [small, large] = [Math.min(a, b), Math.max(a, b)];
        expect(severity(high, a)).toBeGreaterThanOrEqual(severity(low, a));
        expect(severity(p, large)).toBeGreaterThanOrEqual(severity(p, small));
      }),
    );
  });

  it('is to review inside the band, and the cheaper of approve and hold outside it and where there is none', () => {
    fc.assert(
      fc.property(share, amount, costs, (p, minor, given) => {
        const band = abstainBand(minor, given);
        const inside = band !== null && p > band.fromProbability && p < band.toProbability;
        const [approve, hold] = (['approve', 'hold'] as const).map((action) =>
          expectedCostOfAction(action, p, minor, given),
        );
        // On an edge of the band two actions cost the same, and rounding decides.
        const edges = band === null ? [] : [band.fromProbability, band.toProbability];
        fc.pre(edges.every((edge) => Math.abs(p - edge) > 1e-9));
        fc.pre(Math.abs(approve - hold) > 1e-6);
        expect(cheapestAction(p, minor, given)).toBe(inside ? 'review' : approve < hold ? 'approve' : 'hold');
      }),
      { numRuns: 1000 },
    );
  });

  it('has no band where a review costs as much as a wrong decline, or tells no more than a coin', () => {
    expect(abstainBand(1_000_000, { ...DEFAULT_COSTS, reviewMinor: DEFAULT_COSTS.wrongDeclineMinor })).toBe(null);
    expect(abstainBand(1_000_000, { ...DEFAULT_COSTS, analystAccuracyShare: 0.5 })).toBe(null);
  });

  it('costs less on labels drawn with its probabilities than approving, reviewing or holding all', () => {
    const prng = createPrng(4);
    const totals = { policy: 0, approve: 0, review: 0, hold: 0 };
    for (let row = 0; row < 50_000; row++) {
      const p = prng.nextFloat() ** 6;
      const minor = Math.round(1000 * 10 ** (3 * prng.nextFloat()));
      const isFraud = prng.nextFloat() < p;
      const cost = (action: DecisionAction) => costOfAction(action, isFraud, minor, DEFAULT_COSTS);
      totals.policy += cost(cheapestAction(p, minor, DEFAULT_COSTS));
      for (const action of ['approve', 'review', 'hold'] as const) totals[action] += cost(action);
    }
    expect(totals.policy).toBeLessThan(0.9 * Math.min(totals.approve, totals.review, totals.hold));
  });
});

describe('a decision', () => {
  const levels = { reviewAtRisk: 0.5, holdAtRisk: DEFAULT_HOLD_AT_RISK };
  const byMoney = { ...levels, costs: DEFAULT_COSTS };

  it('is by the level of the risk, and nothing is held on a risk that is no probability', () => {
    expect([0.4, 0.5, 0.8].map((risk) => decideAction(risk, true, 100, levels))).toEqual(['approve', 'review', 'hold']);
    expect(decideAction(0.999, false, 100, levels)).toBe('review');
  });

  it('is by money where that is known, and by the level where it is not', () => {
    expect(decideAction(0.01, true, 100_000, byMoney)).toBe('review');
    expect(decideAction(0.01, false, 100_000, byMoney)).toBe('approve');
    for (const worth of [0, Number.NaN]) {
      expect([0.4, 0.5, 0.8].map((risk) => decideAction(risk, true, worth, byMoney))).toEqual([
        ...(['approve', 'review', 'hold'] as const),
      ]);
    }
  });
});

describe('levels that people set', () => {
  const levels = { reviewAtRisk: 0.3, reviewAtRiskWithoutMoney: 0.5, reviewAtLossMinor: 300_000, holdAtRisk: 0.8 };
  const actionOf = (risk: number, amountMinor: number, calibrated = true) =>
    decideAction(risk, calibrated, amountMinor, levels);

  it('ask for more risk where no money moves, and for less where much does', () => {
    expect([actionOf(0.29, 1000), actionOf(0.3, 1000), actionOf(0.8, 1000)]).toEqual(['approve', 'review', 'hold']);
    expect([actionOf(0.49, 0), actionOf(0.5, 0)]).toEqual(['approve', 'review']);
    expect([actionOf(0.01, 29_999_999), actionOf(0.01, 30_000_000)]).toEqual(['approve', 'review']);
  });

  it('know no loss without a probability or a known worth', () => {
    expect([actionOf(0.01, 30_000_000, false), actionOf(0.01, Number.NaN)]).toEqual(['approve', 'approve']);
    expect(actionOf(0.3, Number.NaN)).toBe('review');
  });
});
