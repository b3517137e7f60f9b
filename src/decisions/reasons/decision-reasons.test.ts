import { expect, it } from 'vitest';
import { REASON_CODES } from '../reason-codes.ts';
import type { RuleHit } from '../verdict.ts';
import { decisionReasons } from './decision-reasons.ts';
import type { Reason } from './reason.ts';

const hit = (reason: string, doubt: number, action: RuleHit['action'] = 'review'): RuleHit => ({
  ...{ rule: `${reason}@1`, action, severity: 'high', reason, doubt },
});
const said = (code: string, weight: number): Reason => ({ code, features: ['f'], weight, es: 'modelo', en: 'model' });
const MODEL = [said('HORA_INUSUAL', 0.6), said('MONTO_REDONDO', 0.4)];
const codes = (reasons: readonly Reason[]) => reasons.map(({ code }) => code);

it('the model alone is told as it is', () => {
  const alone = { modelRisk: 0.5, hits: [], by: 'model', intended: 'review' } as const;
  expect(decisionReasons(MODEL, alone)).toEqual(MODEL);
});

it('each has the share of the doubt that it took, in the words of the table of reasons', () => {
  const verdict = { modelRisk: 0.5, hits: [hit('CCI_INVALIDO', 0.125)], by: 'model', intended: 'review' } as const;
  const reasons = decisionReasons(MODEL, verdict);
  // ½ of the doubt and ⅛ of the rest: one part and three.
  expect(codes(reasons)).toEqual(['CCI_INVALIDO', 'HORA_INUSUAL', 'MONTO_REDONDO']);
  expect(reasons.map(({ weight }) => weight)).toEqual([0.75, 0.15, 0.1].map((weight) => expect.closeTo(weight, 12)));
  const { es, en } = REASON_CODES.CCI_INVALIDO;
  expect(reasons[0]).toMatchObject({ es, en });
});

it('what decided comes first, however little it adds to the risk', () => {
  const hits = [hit('PASO_RAPIDO', 0.01), hit('CCI_INVALIDO', 1, 'hold')];
  const verdict = { modelRisk: 0.9, hits, by: 'rules', intended: 'hold' } as const;
  expect(codes(decisionReasons(MODEL, verdict))).toEqual(['CCI_INVALIDO', 'PASO_RAPIDO', 'HORA_INUSUAL']);
});

it('model and rules that say the same are one reason, in the words of the model', () => {
  const verdict = { modelRisk: 0.5, hits: [hit('MONTO_REDONDO', 0.5)], by: 'model', intended: 'review' } as const;
  const reasons = decisionReasons(MODEL, verdict);
  expect(codes(reasons)).toEqual(['MONTO_REDONDO', 'HORA_INUSUAL']);
  expect(reasons[0]).toMatchObject({ es: 'modelo', weight: expect.closeTo(0.7, 12) });
});

it('rules alone have reasons too, and one that approves is none', () => {
  const hits = [hit('CCI_INVALIDO', 0.5), hit('BENEFICIARIO_NUEVO', 1, 'approve')];
  const verdict = { modelRisk: Number.NaN, hits, by: 'rules', intended: 'review' } as const;
  expect(decisionReasons([], verdict)).toMatchObject([{ code: 'CCI_INVALIDO', weight: 1 }]);
});
