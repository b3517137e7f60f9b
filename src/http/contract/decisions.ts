// What was decided: the newest, by id, by what decided.
import Type from 'typebox';
import { Id, nullable, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';
import { DecisionSchema } from './transactions.ts';

const DecidedSchema = Type.Object({
  id: Type.String(),
  decidedMs: TimeMs,
  decision: nullable(DecisionSchema),
});

export const DECISION_ENDPOINTS = {
  listDecisions: endpoint({
    ...{
      method: 'GET',
      path: '/v1/decisions',
      tag: 'decisions',
      access: 'decisions:read',
      does: 'read',
      mostPerMinute: 600,
    },
    summary: { es: 'Decisiones, las últimas primero', en: 'Decisions, newest first' },
    query: Type.Object({
      ...pageQuery,
      fromMs: Type.Optional(TimeMs),
      untilMs: Type.Optional(TimeMs),
      action: Type.Optional(Type.String({ maxLength: 20 })),
      rule: Type.Optional(Type.String({ maxLength: 200, description: '`id@version`' })),
      minRisk: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    }),
    answer: pageOf(DecidedSchema),
  }),
  getDecision: endpoint({
    ...{
      method: 'GET',
      path: '/v1/decisions/:transactionId',
      tag: 'decisions',
      access: 'decisions:read',
      does: 'read',
    },
    summary: { es: 'La decisión de una operación', en: "A transaction's decision" },
    params: Type.Object({ transactionId: Id }),
    query: Type.Object({
      day: Type.Optional(
        Type.String({ pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', description: 'where it is known: quicker' }),
      ),
    }),
    answer: DecidedSchema,
  }),
  decisionEvidence: endpoint({
    ...{
      method: 'GET',
      path: '/v1/decisions/:transactionId/evidence',
      tag: 'decisions',
      access: 'decisions:read',
      does: 'read',
    },
    summary: {
      es: 'De qué se hizo una decisión, para hacerla de nuevo; la operación, cifrada',
      en: 'What a decision was made of, to make it again; the transaction is sealed',
    },
    params: Type.Object({ transactionId: Id }),
    answer: Type.Object({
      sha256: Type.String({ description: 'of the pack; the decision and the alert name it by this' }),
      evidence: Type.Unknown({ description: 'the pack (docs/audit.md)' }),
    }),
  }),
};
