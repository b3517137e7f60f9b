// Cases: what belongs together is worked on together, closed by two people where much is at stake.
import Type from 'typebox';
import { MOST_ATTACHMENT_BYTES } from '../../alerts/attachment.ts';
import { CASE_STATES, CLOSED_CASE_STATES, OPEN_CASE_STATES } from '../../alerts/case-life.ts';
import { SEVERITIES } from '../../alerts/severity.ts';
import { MOST_COMMENT } from '../../alerts/written-text.ts';
import { AlertSchema, AssigneeBody, ClocksSchema, DoneBy, Reason, Tags, workFilters } from './alerts.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { FileSchema } from './compliance.ts';
import { endpoint } from './endpoint.ts';

const STEPS = ['start', 'close-fraud', 'close-genuine', 'close-error', 'reopen'] as const;

const CaseSchema = Type.Object({
  id: Type.String(),
  state: oneOf(CASE_STATES),
  mergedInto: nullable(Type.String()),
  typology: Type.String(),
  family: Type.String(),
  severity: oneOf(SEVERITIES),
  queue: Type.String(),
  assignee: nullable(Type.String()),
  customers: Type.Array(Type.String()),
  alerts: Type.Integer(),
  transactions: Type.Integer(),
  solesMinor: Type.Integer(),
  risk: nullable(Type.Number()),
  firstMs: TimeMs,
  lastMs: TimeMs,
  openedMs: TimeMs,
  closedMs: nullable(TimeMs),
  firstLookDueMs: TimeMs,
  decisionDueMs: TimeMs,
  clocks: ClocksSchema,
  claimId: nullable(Type.String()),
  claimDueMs: nullable(TimeMs),
  tags: Type.Array(Type.String()),
  version: Type.Integer(),
});

const RequestSchema = Type.Object({
  id: Type.String(),
  caseId: Type.String(),
  fileId: nullable(Type.String()),
  step: Type.String(),
  toState: Type.String(),
  reason: Type.String(),
  requestedMs: TimeMs,
  status: oneOf(['waiting', 'approved', 'refused', 'withdrawn']),
  isConfidential: Type.Boolean(),
  ...DoneBy,
});

const HistorySchema = Type.Object({
  id: Type.String(),
  caseId: Type.String(),
  alertId: nullable(Type.String()),
  what: Type.String(),
  fromValue: Type.Unknown(),
  toValue: Type.Unknown(),
  reason: nullable(Type.String()),
  atMs: TimeMs,
  isConfidential: Type.Boolean(),
  ...DoneBy,
});

const CommentSchema = Type.Object({
  id: Type.String(),
  caseId: Type.String(),
  kind: oneOf(['comment', 'note']),
  body: Type.String(),
  atMs: TimeMs,
  editedMs: nullable(TimeMs),
  isConfidential: Type.Boolean(),
  version: Type.Integer(),
  earlier: Type.Array(Type.Object({ version: Type.Integer(), body: Type.String(), untilMs: TimeMs })),
  ...DoneBy,
});

const AttachmentSchema = Type.Object({
  id: Type.String(),
  caseId: Type.String(),
  name: Type.String(),
  type: Type.String(),
  bytes: Type.Integer(),
  sha256: Type.String(),
  atMs: TimeMs,
  isConfidential: Type.Boolean(),
  ...DoneBy,
});

const RelationSchema = Type.Object({
  fromId: Type.String(),
  toId: Type.String(),
  kind: oneOf(['related', 'duplicate', 'follow-up']),
  note: nullable(Type.String()),
  atMs: TimeMs,
  isConfidential: Type.Boolean(),
  ...DoneBy,
});

const CaseId = Type.Object({ caseId: Id });
const RequestId = Type.Object({ requestId: Id });
const AttachmentId = Type.Object({ attachmentId: Id });

