import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AlertRecord } from '../../src/alerts/alert-record.ts';
import { type IntakeContext, planIntake } from '../../src/alerts/intake.ts';
import type { CaseLink, IntakePlan, IntakeState, OpenAlert, OpenCase } from '../../src/alerts/intake-state.ts';
import { DEFAULT_ALERT_SETTINGS } from '../../src/alerts/settings.ts';
import type { Suppression } from '../../src/alerts/suppression.ts';
import { alertRecord, DAY, HOUR, MINUTE, T0 } from './alert-records.ts';

const CONTEXT: IntakeContext = { settings: DEFAULT_ALERT_SETTINGS, receivedMs: T0, typologiesOfRule: () => [] };

/** All that is open, as a database would keep it. */
class Kept {
  readonly alerts = new Map<string, OpenAlert>();
  readonly cases = new Map<string, OpenCase>();
  readonly links = new Map<string, CaseLink>();
  readonly caseOf = new Map<string, string | null>();
  readonly joinedTo = new Map<string, string | null>();
  readonly into = new Map<string, string>();
  readonly suppressions: Suppression[] = [];
  readonly merges: IntakePlan['merges'][number][] = [];

  state(): IntakeState {
    const links = [...this.links.values()].map((link) => ({
      ...link,
      caseId: this.into.get(link.caseId) ?? link.caseId,
    }));
    const open = links.filter(({ caseId }) => this.cases.has(caseId));
    const { suppressions } = this;
    return {
      ...{ known: new Set(this.caseOf.keys()), suppressions, links: open },
      ...{ alerts: [...this.alerts.values()], cases: [...this.cases.values()] },
    };
  }

  take(records: readonly AlertRecord[], context = CONTEXT): IntakePlan {
    const plan = planIntake(this.state(), records, context);
    for (const { from, into, because } of plan.merges) {
      this.cases.delete(from);
      this.into.set(from, into);
      this.merges.push({ from, into, because });
      for (const [old, now] of this.into) if (now === from) this.into.set(old, into);
      for (const [id, caseId] of this.caseOf) if (caseId === from) this.caseOf.set(id, into);
      for (const [id, alert] of this.alerts) if (alert.caseId === from) this.alerts.set(id, { ...alert, caseId: into });
    }
    for (const each of [...plan.newCases, ...plan.changedCases]) this.cases.set(each.id, each);
    for (const alert of plan.alerts) this.alerts.set(alert.id, alert);
    for (const link of plan.links) this.links.set(`${link.key} ${link.customerId} ${link.caseId}`, link);
    for (const { record, caseId, joinedTo } of plan.taken) {
      this.caseOf.set(record.transactionId, caseId);
      this.joinedTo.set(record.transactionId, joinedTo);
    }
    return plan;
  }

  close(caseId: string): void {
    this.cases.delete(caseId);
    for (const [id, alert] of this.alerts) if (alert.caseId === caseId) this.alerts.delete(id);
  }

  /** Which records are together, by their ids. */
  groups(): string {
    const groups = new Map<string, string[]>();
    for (const [id, caseId] of this.caseOf) groups.set(caseId ?? 'none', [...(groups.get(caseId ?? 'none') ?? []), id]);
    const sorted = [...groups].map(([caseId, ids]) => `${caseId}: ${ids.sort().join(' ')}`).sort();
    const joined = [...this.joinedTo].map(([id, to]) => `${id}>${to}`).sort();
    return [...sorted, ...joined].join('\n');
  }
}

