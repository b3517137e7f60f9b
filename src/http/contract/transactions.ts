// Transactions to be decided: one at authorisation time, some at once, or a file.
import Type from 'typebox';
import { TransactionSchema } from '../../domain/transaction.ts';
import { nullable, oneOf, ReasonSchema, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const REQUIRED: ReadonlySet<string> = new Set(['id', 'eventTimeMs', 'amountMinor', 'currency']);

/** What is not known may be left out. */
const TransactionGiven = Type.Object(
  Object.fromEntries(
    Object.entries(TransactionSchema.properties).map(([name, schema]) => [
      name,
      REQUIRED.has(name) ? schema : Type.Optional(schema),
    ]),
  ),
  { description: 'A transaction; fields that are not known are left out' },
);

export const DecisionSchema = Type.Object(
  {
    id: Type.String({ description: "the transaction's" }),
    eventTimeMs: TimeMs,
    action: Type.String({ description: 'what to do' }),
    intended: Type.String({ description: 'what would be done without the limits of the safety governor' }),
    by: Type.String({ description: 'what decided: rules, model, or the amount alone' }),
    risk: nullable(Type.Number({ minimum: 0, maximum: 1 })),
    modelRisk: nullable(Type.Number({ minimum: 0, maximum: 1 })),
    expectedLossMinor: nullable(Type.Number()),
    rules: Type.Array(Type.String(), { description: '`id@version` of the rules that had a say' }),
    silenced: Type.Array(Type.Object({ rule: Type.String(), silence: Type.String() })),
    reasons: Type.Array(ReasonSchema),
    versions: Type.Object({ model: nullable(Type.String()), rules: Type.String() }),
    thresholds: Type.Optional(
      Type.String({ description: "those that were changed since, `review=0.35,hold=0.8`; left out: the model's own" }),
    ),
    degraded: Type.Array(Type.String(), { description: 'what it was decided without' }),
    at: Type.Object({ partition: Type.Integer(), offset: Type.Integer() }, { description: 'its place in the stream' }),
    amountMinor: Type.Optional(Type.Integer()),
    currency: Type.Optional(Type.String()),
    evidence: Type.Optional(Type.String({ description: 'SHA-256 of the evidence that is kept' })),
    listed: Type.Optional(
      Type.Array(Type.Object({ rule: Type.String(), list: Type.String(), entry: Type.Integer() }), {
        description: 'entries of lists that its rules found: `id` of GET /v1/lists/{list}/entries',
      }),
    ),
    stageAt: Type.Optional(Type.Object({ partition: Type.Integer(), offset: Type.Integer() })),
  },
  { description: 'What was decided, and why' },
);

export const ScoreAnswerSchema = Type.Object({
  id: Type.String(),
  kind: oneOf(
    ['decided', 'decided-before', 'refused', 'timeout', 'unavailable'],
    'timeout and unavailable: decided by the amount alone, the decision follows in the stream',
  ),
  action: nullable(Type.String({ description: 'null where it was refused, or decided longer ago than is remembered' })),
  decision: nullable(DecisionSchema),
  isEarlier: Type.Boolean({ description: 'the id had been decided before' }),
  refusal: nullable(Type.Object({ code: Type.String(), message: Type.String() })),
});

export const MOST_BATCH = 1000;

export const TRANSACTION_ENDPOINTS = {
  scoreTransaction: endpoint({
    ...{ method: 'POST', path: '/v1/transactions', tag: 'transactions', access: 'transactions:score', does: 'own' },
    summary: { es: 'Decidir una operación', en: 'Decide a transaction' },
    query: Type.Object({
      deadlineMs: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 30_000, description: 'wait at most so long; then by the amount alone' }),
      ),
    }),
    body: TransactionGiven,
    bodyKind: 'json-bytes',
    answer: ScoreAnswerSchema,
    mostPerMinute: 600_000,
  }),
  scoreBatch: endpoint({
    ...{
      method: 'POST',
      path: '/v1/transactions::batch',
      tag: 'transactions',
      access: 'transactions:score',
      does: 'own',
    },
    summary: { es: 'Decidir varias operaciones, en su orden', en: 'Decide several transactions, in their order' },
    body: Type.Object({ transactions: Type.Array(TransactionGiven, { minItems: 1, maxItems: MOST_BATCH }) }),
    bodyKind: 'json-bytes',
    mostBodyBytes: 4 * 1024 * 1024,
    answer: Type.Object({ answers: Type.Array(ScoreAnswerSchema) }),
    mostPerMinute: 60_000,
  }),
  uploadTransactions: endpoint({
    ...{
      method: 'POST',
      path: '/v1/transactions::upload',
      tag: 'transactions',
      access: 'transactions:score',
      does: 'own',
    },
    summary: {
      es: 'Subir un archivo NDJSON; las respuestas vuelven línea por línea, en su orden',
      en: 'Upload NDJSON; answers come back line by line, in their order',
    },
    body: TransactionGiven,
    bodyKind: 'ndjson',
    mostBodyBytes: 1024 * 1024 * 1024,
    answer: ScoreAnswerSchema,
    answerType: 'application/x-ndjson',
    mostPerMinute: 60,
  }),
};
