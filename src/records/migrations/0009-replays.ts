// Replays of a change over history: what was asked for, how far it is, and what came of it.
//
// `lease_ms` is until when whoever runs a job is believed to be alive. A job whose lease has run out is queued once more.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0009-replays',
  statements: [
    `CREATE TABLE replay_jobs (
      id text PRIMARY KEY,
      name text NOT NULL,
      state text NOT NULL CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
      request jsonb NOT NULL,
      progress double precision NOT NULL,
      attempts integer NOT NULL,
      is_cancel_asked boolean NOT NULL,
      runner text,
      lease_ms bigint,
      result jsonb,
      problem_code text,
      problem text,
      created_ms bigint NOT NULL,
      started_ms bigint,
      ended_ms bigint,
      by_kind text NOT NULL,
      by_id text NOT NULL,
      by_name text NOT NULL,
      version integer NOT NULL
    )`,
    'CREATE INDEX replay_jobs_newest ON replay_jobs (created_ms DESC, id DESC)',
    `CREATE INDEX replay_jobs_open ON replay_jobs (created_ms, id) WHERE state IN ('queued', 'running')`,
    'CREATE INDEX replay_jobs_ended ON replay_jobs (ended_ms, id) WHERE ended_ms IS NOT NULL',
  ],
};