describe('taking alerts in', () => {
  it('makes one alert of the same record however often it comes', () => {
    const kept = new Kept();
    const record = alertRecord({ id: 'T-1' });
    expect(kept.take([record, record]).taken).toHaveLength(1);
    const again = kept.take([record]);
    expect(again.taken).toEqual([]);
    expect(again.repeated).toBe(1);
    expect([...kept.cases.values()][0].alerts).toBe(1);
  });

  it('lets an alert of the same customer and kind join the open one within the cool-down, and raises it where it is worse', () => {
    const kept = new Kept();
    kept.take([alertRecord({ id: 'T-1' })]);
    const worse = { id: 'T-2', atMs: T0 + 29 * MINUTE, action: 'decline', risk: 0.95, amountMinor: 4_000_000 };
    const plan = kept.take([alertRecord(worse)]);
    expect(plan.taken[0]).toMatchObject({ state: 'joined', joinedTo: 'T-1' });
    const [alert] = plan.alerts;
    expect(alert).toMatchObject({ transactions: 2, solesMinor: 4_010_000, risk: 0.95, severity: 'critical' });
    expect(alert.queue).toBe('urgent');
    expect(kept.cases.get(alert.caseId)).toMatchObject({ alerts: 1, transactions: 2, severity: 'critical' });
  });

  it('makes a new alert after the cool-down, of another kind, and a day after the first of a steady stream', () => {
    const kept = new Kept();
    kept.take([alertRecord({ id: 'T-1' }), alertRecord({ id: 'T-2', atMs: T0 + 31 * MINUTE })]);
    kept.take([alertRecord({ id: 'T-3', reason: 'CAMBIO_SIM' })]);
    expect([...kept.joinedTo.values()]).toEqual([null, null, null]);
    const steady = new Kept();
    for (let at = 0; at <= 25 * 60; at += 25) steady.take([alertRecord({ id: `S-${at}`, atMs: T0 + at * MINUTE })]);
    expect([...steady.alerts.values()].map(({ transactions }) => transactions)).toEqual([58, 3]);
  });

  it('keeps what is suppressed apart, but never what is critical or what a second rule saw', () => {
    const kept = new Kept();
    const scope = { entity: 'customer', entityId: 'K-1', typology: null, ruleId: 'new-payee' } as const;
    kept.suppressions.push({ id: 'S-1', ...scope, fromMs: T0, untilMs: T0 + HOUR });
    const rules = ['new-payee@3'];
    const { taken } = kept.take([
      alertRecord({ id: 'T-1', rules }),
      alertRecord({ id: 'T-2', rules: [...rules, 'other@1'] }),
      alertRecord({ id: 'T-3', rules, reason: 'OPERACION_POST_BLOQUEO' }),
      alertRecord({ id: 'T-4', rules, atMs: T0 + HOUR }),
      alertRecord({ id: 'T-5', rules, customer: 'K-2' }),
    ]);
    expect(taken.filter(({ state }) => state === 'suppressed').map(({ record }) => record.transactionId)).toEqual([
      'T-1',
    ]);
    expect(taken[0]).toMatchObject({ suppressionId: 'S-1', caseId: null });
  });
});

describe('grouping into cases', () => {
  it('groups by customer and family within seven days while the case is open', () => {
    const kept = new Kept();
    kept.take([
      alertRecord({ id: 'T-1', reason: 'CAMBIO_SIM' }),
      alertRecord({ id: 'T-2', reason: 'DISPOSITIVO_NUEVO' }),
    ]);
    kept.take([alertRecord({ id: 'T-3', reason: 'PASO_RAPIDO' })]);
    expect(kept.caseOf.get('T-1')).toBe(kept.caseOf.get('T-2'));
    expect(kept.caseOf.get('T-3')).not.toBe(kept.caseOf.get('T-1'));
    kept.take([alertRecord({ id: 'T-4', atMs: T0 + 7 * DAY, reason: 'CAMBIO_SIM' })]);
    expect(kept.caseOf.get('T-4')).toBe(kept.caseOf.get('T-1'));
    kept.take([alertRecord({ id: 'T-5', atMs: T0 + 14 * DAY + 1, reason: 'CAMBIO_SIM' })]);
    expect(kept.caseOf.get('T-5')).not.toBe(kept.caseOf.get('T-1'));
  });

  it('opens another case once the first is closed', () => {
    const kept = new Kept();
    kept.take([alertRecord({ id: 'T-1' })]);
    kept.close(kept.caseOf.get('T-1')!);
    kept.take([alertRecord({ id: 'T-2', atMs: T0 + MINUTE })]);
    expect(kept.caseOf.get('T-2')).not.toBe(kept.caseOf.get('T-1'));
  });

  it('unites the cases of customers who share a device, keeps the older one and tells why', () => {
    const kept = new Kept();
    kept.take([alertRecord({ id: 'T-1', customer: 'A', device: 'D-1' })]);
    kept.take([alertRecord({ id: 'T-2', customer: 'B', atMs: T0 + HOUR })]);
    const [a, b] = [kept.caseOf.get('T-1')!, kept.caseOf.get('T-2')!];
    expect(a).not.toBe(b);
    const plan = kept.take([alertRecord({ id: 'T-3', customer: 'B', device: 'D-1', atMs: T0 + 2 * HOUR })]);
    expect(plan.merges).toEqual([{ from: b, into: a, because: 'device' }]);
    expect(kept.cases.get(a)).toMatchObject({ alerts: 3, transactions: 3, customers: ['A', 'B'] });
    expect(kept.caseOf.get('T-3')).toBe(a);
  });

  it('goes by the whole time of a case that several became, of which each had the same link', () => {
    const [whole, cut] = [new Kept(), new Kept()];
    const at = (id: string, minutes: number, customer: string, reason: string, device: string | null = 'D') =>
      alertRecord({ id, atMs: T0 + minutes * MINUTE, customer, reason, device });
    const records = [
      at('T-0', 0, 'C', 'PASO_RAPIDO'),
      at('T-5', 0, 'A', 'CAMBIO_SIM', null),
      at('T-3', 1, 'C', 'CAMBIO_SIM'),
      at('T-2', 2, 'A', 'CAMBIO_SIM'),
      at('T-1', 3, 'C', 'CAMBIO_SIM'),
      at('T-4', 2 + 7 * 24 * 60, 'A', 'HORA_INUSUAL'),
    ];
    whole.take(records);
    for (const record of records) cut.take([record]);
    expect(whole.cases.size).toBe(1);
    expect(cut.groups()).toBe(whole.groups());
  });

  it('unites three payers of one payee by transfers, and no shoppers of a shop', () => {
    const kept = new Kept();
    const pays = (id: string, customer: string, operation: string) =>
      alertRecord({ id, customer, payee: `P-${operation}`, operation });
    kept.take(['A', 'B'].map((customer) => pays(`T-${customer}`, customer, 'transfer')));
    expect(kept.cases.size).toBe(2);
    kept.take([pays('T-C', 'C', 'transfer')]);
    expect(kept.cases.size).toBe(1);
    expect(kept.merges.map(({ because }) => because)).toEqual(['payee']);
    kept.take(['A1', 'B1', 'C1'].map((customer) => pays(`U-${customer}`, customer, 'purchase')));
    expect(kept.cases.size).toBe(4);
  });

  it('lets a full case take no more and links nothing by what very many share', () => {
    const kept = new Kept();
    const grouping = { ...DEFAULT_ALERT_SETTINGS.grouping, mostAlertsOfCase: 3, mostCustomersOfLink: 4 };
    const context = { ...CONTEXT, settings: { ...DEFAULT_ALERT_SETTINGS, grouping } };
    const at = (n: number) => alertRecord({ id: `T-${n}`, customer: `K-${n}`, device: 'D', atMs: T0 + n });
    kept.take([0, 1, 2, 3, 4, 5, 6].map(at), context);
    expect([...kept.cases.values()].map(({ alerts }) => alerts)).toEqual([3, 1, 1, 1, 1]);
  });
});

