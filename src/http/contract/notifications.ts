// What was told to whom, and questions to customers: "¿fuiste tú?".
import Type from 'typebox';
import { ANSWERS } from '../../notify/challenge.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const Bilingual = Type.Object({ es: Type.String(), en: Type.String() });

/** Of one address: a phone company's customers, and the bank's app, come from few. */
const CUSTOMERS_PER_MINUTE = 1200;
const APP_PER_MINUTE = 6000;

const LinkParams = Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) });
const LinkQuery = Type.Object({ lang: Type.Optional(oneOf(['es', 'en'])) });

export const ReceivedAnswer = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 200, description: 'of this delivery: the same where it is sent again' }),
    challengeId: Type.String({
      minLength: 1,
      maxLength: 100,
      description: "`subject.id` of the question's notification",
    }),
    answer: oneOf(ANSWERS),
  },
  { additionalProperties: false },
);

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
  challengePage: endpoint({
    ...{ method: 'GET', path: '/fuiste-tu/:token', tag: 'notifications', access: 'anyone', does: 'read' },
    ...{
      mostPerMinute: CUSTOMERS_PER_MINUTE,
      answer: Type.String(),
      answerType: 'text/html',
      otherStatuses: [404, 410],
    },
    summary: {
      es: 'La página que el cliente abre desde su enlace; 410 si el enlace ya fue usado o venció, 404 si no es de nadie',
      en: "The page that a customer opens from the link; 410 where it was used or has expired, 404 where it is nobody's",
    },
    params: LinkParams,
    query: LinkQuery,
  }),
  answerChallengePage: endpoint({
    ...{ method: 'POST', path: '/fuiste-tu/:token', tag: 'notifications', access: 'anyone', does: 'change' },
    ...{
      mostPerMinute: CUSTOMERS_PER_MINUTE,
      answer: Type.String(),
      answerType: 'text/html',
      otherStatuses: [404, 410],
    },
    summary: { es: 'La respuesta desde esa página', en: 'The answer from that page' },
    params: LinkParams,
    query: LinkQuery,
    body: Type.Object({ answer: oneOf(['yes', 'no']) }, { additionalProperties: false }),
    bodyKind: 'form',
    mostBodyBytes: 1024,
  }),
  answerChallenge: endpoint({
    ...{
      method: 'POST',
      path: '/v1/challenges::answer',
      tag: 'notifications',
      access: 'anyone',
      does: 'change',
      mostPerMinute: CUSTOMERS_PER_MINUTE,
    },
    summary: {
      es: 'La respuesta del cliente, por el código de su enlace',
      en: "The customer's answer, by the link's token",
    },
    body: Type.Object(
      { token: Type.String({ minLength: 20, maxLength: 100 }), answer: oneOf(ANSWERS) },
      { additionalProperties: false },
    ),
    answer: Type.Object({ kind: oneOf(['thanks', 'not-waited-for']) }),
  }),
  receiveAnswer: endpoint({
    ...{
      method: 'POST',
      path: '/v1/webhooks/challenge-answers',
      tag: 'notifications',
      access: 'anyone',
      does: 'change',
      mostPerMinute: APP_PER_MINUTE,
    },
    summary: {
      es: 'La respuesta del cliente desde la app del banco, firmada (Centinela-Signature); cada id cuenta una vez',
      en: "The customer's answer from the bank's app, signed (Centinela-Signature); each id counts once",
    },
    body: ReceivedAnswer,
    bodyKind: 'json-bytes',
    answer: Type.Object({
      kind: oneOf(['taken', 'taken-before', 'not-waited-for'], 'taken-before: this id came already; nothing was done'),
    }),
  }),
};
