// Notifications, the messages that tell them, what keeps them back, questions to customers, and inbound webhooks' ids.
//
// A notification is written with what it tells of, in one transaction; messages are made of notifications afterwards. What
// is looked for all the time (new, due, to be escalated, open) has an index of those rows alone.
import type { RecordMigration } from '../migrate.ts';

export const migration: RecordMigration = {
  id: '0006-notifications',
  statements: [
    `CREATE TABLE notifications (
      id text PRIMARY KEY,
      kind text NOT NULL CHECK (kind IN ('alert', 'case', 'escalation', 'challenge', 'system')),
      severity text NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
      body jsonb NOT NULL,
      subject_kind text,
      subject_id text,
      at_ms bigint NOT NULL,
      state text NOT NULL CHECK (state IN ('new', 'planned', 'silenced', 'unrouted')),
      silence_id text,
      ladder text,
      level integer NOT NULL,
      escalate_at_ms bigint,
      acknowledged_ms bigint,
      acknowledged_by text
    )`,
    `CREATE INDEX notifications_new ON notifications (at_ms, id) WHERE state = 'new'`,
    'CREATE INDEX notifications_to_escalate ON notifications (escalate_at_ms, id) WHERE escalate_at_ms IS NOT NULL',
    'CREATE INDEX notifications_by_subject ON notifications (subject_kind, subject_id)',
    'CREATE INDEX notifications_by_time ON notifications (at_ms DESC, id DESC)',
    `CREATE TABLE notification_messages (
      id text PRIMARY KEY,
      channel text NOT NULL,
      state text NOT NULL CHECK (state IN ('pending', 'delivered', 'dead')),
      due_ms bigint NOT NULL,
      attempts integer NOT NULL,
      created_ms bigint NOT NULL,
      ended_ms bigint,
      last_problem text,
      takes_over text
    )`,
    `CREATE INDEX notification_messages_due ON notification_messages (due_ms, id) WHERE state = 'pending'`,
    'CREATE INDEX notification_messages_by_time ON notification_messages (created_ms DESC, id DESC)',
    `CREATE INDEX notification_messages_dead ON notification_messages (created_ms DESC, id DESC) WHERE state = 'dead'`,
    'CREATE INDEX notification_messages_ended ON notification_messages (ended_ms, id) WHERE ended_ms IS NOT NULL',
    `CREATE TABLE notification_members (
      message_id text NOT NULL,
      notification_id text NOT NULL,
      at_ms bigint NOT NULL,
      PRIMARY KEY (message_id, notification_id)
    )`,
    'CREATE INDEX notification_members_in_order ON notification_members (message_id, at_ms, notification_id)',
    'CREATE INDEX notification_members_by_notification ON notification_members (notification_id)',
    `CREATE TABLE notification_plans (
      channel text PRIMARY KEY,
      state jsonb NOT NULL,
      version integer NOT NULL
    )`,
    `CREATE TABLE notification_silences (
      id text PRIMARY KEY,
      match jsonb NOT NULL,
      subject_id text,
      includes_critical boolean NOT NULL,
      from_ms bigint NOT NULL,
      until_ms bigint NOT NULL,
      created_by text NOT NULL,
      why text NOT NULL,
      version integer NOT NULL
    )`,
    'CREATE INDEX notification_silences_by_end ON notification_silences (until_ms, id)',
    `CREATE TABLE challenges (
      id text PRIMARY KEY,
      token_hash bytea NOT NULL UNIQUE,
      transaction_id text NOT NULL,
      customer_id text NOT NULL,
      reason text NOT NULL,
      state text NOT NULL CHECK (state IN ('open', 'answered', 'expired')),
      answer text CHECK (answer IN ('yes', 'no')),
      times_later integer NOT NULL,
      created_ms bigint NOT NULL,
      expires_ms bigint NOT NULL,
      ended_ms bigint,
      version integer NOT NULL
    )`,
    'CREATE INDEX challenges_by_customer ON challenges (customer_id, created_ms)',
    "CREATE UNIQUE INDEX challenges_one_open ON challenges (transaction_id) WHERE state = 'open'",
    'CREATE INDEX challenges_by_transaction ON challenges (transaction_id, created_ms)',
    `CREATE INDEX challenges_open_by_expiry ON challenges (expires_ms, id) WHERE state = 'open'`,
    'CREATE INDEX challenges_ended ON challenges (ended_ms, id) WHERE ended_ms IS NOT NULL',
    `CREATE TABLE webhook_receipts (
      source text NOT NULL,
      id text NOT NULL,
      at_ms bigint NOT NULL,
      PRIMARY KEY (source, id)
    )`,
    'CREATE INDEX webhook_receipts_by_time ON webhook_receipts (at_ms, source, id)',
  ],
};
