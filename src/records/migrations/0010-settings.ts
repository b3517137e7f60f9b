// What a bank sets while the service runs, by name. A setting that was never changed has no row.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0010-settings',
  statements: [
    `CREATE TABLE settings (
      name text PRIMARY KEY,
      body jsonb NOT NULL,
      version integer NOT NULL,
      changed_ms bigint NOT NULL,
      by_kind text NOT NULL,
      by_id text NOT NULL,
      by_name text NOT NULL
    )`,
  ],
};
