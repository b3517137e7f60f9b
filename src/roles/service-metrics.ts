// The service's own metrics for Prometheus, beside the worker's and those of HTTP: records, alerts, cases, notifications,
// archive, audit, log-in. Labels are names of this program or of an administrator's settings, never of anybody or anything
// that came in. What others count is read when it is asked for; rows are counted in the database, at most every few seconds.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { AlertTakerCounts } from '../jobs/alerts/alert-taker.ts';
import type { ArchiveCounters, ArchiveGauges } from '../jobs/archive/counters.ts';
import { nothingRemoved, type RetentionCounts } from '../jobs/retention/retention-round.ts';
import type { NotifierCounters } from '../records/notifications/notifier.ts';
import type { RecordStore } from '../records/record-store.ts';
import { countRows, type RowCounts } from '../records/row-counts.ts';

/** What is looked at when the metrics are asked for. */
export interface WatchedParts {
  readonly records: RecordStore;
  readonly alerts: AlertTakerCounts;
  readonly archive: {
    readonly counts: ArchiveCounters;
    gauges(): ArchiveGauges;
    isRunning(): boolean;
  };
  readonly notifications: () => NotifierCounters;
  readonly audit: () => { readonly entries: number; readonly waiting: number };
  readonly nowMs: () => number;
}

export type LogInOutcome = 'signed-in' | 'refused' | 'totp-required' | 'locked';

export interface ServiceMetrics {
  /** The same records, measured. */
  measured(records: RecordStore): RecordStore;
  loggedIn(outcome: LogInOutcome): void;
  /** A round of deleting what need not be kept is over. */
  retained(counts: RetentionCounts): void;
  watch(parts: WatchedParts): void;
  text(): Promise<string>;
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const OUTCOMES = ['committed', 'conflict', 'unavailable', 'failed'] as const;
const LOG_INS: readonly LogInOutcome[] = ['signed-in', 'refused', 'totp-required', 'locked'];
const COUNT_ROWS_EVERY_MS = 5000;

/** @param ofProcess whether nobody else here tells of the process */
export function serviceMetrics(ofProcess: boolean): ServiceMetrics {
  const registry = new Registry();
  if (ofProcess) collectDefaultMetrics({ register: registry, prefix: 'centinela_' });
  const records = recordsMetrics(registry);
  const logIns = new Counter({
    ...{ name: 'centinela_logins_total', help: 'Attempts to log in, by what became of them.', labelNames: ['outcome'] },
    registers: [registry],
  });
  for (const outcome of LOG_INS) logIns.inc({ outcome }, 0);
  const retention = retentionMetrics(registry);
  return {
    measured: records,
    retained: retention,
    loggedIn: (outcome) => logIns.inc({ outcome }),
    watch: (parts) => watchParts(registry, parts),
    text: () => registry.metrics(),
  };
}

function retentionMetrics(registry: Registry): ServiceMetrics['retained'] {
  const registers = [registry];
  const removed = new Counter({
    ...{ name: 'centinela_retention_removed_total', help: 'What went because it need not be kept any longer.' },
    ...{ labelNames: ['what'], registers },
  });
  const held = new Gauge({
    ...{ name: 'centinela_retention_held', help: 'What stayed in the last round for a legal hold.', registers },
  });
  const tell: ServiceMetrics['retained'] = ({ isMore: _, held: stays, ...counts }) => {
    for (const [what, count] of Object.entries(counts)) removed.inc({ what }, count);
    held.set(stays);
  };
  tell(nothingRemoved());
  return tell;
}

function recordsMetrics(registry: Registry): ServiceMetrics['measured'] {
  const registers = [registry];
  const transactions = new Counter({
    ...{ name: 'centinela_records_transactions_total', help: 'Transactions of the records, by what became of them.' },
    ...{ labelNames: ['outcome'], registers },
  });
  const retries = new Counter({
    ...{
      name: 'centinela_records_retries_total',
      help: 'Times that a transaction lost against another and was run again.',
    },
    registers,
  });
  const seconds = new Histogram({
    ...{ name: 'centinela_records_transaction_seconds', help: 'Time of a transaction, with its waits and retries.' },
    ...{ buckets: SECONDS, registers },
  });
  for (const outcome of OUTCOMES) transactions.inc({ outcome }, 0);
  return (records) => ({
    ...records,
    async transact(work) {
      const begunMs = performance.now();
      let attempts = 0;
      try {
        const result = await records.transact((tx) => {
          attempts++;
          return work(tx);
        });
        transactions.inc({ outcome: 'committed' });
        return result;
      } catch (error) {
        transactions.inc({ outcome: outcomeOf(error) });
        throw error;
      } finally {
        if (attempts > 1) retries.inc(attempts - 1);
        seconds.observe((performance.now() - begunMs) / 1000);
      }
    },
  });
}

/** `failed` are mostly changes that were refused: nothing of them is left. */
function outcomeOf(error: unknown): (typeof OUTCOMES)[number] {
  const { code } = error as { code?: unknown };
  if (code === 'RECORD_CONFLICT') return 'conflict';
  return code === 'RECORDS_UNAVAILABLE' ? 'unavailable' : 'failed';
}

function watchParts(registry: Registry, parts: WatchedParts): void {
  const { records, alerts, archive, notifications, audit, nowMs } = parts;
  const registers = [registry];
  /** @param read what is told, with its labels in the order of their names */
  const gauge = (name: string, help: string, labelNames: readonly string[], read: () => Promise<Values> | Values) =>
    new Gauge({
      ...{ name: `centinela_${name}`, help, labelNames: [...labelNames], registers },
      async collect() {
        this.reset();
        for (const [labels, value] of await read()) this.set(labelled(labelNames, labels), value);
      },
    });
  const counter = (name: string, help: string, labelNames: readonly string[], read: () => Values) =>
    new Counter({
      ...{ name: `centinela_${name}_total`, help, labelNames: [...labelNames], registers },
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labelled(labelNames, labels), value);
      },
    });

  gauge('records_connections', 'Connections to the records, and requests that wait for one.', ['state'], () =>
    Object.entries(records.load()).map(([state, value]) => [[state], value]),
  );
  const rows = rowsOf(records, nowMs);
  gauge('records_up', 'Whether the records answered when they were last asked.', [], async () => [
    [[], (await rows()) === null ? 0 : 1],
  ]);
  const counted = (pick: (counts: RowCounts) => Values) => async () => {
    const counts = await rows();
    return counts === null ? [] : pick(counts);
  };
  gauge(
    'cases',
    'Cases by state.',
    ['state'],
    counted(({ cases }) => cases.map(({ state, count }) => [[state], count])),
  );
  gauge(
    'alerts',
    'Alerts by state.',
    ['state'],
    counted((each) => each.alerts.map(({ state, count }) => [[state], count])),
  );
  gauge(
    'notifications_waiting',
    'Messages that are still to be delivered.',
    [],
    counted(({ messages }) => [[[], messages]]),
  );
  gauge(
    'logins_locked',
    'Logins and addresses that are locked now.',
    [],
    counted(({ locked }) => [[[], locked]]),
  );

  counter('alerts_taken', 'Alerts that were taken from the stream, by what became of them.', ['how'], () => {
    const { lagRecords: _, ...taken } = alerts;
    return Object.entries(taken).map(([how, value]) => [[how], value]);
  });
  gauge('alerts_lag_records', 'Alerts of the stream that wait to be taken.', [], () => [[[], alerts.lagRecords]]);

  counter('notifications', 'Notifications by what was decided of them.', ['what'], () => {
    const { planned, silenced, unrouted, escalated } = notifications();
    return Object.entries({ planned, silenced, unrouted, escalated }).map(([what, value]) => [[what], value]);
  });
  counter(
    'notification_messages',
    'Messages by channel: sent, to be tried again, given up.',
    ['channel', 'outcome'],
    () =>
      [...notifications().channels].flatMap(([channel, { delivered, retried, dead }]) =>
        Object.entries({ delivered, retried, dead }).map(([outcome, value]): Values[number] => [
          [channel, outcome],
          value,
        ]),
      ),
  );

  watchArchive(counter, gauge, archive);
  counter('audit_entries', 'Entries that this process wrote into the audit.', [], () => [[[], audit().entries]]);
  gauge('audit_waiting_entries', 'Entries that wait to be written.', [], () => [[[], audit().waiting]]);
}

