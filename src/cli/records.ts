// `records`: copies of the database of records, and putting one back, on either database.

import type { SqlDatabase } from '../ports.ts';
import { backupRecords, restoreRecords } from '../records/backup.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { openRecordDatabase, RECORD_PLACE_OPTIONS } from './record-place.ts';

const ACTIONS = ['backup', 'restore'] as const;

export const recordsCommand: Command = {
  ...OUTLINES.records,
  options: { data: RECORD_PLACE_OPTIONS.data, database: RECORD_PLACE_OPTIONS.database },
  async run([action, file], options, context) {
    if (action !== 'backup' && action !== 'restore') {
      throw new UsageError(`records: there is no '${action}'; there are ${ACTIONS.join(', ')}`);
    }
    const database = await opened(options, context);
    try {
      const sums =
        action === 'backup'
          ? await backupRecords(database, file, context.nowMs())
          : await restoreRecords(database, file);
      context.out(options.json === true ? `${JSON.stringify(sums)}\n` : `${sums.tables} tables, ${sums.rows} rows\n`);
    } finally {
      await database.close();
    }
  },
};

async function opened(options: OptionValues, context: CommandContext): Promise<SqlDatabase> {
  const database = await openRecordDatabase(options, context);
  if (database === null) throw new UsageError('records: where is the database? Give --data DIR or --database URL');
  return database;
}
