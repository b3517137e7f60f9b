// Taking alerts in: a pure fold of records over what is open. Known ones are left out, known false ones are kept apart, those
// that follow another of the same customer and kind join it, and each of the rest belongs to one case.
//
// Nothing depends on the order within a batch (it is sorted by event time and id) nor on how a sequence is cut into batches.

import type { AlertRecord } from './alert-record.ts';
import { greater, type LinkKey, LinkTable, linkKeysOf, olderFirst, unite } from './grouping.ts';
import {
  caseIdOf,
  type IntakePlan,
  type IntakeState,
  type OpenAlert,
  type OpenCase,
  type TakenAlert,
} from './intake-state.ts';
import { queueOf } from './queues.ts';
import { dueOf } from './service-levels.ts';
import type { AlertSettings } from './settings.ts';
import { priorityOf, type Severity, severest, severityOf } from './severity.ts';
import { suppressionOf } from './suppression.ts';
import { type Family, familyOf, typologyOf } from './typology.ts';

export interface IntakeContext {
  readonly settings: AlertSettings;
  /** When the records came in: clocks run from here. */
  readonly receivedMs: number;
  /** What the rule book says that a rule is meant for. */
  readonly typologiesOfRule: (ruleId: string) => readonly string[];
}

export function planIntake(state: IntakeState, records: readonly AlertRecord[], context: IntakeContext): IntakePlan {
  const intake = new Intake(state, context);
  for (const record of [...records].sort(byTime)) intake.take(record);
  return intake.plan();
}

function byTime(a: AlertRecord, b: AlertRecord): number {
  return a.eventTimeMs - b.eventTimeMs || (a.transactionId < b.transactionId ? -1 : 1);
}

class Intake {
  private readonly seen: Set<string>;
  private readonly alerts = new Map<string, OpenAlert>();
  /** customer and typology → its newest open alert */
  private readonly newest = new Map<string, string>();
  private readonly cases = new Map<string, OpenCase>();
  private readonly born = new Set<string>();
  private readonly changedAlerts = new Set<string>();
  private readonly changedCases = new Set<string>();
  private readonly merges: { from: string; into: string; because: string }[] = [];
  private readonly links: LinkTable;
  private readonly taken: TakenAlert[] = [];
  private repeated = 0;
  private readonly state: IntakeState;
  private readonly context: IntakeContext;

  constructor(state: IntakeState, context: IntakeContext) {
    this.state = state;
    this.context = context;
    this.seen = new Set(state.known);
    this.links = new LinkTable(state.links);
    for (const each of state.cases) this.cases.set(each.id, each);
    for (const alert of state.alerts) this.rememberAlert(alert);
  }

  take(record: AlertRecord): void {
    if (this.seen.has(record.transactionId)) {
      this.repeated++;
      return;
    }
    this.seen.add(record.transactionId);
    const { settings, typologiesOfRule } = this.context;
    const typology = typologyOf(record.reasons, record.rules, typologiesOfRule);
    const severity = severityOf(record, settings.severity);
    const judged = { record, typology, severity };
    // What is critical is seen whatever was said before.
    const suppression = severity === 'critical' ? null : suppressionOf(record, typology, this.state.suppressions);
    if (suppression !== null) {
      const suppressionId = suppression.id;
      this.taken.push({ ...judged, state: 'suppressed', joinedTo: null, caseId: null, suppressionId });
      return;
    }
    const head = this.headFor(record, typology);
    if (head === null) this.open(judged);
    else this.join(head, judged);
  }

  plan(): IntakePlan {
    const cases = [...this.changedCases].map((id) => this.cases.get(id)!);
    const now = (id: string | null) => (id === null ? null : this.links.present(id));
    return {
      taken: this.taken.map((each) => ({ ...each, caseId: now(each.caseId) })),
      alerts: [...this.changedAlerts].map((id) => {
        const alert = this.alerts.get(id)!;
        return { ...alert, caseId: this.links.present(alert.caseId) };
      }),
      newCases: cases.filter(({ id }) => this.born.has(id)),
      changedCases: cases.filter(({ id }) => !this.born.has(id)),
      merges: this.merges.map((merge) => ({ ...merge, into: this.links.present(merge.into) })),
      links: this.links.changed(),
      repeated: this.repeated,
    };
  }

