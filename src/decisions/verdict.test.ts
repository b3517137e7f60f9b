import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../rules/rule.ts';
import { decide, type RuleHit, type VerdictInput, type VerdictPolicy } from './verdict.ts';

const POLICY: VerdictPolicy = { thresholds: { reviewAtRisk: 0.3, holdAtRisk: 0.9 }, control: null, severest: null };
const hit = (action: RuleHit['action'], reason = 'MONTO_FUERA_DE_PERFIL'): RuleHit => ({
  ...{ rule: `${action}-rule@1`, action, severity: 'medium', reason, doubt: 1 },
});
const input = (more: Partial<VerdictInput> = {}): VerdictInput => ({
  ...{ id: 't1', modelRisk: 0.1, calibrated: true, amountMinor: 10_000, hits: [], silenced: [] },
  ...more,
});

describe('a verdict', () => {
  it.each([
    [input(), 'approve', 'model'],
    [input({ modelRisk: 0.5 }), 'review', 'model'],
    [input({ modelRisk: 0.95 }), 'hold', 'model'],
    [input({ hits: [hit('review'), hit('decline')] }), 'decline', 'rules'],
    [input({ modelRisk: 0.95, hits: [hit('review')] }), 'hold', 'model'],
    [input({ modelRisk: 0.95, hits: [hit('approve')] }), 'approve', 'trust'],
    [input({ modelRisk: 0.95, hits: [hit('approve'), hit('challenge')] }), 'challenge', 'rules'],
    [input({ modelRisk: Number.NaN, hits: [hit('hold')] }), 'hold', 'rules'],
    [input({ silenced: [{ ...hit('decline'), silence: 'shadow' }] }), 'approve', 'model'],
    // A model of which no detector answered: by the amount, where rules say nothing.
    [input({ modelRisk: Number.NaN, unscored: true }), 'approve', 'unscored'],
    [input({ modelRisk: Number.NaN, unscored: true, amountMinor: 20_001 }), 'review', 'unscored'],
    [input({ modelRisk: Number.NaN, unscored: true, amountMinor: Number.NaN }), 'review', 'unscored'],
    [input({ modelRisk: Number.NaN, unscored: true, hits: [hit('decline')] }), 'decline', 'rules'],
    [input({ modelRisk: Number.NaN, amountMinor: 20_001 }), 'approve', 'model'],
    [input({ modelRisk: 0.1, unscored: true, amountMinor: 20_001 }), 'approve', 'model'],
  ])('%#: %o', (given, action, by) => {
    expect(decide(given, POLICY)).toMatchObject({ action, by, intended: action });
  });

  it('is by the risk of the model and of the rules with a say, and tells the model’s own', () => {
    const sure = { ...hit('approve'), action: 'review', doubt: 0.05 } as const;
    const verdict = decide(input({ hits: [sure] }), POLICY);
    expect(verdict).toMatchObject({ action: 'hold', by: 'model', modelRisk: 0.1 });
    expect(verdict.risk).toBe(Math.fround(1 - 0.9 * 0.05));
    const inShadow = decide(input({ silenced: [{ ...sure, silence: 'shadow' }] }), POLICY);
    expect(inShadow).toMatchObject({ action: 'approve', risk: 0.1, modelRisk: 0.1 });
  });

  it('is never milder for one more rule that does not approve', () => {
    const hits = fc.array(
      fc.constantFrom(...ACTIONS).map((action) => hit(action)),
      { maxLength: 5 },
    );
    const other = fc.constantFrom(...ACTIONS.slice(1)).map((action) => hit(action));
    fc.assert(
      fc.property(hits, other, fc.double({ min: 0, max: 1, noNaN: true }), (given, more, risk) => {
        const rank = (each: RuleHit[]) =>
          ACTIONS.indexOf(decide(input({ modelRisk: risk, hits: each }), POLICY).action);
        expect(rank([...given, more])).toBeGreaterThanOrEqual(rank(given));
      }),
    );
  });

  it('lets a control group of the asked size through, the same every time, and never a large amount', () => {
    const policy: VerdictPolicy = { ...POLICY, control: { share: 0.05, maxAmountMinor: 20_000, seed: 7 } };
    const ids = Array.from({ length: 20_000 }, (_, i) => `tx-${i}`);
    const decideAll = () => ids.map((id) => decide(input({ id, hits: [hit('hold')] }), policy));
    const verdicts = decideAll();
    const drawn = verdicts.filter(({ by }) => by === 'control-group');
    expect(drawn.length).toBeGreaterThan(900);
    expect(drawn.length).toBeLessThan(1100);
    expect(drawn.every(({ action, intended }) => action === 'approve' && intended === 'hold')).toBe(true);
    expect(decideAll()).toEqual(verdicts);
    expect(
      ids.some((id) => decide(input({ id, amountMinor: 20_001, hits: [hit('hold')] }), policy).by === 'control-group'),
    ).toBe(false);
  });

  it('is no severer than the governor allows, and says what was intended', () => {
    const verdict = decide(input({ hits: [hit('decline')] }), { ...POLICY, severest: 'review' });
    expect(verdict).toMatchObject({ action: 'review', intended: 'decline', by: 'governor' });
  });
});
