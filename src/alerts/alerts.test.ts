import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../decisions/reason-codes.ts';
import { createTransaction } from '../domain/transaction.ts';
import { typologyName } from '../report/typologies.ts';
import { readAlertRecord } from './alert-record.ts';
import { type Candidate, chooseAssignee, shareOut } from './assignment.ts';
import { LABEL_SOURCES, labelRecordOf, winningLabel } from './label.ts';
import { DEFAULT_QUEUES, queueOf, queuesOfRoles } from './queues.ts';
import { checkSuppression } from './suppression.ts';
import { familyOf, TYPOLOGY_OF_REASON, typologyOf } from './typology.ts';

const VALUE = {
  ...{
    kind: 'transaction',
    id: 'T-1',
    eventTimeMs: 1,
    action: 'hold',
    intended: 'hold',
    amountMinor: 100,
    currency: 'USD',
  },
  ...{
    at: { partition: 2, offset: 7 },
    rules: ['a@1', { rule: 'b@2' }, 5],
    reasons: [{ code: 'CICLO', weight: 0.4 }, null],
  },
  ...{ payerId: null, cardId: 'card-1', payeeId: 'P', risk: 0.4, operation: 'transfer' },
};

describe('reading an alert', () => {
  it('takes what the stream tells, and the card for a customer who is not named', () => {
    const read = readAlertRecord(VALUE);
    expect(read).toMatchObject({
      kind: 'transaction',
      record: { customerId: 'card-1', solesMinor: 336, rules: ['a@1', 'b@2'], logPartition: 2, logOffset: 7 },
    });
  });

  it('says which field is wrong, and leaves alerts of the governor to others', () => {
    expect(readAlertRecord({ ...VALUE, currency: 'soles' })).toMatchObject({
      kind: 'refused',
      refusal: { field: 'currency' },
    });
    expect(readAlertRecord({ ...VALUE, at: {} })).toMatchObject({ kind: 'refused', refusal: { field: 'at' } });
    expect(readAlertRecord({ ...VALUE, id: 'a\0b' })).toMatchObject({ kind: 'refused', refusal: { field: 'id' } });
    expect(readAlertRecord({ kind: 'governor', change: 'stepped-in' })).toEqual({ kind: 'other' });
  });

  it('never throws, whatever comes', () => {
    const spoiled = fc.record(Object.fromEntries(Object.keys(VALUE).map((name) => [name, fc.jsonValue()])));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.jsonValue(),
          spoiled.map((fields) => ({ ...VALUE, ...fields })),
        ),
        (value) => {
          expect(['transaction', 'other', 'refused']).toContain(readAlertRecord(value).kind);
        },
      ),
    );
  });
});

describe('typologies', () => {
  it('are known ones, of known reasons', () => {
    for (const [code, typology] of Object.entries(TYPOLOGY_OF_REASON)) {
      expect(REASON_CODES).toHaveProperty(code);
      expect(typologyName(typology).es).not.toBe(typology);
      expect(familyOf(typology)).not.toBe('other');
    }
  });

  it('come from the rule that says so, else from the heaviest reason', () => {
    const reasons = [
      { code: 'HORA_INUSUAL', weight: 0.6 },
      { code: 'PASO_RAPIDO', weight: 0.3 },
      { code: 'CAMBIO_SIM', weight: 0.1 },
    ];
    expect(typologyOf(reasons, [])).toBe('F08');
    expect(typologyOf(reasons, ['sim@2'], (id) => (id === 'sim' ? ['F02', 'F03'] : []))).toBe('F02');
    expect(typologyOf(reasons, ['mule@1'], () => ['F03', 'F08'])).toBe('F08');
    expect(typologyOf([{ code: 'HORA_INUSUAL', weight: 1 }], [])).toBe('other');
  });
});

