// Erasures that take the customer off the lists and out of what people wrote, and what retention remembers between its rounds.
//
// `customer_id` is there until the erasure has ended, as alerts have it; `identifiers` are tokens. What was executed before this
// stays as it was: `lists_due` is false for it.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0013-erased-texts',
  statements: [
    'ALTER TABLE erasures ADD COLUMN customer_id text',
    "ALTER TABLE erasures ADD COLUMN identifiers text[] NOT NULL DEFAULT '{}'",
    'ALTER TABLE erasures ADD COLUMN lists_due boolean NOT NULL DEFAULT false',
    'ALTER TABLE erasures ADD COLUMN listed_entries integer',
    'ALTER TABLE erasures ADD COLUMN erased_texts integer',
    'CREATE INDEX erasures_lists_due ON erasures (ended_ms, id) WHERE lists_due',
    'CREATE INDEX labels_by_case ON labels (case_id) WHERE case_id IS NOT NULL',
    `CREATE INDEX legal_holds_ended ON legal_holds ((least(lifted_ms, until_ms)), id)
      WHERE lifted_ms IS NOT NULL OR until_ms IS NOT NULL`,
    'CREATE INDEX case_attachments_by_object ON case_attachments (object_key)',
    `CREATE TABLE orphaned_objects (
      key text PRIMARY KEY,
      seen_ms bigint NOT NULL
    )`,
    `CREATE TABLE retention_folders (
      folder text PRIMARY KEY,
      after text NOT NULL,
      oldest_ms bigint
    )`,
  ],
};