export const CASE_ENDPOINTS = {
  listCases: endpoint({
    ...{ method: 'GET', path: '/v1/cases', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Casos', en: 'Cases' },
    query: Type.Object({
      ...pageQuery,
      state: Type.Optional(oneOf(['open', ...OPEN_CASE_STATES, ...CLOSED_CASE_STATES])),
      claimId: Type.Optional(Id),
      ...workFilters,
    }),
    answer: pageOf(CaseSchema),
  }),
  countCases: endpoint({
    ...{ method: 'GET', path: '/v1/cases::counts', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Cuántos hay por cola y estado', en: 'How many by queue and state' },
    answer: Type.Object({
      counts: Type.Array(Type.Object({ queue: Type.String(), state: Type.String(), count: Type.Integer() })),
    }),
  }),
  getCase: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId', tag: 'cases', access: 'cases:read', does: 'read', versioned: true },
    summary: { es: 'Un caso', en: 'A case' },
    params: CaseId,
    answer: Type.Object({
      case: CaseSchema,
      redirectedFrom: nullable(Type.String()),
      stateSeen: Type.String(),
      tookIn: Type.Array(Type.String()),
      files: Type.Array(FileSchema),
      comments: Type.Integer(),
      attachments: Type.Integer(),
      isWaiting: Type.Boolean({ description: "a second person's say is waited for" }),
    }),
  }),
  listCaseAlerts: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId/alerts', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Alertas del caso', en: "The case's alerts" },
    params: CaseId,
    answer: Type.Object({ rows: Type.Array(AlertSchema) }),
  }),
  caseHistory: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId/history', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Qué pasó con el caso, quién y cuándo', en: 'What happened to the case, who and when' },
    params: CaseId,
    query: Type.Object(pageQuery),
    written: ['reason', 'fromValue', 'toValue'],
    answer: pageOf(HistorySchema),
  }),
  stepCase: endpoint({
    ...{
      method: 'POST',
      path: '/v1/cases/:caseId/steps',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
      versioned: true,
    },
    summary: {
      es: 'Empezar, cerrar o reabrir; lo que pide cuatro ojos queda en espera',
      en: 'Start, close or reopen; what takes four eyes waits',
    },
    params: CaseId,
    body: Type.Object(
      {
        step: oneOf(STEPS),
        reason: Type.Optional(Type.String({ maxLength: 2000 })),
        typology: Type.Optional(nullable(Type.String({ maxLength: 20 }))),
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({ kind: oneOf(['done', 'waits']), requestId: nullable(Type.String()) }),
  }),
  listRequests: endpoint({
    ...{ method: 'GET', path: '/v1/case-requests', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Lo que espera a una segunda persona', en: 'What waits for a second person' },
    query: Type.Object(pageQuery),
    written: ['reason', 'comment'],
    answer: pageOf(RequestSchema),
  }),
  decideRequest: endpoint({
    ...{
      method: 'POST',
      path: '/v1/case-requests/:requestId/decision',
      tag: 'cases',
      access: 'cases:approve',
      does: 'change',
    },
    summary: { es: 'Aprobar o rechazar como segunda persona', en: 'Approve or refuse as the second person' },
    params: RequestId,
    body: Type.Object(
      { isApproved: Type.Boolean(), comment: Type.Optional(Type.String({ maxLength: 2000 })) },
      { additionalProperties: false },
    ),
    answer: null,
  }),
  withdrawRequest: endpoint({
    ...{ method: 'DELETE', path: '/v1/case-requests/:requestId', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: { es: 'Retirar lo que uno mismo pidió', en: 'Take back what one asked for' },
    params: RequestId,
    answer: null,
  }),
  assignCase: endpoint({
    ...{
      method: 'PUT',
      path: '/v1/cases/:caseId/assignee',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
      versioned: true,
    },
    summary: { es: 'Tomar, asignar o devolver un caso', en: 'Take, assign or give back a case' },
    params: CaseId,
    body: AssigneeBody,
    answer: null,
  }),
  tagCase: endpoint({
    ...{
      method: 'PUT',
      path: '/v1/cases/:caseId/tags',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
      versioned: true,
    },
    summary: { es: 'Etiquetas de trabajo', en: 'Tags' },
    params: CaseId,
    body: Type.Object({ tags: Tags }, { additionalProperties: false }),
    answer: Type.Object({ tags: Type.Array(Type.String()) }),
  }),
  claimCase: endpoint({
    ...{ method: 'PUT', path: '/v1/cases/:caseId/claim', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: {
      es: 'Vincular el reclamo del cliente (15 días hábiles)',
      en: "Link the customer's claim (15 business days)",
    },
    params: CaseId,
    body: Type.Object({ claimId: Id, claimedMs: TimeMs }, { additionalProperties: false }),
    answer: Type.Object({ dueMs: TimeMs }),
  }),
  listComments: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId/comments', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Comentarios y notas', en: 'Comments and notes' },
    params: CaseId,
    written: ['body'],
    answer: Type.Object({ rows: Type.Array(CommentSchema) }),
  }),
  addComment: endpoint({
    ...{ method: 'POST', path: '/v1/cases/:caseId/comments', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: { es: 'Comentar', en: 'Comment' },
    params: CaseId,
    body: Type.Object(
      {
        body: Type.String({ minLength: 1, maxLength: MOST_COMMENT }),
        kind: Type.Optional(oneOf(['comment', 'note'])),
        isConfidential: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({ id: Type.String() }),
    status: 201,
  }),
  editComment: endpoint({
    ...{
      method: 'PATCH',
      path: '/v1/case-comments/:commentId',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
      versioned: true,
    },
    summary: {
      es: 'Corregir un comentario propio; lo anterior queda',
      en: "Correct a comment of one's own; what it was stays",
    },
    params: Type.Object({ commentId: Id }),
    body: Type.Object(
      { body: Type.String({ minLength: 1, maxLength: MOST_COMMENT }) },
      { additionalProperties: false },
    ),
    answer: null,
  }),
  listRelations: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId/relations', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Casos relacionados', en: 'Related cases' },
    params: CaseId,
    written: ['note'],
    answer: Type.Object({ rows: Type.Array(RelationSchema) }),
  }),
  relateCases: endpoint({
    ...{ method: 'POST', path: '/v1/cases/:caseId/relations', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: { es: 'Relacionar con otro caso', en: 'Relate to another case' },
    params: CaseId,
    body: Type.Object(
      {
        toId: Id,
        kind: oneOf(['related', 'duplicate', 'follow-up']),
        note: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
        isConfidential: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    answer: null,
  }),
  unrelateCases: endpoint({
    ...{
      method: 'DELETE',
      path: '/v1/cases/:caseId/relations/:toId',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
    },
    summary: { es: 'Deshacer una relación', en: 'Take a relation back' },
    params: Type.Object({ caseId: Id, toId: Id }),
    query: Type.Object({
      kind: oneOf(['related', 'duplicate', 'follow-up']),
      isConfidential: Type.Optional(Type.Boolean()),
    }),
    answer: null,
  }),
  listAttachments: endpoint({
    ...{ method: 'GET', path: '/v1/cases/:caseId/attachments', tag: 'cases', access: 'cases:read', does: 'read' },
    summary: { es: 'Adjuntos', en: 'Attachments' },
    params: CaseId,
    written: ['name'],
    answer: Type.Object({ rows: Type.Array(AttachmentSchema) }),
  }),
  addAttachment: endpoint({
    ...{ method: 'POST', path: '/v1/cases/:caseId/attachments', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: { es: 'Adjuntar un archivo', en: 'Attach a file' },
    params: CaseId,
    query: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 255 }),
      isConfidential: Type.Optional(Type.Boolean()),
    }),
    bodyKind: 'file',
    mostBodyBytes: MOST_ATTACHMENT_BYTES,
    answer: Type.Object({ id: Type.String(), name: Type.String(), type: Type.String(), sha256: Type.String() }),
    status: 201,
  }),
  getAttachment: endpoint({
    ...{
      method: 'GET',
      path: '/v1/case-attachments/:attachmentId/content',
      tag: 'cases',
      access: 'personal-data:read',
      does: 'own',
    },
    summary: { es: 'Descargar un adjunto; queda en la pista', en: 'Download an attachment; it is in the audit' },
    params: AttachmentId,
    answer: Type.Unknown(),
    answerType: 'application/octet-stream',
  }),
  removeAttachment: endpoint({
    ...{
      method: 'POST',
      path: '/v1/case-attachments/:attachmentId/removal',
      tag: 'cases',
      access: 'cases:work',
      does: 'change',
    },
    summary: { es: 'Quitar un adjunto', en: 'Take an attachment off' },
    params: AttachmentId,
    body: Type.Object({ reason: Reason }, { additionalProperties: false }),
    answer: null,
  }),
};
