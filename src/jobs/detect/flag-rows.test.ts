import { expect, it } from 'vitest';
import { decideAction } from '../../decisions/decision.ts';
import { DEFAULT_COSTS } from '../../decisions/money-policy.ts';
import type { RiskModel } from '../../decisions/risk-model.ts';
import { createTransaction } from '../../domain/transaction.ts';
import type { FeatureEngine } from '../../features/engine.ts';
import { FeatureTable } from '../../pipeline/feature-table.ts';
import type { Detection } from './detect.ts';
import { flagRows } from './flag-rows.ts';
import { costsOfReport, reliabilityOf } from './probabilities-of-report.ts';
import type { TableScores } from './score-table.ts';
import { verdictsOf } from './verdicts.ts';

const DAY_MS = 86_400_000;
const engine = { fold: () => 'ok' } as Partial<FeatureEngine> as FeatureEngine;

/** One row a day: its risk, what it moves in soles, and whether it is a fraud. */
const ROWS: readonly (readonly [risk: number, soles: number, isFraud: boolean])[] = [
  [0.9, 1, true],
  [0.5, 5, false],
  [0.3, 10_000, true],
  [0.02, 1000, false],
  [0.02, 10, false],
  [0.7, 0, true],
  [0.4, 0, false],
  [0.001, 500, true],
];

function tableAndScores(isCalibrated: boolean): { table: FeatureTable; scores: TableScores } {
  const table = new FeatureTable(1, {
    memoryLimitBytes: 1e9,
    openStore: () => {
      throw new Error('not needed');
    },
  });
  ROWS.forEach(([, soles, isFraud], row) => {
    table.add(
      engine,
      createTransaction({
        ...{ id: String(row), eventTimeMs: row * DAY_MS, amountMinor: soles * 100, currency: 'PEN', isFraud },
      }),
    );
  });
  const model = { stacking: isCalibrated ? { bias: 0, weights: [1] } : null } as Partial<RiskModel> as RiskModel;
  const risk = Float32Array.from(ROWS, ([each]) => each);
  return {
    table,
    scores: {
      ...{ segments: [{ fromMs: 0, model }], ranking: risk, risk, modelRisk: risk, movedByRules: false },
      byDetector: new Map(),
    },
  };
}

const options = { reviewShare: 0.25, byCost: false, costs: DEFAULT_COSTS };

it('a share flags the riskiest', () => {
  const { table, scores } = tableAndScores(false);
  const { flagged, decide } = flagRows(table, scores, options);
  expect([...flagged]).toEqual([0, 5]);
  expect(decide.costs).toBe(undefined);
});

it('cost flags what is worth a review or a hold, riskiest first, and by the share where no money moves', () => {
  const { table, scores } = tableAndScores(true);
  const { flagged, decide } = flagRows(table, scores, { ...options, byCost: true });
  expect([...flagged]).toEqual([5, 2, 3]);
  const actions = Array.from(flagged, (row) => decideAction(scores.risk[row], true, table.worthsMinor[row], decide));
  expect(actions).toEqual(['review', 'hold', 'review']);
});

it('cost needs probabilities', () => {
  const { table, scores } = tableAndScores(false);
  expect(() => flagRows(table, scores, { ...options, byCost: true })).toThrow('need probabilities');
});

it('the report tells what the decisions cost beside others, per day', () => {
  const { table, scores } = tableAndScores(true);
  const { flagged, decide } = flagRows(table, scores, options);
  const verdictOf = verdictsOf(table, scores, null, decide);
  const detection = {
    table,
    scores,
    flagged,
    decide,
    verdictOf,
    costs: DEFAULT_COSTS,
  } as Partial<Detection> as Detection;
  const rows = [...ROWS.keys()];
  const isFlagged = Uint8Array.from(rows, (row) => Number(flagged.includes(row)));
  const costs = costsOfReport(detection, rows, isFlagged)!;
  const days = 7;
  const lostMinor = (100 + 1_000_000 + 50_000) * 0.9;
  expect(costs.approveAllPerDayMinor).toBeCloseTo(lostMinor / days, 6);
  // The first is held and the sixth, which moves nothing, reviewed.
  expect(costs.chosen.costPerDayMinor).toBeCloseTo((lostMinor - 90 + 450) / days, 6);
  expect(costs.chosen.flaggedPerDay).toBeCloseTo(2 / days, 12);
  expect(costs.chosenByCost).toBe(false);
  // Only the third and the fourth are worth it: one is held, the other reviewed in vain.
  expect(costs.byCost.costPerDayMinor).toBeCloseTo((90 + 45_000 + 450 + 0.05 * 3000) / days, 4);
  // In hindsight it would have paid to look at all of them, for the last one's sake.
  expect(costs.cheapest.threshold).toBeCloseTo(0.001, 6);
  expect(costs.curve.at(-1)!.flaggedPerDay).toBeCloseTo(8 / days, 12);
  expect(reliabilityOf(detection, rows).reduce((sum, { frauds }) => sum + frauds, 0)).toBe(4);
  expect(costsOfReport(detection, [3], isFlagged)).toBe(null);
});
