// Changes of the live model: proposed by one, decided by another, then sent to the stream. One waits at a time, so that nobody
// approves what another proposal has overtaken.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0011-model-changes',
  statements: [
    `CREATE TABLE model_changes (
      id text PRIMARY KEY,
      model text,
      reason text NOT NULL,
      state text NOT NULL CHECK (state IN ('proposed', 'approved', 'sent', 'refused', 'withdrawn')),
      created_ms bigint NOT NULL,
      by_kind text NOT NULL,
      by_id text NOT NULL,
      by_name text NOT NULL,
      decided_ms bigint,
      decided_by text,
      decided_by_name text,
      comment text,
      sent_ms bigint,
      version integer NOT NULL
    )`,
    'CREATE INDEX model_changes_newest ON model_changes (created_ms DESC, id DESC)',
    `CREATE INDEX model_changes_to_send ON model_changes (decided_ms, id) WHERE state = 'approved'`,
    `CREATE UNIQUE INDEX model_changes_one_waits ON model_changes ((state = 'proposed')) WHERE state = 'proposed'`,
  ],
};