const someRecord = fc.record({
  customer: fc.constantFrom('A', 'B', 'C', 'D'),
  device: fc.constantFrom(null, null, 'X', 'Y'),
  payee: fc.constantFrom(null, 'P', 'Q'),
  minutes: fc.integer({ min: 0, max: 60 * 24 * 12 }),
  reason: fc.constantFrom('CAMBIO_SIM', 'PASO_RAPIDO', 'DUPLICADO', 'HORA_INUSUAL'),
  action: fc.constantFrom('review', 'hold', 'decline'),
});
const someRecords = fc
  .array(someRecord, { minLength: 1, maxLength: 40 })
  .map((rows) =>
    rows.map(({ minutes, ...row }, at) => alertRecord({ id: `T-${at}`, atMs: T0 + minutes * MINUTE, ...row })),
  );

describe('properties of the intake', () => {
  it('groups the same whatever the order within a batch', () => {
    const shuffled = someRecords.chain((records) =>
      fc.tuple(fc.constant(records), fc.shuffledSubarray(records, { minLength: records.length })),
    );
    fc.assert(
      fc.property(shuffled, ([records, other]) => {
        const [a, b] = [new Kept(), new Kept()];
        a.take(records);
        b.take(other);
        expect(b.groups()).toBe(a.groups());
        expect([...b.cases.values()]).toEqual([...a.cases.values()]);
      }),
      { numRuns: 200 },
    );
  });

  it('groups the same however the sequence is cut into batches, and delivered again', () => {
    fc.assert(
      fc.property(someRecords, fc.integer({ min: 1, max: 7 }), (records, size) => {
        const sorted = [...records].sort(
          (a, b) => a.eventTimeMs - b.eventTimeMs || (a.transactionId < b.transactionId ? -1 : 1),
        );
        const [whole, cut] = [new Kept(), new Kept()];
        whole.take(sorted);
        for (let at = 0; at < sorted.length; at += size) {
          cut.take(sorted.slice(at, at + size));
          cut.take(sorted.slice(Math.max(0, at - 1), at + size));
        }
        expect(cut.groups()).toBe(whole.groups());
        const byId = (kept: Kept) => [...kept.cases.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
        expect(byId(cut)).toEqual(byId(whole));
      }),
      { numRuns: 200 },
    );
  });

  it('loses nothing: every record is in one case, and the figures of cases are those of their records', () => {
    fc.assert(
      fc.property(someRecords, (records) => {
        const kept = new Kept();
        const half = records.length >> 1;
        kept.take(records.slice(0, half));
        kept.take(records.slice(half));
        expect(kept.caseOf.size).toBe(records.length);
        for (const each of kept.cases.values()) {
          const own = records.filter(({ transactionId }) => kept.caseOf.get(transactionId) === each.id);
          expect(each.transactions).toBe(own.length);
          expect(each.solesMinor).toBe(own.reduce((sum, { solesMinor }) => sum + (solesMinor ?? 0), 0));
          expect(each.alerts).toBe(own.filter(({ transactionId }) => kept.joinedTo.get(transactionId) === null).length);
          expect([...each.customers].sort()).toEqual([...new Set(own.map(({ customerId }) => customerId!))].sort());
        }
        const inCases = [...kept.cases.values()].reduce((sum, { transactions }) => sum + transactions, 0);
        expect(inCases).toBe(records.length);
      }),
      { numRuns: 200 },
    );
  });
});
