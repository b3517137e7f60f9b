// Models: those of the registry, what is live, and changes of it that take two people.
import Type from 'typebox';
import { MODEL_CHANGE_STATES } from '../../records/models/tables.ts';
import { DoneBy, Reason } from './alerts.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';
import { ModelId } from './replays.ts';

const strict = { additionalProperties: false };
const open = (description: string) => Type.Object({}, { additionalProperties: true, description });

const CardSchema = Type.Object({
  detectors: Type.Array(Type.String()),
  features: Type.Integer(),
  rulesLearnt: Type.Integer({ description: 'rules whose evidence it weighs' }),
  createdAt: Type.String(),
  reviewAtRisk: Type.Number({ minimum: 0, maximum: 1 }),
  isDecidingByCost: Type.Boolean(),
  trainedOn: open('rows, period and seed'),
  metrics: open('of later time than it learned from'),
});

const ModelSchema = Type.Object({
  id: Type.String({ description: '`name@version`' }),
  name: Type.String(),
  version: Type.Integer(),
  isLive: Type.Boolean(),
  card: nullable(CardSchema),
  problem: nullable(Type.String({ description: 'why it cannot be used: damaged, or of a newer program' })),
});

const Share = Type.Number({ minimum: 0, maximum: 1 });
const ThresholdsSchema = Type.Object(
  { reviewAtRisk: Share, holdAtRisk: Share },
  {
    ...strict,
    description:
      'from which risk on is reviewed and held; reviewAtRisk is at most holdAtRisk (null: as the model itself)',
  },
);

const ChangeSchema = Type.Object({
  id: Type.String(),
  model: nullable(Type.String({ description: '`name@version`; null: rules alone' })),
  setsModel: Type.Boolean({ description: 'false: the thresholds of that model alone are changed' }),
  thresholds: nullable(ThresholdsSchema),
  reason: Type.String(),
  state: oneOf(MODEL_CHANGE_STATES, '`approved`: on its way to the stream; `sent`: there'),
  createdMs: TimeMs,
  decidedMs: nullable(TimeMs),
  decidedBy: nullable(Type.String()),
  decidedByName: nullable(Type.String()),
  comment: nullable(Type.String()),
  sentMs: nullable(TimeMs),
  version: Type.Integer(),
  ...DoneBy,
});
const ChangeId = Type.Object({ changeId: Id });

export const MODEL_ENDPOINTS = {
  listModels: endpoint({
    ...{ method: 'GET', path: '/v1/models', tag: 'models', access: 'models:read', does: 'read' },
    summary: { es: 'Modelos registrados y sus versiones', en: 'Registered models and their versions' },
    query: Type.Object({ ...pageQuery, name: Type.Optional(Type.String({ minLength: 1, maxLength: 63 })) }),
    answer: pageOf(ModelSchema),
  }),
  getModel: endpoint({
    ...{ method: 'GET', path: '/v1/models/:modelId', tag: 'models', access: 'models:read', does: 'read' },
    summary: { es: 'Un modelo, con lo que aprendió y sus cifras', en: 'A model, what it learned from and its figures' },
    params: Type.Object({ modelId: ModelId }),
    answer: Type.Object({
      model: ModelSchema,
      thresholds: nullable(open('how they were chosen')),
      featureIds: Type.Array(Type.String()),
    }),
  }),
  liveVersions: endpoint({
    ...{ method: 'GET', path: '/v1/models::live', tag: 'models', access: 'models:read', does: 'read' },
    summary: {
      es: 'Qué decide ahora: modelo, umbrales que no son los suyos y versión de las reglas',
      en: 'What decides now: model, thresholds where they are not its own, and version of the rules',
    },
    answer: Type.Object({
      decidesHere: Type.Boolean({ description: 'false: workers of their own do, and what was asked of them is told' }),
      model: nullable(Type.String()),
      thresholds: nullable(ThresholdsSchema),
      rules: nullable(Type.String({ description: 'hash of the whole set, as decisions tell it' })),
      isSettled: Type.Boolean({ description: 'false: partitions do not decide alike yet' }),
      waiting: nullable(ChangeSchema),
    }),
  }),
  listModelChanges: endpoint({
    ...{ method: 'GET', path: '/v1/model-changes', tag: 'models', access: 'models:read', does: 'read' },
    summary: { es: 'Cambios del modelo vigente, el más nuevo primero', en: 'Changes of the live model, newest first' },
    query: Type.Object({ ...pageQuery, state: Type.Optional(oneOf(MODEL_CHANGE_STATES)) }),
    answer: pageOf(ChangeSchema),
  }),
  getModelChange: endpoint({
    ...{ method: 'GET', path: '/v1/model-changes/:changeId', tag: 'models', access: 'models:read' },
    ...{ does: 'read', versioned: true },
    summary: { es: 'Un cambio del modelo vigente', en: 'A change of the live model' },
    params: ChangeId,
    answer: ChangeSchema,
  }),
  proposeModelChange: endpoint({
    ...{ method: 'POST', path: '/v1/model-changes', tag: 'models', access: 'models:manage', does: 'change' },
    summary: {
      es: 'Proponer que un modelo decida, u otros umbrales; se prueba antes con las reglas y variables vigentes',
      en: 'Propose that a model decide, or other thresholds; it is tried first with the live rules and features',
    },
    mostPerMinute: 60,
    body: Type.Object(
      {
        model: Type.Optional(nullable(ModelId)),
        thresholds: Type.Optional(nullable(ThresholdsSchema)),
        reason: Reason,
      },
      {
        ...strict,
        description:
          "a model, thresholds, or both; thresholds alone are the live model's, null: its own again, as with a model that comes without",
      },
    ),
    answer: Type.Object({ id: Type.String() }),
    status: 201,
  }),
  decideModelChange: endpoint({
    ...{ method: 'POST', path: '/v1/model-changes/:changeId/decision', tag: 'models', access: 'models:manage' },
    ...{ does: 'change', versioned: true },
    summary: { es: 'Aprobar o rechazar, otra persona', en: 'Approve or refuse, another person' },
    params: ChangeId,
    body: Type.Object({ isApproved: Type.Boolean(), comment: Type.Optional(Reason) }, strict),
    answer: ChangeSchema,
  }),
  withdrawModelChange: endpoint({
    ...{ method: 'POST', path: '/v1/model-changes/:changeId/withdrawal', tag: 'models', access: 'models:manage' },
    ...{ does: 'change', versioned: true },
    summary: { es: 'Retirar la propuesta propia', en: "Withdraw one's own proposal" },
    params: ChangeId,
    answer: ChangeSchema,
  }),
};
