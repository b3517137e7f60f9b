// The tables of alerts, cases and labels, as Kysely knows them (migrations/0005-alerts.ts).
import type { Generated } from 'kysely';
import type { AlertReason } from '../../alerts/alert-record.ts';
import type { CaseState, ComplianceState } from '../../alerts/case-life.ts';
import type { LabelSource, Outcome } from '../../alerts/label.ts';
import type { Severity } from '../../alerts/severity.ts';
import type { SuppressedEntity } from '../../alerts/suppression.ts';
import type { Family } from '../../alerts/typology.ts';
import type { JsonValue } from '../../audit/entry.ts';

export type AlertState = Exclude<CaseState, 'merged'> | 'joined' | 'suppressed';

interface DoneBy {
  by_kind: 'user' | 'api-key' | 'system';
  by_id: string;
  by_name: string;
}

interface Clocks {
  first_look_due_ms: number;
  decision_due_ms: number;
  first_look_ms: number | null;
}

export interface AlertTable extends Clocks {
  /** Of the transaction. */
  id: string;
  state: AlertState;
  is_open: Generated<boolean>;
  joined_to: string | null;
  case_id: string | null;
  suppression_id: string | null;
  customer_id: string | null;
  payee_id: string | null;
  card_id: string | null;
  device_id: string | null;
  terminal_id: string | null;
  ip_address: string | null;
  typology: string;
  severity: Severity;
  queue: string;
  assignee: string | null;
  action: string;
  intended: string;
  decided_by: string;
  operation: string;
  risk: number | null;
  amount_minor: number;
  currency: string;
  soles_minor: number | null;
  /** Itself and those that joined it; so the next four. */
  transactions: number;
  total_soles_minor: number;
  unknown_amounts: number;
  loss_minor: number;
  most_risk: number | null;
  priority: number;
  event_ms: number;
  first_ms: number;
  last_ms: number;
  created_ms: number;
  decided_ms: number | null;
  reasons: readonly AlertReason[];
  rules: readonly string[];
  versions: { readonly [name: string]: unknown };
  /** SHA-256 of the evidence of the decision. */
  evidence: string | null;
  log_partition: number;
  log_offset: number;
  tags: Generated<string[]>;
  version: number;
}

export interface CaseTable extends Clocks {
  id: string;
  state: CaseState;
  is_open: Generated<boolean>;
  merged_into: string | null;
  typology: string;
  family: Family;
  severity: Severity;
  queue: string;
  assignee: string | null;
  priority: number;
  customers: readonly string[];
  alerts: number;
  transactions: number;
  soles_minor: number;
  unknown_amounts: number;
  loss_minor: number;
  risk: number | null;
  first_ms: number;
  last_ms: number;
  opened_ms: number;
  closed_ms: number | null;
  claim_id: string | null;
  claimed_ms: number | null;
  claim_due_ms: number | null;
  tags: Generated<string[]>;
  version: number;
}

export interface CaseFileTable {
  id: string;
  case_id: string;
  state: ComplianceState;
  referred_ms: number;
  qualified_ms: number | null;
  ros_due_ms: number | null;
  reported_ms: number | null;
  ros_number: string | null;
  discarded_ms: number | null;
  version: number;
}

export interface CaseRequestTable extends DoneBy {
  id: string;
  case_id: string;
  file_id: string | null;
  step: string;
  to_state: string;
  reason: string;
  detail: { readonly [name: string]: JsonValue };
  /** How many transactions the case had when it was asked for. */
  seen_transactions: number;
  requested_ms: number;
  status: 'waiting' | 'approved' | 'refused' | 'withdrawn';
  decided_by: string | null;
  decided_name: string | null;
  decided_ms: number | null;
  comment: string | null;
  is_confidential: boolean;
}

export interface CaseCommentTable extends DoneBy {
  id: string;
  case_id: string;
  kind: 'comment' | 'note';
  body: string;
  at_ms: number;
  edited_ms: number | null;
  is_confidential: boolean;
  version: number;
}

export interface CaseRelationTable extends DoneBy {
  from_id: string;
  to_id: string;
  kind: 'related' | 'duplicate' | 'follow-up';
  note: string | null;
  at_ms: number;
  is_confidential: boolean;
}

export interface CaseAttachmentTable extends DoneBy {
  id: string;
  case_id: string;
  name: string;
  type: string;
  bytes: number;
  sha256: string;
  /** Of the object store, where the sealed bytes are. */
  object_key: string;
  at_ms: number;
  removed_ms: number | null;
  removed_by: string | null;
  is_confidential: boolean;
}

export interface CaseHistoryTable extends DoneBy {
  id: string;
  case_id: string;
  alert_id: string | null;
  what: string;
  from_value: JsonValue;
  to_value: JsonValue;
  reason: string | null;
  at_ms: number;
  is_confidential: boolean;
}

export interface AlertSuppressionTable extends DoneBy {
  id: string;
  entity: SuppressedEntity;
  entity_id: string;
  typology: string | null;
  rule_id: string | null;
  reason: string;
  from_ms: number;
  until_ms: number;
  ended_ms: number | null;
  ended_by: string | null;
  ended_reason: string | null;
  suppressed: number;
  last_ms: number | null;
  version: number;
}

export interface LabelTable extends DoneBy {
  id: string;
  transaction_id: string;
  outcome: Outcome;
  typology: string | null;
  source: LabelSource;
  weight: number;
  at_ms: number;
  case_id: string | null;
  note: string | null;
}

export interface TransactionLabelTable {
  transaction_id: string;
  label_id: string;
  outcome: Outcome;
  typology: string | null;
  source: LabelSource;
  weight: number;
  at_ms: number;
  /** Its place in the order of changes. */
  feed: number;
}

export interface AlertsTables {
  alerts: AlertTable;
  alert_counts: { queue: string; state: string; severity: Severity; count: number };
  alert_intake: { id: number; batches: number };
  alert_suppressions: AlertSuppressionTable;
  cases: CaseTable;
  case_counts: { queue: string; state: string; count: number };
  case_keys: { key: string; customer_id: string; case_id: string; first_ms: number; last_ms: number };
  case_assignees: { id: string; last_assigned_ms: number };
  case_files: CaseFileTable;
  case_requests: CaseRequestTable;
  case_comments: CaseCommentTable;
  case_comment_versions: { comment_id: string; version: number; body: string; until_ms: number };
  case_relations: CaseRelationTable;
  case_attachments: CaseAttachmentTable;
  case_history: CaseHistoryTable;
  labels: LabelTable;
  transaction_labels: TransactionLabelTable;
  label_feed: { id: number; last: number };
}
