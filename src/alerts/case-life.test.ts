import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permissionsOf, ROLES, type Role } from '../identity/permissions.ts';
import {
  CASE_STATES,
  type CaseStep,
  COMPLIANCE_STATES,
  type ComplianceStep,
  type Doer,
  judgeCaseStep,
  judgeComplianceStep,
  judgeSecond,
  stateSeen,
} from './case-life.ts';

const REASON = 'El cliente confirmó la operación';
const LIMIT = 500_000;
const user = (id: string, ...roles: Role[]): Doer => ({ kind: 'user', id, permissions: permissionsOf(roles) });
const analyst = user('ana', 'fraud-analyst');
const manager = user('mario', 'operations-manager');
const officer = user('olga', 'compliance-officer');
const CASE_STEPS: readonly CaseStep[] = ['start', 'close-fraud', 'close-genuine', 'close-error', 'reopen'];
const COMPLIANCE_STEPS: readonly ComplianceStep[] = ['refer', 'qualify', 'report', 'discard', 'resume'];

describe('the life of a case', () => {
  it('has exactly the steps that are written down', () => {
    const possible = CASE_STATES.flatMap((state) =>
      CASE_STEPS.flatMap((step) => {
        try {
          const subject = { state, solesMinor: 1, unknownAmounts: 0 };
          return [`${state} -${step}-> ${judgeCaseStep(subject, step, analyst, REASON, LIMIT).to}`];
        } catch {
          return [];
        }
      }),
    );
    expect(possible).toEqual([
      'new -start-> in-progress',
      'new -close-fraud-> closed-fraud',
      'new -close-genuine-> closed-genuine',
      'new -close-error-> closed-error',
      'in-progress -close-fraud-> closed-fraud',
      'in-progress -close-genuine-> closed-genuine',
      'in-progress -close-error-> closed-error',
      'closed-fraud -reopen-> in-progress',
      'closed-genuine -reopen-> in-progress',
      'closed-error -reopen-> in-progress',
    ]);
  });

  it('has exactly the steps of compliance that are written down, and each waits for a second person', () => {
    const possible = [null, ...COMPLIANCE_STATES].flatMap((state) =>
      COMPLIANCE_STEPS.flatMap((step) => {
        try {
          const verdict = judgeComplianceStep(state, step, officer, REASON);
          expect(verdict.kind).toBe('waits');
          return [`${state} -${step}-> ${verdict.to}`];
        } catch {
          return [];
        }
      }),
    );
    expect(possible).toEqual([
      'null -refer-> unusual',
      'unusual -qualify-> suspicious',
      'unusual -discard-> discarded',
      'suspicious -report-> reported',
      'suspicious -discard-> discarded',
      'reported -resume-> unusual',
      'discarded -resume-> unusual',
    ]);
  });

  it('is worked by those roles alone whose work it is', () => {
    const may = (act: (who: Doer) => unknown) =>
      ROLES.filter((role) => {
        try {
          act(user('u', role));
          return true;
        } catch {
          return false;
        }
      });
    const subject = { state: 'new', solesMinor: 0, unknownAmounts: 0 } as const;
    const workers = ['operations-manager', 'fraud-analyst', 'compliance-officer'];
    expect(may((who) => judgeCaseStep(subject, 'close-fraud', who, REASON, LIMIT))).toEqual(workers);
    expect(may((who) => judgeComplianceStep(null, 'refer', who, REASON))).toEqual(workers);
    expect(may((who) => judgeComplianceStep('unusual', 'qualify', who, REASON))).toEqual(['compliance-officer']);
    const waiting = { requestedBy: 'x', isConfidential: false };
    expect(may((who) => judgeSecond(waiting, who, true, ''))).toEqual(['operations-manager', 'compliance-officer']);
    expect(may((who) => judgeSecond({ ...waiting, isConfidential: true }, who, true, ''))).toEqual([
      'compliance-officer',
    ]);
  });

  it('wants a second person for genuine above the amount, or where an amount is not known', () => {
    const kind = (step: CaseStep, solesMinor: number, unknownAmounts = 0) =>
      judgeCaseStep({ state: 'new', solesMinor, unknownAmounts }, step, manager, REASON, LIMIT).kind;
    expect(kind('close-genuine', LIMIT)).toBe('done');
    expect(kind('close-genuine', LIMIT + 1)).toBe('waits');
    expect(kind('close-genuine', 0, 1)).toBe('waits');
    expect(kind('close-fraud', LIMIT + 1)).toBe('done');
  });

  it('never lets the same person, or a program, be the second', () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom(...ROLES),
        fc.boolean(),
        fc.boolean(),
        (id, role, isConfidential, yes) => {
          const waiting = { requestedBy: id, isConfidential };
          expect(() => judgeSecond(waiting, user(id, role), yes, REASON)).toThrow();
          expect(() =>
            judgeSecond({ ...waiting, requestedBy: 'other' }, { ...user(id, role), kind: 'api-key' }, yes, REASON),
          ).toThrow();
        },
      ),
    );
  });

  it('wants to know why, where something is closed or refused', () => {
    const subject = { state: 'new', solesMinor: 0, unknownAmounts: 0 } as const;
    expect(() => judgeCaseStep(subject, 'close-fraud', analyst, ' ', LIMIT)).toThrow(/not said why/);
    expect(() => judgeSecond({ requestedBy: 'ana', isConfidential: false }, manager, false, 'no')).toThrow(
      /not said why/,
    );
    judgeSecond({ requestedBy: 'ana', isConfidential: false }, manager, true, '');
  });

  it("shows compliance's state to those alone who may see it", () => {
    for (const role of ROLES) {
      const seen = stateSeen('in-progress', 'suspicious', permissionsOf([role]));
      expect(seen).toBe(role === 'compliance-officer' ? 'suspicious' : 'in-progress');
    }
    expect(stateSeen('closed-fraud', 'discarded', officer.permissions)).toBe('closed-fraud');
    expect(stateSeen('closed-fraud', 'reported', officer.permissions)).toBe('reported');
  });
});
