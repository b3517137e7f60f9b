// What was done and seen, by whom: for auditors.
import Type from 'typebox';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const EntrySchema = Type.Object({
  sequence: Type.Integer(),
  atMs: TimeMs,
  actor: Type.Object({ kind: oneOf(['user', 'api-key', 'system']), id: Type.String(), name: Type.String() }),
  action: Type.String(),
  subject: nullable(Type.Object({ kind: Type.String(), id: Type.String() })),
  detail: Type.Object({}, { additionalProperties: true }),
  address: nullable(Type.String()),
  hash: Type.String({ description: 'SHA-256 over what was written, which names the hash before it' }),
});

export const AUDIT_ENDPOINTS = {
  listAudit: endpoint({
    ...{ method: 'GET', path: '/v1/audit', tag: 'audit', access: 'audit:read', does: 'own' },
    summary: { es: 'La pista, lo último primero', en: 'The trail, newest first' },
    query: Type.Object({
      ...pageQuery,
      actorId: Type.Optional(Id),
      action: Type.Optional(Type.String({ maxLength: 100, description: '`alert.` for all that is done with alerts' })),
      subjectKind: Type.Optional(Id),
      subjectId: Type.Optional(Id),
      fromMs: Type.Optional(TimeMs),
      untilMs: Type.Optional(TimeMs),
    }),
    answer: pageOf(EntrySchema),
  }),
  verifyAudit: endpoint({
    ...{ method: 'POST', path: '/v1/audit::verify', tag: 'audit', access: 'audit:read', does: 'own', mostPerMinute: 6 },
    summary: { es: 'Comprobar la cadena y sus firmas', en: 'Verify the chain and its signatures' },
    answer: Type.Object({
      entries: Type.Integer(),
      last: Type.Object({ sequence: Type.Integer(), hash: Type.String() }),
      signedUpTo: nullable(Type.Integer({ description: 'the newest entry under a signature of a trusted key' })),
      unsigned: Type.Integer({ description: 'entries after it' }),
      breaks: Type.Array(
        Type.Object({ from: nullable(Type.Integer()), to: nullable(Type.Integer()), message: Type.String() }),
      ),
      moreBreaks: Type.Integer(),
    }),
  }),
};
