// Personal data: seen by who may and audited, exported for the customer, erased by two people, held for an authority.
import Type from 'typebox';
import { ERASURE_STATES } from '../../privacy/erasure.ts';
import { Reason } from './alerts.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const Customer = Type.String({ minLength: 1, maxLength: 64, description: "the bank's id of the customer" });

const HoldSchema = Type.Object({
  id: Type.String(),
  subject: Type.String({ description: 'a keyed hash of the customer' }),
  authority: Type.String(),
  actNumber: Type.String(),
  reason: Type.String(),
  placedBy: Type.String(),
  placedMs: TimeMs,
  untilMs: nullable(TimeMs),
  lifted: nullable(Type.Object({ by: Type.String(), atMs: TimeMs, reason: Type.String() })),
  version: Type.Integer(),
});

const ErasureSchema = Type.Object({
  id: Type.String(),
  subject: Type.String(),
  state: oneOf(ERASURE_STATES),
  reason: Type.String(),
  requestedBy: Type.String(),
  requestedMs: TimeMs,
  approvedBy: nullable(Type.String()),
  approvedMs: nullable(TimeMs),
  endedBy: nullable(Type.String()),
  endedMs: nullable(TimeMs),
  refusal: nullable(Type.String()),
  destroyedKeys: nullable(Type.Integer()),
  identifiers: Type.Integer({ description: 'how many it looks for on lists; 0 once it has ended' }),
  listedEntries: nullable(Type.Integer({ description: "values that come off the bank's own lists" })),
  erasedTexts: nullable(Type.Integer({ description: 'comments, reasons, notes and files that went' })),
  version: Type.Integer(),
});

const HoldId = Type.Object({ holdId: Id });
const ErasureId = Type.Object({ erasureId: Id });
const step = { tag: 'privacy', does: 'change', versioned: true } as const;

export const PRIVACY_ENDPOINTS = {
  viewTransaction: endpoint({
    ...{
      method: 'GET',
      path: '/v1/transactions/:transactionId/personal-data',
      tag: 'privacy',
      access: 'personal-data:read',
      does: 'own',
    },
    summary: {
      es: 'La operación con sus datos personales; queda en la pista',
      en: 'The transaction with its personal data; it is in the audit',
    },
    params: Type.Object({ transactionId: Id }),
    query: Type.Object({
      partition: Type.Integer({
        minimum: 0,
        maximum: 100_000,
        description: 'its place in the stream, from the decision',
      }),
      offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    }),
    answer: Type.Object({
      transaction: Type.Object({}, { additionalProperties: true }),
      erased: Type.Boolean({ description: 'its keys were destroyed: nobody can read them any more' }),
    }),
  }),
  exportCustomer: endpoint({
    ...{
      method: 'POST',
      path: '/v1/customers::export',
      tag: 'privacy',
      access: 'personal-data:export',
      does: 'own',
      mostPerMinute: 30,
    },
    summary: {
      es: 'Lo que se conserva de un cliente, para el cliente (derecho de acceso)',
      en: 'What is kept of a customer, for the customer (right of access)',
    },
    body: Type.Object({ customerId: Customer, reason: Reason }, { additionalProperties: false }),
    answer: Type.Object({
      alerts: Type.Array(
        Type.Object({
          id: Type.String(),
          eventMs: TimeMs,
          operation: Type.String(),
          amountMinor: Type.Integer(),
          currency: Type.String(),
          action: Type.String(),
        }),
      ),
      labels: Type.Array(Type.Object({ transactionId: Type.String(), outcome: Type.String(), atMs: TimeMs })),
      isComplete: Type.Boolean({ description: 'false: there is more than one answer holds' }),
    }),
  }),
  listHolds: endpoint({
    ...{ method: 'GET', path: '/v1/legal-holds', tag: 'privacy', access: 'legal-holds:manage', does: 'read' },
    summary: { es: 'Retenciones legales', en: 'Legal holds' },
    query: Type.Object(pageQuery),
    written: ['reason'],
    answer: pageOf(HoldSchema),
  }),
  placeHold: endpoint({
    ...{ method: 'POST', path: '/v1/legal-holds', tag: 'privacy', access: 'legal-holds:manage', does: 'change' },
    summary: {
      es: 'Conservar lo de un cliente por orden de una autoridad',
      en: "Keep what there is of a customer by an authority's order",
    },
    body: Type.Object(
      {
        customerId: Customer,
        authority: Type.String({ minLength: 1, maxLength: 200 }),
        actNumber: Type.String({ minLength: 1, maxLength: 200 }),
        reason: Reason,
        untilMs: Type.Optional(nullable(TimeMs)),
      },
      { additionalProperties: false },
    ),
    answer: HoldSchema,
    status: 201,
  }),
  liftHold: endpoint({
    ...{ method: 'POST', path: '/v1/legal-holds/:holdId/lift', access: 'legal-holds:manage', ...step },
    summary: { es: 'Levantar una retención legal', en: 'Lift a legal hold' },
    params: HoldId,
    body: Type.Object({ reason: Reason }, { additionalProperties: false }),
    answer: HoldSchema,
  }),
  listErasures: endpoint({
    ...{ method: 'GET', path: '/v1/erasures', tag: 'privacy', access: 'personal-data:erase', does: 'read' },
    summary: { es: 'Supresiones de datos personales', en: 'Erasures of personal data' },
    query: Type.Object(pageQuery),
    written: ['reason', 'refusal'],
    answer: pageOf(ErasureSchema),
  }),
  requestErasure: endpoint({
    ...{ method: 'POST', path: '/v1/erasures', tag: 'privacy', access: 'personal-data:erase', does: 'change' },
    summary: { es: 'Pedir la supresión de los datos de un cliente', en: "Ask for the erasure of a customer's data" },
    body: Type.Object(
      {
        customerId: Customer,
        identifiers: Type.Optional(
          Type.Array(Type.String({ minLength: 1, maxLength: 100 }), {
            maxItems: 50,
            description:
              "the customer's documents, accounts, cards, phones, names: looked for on lists, kept as tokens",
          }),
        ),
        reason: Reason,
      },
      { additionalProperties: false },
    ),
    answer: ErasureSchema,
    status: 201,
  }),
  approveErasure: endpoint({
    ...{ method: 'POST', path: '/v1/erasures/:erasureId/approval', access: 'personal-data:approve-erasure', ...step },
    summary: { es: 'Aprobarla; lo hace otra persona', en: 'Approve it; another person does' },
    params: ErasureId,
    answer: ErasureSchema,
  }),
  refuseErasure: endpoint({
    ...{ method: 'POST', path: '/v1/erasures/:erasureId/refusal', access: 'personal-data:approve-erasure', ...step },
    summary: { es: 'Rechazarla con su motivo', en: 'Refuse it with the reason' },
    params: ErasureId,
    body: Type.Object({ reason: Reason }, { additionalProperties: false }),
    answer: ErasureSchema,
  }),
  executeErasure: endpoint({
    ...{ method: 'POST', path: '/v1/erasures/:erasureId/execution', access: 'personal-data:erase', ...step },
    summary: {
      es: 'Destruir las claves: nadie podrá leer esos datos',
      en: 'Destroy the keys: nobody can read those data any more',
    },
    params: ErasureId,
    body: Type.Object(
      { keptUntilMs: nullable(TimeMs) },
      {
        additionalProperties: false,
        description: 'until when the law asks to keep what there is; null: nothing is kept',
      },
    ),
    answer: ErasureSchema,
  }),
};