  private headFor(record: AlertRecord, typology: string): OpenAlert | null {
    const { cooldownMs, mostCooldownMs, mostJoined } = this.context.settings.grouping;
    if (record.customerId === null) return null;
    const id = this.newest.get(headKey(record.customerId, typology));
    const head = id === undefined ? undefined : this.alerts.get(id);
    if (head === undefined || head.transactions >= mostJoined) return null;
    const { eventTimeMs } = record;
    if (eventTimeMs < head.firstMs - cooldownMs || eventTimeMs > head.lastMs + cooldownMs) return null;
    return eventTimeMs > head.firstMs + mostCooldownMs ? null : head;
  }

  private join(head: OpenAlert, { record, typology, severity }: Judged): void {
    const joined: OpenAlert = {
      ...head,
      firstMs: Math.min(head.firstMs, record.eventTimeMs),
      lastMs: Math.max(head.lastMs, record.eventTimeMs),
      transactions: head.transactions + 1,
      ...sumOf(head, record),
      severity: severest(head.severity, severity),
    };
    this.rememberAlert(this.judgedAgain(joined));
    this.changedAlerts.add(head.id);
    const own = this.cases.get(this.links.present(head.caseId))!;
    const caseId = this.link(own, familyOf(typology), record);
    this.addTo(caseId, { record, typology, severity }, 0);
    const alert = { record, typology, severity, state: 'joined', joinedTo: head.id, suppressionId: null } as const;
    this.taken.push({ ...alert, caseId });
  }

  private open(judged: Judged): void {
    const { record, typology, severity } = judged;
    const caseId = this.link(null, familyOf(typology), record);
    this.addTo(caseId, judged, 1);
    const nothing = { solesMinor: 0, unknownAmounts: 0, lossMinor: 0, risk: null };
    const { receivedMs } = this.context;
    const alert: OpenAlert = {
      ...{ id: record.transactionId, customerId: record.customerId, typology, severity, caseId },
      ...{ firstMs: record.eventTimeMs, lastMs: record.eventTimeMs, createdMs: receivedMs, transactions: 1 },
      ...sumOf(nothing, record),
      ...{ queue: '', priority: 0 },
      ...dueOf(severity, receivedMs, this.context.settings.levels),
    };
    this.rememberAlert(this.judgedAgain(alert));
    this.changedAlerts.add(alert.id);
    this.taken.push({ record, typology, severity, state: 'new', joinedTo: null, suppressionId: null, caseId });
  }

  /** Unites what a record links, and gives the case that it belongs to: its alert's, another one, or one of its own. */
  private link(own: OpenCase | null, family: Family, record: AlertRecord): string {
    const { grouping } = this.context.settings;
    const keys = linkKeysOf(record, family, grouping);
    const because = new Map<string, string>();
    for (const key of keys) {
      for (const id of this.links.casesOf(key, record, grouping)) if (!because.has(id)) because.set(id, kindOf(key));
    }
    const others = [...because.keys()]
      .filter((id) => id !== own?.id && this.cases.has(id))
      .map((id) => this.cases.get(id)!);
    const room = own === null ? grouping.mostAlertsOfCase - 1 : grouping.mostAlertsOfCase;
    let target = own;
    for (const next of others.sort(olderFirst)) {
      if ((target?.alerts ?? 0) + next.alerts > room) continue;
      target = target === null ? next : this.merge(target, next, because.get(next.id)!, because.get(target.id) ?? null);
    }
    const caseId = target?.id ?? this.bear(record);
    for (const key of keys) this.links.add(key, record, caseId, grouping);
    return caseId;
  }

  private merge(a: OpenCase, b: OpenCase, becauseOfB: string, becauseOfA: string | null): OpenCase {
    const [older, younger] = olderFirst(a, b) <= 0 ? [a, b] : [b, a];
    const united = this.judgedAgain(unite(older, younger));
    this.cases.set(older.id, united);
    this.cases.delete(younger.id);
    this.links.move(younger.id, older.id);
    this.changedCases.delete(younger.id);
    this.changedCases.add(older.id);
    const because = becauseOfB === 'customer' ? (becauseOfA ?? becauseOfB) : becauseOfB;
    // One that was never written down leaves no trace.
    if (!this.born.delete(younger.id)) this.merges.push({ from: younger.id, into: older.id, because });
    return united;
  }