type Values = readonly (readonly [labels: readonly string[], value: number])[];
type MakeCounter = (name: string, help: string, labelNames: readonly string[], read: () => Values) => unknown;

function watchArchive(
  counter: MakeCounter,
  gauge: MakeCounter,
  { counts, gauges, isRunning }: WatchedParts['archive'],
): void {
  const tell = (name: string, help: string, read: () => number) =>
    counter(`archive_${name}`, help, [], () => [[[], read()]]);
  tell('rows', 'Decisions that were written into files.', () => counts.rows);
  tell('parts', 'Files of decisions that were written.', () => counts.parts);
  tell('written_bytes', 'Of those files and their indexes.', () => counts.bytes);
  tell('compactions', 'Days whose files were made into one.', () => counts.compactions);
  tell('removed_days', 'Days that went because of their age.', () => counts.daysRemoved);
  tell('troubles', 'What went wrong and was begun again.', () => counts.troubles);
  const show = (name: string, help: string, read: () => number) =>
    gauge(`archive_${name}`, help, [], () => [[[], read()]]);
  show('running', 'Whether the archive follows the log; 0 where it is an archive of another log.', () =>
    Number(isRunning()),
  );
  show('lag_records', 'Decisions of the log that are in no file yet.', () => gauges().lagRecords);
  show('held_bytes', 'Of decisions that are held in memory.', () => gauges().heldBytes);
  show(
    'oldest_unarchived_seconds',
    'Age of the oldest decision that is held.',
    () => gauges().oldestUnarchivedMs / 1000,
  );
}

function labelled(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

/** One question for all who ask within a few seconds; null where the records do not answer. */
function rowsOf(records: RecordStore, nowMs: () => number): () => Promise<RowCounts | null> {
  let askedMs = Number.NEGATIVE_INFINITY;
  let answer: Promise<RowCounts | null> = Promise.resolve(null);
  return () => {
    const now = nowMs();
    if (now - askedMs < COUNT_ROWS_EVERY_MS) return answer;
    askedMs = now;
    answer = countRows(records.db, now).catch(() => null);
    return answer;
  };
}
