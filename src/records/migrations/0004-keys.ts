// Wrapped keys, legal holds and erasures.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0004-keys',
  statements: [
    `CREATE TABLE data_keys (
      id text PRIMARY KEY CHECK (length(id) = 32),
      subject text NOT NULL,
      master_id text NOT NULL,
      wrapped bytea,
      created_ms bigint NOT NULL,
      erased_ms bigint,
      CHECK ((wrapped IS NULL) = (erased_ms IS NOT NULL))
    )`,
    'CREATE INDEX data_keys_by_subject ON data_keys (subject, created_ms DESC)',
    'CREATE INDEX data_keys_by_master ON data_keys (master_id, id) WHERE wrapped IS NOT NULL',
    `CREATE TABLE wrapped_secrets (
      name text PRIMARY KEY,
      master_id text NOT NULL,
      wrapped bytea NOT NULL,
      created_ms bigint NOT NULL
    )`,
    `CREATE TABLE master_keys (
      id text PRIMARY KEY,
      first_used_ms bigint NOT NULL,
      replaced_ms bigint,
      retired_ms bigint,
      version integer NOT NULL,
      CHECK (retired_ms IS NULL OR replaced_ms IS NOT NULL)
    )`,
    // Whoever holds, releases or erases a subject changes its row first, so that of two at once one comes after the other.
    `CREATE TABLE data_subjects (
      subject text PRIMARY KEY,
      version integer NOT NULL
    )`,
    `CREATE TABLE legal_holds (
      id text PRIMARY KEY,
      subject text NOT NULL,
      authority text NOT NULL,
      act_number text NOT NULL,
      reason text NOT NULL,
      placed_by text NOT NULL,
      placed_ms bigint NOT NULL,
      until_ms bigint,
      lifted_by text,
      lifted_ms bigint,
      lift_reason text,
      version integer NOT NULL,
      CHECK ((lifted_by IS NULL) = (lifted_ms IS NULL) AND (lifted_by IS NULL) = (lift_reason IS NULL))
    )`,
    'CREATE INDEX legal_holds_by_subject ON legal_holds (subject) WHERE lifted_ms IS NULL',
    'CREATE INDEX legal_holds_by_time ON legal_holds (placed_ms DESC, id DESC)',
    `CREATE TABLE erasures (
      id text PRIMARY KEY,
      subject text NOT NULL,
      state text NOT NULL CHECK (state IN ('requested', 'approved', 'executed', 'refused')),
      reason text NOT NULL,
      requested_by text NOT NULL,
      requested_ms bigint NOT NULL,
      approved_by text,
      approved_ms bigint,
      ended_by text,
      ended_ms bigint,
      refusal text,
      destroyed_keys integer,
      version integer NOT NULL,
      CHECK (approved_by IS NULL OR approved_by <> requested_by),
      CHECK (state <> 'executed' OR (approved_by IS NOT NULL AND destroyed_keys IS NOT NULL AND ended_ms IS NOT NULL)),
      CHECK (state <> 'refused' OR (refusal IS NOT NULL AND ended_ms IS NOT NULL))
    )`,
    `CREATE UNIQUE INDEX erasures_open_by_subject ON erasures (subject) WHERE state IN ('requested', 'approved')`,
    'CREATE INDEX erasures_by_time ON erasures (requested_ms DESC, id DESC)',
    `CREATE INDEX erasures_executed ON erasures (ended_ms) WHERE state = 'executed'`,
    'CREATE INDEX erasures_by_subject ON erasures (subject)',
  ],
};
