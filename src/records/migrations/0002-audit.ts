// The audit: entries in a chain, where it ends, what was signed of it, by which keys, and what has gone to the archive.
import { START } from '../../audit/chain.ts';
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0002-audit',
  statements: [
    `CREATE TABLE audit_entries (
      sequence bigint PRIMARY KEY CHECK (sequence > 0),
      at_ms bigint NOT NULL,
      actor_kind text NOT NULL CHECK (actor_kind IN ('user', 'api-key', 'system')),
      actor_id text NOT NULL,
      actor_name text NOT NULL,
      action text NOT NULL,
      subject_kind text,
      subject_id text,
      address text,
      text text NOT NULL,
      hash text NOT NULL
    )`,
    'CREATE INDEX audit_entries_by_time ON audit_entries (at_ms)',
    'CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, sequence)',
    'CREATE INDEX audit_entries_by_action ON audit_entries (action, sequence)',
    "CREATE INDEX audit_entries_by_area ON audit_entries (split_part(action, '.', 1), sequence)",
    'CREATE INDEX audit_entries_by_subject ON audit_entries (subject_id, subject_kind, sequence)',
    `CREATE TABLE audit_end (
      id integer PRIMARY KEY CHECK (id = 1),
      sequence bigint NOT NULL,
      hash text NOT NULL
    )`,
    `INSERT INTO audit_end (id, sequence, hash) VALUES (1, ${START.sequence}, '${START.hash}')`,
    `CREATE TABLE audit_heads (
      sequence bigint PRIMARY KEY,
      hash text NOT NULL,
      at_ms bigint NOT NULL,
      key_id text NOT NULL,
      text text NOT NULL,
      signature bytea NOT NULL
    )`,
    `CREATE TABLE audit_keys (
      key_id text PRIMARY KEY,
      previous_key_id text UNIQUE,
      at_ms bigint NOT NULL,
      text text NOT NULL,
      signature bytea NOT NULL,
      sealed bytea NOT NULL,
      sealed_sha256 text NOT NULL
    )`,
    'CREATE UNIQUE INDEX audit_keys_one_first ON audit_keys ((1)) WHERE previous_key_id IS NULL',
    `CREATE TABLE audit_archives (
      last_sequence bigint PRIMARY KEY,
      first_sequence bigint NOT NULL,
      last_hash text NOT NULL,
      at_ms bigint NOT NULL,
      key_id text NOT NULL,
      text text NOT NULL,
      signature bytea NOT NULL
    )`,
  ],
};
