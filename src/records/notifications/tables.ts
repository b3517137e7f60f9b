// The tables of notifications, as Kysely sees them; what they are for is said in migrations/0006-notifications.ts.
import type { ColumnType } from 'kysely';
import type { ChallengeReason } from '../../notify/challenge.ts';
import type { Notification, NotificationKind, Severity } from '../../notify/notification.ts';
import type { PlanState } from '../../notify/plan.ts';
import type { Match } from '../../notify/settings.ts';

/** Written as a JSON text or an object, read as the object. */
type Json<Value> = ColumnType<Value, Value | string, Value | string>;

export interface NotificationsTables {
  notifications: {
    id: string;
    kind: NotificationKind;
    severity: Severity;
    body: Json<Notification>;
    subject_kind: string | null;
    subject_id: string | null;
    at_ms: number;
    state: 'new' | 'planned' | 'silenced' | 'unrouted';
    silence_id: string | null;
    ladder: string | null;
    /** Of the ladder's levels so many were told. */
    level: number;
    escalate_at_ms: number | null;
    acknowledged_ms: number | null;
    acknowledged_by: string | null;
  };
  notification_messages: {
    id: string;
    channel: string;
    state: 'pending' | 'delivered' | 'dead';
    /** While it is being sent: when it may be taken from a sender that died. */
    due_ms: number;
    attempts: number;
    created_ms: number;
    ended_ms: number | null;
    last_problem: string | null;
    /** The message of another channel that could not be delivered. */
    takes_over: string | null;
  };
  notification_members: {
    message_id: string;
    notification_id: string;
    at_ms: number;
  };
  notification_plans: {
    channel: string;
    state: Json<PlanState>;
    version: number;
  };
  notification_silences: {
    id: string;
    match: Json<Match>;
    subject_id: string | null;
    includes_critical: boolean;
    from_ms: number;
    until_ms: number;
    created_by: string;
    why: string;
    version: number;
  };
  challenges: {
    id: string;
    token_hash: Uint8Array;
    transaction_id: string;
    customer_id: string;
    reason: ChallengeReason;
    state: 'open' | 'answered' | 'expired';
    answer: 'yes' | 'no' | null;
    times_later: number;
    created_ms: number;
    expires_ms: number;
    ended_ms: number | null;
    version: number;
  };
  webhook_receipts: {
    source: string;
    id: string;
    at_ms: number;
  };
}
