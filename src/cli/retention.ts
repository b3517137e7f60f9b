// `retention`: deletes by hand what need not be kept, as `serve` does once a day, or says what would go; and for how many months
// each class of records is kept.
import { planRetention, type RetentionParts, runRetention } from '../jobs/retention/retention-round.ts';
import { InputError } from '../lib/errors.ts';
import type { RetentionMonths } from '../privacy/retention.ts';
import { RETENTION_CLASS_IDS, RETENTION_CLASSES } from '../privacy/retention-data.ts';
import { appendAudit, lockAudit } from '../records/audit/append.ts';
import type { RecordStore } from '../records/record-store.ts';
import { endTurn, takeTurn } from '../records/retention/turn.ts';
import { readAlertSettings } from '../records/settings/alert-settings.ts';
import { changeRetentionMonths, readRetentionMonths } from '../records/settings/retention-settings.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { systemAct } from '../roles/service/retention.ts';
import { listBookOf } from '../roles/service/sealed-lists.ts';
import { openSealing, ownSealing } from '../roles/service/sealing.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { BY_OPTIONS, commandAct } from './command-act.ts';
import { OUTLINES } from './command-outlines.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { openObjectStore } from './object-store.ts';
import { plainTable } from './plain-table.ts';
import { openPlacedRecords, RECORD_PLACE_OPTIONS } from './record-place.ts';

const HOLDER = 'command line';
const TURN_MS = 900_000;

const COLUMNS = [
  { title: 'class' },
  { title: 'months', right: true },
  { title: 'usual', right: true },
  { title: 'least', right: true },
  { title: 'from' },
  { title: 'why' },
];

export const retentionCommand: Command = {
  ...OUTLINES.retention,
  options: {
    data: RECORD_PLACE_OPTIONS.data,
    database: RECORD_PLACE_OPTIONS.database,
    objects: {
      type: 'text',
      value: 'PLACE',
      help: 'where attachments and evidence are: a folder, or s3://bucket/prefix',
    },
    registry: {
      type: 'text',
      value: 'PLACE',
      help: 'where lists are: a folder, or s3://bucket/prefix; none: they stay',
    },
    'master-keys': { ...MASTER_KEYS_OPTION, help: `to know customers under a hold: ${MASTER_KEYS_OPTION.help}` },
    'dry-run': { type: 'flag', help: 'delete nothing' },
    set: { type: 'text', value: 'CLASS=MONTHS,…', help: 'settings: keep these classes so many months from now on' },
    by: BY_OPTIONS.by,
    reason: { ...BY_OPTIONS.reason, help: 'settings --set: why' },
  },
  async run([what], options, context) {
    if (what !== undefined && what !== 'settings') {
      throw new UsageError(`retention: there is no '${what}'; there is settings, or nothing for a round`);
    }
    if (what === 'settings') await settings(options, context);
    else await round(options, context);
  },
};

async function settings(options: OptionValues, context: CommandContext): Promise<void> {
  const wanted = typeof options.set === 'string' ? wantedMonths(options.set) : null;
  const by = wanted === null ? null : commandAct('retention settings --set', options, context);
  if (by?.reason === '') throw new UsageError('retention settings --set: --reason is missing: why?');
  const records = await openPlacedRecords(options, context);
  try {
    if (wanted !== null && by !== null) {
      await records.transact(async (tx) => {
        await lockAudit(tx);
        const { audit } = await changeRetentionMonths(tx, wanted, by.reason, by.act);
        await appendAudit(tx, audit);
      });
    }
    await tellSettings(records, options, context);
  } finally {
    await records.close();
  }
}

/** @throws UsageError; which months may be is judged where they are written */
function wantedMonths(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(',').map((each) => /^\s*([a-z-]+)\s*=\s*(\d{1,4})\s*$/.exec(each));
  if (pairs.includes(null)) throw new UsageError(`retention settings: --set is CLASS=MONTHS,…; '${text}' is not`);
  return Object.fromEntries(pairs.map((pair) => [pair![1], Number(pair![2])]));
}

async function tellSettings(records: RecordStore, options: OptionValues, context: CommandContext): Promise<void> {
  const { settings: months, version, changedMs, changedBy } = await readRetentionMonths(records.db);
  if (options.json === true) {
    context.out(`${JSON.stringify({ months, version, changedMs, changedBy })}\n`);
    return;
  }
  const rows = RETENTION_CLASS_IDS.map((id) => {
    const { months: usual, leastMonths, from, basis } = RETENTION_CLASSES[id];
    return [id, String(months[id]), String(usual), String(Math.max(1, leastMonths)), from, basis];
  });
  context.out(plainTable(COLUMNS, rows));
  if (changedMs !== null) context.out(`Changed ${limaTimestamp(changedMs)} by ${changedBy}.\n`);
}

async function round(options: OptionValues, context: CommandContext): Promise<void> {
  if (typeof options.objects !== 'string') {
    throw new UsageError('retention: --objects PLACE is missing: where attachments and evidence are');
  }
  if (options.set !== undefined) throw new UsageError('retention: --set goes with settings');
  const masters = await openGivenMasters(options);
  if (masters === null) throw new UsageError('retention: give --master-keys PLACES, to know who is under a legal hold');
  const records = await openPlacedRecords(options, context);
  const { nowMs } = context;
  const isDryRun = options['dry-run'] === true;
  try {
    const sealing = await openSealing({
      records,
      masters,
      nowMs,
      onTrouble: ({ message }) => context.log(`${message}\n`),
    });
    sealing.close();
    const { settings: alerts } = await readAlertSettings(records.db);
    const months: RetentionMonths = (await readRetentionMonths(records.db)).settings;
    const { registry } = options;
    const own = ownSealing(sealing, nowMs);
    const parts: RetentionParts = {
      lists: typeof registry === 'string' ? listBookOf({ store: openObjectStore(registry) }, own, false) : null,
      ...{ records, objects: openObjectStore(options.objects), months, nowMs },
      ...{ begin: lockAudit, record: appendAudit, act: systemAct },
      linkWindowMs: alerts.grouping.windowMs,
      subjectOf: (customerId) => sealing.tokens.subject(customerId),
    };
    const counts = isDryRun ? await planRetention(parts) : await inTurn(parts);
    if (options.json === true) context.out(`${JSON.stringify({ isDryRun, ...counts })}\n`);
    else {
      const { isMore, ...numbers } = counts;
      for (const [what, count] of Object.entries(numbers)) context.out(`${what.padEnd(10)}  ${count}\n`);
      if (isMore) context.out('There is more: run it again.\n');
      if (isDryRun) context.out('Nothing was deleted.\n');
    }
  } finally {
    await records.close();
  }
}

async function inTurn(parts: RetentionParts) {
  const { records, nowMs } = parts;
  if (!(await takeTurn(records, HOLDER, { nowMs: nowMs(), turnMs: TURN_MS, restMs: 0 }))) {
    throw new InputError('RETENTION_RUNNING', 'Another process is deleting at this moment', 'Wait a few minutes');
  }
  let isDone = false;
  try {
    const counts = await runRetention(parts);
    isDone = !counts.isMore;
    return counts;
  } finally {
    await endTurn(records, HOLDER, nowMs(), isDone);
  }
}
