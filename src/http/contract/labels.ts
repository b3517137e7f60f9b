// Labels: what transactions turned out to be, as people, claims and customers say; what models learn from.
import Type from 'typebox';
import { LABEL_SOURCES, OUTCOMES } from '../../alerts/label.ts';
import { DoneBy } from './alerts.ts';
import { Id, nullable, oneOf, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const MOST_LABELS = 1000;

const CountsSchema = Type.Object({
  transactionId: Type.String(),
  outcome: oneOf(OUTCOMES),
  typology: nullable(Type.String()),
  source: oneOf(LABEL_SOURCES),
  weight: Type.Number(),
  atMs: TimeMs,
  feed: Type.Integer({ description: 'its place in the order of changes' }),
});

const SaidSchema = Type.Object({
  id: Type.String(),
  transactionId: Type.String(),
  outcome: oneOf(OUTCOMES),
  typology: nullable(Type.String()),
  source: oneOf(LABEL_SOURCES),
  weight: Type.Number(),
  atMs: TimeMs,
  caseId: nullable(Type.String()),
  note: nullable(Type.String()),
  ...DoneBy,
});

export const LABEL_ENDPOINTS = {
  addLabels: endpoint({
    ...{ method: 'POST', path: '/v1/labels', tag: 'labels', access: 'labels:write', does: 'change' },
    summary: { es: 'Decir qué resultaron ser operaciones', en: 'Say what transactions turned out to be' },
    body: Type.Object(
      {
        labels: Type.Array(
          Type.Object(
            {
              transactionId: Type.String({ minLength: 1, maxLength: 64 }),
              outcome: oneOf(OUTCOMES),
              typology: Type.Optional(nullable(Type.String({ maxLength: 20 }))),
              source: Type.Optional(oneOf(['claim', 'analyst'])),
              note: Type.Optional(nullable(Type.String({ maxLength: 2000 }))),
            },
            { additionalProperties: false },
          ),
          { minItems: 1, maxItems: MOST_LABELS },
        ),
      },
      { additionalProperties: false },
    ),
    mostBodyBytes: 1024 * 1024,
    answer: Type.Object({ changed: Type.Array(CountsSchema) }),
  }),
  labelFeed: endpoint({
    ...{ method: 'GET', path: '/v1/labels', tag: 'labels', access: 'labels:read', does: 'read' },
    summary: { es: 'Lo que cambió desde un punto, para entrenar', en: 'What has changed since a point, for training' },
    query: Type.Object({
      after: Type.Optional(Type.Integer({ minimum: 0, description: '`feed` of the last that was read' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    }),
    answer: Type.Object({ rows: Type.Array(CountsSchema) }),
  }),
  labelsOfTransaction: endpoint({
    ...{ method: 'GET', path: '/v1/labels/:transactionId', tag: 'labels', access: 'labels:read', does: 'read' },
    summary: {
      es: 'Todo lo que se dijo de una operación, y qué vale',
      en: 'All that was said of a transaction, and what counts',
    },
    params: Type.Object({ transactionId: Id }),
    written: ['note'],
    answer: Type.Object({ said: Type.Array(SaidSchema), current: nullable(CountsSchema) }),
  }),
};
