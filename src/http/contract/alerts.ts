// Alerts: looked for, taken, decided; and suppressions of those that are known to be false.
import Type from 'typebox';
import { CLOSED_CASE_STATES, OPEN_CASE_STATES } from '../../alerts/case-life.ts';
import { OUTCOMES } from '../../alerts/label.ts';
import { SEVERITIES } from '../../alerts/severity.ts';
import { SUPPRESSED_ENTITIES } from '../../alerts/suppression.ts';
import { MOST_TAG, MOST_TAGS } from '../../alerts/written-text.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, ReasonSchema, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

export const Reason = Type.String({ minLength: 1, maxLength: 2000 });
export const Tags = Type.Array(Type.String({ minLength: 1, maxLength: MOST_TAG }), { maxItems: MOST_TAGS });
const Minor = Type.Integer({ minimum: -Number.MAX_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER });
const CLOCKS = ['running', 'near', 'breached', 'met', 'met-late'] as const;
export const ClocksSchema = Type.Object({ firstLook: oneOf(CLOCKS), decision: oneOf(CLOCKS) });
export const DoneBy = { byKind: Type.String(), byId: Type.String(), byName: Type.String() };
export const AssigneeBody = Type.Object(
  { assignee: nullable(Id) },
  { additionalProperties: false, description: 'id of a user; null gives it back' },
);

export const AlertSchema = Type.Object({
  id: Type.String({ description: 'of its transaction' }),
  state: Type.String(),
  joinedTo: nullable(Type.String()),
  caseId: nullable(Type.String()),
  suppressionId: nullable(Type.String()),
  customerId: nullable(Type.String()),
  payeeId: nullable(Type.String()),
  cardId: nullable(Type.String()),
  deviceId: nullable(Type.String()),
  terminalId: nullable(Type.String()),
  typology: Type.String(),
  severity: oneOf(SEVERITIES),
  queue: Type.String(),
  assignee: nullable(Type.String()),
  action: Type.String(),
  intended: Type.String(),
  operation: Type.String(),
  risk: nullable(Type.Number()),
  amountMinor: Type.Integer(),
  currency: Type.String(),
  solesMinor: nullable(Type.Integer()),
  transactions: Type.Integer({ description: 'itself and those that joined it' }),
  totalSolesMinor: Type.Integer(),
  eventMs: TimeMs,
  lastMs: TimeMs,
  createdMs: TimeMs,
  decidedMs: nullable(TimeMs),
  firstLookDueMs: TimeMs,
  decisionDueMs: TimeMs,
  clocks: ClocksSchema,
  reasons: Type.Array(ReasonSchema),
  rules: Type.Array(Type.String()),
  versions: Type.Object({}, { additionalProperties: true }),
  tags: Type.Array(Type.String()),
  version: Type.Integer(),
});

export const workFilters = {
  severity: Type.Optional(oneOf(SEVERITIES)),
  typology: Type.Optional(Type.String({ maxLength: 20 })),
  queue: Type.Optional(Type.String({ maxLength: 40 })),
  assignee: Type.Optional(Type.String({ maxLength: 100, description: 'id of a user; `none` for nobody' })),
  customer: Type.Optional(Id),
  tag: Type.Optional(Type.String({ maxLength: MOST_TAG })),
  leastSolesMinor: Type.Optional(Minor),
  mostSolesMinor: Type.Optional(Minor),
  fromMs: Type.Optional(TimeMs),
  untilMs: Type.Optional(TimeMs),
  dueBeforeMs: Type.Optional(TimeMs),
  text: Type.Optional(Type.String({ minLength: 2, maxLength: 100, description: 'an id, how one begins, or a tag' })),
  order: Type.Optional(oneOf(['urgency', 'newest'])),
};

const AlertId = Type.Object({ alertId: Id });

const SuppressionSchema = Type.Object({
  id: Type.String(),
  entity: oneOf(SUPPRESSED_ENTITIES),
  entityId: Type.String(),
  typology: nullable(Type.String()),
  ruleId: nullable(Type.String()),
  reason: Type.String(),
  fromMs: TimeMs,
  untilMs: TimeMs,
  endedMs: nullable(TimeMs),
  suppressed: Type.Integer(),
  lastMs: nullable(TimeMs),
  ...DoneBy,
});

