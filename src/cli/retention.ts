// `retention`: deletes by hand what need not be kept, as `serve` does once a day, or says what would go.
import { planRetention, type RetentionParts, runRetention } from '../jobs/retention/retention-round.ts';
import { InputError } from '../lib/errors.ts';
import { retentionMonths } from '../privacy/retention.ts';
import { appendAudit, lockAudit } from '../records/audit/append.ts';
import { endTurn, takeTurn } from '../records/retention/turn.ts';
import { readAlertSettings } from '../records/settings/alert-settings.ts';
import { systemAct } from '../roles/service/retention.ts';
import { openSealing } from '../roles/service/sealing.ts';
import { type Command, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { openObjectStore } from './object-store.ts';
import { openPlacedRecords, RECORD_PLACE_OPTIONS } from './record-place.ts';

const HOLDER = 'command line';
const TURN_MS = 900_000;

export const retentionCommand: Command = {
  ...OUTLINES.retention,
  options: {
    data: RECORD_PLACE_OPTIONS.data,
    database: RECORD_PLACE_OPTIONS.database,
    objects: {
      type: 'text',
      value: 'PLACE',
      help: 'where attachments are: a folder, or s3://bucket/prefix',
      required: true,
    },
    'master-keys': { ...MASTER_KEYS_OPTION, help: `to know customers under a hold: ${MASTER_KEYS_OPTION.help}` },
    'dry-run': { type: 'flag', help: 'delete nothing' },
  },
  async run(_, options, context) {
    const masters = await openGivenMasters(options);
    if (masters === null)
      throw new UsageError('retention: give --master-keys PLACES, to know who is under a legal hold');
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
      const { settings } = await readAlertSettings(records.db);
      const parts: RetentionParts = {
        ...{ records, objects: openObjectStore(options.objects as string), months: retentionMonths(), nowMs },
        ...{ begin: lockAudit, record: appendAudit, act: systemAct },
        linkWindowMs: settings.grouping.windowMs,
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
  },
};

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
