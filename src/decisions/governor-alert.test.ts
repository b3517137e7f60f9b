import { describe, expect, it } from 'vitest';
import { ACTIONS } from '../rules/rule.ts';
import { type GovernorAlert, governorAlert, SIGNALS } from './governor-alert.ts';

const FIGURES = { transactions: 453, blocked: 26, alerts: 2001, degraded: 31, late: 25 };
const alert = (more: Partial<GovernorAlert> = {}) =>
  governorAlert({
    ...{ kind: 'stepped-in', timeMs: 0, cause: 'blocked-share', measured: 26 / 453, limit: 0.05, windowMs: 3_600_000 },
    ...{ figures: FIGURES, severest: 'challenge', lastedMs: null, ...more },
  });

describe("the governor's alerts", () => {
  it('say what was measured, against which limit, and what changes for customers, in both languages', () => {
    expect(alert().text).toEqual({
      es: 'El regulador de seguridad intervino: 26 / 453 (5.74 %) operaciones se retendrían o rechazarían en 1 h; el límite es 5 %. Para los clientes: mientras dure, en vez de retener o rechazar se les pide confirmar la operación.',
      en: 'The safety governor stepped in: 26 / 453 (5.74 %) transactions would be held or declined in 1 h; the limit is 5 %. For customers: while it lasts they are asked to confirm a transaction that would be held or declined.',
    });
    expect(alert({ cause: 'alerts', measured: 2001, limit: 2000 }).text.es).toContain('2,001 alertas en');
    expect(alert({ cause: 'degraded-share', limit: 0.2 }).text.en).toMatch(/31 \/ 453 \(6\.84 %\).*25 of them past it/);
    const returned = alert({ kind: 'returned', severest: null, lastedMs: 2_400_000 }).text;
    expect(returned.es).toMatch(/se retiró después de 40 min: .*vuelve a retener y rechazar/);
    expect(returned.en).toMatch(/stepped back after 40 min: .*held and declined again/);
  });

  it('word every cause, kind and fallback without a gap', () => {
    for (const cause of SIGNALS) {
      for (const kind of ['stepped-in', 'returned', 'fell-silent', 'speaks-again'] as const) {
        for (const severest of [...ACTIONS, null]) {
          const none = { ...FIGURES, transactions: 0 };
          for (const figures of [FIGURES, none]) {
            const { es, en } = alert({ cause, kind, severest, figures, lastedMs: 1 }).text;
            expect(`${es}${en}`).not.toMatch(/undefined|NaN|\.\.|null/);
            expect(es).not.toBe(en);
          }
        }
      }
    }
  });
});
