// People, their sessions and second factors, keys of programs, and what slows guessing down.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0003-identity',
  statements: [
    `CREATE TABLE users (
      id text PRIMARY KEY,
      login text NOT NULL,
      display_name text NOT NULL,
      email text,
      roles text[] NOT NULL,
      state text NOT NULL CHECK (state IN ('active', 'disabled')),
      password_hash text,
      totp_state text NOT NULL CHECK (totp_state IN ('off', 'pending', 'on')),
      totp_secret bytea,
      totp_last_step bigint,
      issuer text,
      subject text,
      created_ms bigint NOT NULL,
      last_login_ms bigint,
      version integer NOT NULL,
      CHECK ((totp_state = 'off') = (totp_secret IS NULL)),
      CHECK ((issuer IS NULL) = (subject IS NULL)),
      CHECK (issuer IS NULL OR password_hash IS NULL)
    )`,
    'CREATE UNIQUE INDEX users_by_login ON users (login)',
    'CREATE UNIQUE INDEX users_by_subject ON users (issuer, subject)',
    `CREATE INDEX users_administrators ON users (id) WHERE state = 'active' AND roles @> ARRAY['administrator']`,
    `CREATE TABLE user_recovery_codes (
      user_id text NOT NULL REFERENCES users (id),
      code_hash bytea NOT NULL,
      used_ms bigint,
      PRIMARY KEY (user_id, code_hash)
    )`,
    `CREATE TABLE user_tokens (
      token_hash bytea PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('setup', 'invitation', 'password-reset')),
      user_id text REFERENCES users (id),
      expires_ms bigint NOT NULL,
      CHECK ((kind = 'setup') = (user_id IS NULL))
    )`,
    'CREATE INDEX user_tokens_by_user ON user_tokens (user_id)',
    'CREATE INDEX user_tokens_by_expiry ON user_tokens (expires_ms)',
    `CREATE TABLE sessions (
      id text PRIMARY KEY,
      token_hash bytea NOT NULL,
      user_id text NOT NULL REFERENCES users (id),
      method text NOT NULL CHECK (method IN ('password', 'provider')),
      created_ms bigint NOT NULL,
      last_seen_ms bigint NOT NULL,
      expires_ms bigint NOT NULL,
      address text,
      user_agent text
    )`,
    'CREATE UNIQUE INDEX sessions_by_token ON sessions (token_hash)',
    'CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_ms)',
    'CREATE INDEX sessions_by_last_seen ON sessions (last_seen_ms)',
    'CREATE INDEX sessions_by_expiry ON sessions (expires_ms)',
    `CREATE TABLE login_failures (
      key text PRIMARY KEY,
      failures integer NOT NULL,
      last_ms bigint NOT NULL,
      locked_until_ms bigint NOT NULL
    )`,
    'CREATE INDEX login_failures_by_time ON login_failures (last_ms)',
    'CREATE INDEX login_failures_by_weight ON login_failures (failures, last_ms, key)',
    `CREATE TABLE provider_requests (
      state_hash bytea PRIMARY KEY,
      browser_hash bytea NOT NULL,
      sealed bytea NOT NULL,
      expires_ms bigint NOT NULL
    )`,
    'CREATE INDEX provider_requests_by_expiry ON provider_requests (expires_ms, state_hash)',
    `CREATE TABLE api_keys (
      id text PRIMARY KEY,
      name text NOT NULL,
      secret_hash bytea NOT NULL,
      scopes text[] NOT NULL,
      networks text[] NOT NULL,
      made_by text NOT NULL REFERENCES users (id),
      replaces text REFERENCES api_keys (id),
      created_ms bigint NOT NULL,
      expires_ms bigint NOT NULL,
      revoked_ms bigint,
      last_used_ms bigint,
      version integer NOT NULL
    )`,
    'CREATE INDEX api_keys_by_creation ON api_keys (created_ms, id)',
    'CREATE INDEX api_keys_in_force ON api_keys (expires_ms) WHERE revoked_ms IS NULL',
    'CREATE INDEX api_keys_by_maker ON api_keys (made_by)',
  ],
};