  /** @returns the id of a new case without alerts */
  private bear(record: AlertRecord): string {
    const { transactionId, eventTimeMs } = record;
    const id = caseIdOf(transactionId, eventTimeMs);
    const dues = { firstLookDueMs: Number.MAX_SAFE_INTEGER, decisionDueMs: Number.MAX_SAFE_INTEGER };
    this.cases.set(id, {
      ...{ id, typology: 'other', family: 'other', firstMs: eventTimeMs, lastMs: eventTimeMs },
      ...{ openedMs: this.context.receivedMs, alerts: 0, transactions: 0, customers: [], solesMinor: 0 },
      ...{ unknownAmounts: 0, lossMinor: 0, risk: null, severity: 'low', queue: '', priority: 0, ...dues },
    });
    this.born.add(id);
    return id;
  }

  /** @param alerts 1 where the record is an alert of its own */
  private addTo(caseId: string, { record, typology, severity }: Judged, alerts: number): void {
    const before = this.cases.get(caseId)!;
    const due = dueOf(severity, this.context.receivedMs, this.context.settings.levels);
    const alone: OpenCase = {
      ...{ id: caseId, typology, family: familyOf(typology), severity },
      ...{
        firstMs: record.eventTimeMs,
        lastMs: record.eventTimeMs,
        openedMs: before.openedMs,
        alerts,
        transactions: 1,
      },
      customers: record.customerId === null ? [] : [record.customerId],
      ...sumOf({ solesMinor: 0, unknownAmounts: 0, lossMinor: 0, risk: null }, record),
      ...{ queue: '', priority: 0, ...due },
    };
    const isFirst = before.alerts === 0;
    const united = isFirst ? alone : unite(before, alone);
    this.cases.set(caseId, this.judgedAgain(united));
    this.changedCases.add(caseId);
  }

  /** Queue, clocks and priority of what its figures have become; a clock never gets longer. */
  private judgedAgain<Judged extends OpenAlert | OpenCase>(item: Judged): Judged {
    const { settings, receivedMs } = this.context;
    const due = dueOf(item.severity, receivedMs, settings.levels);
    const startMs = 'openedMs' in item ? item.openedMs : item.createdMs;
    return {
      ...item,
      queue: queueOf(item, settings.queues),
      priority: priorityOf(item.severity, item.lossMinor, item.risk, startMs),
      firstLookDueMs: Math.min(item.firstLookDueMs, due.firstLookDueMs),
      decisionDueMs: Math.min(item.decisionDueMs, due.decisionDueMs),
    };
  }

  private rememberAlert(alert: OpenAlert): void {
    this.alerts.set(alert.id, alert);
    if (alert.customerId === null) return;
    const key = headKey(alert.customerId, alert.typology);
    const other = this.alerts.get(this.newest.get(key) ?? '');
    if (other === undefined || isNewer(alert, other)) this.newest.set(key, alert.id);
  }
}

interface Judged {
  readonly record: AlertRecord;
  readonly typology: string;
  readonly severity: Severity;
}

function headKey(customerId: string, typology: string): string {
  return `${typology} ${customerId}`;
}

function isNewer(a: OpenAlert, b: OpenAlert): boolean {
  return a.lastMs > b.lastMs || (a.lastMs === b.lastMs && a.id > b.id);
}

function kindOf({ key }: LinkKey): string {
  return key.slice(0, key.indexOf(':'));
}

type Sums = Pick<OpenAlert, 'solesMinor' | 'unknownAmounts' | 'lossMinor' | 'risk'>;

function sumOf(before: Sums, { solesMinor, expectedLossMinor, risk }: AlertRecord): Sums {
  return {
    solesMinor: before.solesMinor + (solesMinor ?? 0),
    unknownAmounts: before.unknownAmounts + (solesMinor === null ? 1 : 0),
    lossMinor: before.lossMinor + Math.max(0, expectedLossMinor ?? solesMinor ?? 0),
    risk: greater(before.risk, risk),
  };
}
