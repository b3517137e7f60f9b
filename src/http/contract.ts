// The contract of the HTTP interface: every endpoint there is. Server, documentation, tests and pages are made from it.

import { ALERT_ENDPOINTS } from './contract/alerts.ts';
import { AUDIT_ENDPOINTS } from './contract/audit.ts';
import { CASE_ENDPOINTS } from './contract/cases.ts';
import { COMPLIANCE_ENDPOINTS } from './contract/compliance.ts';
import { DECISION_ENDPOINTS } from './contract/decisions.ts';
import type { EndpointSpec } from './contract/endpoint.ts';
import { LABEL_ENDPOINTS } from './contract/labels.ts';
import { LIST_ENDPOINTS } from './contract/lists.ts';
import { LIVE_ENDPOINTS } from './contract/live.ts';
import { MODEL_ENDPOINTS } from './contract/models.ts';
import { NOTIFICATION_ENDPOINTS } from './contract/notifications.ts';
import { PRIVACY_ENDPOINTS } from './contract/privacy.ts';
import { REPLAY_ENDPOINTS } from './contract/replays.ts';
import { RULE_ENDPOINTS } from './contract/rules.ts';
import { SESSION_ENDPOINTS } from './contract/session.ts';
import { SETTINGS_ENDPOINTS } from './contract/settings.ts';
import { SYSTEM_ENDPOINTS } from './contract/system.ts';
import { TRANSACTION_ENDPOINTS } from './contract/transactions.ts';
import { USER_ENDPOINTS } from './contract/users.ts';

export { ProblemSchema } from './contract/common.ts';
export { type Access, type EndpointSpec, MEDIA_TYPES, TAGS, type Texts } from './contract/endpoint.ts';

export const ENDPOINTS = {
  ...SYSTEM_ENDPOINTS,
  ...TRANSACTION_ENDPOINTS,
  ...DECISION_ENDPOINTS,
  ...LIVE_ENDPOINTS,
  ...ALERT_ENDPOINTS,
  ...CASE_ENDPOINTS,
  ...COMPLIANCE_ENDPOINTS,
  ...LABEL_ENDPOINTS,
  ...RULE_ENDPOINTS,
  ...LIST_ENDPOINTS,
  ...NOTIFICATION_ENDPOINTS,
  ...PRIVACY_ENDPOINTS,
  ...AUDIT_ENDPOINTS,
  ...MODEL_ENDPOINTS,
  ...REPLAY_ENDPOINTS,
  ...SETTINGS_ENDPOINTS,
  ...SESSION_ENDPOINTS,
  ...USER_ENDPOINTS,
} as const satisfies Readonly<Record<string, EndpointSpec>>;

export type EndpointName = keyof typeof ENDPOINTS;
