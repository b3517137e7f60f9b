import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RiskModel } from '../decisions/risk-model.ts';
import { createRuleVocabulary } from '../decisions/rule-names.ts';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { handbookCatalogue } from '../features/catalogue/handbook.ts';
import { createFeatureEngine, type FeatureEngine, restoreFeatureEngine } from '../features/engine.ts';
import { createPrng } from '../lib/prng.ts';
import { AS_IS } from '../models/calibration.ts';
import { fitConformal } from '../models/conformal.ts';
import type { FittedDetector } from '../models/detector.ts';
import { halfSpaceTrees } from '../models/half-space-trees/half-space-trees.ts';
import { isolationForest } from '../models/isolation-forest/isolation-forest.ts';
import { createMatrix, type Matrix } from '../models/matrix.ts';
import { compileRuleSet } from '../rules/rule-set.ts';
import { createDecider, foldBatch } from './decide-transactions.ts';
import { type Decision, decideAndLearn, decideBatch } from './explain-decision.ts';

const definitions = handbookCatalogue.filter(({ aggregate }) => aggregate !== 'fraud-rate');
const HISTORY = payments(300, 1);
const LATER = payments(160, 4);
const policy = { thresholds: { reviewAtRisk: 0.8, holdAtRisk: 0.999 }, control: null, severest: null };
const wording = { utcOffsetMinutes: 0 };

function payments(count: number, times: number): Transaction[] {
  const prng = createPrng(times);
  return Array.from({ length: count }, (_, i) =>
    createTransaction({
      id: `${times}-${i}`,
      eventTimeMs: Date.UTC(2026, times, 1) + i * 600_000,
      amountMinor: Math.round(times * 5000 * (1 + prng.nextFloat())),
      currency: 'PEN',
      payerId: `c${i % 7}`,
      terminalId: `t${i % 5}`,
    }),
  );
}

function foldAll(transactions: readonly Transaction[]): { engine: FeatureEngine; matrix: Matrix } {
  const engine = createFeatureEngine(definitions);
  const matrix = createMatrix(transactions.length, definitions.length);
  const row = new Float64Array(definitions.length);
  transactions.forEach((transaction, index) => {
    engine.fold(transaction, row);
    matrix.values.set(row, index * row.length);
  });
  return { engine, matrix };
}

function modelOf(detectors: readonly FittedDetector[], matrix: Matrix): RiskModel {
  return {
    definitions,
    stacking: null,
    calibration: AS_IS,
    ruleEvidence: null,
    parts: detectors.map((detector) => ({
      detector,
      supervised: false,
      columns: definitions.map((_, column) => column),
      tail: fitConformal(detector.score(matrix)),
    })),
  };
}

function scoreWith(decide: typeof decideBatch, batch: readonly Transaction[], engine: FeatureEngine, model: RiskModel) {
  const rules = compileRuleSet([], createRuleVocabulary(definitions, [])).set!;
  const decider = createDecider({ rules, model, policy, overrides: [] }, definitions);
  return decide(foldBatch(batch, engine), decider, wording);
}

const scoreTransactions = scoreWith.bind(null, decideBatch);
const scoreAndLearn = scoreWith.bind(null, decideAndLearn);

function start(kind: 'online' | 'fixed') {
  const { engine, matrix } = foldAll(HISTORY);
  const data = { matrix, features: definitions.map(({ id }) => id), labels: null, validation: null };
  const detector =
    kind === 'online'
      ? halfSpaceTrees.fit(data, { trees: 10, depth: 8, window: 30 }, 1)
      : isolationForest.fit(data, { trees: 20 }, 1);
  return { engine, model: modelOf([detector], matrix) };
}

describe('deciding and learning', () => {
  it('gives the decisions of deciding alone where nothing learns online', () => {
    const [one, other] = [start('fixed'), start('fixed')];
    const decisions = scoreTransactions(LATER, one.engine, one.model);
    expect(decisions.some(({ reasons }) => reasons.length > 0)).toBe(true);
    expect(scoreAndLearn(LATER, other.engine, other.model)).toEqual(decisions);
  });

  it('decides until the first window is full as if it had learned nothing, and gets used to what stays from then on', () => {
    const [fixed, online] = [start('online'), start('online')];
    const alone = scoreTransactions(LATER, fixed.engine, fixed.model);
    const learned = scoreAndLearn(LATER, online.engine, online.model);
    expect(learned.slice(0, 30)).toEqual(alone.slice(0, 30));
    const alarms = (decisions: typeof alone) => decisions.slice(30).filter(({ action }) => action !== 'approve').length;
    expect(alarms(learned)).toBeLessThan(alarms(alone) / 4);
  });

  it('decides the same in batches of any size, and from checkpoints of engine and detector between them', () => {
    const whole = start('online');
    const expected = scoreAndLearn(LATER, whole.engine, whole.model);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 8 }), (sizes) => {
        let { engine, model } = start('online');
        const decisions: Decision[] = [];
        for (let from = 0, batch = 0; from < LATER.length; batch++) {
          const size = sizes[batch % sizes.length];
          decisions.push(...scoreAndLearn(LATER.slice(from, from + size), engine, model));
          from += size;
          const [part] = model.parts;
          engine = restoreFeatureEngine(definitions, engine.checkpoint());
          model = { ...model, parts: [{ ...part, detector: halfSpaceTrees.load(part.detector.save()) }] };
        }
        expect(decisions).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});
