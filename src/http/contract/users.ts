// People and programs that may come in: for administrators.
import Type from 'typebox';
import { PERMISSIONS, ROLES } from '../../identity/permissions.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';
import { UserSchema } from './session.ts';

const Details = {
  displayName: Type.String({ minLength: 1, maxLength: 100 }),
  email: nullable(Type.String({ maxLength: 254 })),
  roles: Type.Array(oneOf(ROLES), { maxItems: ROLES.length }),
};
const UserId = Type.Object({ userId: Id });
const LinkSchema = Type.Object(
  { token: Type.String(), expiresMs: TimeMs },
  { description: 'shown once: give it to the person' },
);

const KeySchema = Type.Object({
  id: Type.String(),
  name: Type.String(),
  scopes: Type.Array(Type.String()),
  presentScopes: Type.Array(oneOf(PERMISSIONS), { description: 'less than its scopes once its maker may do less' }),
  networks: Type.Array(Type.String()),
  madeBy: Type.String(),
  replaces: nullable(Type.String()),
  createdMs: TimeMs,
  expiresMs: TimeMs,
  revokedMs: nullable(TimeMs),
  lastUsedMs: nullable(TimeMs),
});
const NewKeySchema = Type.Object({ key: KeySchema, text: Type.String({ description: 'the key; shown once' }) });
const KeyId = Type.Object({ keyId: Id });

export const USER_ENDPOINTS = {
  listUsers: endpoint({
    ...{ method: 'GET', path: '/v1/users', tag: 'users', access: 'users:read', does: 'own' },
    summary: { es: 'Usuarios', en: 'Users' },
    query: Type.Object(pageQuery),
    answer: pageOf(UserSchema),
  }),
  createUser: endpoint({
    ...{ method: 'POST', path: '/v1/users', tag: 'users', access: 'users:manage', does: 'own' },
    summary: { es: 'Invitar a una persona', en: 'Invite a person' },
    body: Type.Object(
      { login: Type.String({ minLength: 2, maxLength: 64 }), ...Details, email: Type.Optional(Details.email) },
      { additionalProperties: false },
    ),
    answer: Type.Object({ user: UserSchema, invitation: LinkSchema }),
    status: 201,
  }),
  getUser: endpoint({
    ...{ method: 'GET', path: '/v1/users/:userId', tag: 'users', access: 'users:read', does: 'own', versioned: true },
    summary: { es: 'Un usuario', en: 'A user' },
    params: UserId,
    answer: UserSchema,
  }),
  changeUser: endpoint({
    ...{
      method: 'PATCH',
      path: '/v1/users/:userId',
      tag: 'users',
      access: 'users:manage',
      does: 'own',
      versioned: true,
    },
    summary: { es: 'Cambiar nombre, correo, roles o estado', en: 'Change name, e-mail, roles or state' },
    params: UserId,
    body: Type.Partial(Type.Object({ ...Details, state: oneOf(['active', 'disabled']) }), {
      additionalProperties: false,
      minProperties: 1,
    }),
    answer: UserSchema,
  }),
  inviteUser: endpoint({
    ...{ method: 'POST', path: '/v1/users/:userId/invitation', tag: 'users', access: 'users:manage', does: 'own' },
    summary: { es: 'Enlace nuevo para elegir la contraseña', en: 'A new link to choose the password' },
    params: UserId,
    answer: LinkSchema,
    status: 201,
  }),
  unlockUser: endpoint({
    ...{ method: 'DELETE', path: '/v1/users/:userId/lock', tag: 'users', access: 'users:manage', does: 'own' },
    summary: { es: 'Desbloquear el ingreso', en: 'Unlock the log-in' },
    params: UserId,
    answer: null,
  }),
  resetTotp: endpoint({
    ...{ method: 'DELETE', path: '/v1/users/:userId/totp', tag: 'users', access: 'users:manage', does: 'own' },
    summary: { es: 'Quitar el segundo factor de quien lo perdió', en: 'Take off the second factor of who lost it' },
    params: UserId,
    answer: null,
  }),
  endUserSessions: endpoint({
    ...{ method: 'DELETE', path: '/v1/users/:userId/sessions', tag: 'users', access: 'users:manage', does: 'own' },
    summary: { es: 'Cerrar todas sus sesiones', en: 'End all their sessions' },
    params: UserId,
    answer: Type.Object({ ended: Type.Integer() }),
  }),
  listApiKeys: endpoint({
    ...{ method: 'GET', path: '/v1/api-keys', tag: 'users', access: 'api-keys:manage', does: 'own' },
    summary: { es: 'Claves de programas', en: "Programs' keys" },
    query: Type.Object(pageQuery),
    answer: pageOf(KeySchema),
  }),
  createApiKey: endpoint({
    ...{ method: 'POST', path: '/v1/api-keys', tag: 'users', access: 'api-keys:manage', does: 'own' },
    summary: { es: 'Crear una clave', en: 'Make a key' },
    body: Type.Object(
      {
        name: Type.String({ minLength: 1, maxLength: 100 }),
        scopes: Type.Array(oneOf(PERMISSIONS), { minItems: 1, maxItems: PERMISSIONS.length }),
        networks: Type.Optional(
          Type.Array(Type.String({ maxLength: 50 }), { maxItems: 50, description: 'CIDR; empty: anywhere' }),
        ),
        expiresMs: TimeMs,
      },
      { additionalProperties: false },
    ),
    answer: NewKeySchema,
    status: 201,
  }),
  rotateApiKey: endpoint({
    ...{ method: 'POST', path: '/v1/api-keys/:keyId/successor', tag: 'users', access: 'api-keys:manage', does: 'own' },
    summary: {
      es: 'Reemplazar una clave; la anterior vale un tiempo más',
      en: 'Replace a key; the old one stays valid for a while',
    },
    params: KeyId,
    body: Type.Object(
      { expiresMs: TimeMs, overlapMs: Type.Integer({ minimum: 0, maximum: 2_592_000_000 }) },
      { additionalProperties: false },
    ),
    answer: NewKeySchema,
    status: 201,
  }),
  revokeApiKey: endpoint({
    ...{ method: 'DELETE', path: '/v1/api-keys/:keyId', tag: 'users', access: 'api-keys:manage', does: 'own' },
    summary: { es: 'Anular una clave', en: 'Revoke a key' },
    params: KeyId,
    answer: null,
  }),
};