describe('queues and assignment', () => {
  it('take an alert by the first queue that it meets', () => {
    expect(queueOf({ typology: 'F09', severity: 'low', solesMinor: 1 })).toBe('laundering');
    expect(queueOf({ typology: 'F09', severity: 'critical', solesMinor: 1 })).toBe('urgent');
    expect(queueOf({ typology: 'other', severity: 'low', solesMinor: null })).toBe('general');
    expect(queuesOfRoles(['compliance-officer']).map(({ id }) => id)).toEqual(['laundering']);
    expect(DEFAULT_QUEUES.at(-1)).not.toHaveProperty('families');
  });

  const someone = (id: string, open: number, lastAssignedMs: number | null, isPresent = true): Candidate => ({
    ...{ id, open, lastAssignedMs, isPresent, roles: ['fraud-analyst'], mostOpen: 10 },
  });

  it('goes in turn, or to whoever has least; to nobody who is away, full or of another role', () => {
    const team = [someone('a', 3, 10), someone('b', 1, 30), someone('c', 2, null), someone('d', 0, null, false)];
    expect(chooseAssignee(team, ['fraud-analyst'], 'round-robin')).toBe('c');
    expect(chooseAssignee(team, ['fraud-analyst'], 'least-loaded')).toBe('b');
    expect(chooseAssignee(team, ['auditor'], 'least-loaded')).toBeNull();
    expect(chooseAssignee([someone('a', 10, 1)], ['fraud-analyst'], 'least-loaded')).toBeNull();
  });

  it('shares out evenly and within what people take', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 60 }), (people, count) => {
        const team = Array.from({ length: people }, (_, at) => someone(`p${at}`, 0, null));
        const cases = Array.from({ length: count }, (_, at) => ({ id: `c${at}`, rolesOfQueue: ['fraud-analyst'] }));
        for (const method of ['round-robin', 'least-loaded'] as const) {
          const given = shareOut(cases, team, method, 100);
          expect(given).toHaveLength(Math.min(count, people * 10));
          const loads = team.map(({ id }) => given.filter(({ assignee }) => assignee === id).length);
          expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

describe('labels', () => {
  const label = fc.record({
    id: fc.uuid(),
    source: fc.constantFrom(...LABEL_SOURCES),
    atMs: fc.integer({ min: 0, max: 5 }),
  });

  it('count by who says it, then by when; in whatever order they come', () => {
    fc.assert(
      fc.property(fc.uniqueArray(label, { selector: ({ id }) => id, minLength: 1, maxLength: 12 }), (labels) => {
        const winner = winningLabel(labels)!;
        expect(winningLabel([...labels].reverse())).toEqual(winner);
        const strongest = Math.max(...labels.map(({ source }) => LABEL_SOURCES.indexOf(source)));
        const best = labels.filter(({ source }) => LABEL_SOURCES.indexOf(source) === strongest);
        expect(winner.atMs).toBe(Math.max(...best.map(({ atMs }) => atMs)));
      }),
    );
  });

  it('are told to the stream as fraud or not, with kind and time', () => {
    const transaction = createTransaction({ id: 'T', eventTimeMs: 1, amountMinor: 5, currency: 'PEN' });
    const told = labelRecordOf(transaction, { outcome: 'error', typology: 'E01', atMs: 9 });
    expect(told).toMatchObject({ isFraud: true, transaction: { isFraud: true, typology: 'E01', labelTimeMs: 9 } });
    expect(labelRecordOf(transaction, { outcome: 'genuine', typology: null, atMs: 9 }).isFraud).toBe(false);
  });
});

describe('a suppression', () => {
  const scope = { entity: 'customer', entityId: 'K', typology: 'F09', ruleId: null } as const;
  const day = 86_400_000;

  it('has one kind, a reason and an end within 90 days', () => {
    checkSuppression(scope, 90 * day, 'Junta de vecinos conocida', 0);
    expect(() => checkSuppression(scope, 90 * day + 1, 'Junta de vecinos conocida', 0)).toThrow(/90 days/);
    expect(() => checkSuppression(scope, 0, 'Junta de vecinos conocida', 0)).toThrow(/past/);
    expect(() => checkSuppression(scope, day, 'junta', 0)).toThrow(/not said why/);
    expect(() => checkSuppression({ ...scope, ruleId: 'x' }, day, 'Junta de vecinos conocida', 0)).toThrow(
      /exactly one/,
    );
    expect(() => checkSuppression({ ...scope, typology: 'X' }, day, 'Junta de vecinos conocida', 0)).toThrow(
      /no typology/,
    );
  });
});
