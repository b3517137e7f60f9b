// That no list of alerts reads all of them: PostgreSQL is asked for its plans, and (long) how long a million takes.
import { CompiledQuery, sql } from 'kysely';
import { expect, it } from 'vitest';
import { DEFAULT_GROUPING } from '../../src/alerts/settings.ts';
import type { Tx } from '../../src/records/alerts/act.ts';
import {
  type AlertFilter,
  type AlertOrder,
  countOverdueAlerts,
  getAlert,
  listAlerts,
} from '../../src/records/alerts/list-alerts.ts';
import { loadIntake } from '../../src/records/alerts/load-intake.ts';
import { pruneSuppressed } from '../../src/records/alerts/retention.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { kyselyOver } from '../../src/records/sql-dialect.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { alertRecord, DAY, HOUR, T0 } from './alert-records.ts';
import { fillAlerts } from './many-alerts.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';
/** A million is a server's: the embedded database is for fewer. */
const rowsOf = ({ engine }: RecordStore) => (isLong && engine === 'postgres' ? 1_000_000 : 30_000);

interface PlanNode {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly PlanNode[];
}

/** Runs nothing: what is asked is explained, and the plans are kept. */
function explaining(store: RecordStore): { readonly db: Tx; readonly nodes: PlanNode[] } {
  const nodes: PlanNode[] = [];
  const all = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(all)];
  const db = kyselyOver(async ({ text, parameters }) => {
    const explained = CompiledQuery.raw(`EXPLAIN (FORMAT JSON) ${text}`, [...parameters]);
    const { rows } = await store.db.executeQuery<{ 'QUERY PLAN': readonly { readonly Plan: PlanNode }[] }>(explained);
    nodes.push(...all(rows[0]['QUERY PLAN'][0].Plan));
    return { rows: [], changed: 0 };
  });
  return { db, nodes };
}

const LISTS: readonly (readonly [string, AlertFilter, AlertOrder])[] = [
  ['open, by urgency', { state: 'open' }, 'urgency'],
  ["a queue's, by urgency", { state: 'open', queue: 'cards' }, 'urgency'],
  ["a queue's that nobody has", { queue: 'cards', assignee: null }, 'urgency'],
  ["somebody's, by urgency", { assignee: 'analyst-3' }, 'urgency'],
  ['critical ones of a queue', { state: 'new', severity: 'critical', queue: 'laundering' }, 'urgency'],
  ['overdue ones', { dueBeforeMs: T0 + HOUR }, 'urgency'],
  ['all, newest first', {}, 'newest'],
  ['closed as fraud', { state: 'closed-fraud' }, 'newest'],
  ['of a typology', { typology: 'F09' }, 'newest'],
  ['critical ones', { severity: 'critical' }, 'newest'],
  ["a queue's", { queue: 'accounts' }, 'newest'],
  ["somebody's", { assignee: 'analyst-3' }, 'newest'],
  ["a customer's", { customer: 'K-77' }, 'newest'],
  ["a customer's open ones", { customer: 'K-77', state: 'open' }, 'urgency'],
  ["a case's", { caseId: 'C-123' }, 'newest'],
  ['large ones', { leastSolesMinor: 999_990 }, 'newest'],
  [
    'within a range of amounts and time',
    { leastSolesMinor: 500, mostSolesMinor: 600, fromMs: T0, untilMs: T0 + DAY },
    'newest',
  ],
  ['of some hours', { fromMs: T0 + HOUR, untilMs: T0 + 2 * HOUR, severity: 'high' }, 'newest'],
  ['with a tag', { tag: 'llamar' }, 'newest'],
  ['found by an id', { text: 'TX-000012' }, 'newest'],
  ['found by a customer', { text: 'K-77' }, 'newest'],
  ['found by a tag', { text: 'llamar', state: 'open' }, 'urgency'],
  ['what does not exist', { typology: 'F20', severity: 'low' }, 'newest'],
];

describeOnEachEngine('lists of very many alerts', (open) => {
  it('begin at an index, whatever is asked', async () => {
    const store = await open();
    await fillAlerts(store, rowsOf(store));
    await store.transact((tx) => sql`ANALYZE alerts`.execute(tx));
    const scans: string[] = [];
    const ask = async (name: string, question: (db: Tx) => Promise<unknown>) => {
      const { db, nodes } = explaining(store);
      await question(db);
      expect(nodes.length).toBeGreaterThan(0);
      const reads = nodes.filter((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] === 'alerts');
      if (reads.length > 0) scans.push(name);
    };
    for (const [name, filter, order] of LISTS) {
      const { next } = await listAlerts(store.db, filter, order, null, 1);
      await ask(name, (db) => listAlerts(db, filter, order, null, 50));
      if (next !== null) await ask(`${name}, next page`, (db) => listAlerts(db, filter, order, next, 50));
    }
    await ask('overdue counts', (db) => countOverdueAlerts(db, T0 + HOUR));
    await ask('one alert', (db) => getAlert(db, 'TX-000000001').catch(() => null));
    await ask('suppressed ones to prune', (db) => pruneSuppressed(db, T0, () => false, '', 100).catch(() => null));
    const records = [
      alertRecord({ id: 'TX-000000001', customer: 'K-77' }),
      alertRecord({ id: 'new', customer: 'K-78' }),
    ];
    await ask('what a batch may touch', (db) => loadIntake(db, records, () => 'F09', DEFAULT_GROUPING));
    expect(scans).toEqual([]);
    if (isLong && store.engine === 'postgres') await measure(store);
  }, 600_000);
});

async function measure(store: RecordStore): Promise<void> {
  const slow: string[] = [];
  for (const [name, filter, order] of LISTS) {
    const times: number[] = [];
    let cursor: string | null = null;
    for (let n = 0; n < 100; n++) {
      const start = performance.now();
      const page = await listAlerts(store.db, filter, order, cursor, 50);
      times.push(performance.now() - start);
      cursor = page.next;
    }
    times.sort((a, b) => a - b);
    const [p50, p99] = [times[49], times[98]];
    process.stdout.write(`${name}: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms\n`);
    // The machine that tests may do other things too: the median is what does not depend on them.
    if (p50 > 50) slow.push(`${name}: p50 ${p50.toFixed(0)} ms`);
  }
  expect(slow).toEqual([]);
}
