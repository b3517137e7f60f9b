// What was told to whom, and questions to customers: "¿fuiste tú?".
import Type from 'typebox';
import { ANSWERS } from '../../notify/challenge.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const Bilingual = Type.Object({ es: Type.String(), en: Type.String() });

const NotificationSchema = Type.Object({
  id: Type.String(),
  kind: Type.String(),
  severity: Type.String(),
  title: Bilingual,
  text: Bilingual,
  subject: nullable(Type.Object({ kind: Type.String(), id: Type.String() })),
  atMs: TimeMs,
  state: oneOf(['new', 'planned', 'silenced', 'unrouted']),
  level: Type.Integer({ description: 'levels of the ladder that were told' }),
  escalateAtMs: nullable(TimeMs),
  acknowledgedMs: nullable(TimeMs),
  acknowledgedBy: nullable(Type.String()),
});

export const NOTIFICATION_ENDPOINTS = {
  listNotifications: endpoint({
    ...{ method: 'GET', path: '/v1/notifications', tag: 'notifications', access: 'notifications:read', does: 'read' },
    summary: { es: 'Avisos, los últimos primero', en: 'Notifications, newest first' },
    query: Type.Object(pageQuery),
    answer: pageOf(NotificationSchema),
  }),
  acknowledge: endpoint({
    ...{
      method: 'POST',
      path: '/v1/notifications/:notificationId/acknowledgement',
      tag: 'notifications',
      access: 'alerts:work',
      does: 'change',
    },
    summary: { es: 'Hacerse cargo: nadie más es avisado', en: 'Take charge: nobody is told further' },
    params: Type.Object({ notificationId: Type.String({ minLength: 1, maxLength: 200 }) }),
    answer: Type.Object({ acknowledged: Type.Array(Type.String()) }),
  }),
  askCustomer: endpoint({
    ...{
      method: 'POST',
      path: '/v1/alerts/:alertId/challenge',
      tag: 'notifications',
      access: 'alerts:work',
      does: 'change',
    },
    summary: { es: '«¿Fue usted?»: preguntar al cliente', en: '"Was it you?": ask the customer' },
    params: Type.Object({ alertId: Id }),
    answer: Type.Object({
      kind: oneOf(['created', 'asked-already', 'not-asked']),
      id: nullable(Type.String()),
      reason: nullable(Type.String()),
    }),
  }),
  answerChallenge: endpoint({
    ...{
      method: 'POST',
      path: '/v1/challenges::answer',
      tag: 'notifications',
      access: 'anyone',
      does: 'change',
      mostPerMinute: 30,
    },
    summary: {
      es: 'La respuesta del cliente, desde su enlace o la app del banco',
      en: "The customer's answer, from the link or the bank's app",
    },
    body: Type.Object(
      { token: Type.String({ minLength: 20, maxLength: 100 }), answer: oneOf(ANSWERS) },
      { additionalProperties: false },
    ),
    answer: Type.Object({ kind: oneOf(['thanks', 'not-waited-for']) }),
  }),
};
