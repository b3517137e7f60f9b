// Whose turn it is to delete what need not be kept, and objects whose rows are gone and that are to be removed.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0012-retention',
  statements: [
    `CREATE TABLE retention_turn (
      id integer PRIMARY KEY CHECK (id = 1),
      holder text NOT NULL,
      until_ms bigint NOT NULL,
      done_ms bigint
    )`,
    "INSERT INTO retention_turn (id, holder, until_ms, done_ms) VALUES (1, '', 0, NULL)",
    `CREATE TABLE objects_to_remove (
      key text PRIMARY KEY,
      at_ms bigint NOT NULL,
      gone_ms bigint
    )`,
    'CREATE INDEX objects_to_remove_waiting ON objects_to_remove (at_ms, key) WHERE gone_ms IS NULL',
    'CREATE INDEX case_attachments_removed ON case_attachments (removed_ms, id) WHERE removed_ms IS NOT NULL',
  ],
};
