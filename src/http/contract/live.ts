// What happens now, as server-sent events.
import Type from 'typebox';
import { oneOf } from './common.ts';
import { endpoint } from './endpoint.ts';

export const LIVE_ENDPOINTS = {
  watch: endpoint({
    ...{ method: 'GET', path: '/v1/live', tag: 'decisions', access: 'decisions:read', does: 'own', mostPerMinute: 60 },
    summary: { es: 'Decisiones y alertas a medida que ocurren', en: 'Decisions and alerts as they happen' },
    query: Type.Object({ only: Type.Optional(oneOf(['decision', 'alert'])) }),
    answer: Type.String({ description: 'events `decision`, `alert`, and `missed` where the reader is too slow' }),
    answerType: 'text/event-stream',
  }),
};
