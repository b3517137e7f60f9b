// Idempotency keys of the HTTP interface.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0007-http',
  statements: [
    `CREATE TABLE idempotency_keys (
      id text PRIMARY KEY,
      request_hash text NOT NULL,
      status integer,
      version integer,
      body text,
      expires_ms bigint NOT NULL
    )`,
    'CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_ms)',
  ],
};
