// Which alerts make one case: those of a customer and family, and those of several customers who share a device, a payee or an
// address (a ring). Union by links, in order of event time; the older case remains and the younger becomes part of it.
//
// Errors of operations are nobody's ring: a feed that breaks touches everybody at once.
import type { AlertRecord } from './alert-record.ts';
import type { CaseLink, OpenCase } from './intake-state.ts';
import { MOST_CUSTOMERS_KEPT } from './intake-state.ts';
import type { GroupingSettings } from './settings.ts';
import { severityRank } from './severity.ts';
import type { Family } from './typology.ts';

export interface LinkKey {
  readonly key: string;
  /** So many different customers make a case of it. */
  readonly leastCustomers: number;
}

/** Payments between people; of a shop everybody is a payer. */
const RING_OPERATIONS: ReadonlySet<string> = new Set(['transfer', 'remittance', 'payroll', 'currency-exchange']);

export function linkKeysOf(record: AlertRecord, family: Family, settings: GroupingSettings): readonly LinkKey[] {
  const { customerId, payeeId, deviceId, ipAddress, operation } = record;
  if (customerId === null) return [];
  const keys: LinkKey[] = [{ key: `customer:${family}:${customerId}`, leastCustomers: 1 }];
  if (family === 'error') return keys;
  if (deviceId !== null) keys.push({ key: `device:${deviceId}`, leastCustomers: settings.leastCustomersOfDevice });
  if (payeeId !== null && payeeId !== customerId && RING_OPERATIONS.has(operation)) {
    keys.push({ key: `payee:${payeeId}`, leastCustomers: settings.leastCustomersOfPayee });
  }
  if (ipAddress !== null) keys.push({ key: `ip:${ipAddress}`, leastCustomers: settings.leastCustomersOfIp });
  return keys;
}

/** Links by key, and which case each one is of by now. Changes as a batch is taken in. */
export class LinkTable {
  private readonly byKey = new Map<string, Map<string, CaseLink>>();
  private readonly touched = new Set<CaseLink>();
  private readonly movedTo = new Map<string, string>();

  /** @param links several of one customer and case where it is made of cases that had the key, each from its own time on */
  constructor(links: readonly CaseLink[]) {
    for (const link of links) {
      const rows = this.rowsOf(link.key);
      rows.set(rowName(link), spanning(link, rows.get(rowName(link))));
    }
  }

  /** The case that a case has become part of; itself where it stands alone. */
  present(caseId: string): string {
    let id = caseId;
    for (let next = this.movedTo.get(id); next !== undefined; next = this.movedTo.get(id)) id = next;
    return id;
  }

  move(from: string, into: string): void {
    this.movedTo.set(from, into);
  }

  /** Cases that a key leads to from a record, where enough customers share it. */
  casesOf({ key, leastCustomers }: LinkKey, record: AlertRecord, settings: GroupingSettings): readonly string[] {
    const near = [...this.rowsOf(key).values()].filter((link) => isNear(link, record.eventTimeMs, settings.windowMs));
    const customers = new Set(near.map(({ customerId }) => customerId)).add(record.customerId ?? '');
    if (customers.size < leastCustomers || customers.size > settings.mostCustomersOfLink) return [];
    return [...new Set(near.map(({ caseId }) => this.present(caseId)))];
  }

  add({ key }: LinkKey, record: AlertRecord, caseId: string, settings: GroupingSettings): void {
    const rows = this.rowsOf(key);
    const [customerId, timeMs] = [record.customerId ?? '', record.eventTimeMs];
    const name = rowName({ customerId, caseId });
    const before = rows.get(name);
    if (before === undefined && rows.size > settings.mostCustomersOfLink) return;
    if (before !== undefined) this.touched.delete(before);
    const firstMs = Math.min(before?.firstMs ?? timeMs, timeMs);
    const link = { key, customerId, caseId, firstMs, lastMs: Math.max(before?.lastMs ?? timeMs, timeMs) };
    rows.set(name, link);
    this.touched.add(link);
  }

  /** As they are now: of cases that became one, a link that both had is one link. */
  changed(): readonly CaseLink[] {
    const rows = new Map<string, CaseLink>();
    for (const link of this.touched) {
      const now = { ...link, caseId: this.present(link.caseId) };
      const name = `${link.key} ${rowName(now)}`;
      rows.set(name, spanning(now, rows.get(name)));
    }
    return [...rows.values()];
  }

  private rowsOf(key: string): Map<string, CaseLink> {
    const found = this.byKey.get(key);
    if (found !== undefined) return found;
    const rows = new Map<string, CaseLink>();
    this.byKey.set(key, rows);
    return rows;
  }
}

function rowName({ customerId, caseId }: Pick<CaseLink, 'customerId' | 'caseId'>): string {
  return `${caseId} ${customerId}`;
}

function spanning(link: CaseLink, other: CaseLink = link): CaseLink {
  const [firstMs, lastMs] = [Math.min(link.firstMs, other.firstMs), Math.max(link.lastMs, other.lastMs)];
  return { ...link, firstMs, lastMs };
}

function isNear(link: CaseLink, timeMs: number, windowMs: number): boolean {
  return timeMs >= link.firstMs - windowMs && timeMs <= link.lastMs + windowMs;
}

/** The one that remains of several: the older by event time. */
export function olderFirst(a: OpenCase, b: OpenCase): number {
  return a.firstMs - b.firstMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** One case of two; priority and queue are worked out again by the caller. */
export function unite(older: OpenCase, younger: OpenCase): OpenCase {
  const leads = severityRank(younger.severity) > severityRank(older.severity) ? younger : older;
  return {
    ...older,
    ...{ typology: leads.typology, family: leads.family, severity: leads.severity },
    firstMs: Math.min(older.firstMs, younger.firstMs),
    lastMs: Math.max(older.lastMs, younger.lastMs),
    openedMs: Math.min(older.openedMs, younger.openedMs),
    alerts: older.alerts + younger.alerts,
    transactions: older.transactions + younger.transactions,
    customers: [...new Set([...older.customers, ...younger.customers])].slice(0, MOST_CUSTOMERS_KEPT),
    solesMinor: older.solesMinor + younger.solesMinor,
    unknownAmounts: older.unknownAmounts + younger.unknownAmounts,
    lossMinor: older.lossMinor + younger.lossMinor,
    risk: greater(older.risk, younger.risk),
    firstLookDueMs: Math.min(older.firstLookDueMs, younger.firstLookDueMs),
    decisionDueMs: Math.min(older.decisionDueMs, younger.decisionDueMs),
  };
}

export function greater(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}