export const ALERT_ENDPOINTS = {
  listAlerts: endpoint({
    ...{ method: 'GET', path: '/v1/alerts', tag: 'alerts', access: 'alerts:read', does: 'read' },
    summary: { es: 'Bandeja de alertas', en: 'Alerts' },
    query: Type.Object({
      ...pageQuery,
      state: Type.Optional(oneOf(['open', ...OPEN_CASE_STATES, ...CLOSED_CASE_STATES, 'suppressed'])),
      caseId: Type.Optional(Id),
      ...workFilters,
    }),
    answer: pageOf(AlertSchema),
  }),
  countAlerts: endpoint({
    ...{ method: 'GET', path: '/v1/alerts::counts', tag: 'alerts', access: 'alerts:read', does: 'read' },
    summary: {
      es: 'Cuántas hay por cola, estado y severidad, y cuántas vencidas',
      en: 'How many by queue, state and severity, and how many overdue',
    },
    answer: Type.Object({
      counts: Type.Array(
        Type.Object({ queue: Type.String(), state: Type.String(), severity: oneOf(SEVERITIES), count: Type.Integer() }),
      ),
      overdue: Type.Array(Type.Object({ queue: Type.String(), firstLook: Type.Integer(), decision: Type.Integer() })),
    }),
  }),
  getAlert: endpoint({
    ...{
      method: 'GET',
      path: '/v1/alerts/:alertId',
      tag: 'alerts',
      access: 'alerts:read',
      does: 'read',
      versioned: true,
    },
    summary: {
      es: 'Una alerta y las operaciones que se le unieron',
      en: 'An alert with the transactions that joined it',
    },
    params: AlertId,
    answer: Type.Object({ alert: AlertSchema, joined: Type.Array(AlertSchema) }),
  }),
  assignAlert: endpoint({
    ...{ method: 'PUT', path: '/v1/alerts/:alertId/assignee', tag: 'alerts', access: 'alerts:work', does: 'change' },
    summary: { es: 'Tomar, asignar o devolver una alerta', en: 'Take, assign or give back an alert' },
    params: AlertId,
    body: AssigneeBody,
    answer: null,
  }),
  decideAlert: endpoint({
    ...{ method: 'POST', path: '/v1/alerts/:alertId/decision', tag: 'alerts', access: 'alerts:work', does: 'change' },
    summary: { es: 'Decidir una alerta: fraude, legítima o error', en: 'Decide an alert: fraud, genuine or error' },
    params: AlertId,
    body: Type.Object(
      { outcome: oneOf(OUTCOMES), typology: Type.Optional(nullable(Type.String({ maxLength: 20 }))), reason: Reason },
      { additionalProperties: false },
    ),
    answer: null,
  }),
  tagAlert: endpoint({
    ...{ method: 'PUT', path: '/v1/alerts/:alertId/tags', tag: 'alerts', access: 'alerts:work', does: 'change' },
    summary: { es: 'Etiquetas de trabajo', en: 'Tags' },
    params: AlertId,
    body: Type.Object({ tags: Tags }, { additionalProperties: false }),
    answer: Type.Object({ tags: Type.Array(Type.String()) }),
  }),
  listSuppressions: endpoint({
    ...{ method: 'GET', path: '/v1/suppressions', tag: 'alerts', access: 'alerts:read', does: 'read' },
    summary: { es: 'Supresiones de falsos positivos', en: 'Suppressions of false positives' },
    query: Type.Object({
      ...pageQuery,
      inForce: Type.Optional(Type.Boolean({ description: 'those alone that count now' })),
    }),
    written: ['reason'],
    answer: pageOf(SuppressionSchema),
  }),
  addSuppression: endpoint({
    ...{ method: 'POST', path: '/v1/suppressions', tag: 'alerts', access: 'alerts:work', does: 'change' },
    summary: {
      es: 'Suprimir una tipología o regla para un cliente, beneficiario o dispositivo, hasta una fecha',
      en: 'Suppress a typology or rule for a customer, payee or device, until a date',
    },
    body: Type.Object(
      {
        entity: oneOf(SUPPRESSED_ENTITIES),
        entityId: Id,
        typology: Type.Optional(Type.String({ maxLength: 20 })),
        ruleId: Type.Optional(Type.String({ maxLength: 100 })),
        untilMs: TimeMs,
        reason: Reason,
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({ id: Type.String() }),
    status: 201,
  }),
  endSuppression: endpoint({
    ...{
      method: 'POST',
      path: '/v1/suppressions/:suppressionId/end',
      tag: 'alerts',
      access: 'alerts:work',
      does: 'change',
    },
    summary: { es: 'Terminar una supresión antes', en: 'End a suppression early' },
    params: Type.Object({ suppressionId: Id }),
    body: Type.Object({ reason: Reason }, { additionalProperties: false }),
    answer: null,
  }),
};
