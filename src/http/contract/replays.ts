// Replays: what a change of rules, model or thresholds would have done with the bank's own history.
import Type from 'typebox';
import { BOOTSTRAP_UNITS } from '../../decisions/worth/bootstrap.ts';
import { REPLAY_STATES } from '../../records/replays/tables.ts';
import { DoneBy, Reason } from './alerts.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const MOST_FILES = 100;
const MOST_RULES_CHARACTERS = 400_000;
const MOST_BODY_BYTES = 1024 * 1024;
const Share = Type.Number({ minimum: 0, maximum: 1 });
const strict = { additionalProperties: false };
const open = (description: string) => Type.Object({}, { additionalProperties: true, description });

export const ModelId = Type.String({
  pattern: '^[a-z0-9][a-z0-9-]{0,62}@[1-9][0-9]{0,8}$',
  description: '`name@version`',
});

const RuleFileSchema = Type.Object(
  {
    path: Type.String({ minLength: 1, maxLength: 200, description: 'what it is called in messages' }),
    text: Type.String({ minLength: 1, maxLength: MOST_RULES_CHARACTERS, description: 'YAML or JSON' }),
  },
  strict,
);

const ReplaySchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  state: oneOf(REPLAY_STATES),
  progress: Share,
  attempts: Type.Integer({ description: 'begun so often: once more where the service ended meanwhile' }),
  isCancelAsked: Type.Boolean(),
  problemCode: nullable(Type.String()),
  problem: nullable(Type.String({ description: 'why it failed' })),
  createdMs: TimeMs,
  startedMs: nullable(TimeMs),
  endedMs: nullable(TimeMs),
  version: Type.Integer(),
  ...DoneBy,
});
const ReplayId = Type.Object({ replayId: Id });

const RequestSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 100, description: 'for people' }),
    rules: Type.Optional(
      Type.Object(
        {
          mode: oneOf(
            ['join', 'whole'],
            '`join`: they take the place of the live ones with their ids or join them, shadow rules as live; `whole`: they are all',
          ),
          files: Type.Array(RuleFileSchema, { minItems: 1, maxItems: MOST_FILES }),
        },
        strict,
      ),
    ),
    model: Type.Optional(nullable(ModelId)),
    thresholds: Type.Optional(
      Type.Union([
        Type.Object({ reviewAtRisk: Share, holdAtRisk: Share }, strict),
        Type.Literal('cost', { description: 'what each error costs' }),
      ]),
    ),
    fromMs: Type.Optional(TimeMs),
    untilMs: Type.Optional(TimeMs),
    bootstrap: Type.Optional(oneOf(BOOTSTRAP_UNITS, 'what intervals resample; default `customer`')),
    analysts: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 1' })),
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'of the intervals; default 42' }),
    ),
  },
  { ...strict, description: 'rules, a model or thresholds: at least one of them is the change' },
);

export const REPLAY_ENDPOINTS = {
  listReplays: endpoint({
    ...{ method: 'GET', path: '/v1/replays', tag: 'replays', access: 'replays:read', does: 'read' },
    summary: { es: 'Repeticiones, la más nueva primero', en: 'Replays, newest first' },
    query: Type.Object({ ...pageQuery, state: Type.Optional(oneOf(REPLAY_STATES)) }),
    answer: pageOf(ReplaySchema),
  }),
  askReplay: endpoint({
    ...{ method: 'POST', path: '/v1/replays', tag: 'replays', access: 'replays:run', does: 'change' },
    summary: {
      es: 'Repetir la historia con un cambio de reglas, modelo o umbrales, al lado de lo vigente',
      en: 'Replay history with a change of rules, model or thresholds, next to what is live',
    },
    ...{ mostBodyBytes: MOST_BODY_BYTES, mostPerMinute: 60 },
    body: RequestSchema,
    answer: Type.Object({ id: Type.String() }),
    status: 202,
  }),
  getReplay: endpoint({
    ...{ method: 'GET', path: '/v1/replays/:replayId', tag: 'replays', access: 'replays:read' },
    ...{ does: 'read', versioned: true },
    summary: { es: 'Una repetición y su resultado en soles', en: 'A replay with its result in soles' },
    params: ReplayId,
    answer: Type.Object({
      replay: ReplaySchema,
      request: open('what was asked for'),
      result: nullable(open('as `centinela replay --json` tells it (docs/replay.md); null until it is done')),
    }),
  }),
  cancelReplay: endpoint({
    ...{ method: 'POST', path: '/v1/replays/:replayId/cancel', tag: 'replays', access: 'replays:run', does: 'change' },
    summary: { es: 'Cancelar una repetición que espera o corre', en: 'Cancel a replay that waits or runs' },
    params: ReplayId,
    body: Type.Object({ reason: Reason }, strict),
    answer: Type.Object({ state: oneOf(REPLAY_STATES, '`running` until its thread has stopped') }),
  }),
};
