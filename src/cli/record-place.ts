// Where the records are: the embedded database in a folder, or PostgreSQL; and the master key under which the audit's signing
// key lies.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { openPglite } from '../adapters/pglite/open-pglite.ts';
import { openPostgres } from '../adapters/postgres/open-postgres.ts';
import { readVariable } from '../config/environment.ts';
import type { SqlDatabase } from '../ports.ts';
import type { KeyMaking } from '../records/audit/keys.ts';
import { sealedByMasterKeys } from '../records/audit/master-key-sealing.ts';
import type { Database } from '../records/database.ts';
import { openRecordStore, type RecordStore } from '../records/record-store.ts';
import { kyselyOver } from '../records/sql-dialect.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { userCache } from './user-cache.ts';

export const RECORD_PLACE_OPTIONS = {
  data: { type: 'text', value: 'DIR', help: "the service's folder, with the embedded database" },
  database: {
    type: 'text',
    value: 'URL',
    help: 'postgres://user@host:5432/database; the password is better in CENTINELA_DATABASE_URL, which is read where neither is given',
  },
  'master-keys': MASTER_KEYS_OPTION,
} as const satisfies Record<string, OptionSpec>;

/** Under the folder of the service. */
const RECORDS_FOLDER = 'records';

/** null where the options name no database. */
export async function openRecordDatabase(options: OptionValues, context: CommandContext): Promise<SqlDatabase | null> {
  const { data, database } = options;
  if (data !== undefined && database !== undefined) throw new UsageError('Give --data or --database, not both');
  if (typeof data === 'string') {
    const onRecovery = (text: string) => context.log(`${text}\n`);
    return openPglite({ folder: join(data, RECORDS_FOLDER), onRecovery, cacheFolder: userCache() });
  }
  const url = typeof database === 'string' ? database : readVariable('CENTINELA_DATABASE_URL');
  return url === null ? null : openPostgres({ url, maxConnections: 2 });
}

/** As it lies there: nothing is brought up to date first, for it may be evidence. */
export function readingFrom(database: SqlDatabase): Kysely<Database> {
  return kyselyOver(database.run);
}

export async function openPlacedRecords(options: OptionValues, context: CommandContext): Promise<RecordStore> {
  const database = await openRecordDatabase(options, context);
  if (database === null) throw new UsageError('Where is the database? Give --data DIR or --database URL');
  return openRecordStore(database);
}

/** @throws UsageError, InputError, KeysUnavailableError */
export async function keyMakingOf(options: OptionValues, { nowMs }: CommandContext): Promise<KeyMaking> {
  const masters = await openGivenMasters(options);
  if (masters === null) throw new UsageError('To sign, give --master-keys PLACES or set CENTINELA_MASTER_KEYS');
  return { sealing: sealedByMasterKeys(masters), nowMs, randomBytes: (count) => new Uint8Array(randomBytes(count)) };
}
