// What anybody may know: whether the service lives, and how to speak with it.
import Type from 'typebox';
import { endpoint } from './endpoint.ts';

export const SYSTEM_ENDPOINTS = {
  health: endpoint({
    ...{ method: 'GET', path: '/healthz', tag: 'system', access: 'anyone', does: 'own' },
    summary: { es: 'Si el proceso está vivo', en: 'Whether the process is alive' },
    answer: Type.Object({ status: Type.String() }),
  }),
  readiness: endpoint({
    ...{ method: 'GET', path: '/readyz', tag: 'system', access: 'anyone', does: 'own' },
    summary: {
      es: 'Si puede atender; 503 si todavía no o ya no',
      en: 'Whether it can serve; 503 where not yet or not any more',
    },
    answer: Type.Object({ status: Type.String() }),
  }),
  openApi: endpoint({
    ...{ method: 'GET', path: '/v1/openapi.json', tag: 'system', access: 'anyone', does: 'own' },
    summary: { es: 'Este contrato, en OpenAPI 3.1', en: 'This contract, in OpenAPI 3.1' },
    answer: Type.Object({}, { additionalProperties: true }),
  }),
  reference: endpoint({
    ...{ method: 'GET', path: '/docs', tag: 'system', access: 'anyone', does: 'own' },
    summary: { es: 'La página de referencia', en: 'The reference page' },
    query: Type.Object({ lang: Type.Optional(Type.Enum(['es', 'en'])) }),
    answer: Type.String(),
    answerType: 'text/html',
  }),
};
