// Coming in: the first administrator, log-in, the session, one's own password and second factor.
import Type from 'typebox';
import { PERMISSIONS, ROLES } from '../../identity/permissions.ts';
import { PROVIDER_CALLBACK_PATH } from '../../identity/settings.ts';
import { Id, nullable, oneOf, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

export const Password = Type.String({
  minLength: 1,
  maxLength: 512,
  description: 'at least 12 characters when it is set',
});
const Code = Type.String({ minLength: 6, maxLength: 40, description: 'of the authenticator app, or a recovery code' });
const Token = Type.String({ minLength: 20, maxLength: 200 });

/** As OAuth 2.0 has them (RFC 6749, appendix A); so bounded that all together fit the headers of a request. */
const visible = (maxLength: number) => Type.String({ maxLength, pattern: '^[ -~]*$' });

export const UserSchema = Type.Object({
  id: Type.String(),
  login: Type.String(),
  displayName: Type.String(),
  email: nullable(Type.String()),
  roles: Type.Array(oneOf(ROLES)),
  state: oneOf(['active', 'disabled']),
  totpState: oneOf(['off', 'pending', 'on']),
  isExternal: Type.Boolean({ description: 'an identity provider says who this is' }),
  hasPassword: Type.Boolean(),
  createdMs: TimeMs,
  lastLoginMs: nullable(TimeMs),
  version: Type.Integer(),
});

export const SessionSchema = Type.Object({
  principal: Type.Object({ kind: oneOf(['user', 'api-key', 'system']), id: Type.String(), name: Type.String() }),
  permissions: Type.Array(oneOf(PERMISSIONS)),
  user: nullable(UserSchema),
  csrfToken: nullable(Type.String({ description: 'send it as X-CSRF-Token with every change' })),
  mustEnrolTotp: Type.Boolean({ description: 'a role asks for one-time codes: nothing else is allowed before' }),
  expiresMs: nullable(TimeMs),
});

const OwnSession = Type.Object({
  id: Type.String(),
  method: Type.String(),
  createdMs: TimeMs,
  lastSeenMs: TimeMs,
  expiresMs: TimeMs,
  address: nullable(Type.String()),
  userAgent: nullable(Type.String()),
  isThis: Type.Boolean(),
});

export const SESSION_ENDPOINTS = {
  needsSetup: endpoint({
    ...{ method: 'GET', path: '/v1/setup', tag: 'session', access: 'anyone', does: 'own', mostPerMinute: 60 },
    summary: { es: 'Si falta la primera administradora', en: 'Whether the first administrator is missing' },
    answer: Type.Object({
      needsSetup: Type.Boolean(),
      hasProvider: Type.Boolean({ description: "people may log in at the bank's identity provider" }),
    }),
  }),
  setUp: endpoint({
    ...{ method: 'POST', path: '/v1/setup', tag: 'session', access: 'anyone', does: 'own', mostPerMinute: 10 },
    summary: {
      es: 'Crear la primera administradora con el enlace del arranque',
      en: 'Make the first administrator with the link told at start',
    },
    body: Type.Object(
      {
        token: Token,
        login: Type.String({ minLength: 1, maxLength: 64 }),
        displayName: Type.String({ minLength: 1, maxLength: 100 }),
        email: Type.Optional(nullable(Type.String({ maxLength: 254 }))),
        password: Password,
      },
      { additionalProperties: false },
    ),
    answer: UserSchema,
    status: 201,
  }),
  logIn: endpoint({
    ...{ method: 'POST', path: '/v1/session', tag: 'session', access: 'anyone', does: 'own', mostPerMinute: 60 },
    summary: { es: 'Ingresar', en: 'Log in' },
    body: Type.Object(
      { login: Type.String({ minLength: 1, maxLength: 200 }), password: Password, code: Type.Optional(Code) },
      { additionalProperties: false },
    ),
    answer: SessionSchema,
    status: 201,
  }),
  beginProviderLogIn: endpoint({
    ...{
      method: 'GET',
      path: '/v1/session/provider::begin',
      tag: 'session',
      access: 'anyone',
      does: 'own',
      mostPerMinute: 60,
    },
    summary: {
      es: 'Ir a ingresar en el proveedor de identidad del banco',
      en: "Go and log in at the bank's identity provider",
    },
    query: Type.Object({
      returnPath: Type.Optional(
        Type.String({ minLength: 1, maxLength: 200, description: 'a path of this site to come back to' }),
      ),
    }),
    answer: null,
    status: 303,
  }),
  finishProviderLogIn: endpoint({
    ...{
      method: 'GET',
      path: PROVIDER_CALLBACK_PATH,
      tag: 'session',
      access: 'anyone',
      does: 'own',
      mostPerMinute: 60,
    },
    summary: {
      es: 'Volver del proveedor de identidad con una sesión',
      en: 'Come back from the identity provider with a session',
    },
    query: Type.Object(
      {
        state: Type.Optional(visible(200)),
        code: Type.Optional(visible(3000)),
        iss: Type.Optional(visible(500)),
        error: Type.Optional(visible(200)),
      },
      // OAuth 2.0, 4.1.2: what else the provider says is passed over.
      { additionalProperties: true },
    ),
    answer: null,
    status: 303,
  }),
  session: endpoint({
    ...{ method: 'GET', path: '/v1/session', tag: 'session', access: 'signed-in', does: 'own' },
    summary: { es: 'Quién soy y qué puedo hacer', en: 'Who I am and what I may do' },
    answer: SessionSchema,
  }),
  logOut: endpoint({
    ...{ method: 'DELETE', path: '/v1/session', tag: 'session', access: 'signed-in', does: 'own' },
    summary: { es: 'Salir', en: 'Log out' },
    answer: null,
  }),
  listSessions: endpoint({
    ...{ method: 'GET', path: '/v1/sessions', tag: 'session', access: 'signed-in', does: 'own' },
    summary: { es: 'Mis sesiones', en: 'My sessions' },
    answer: Type.Object({ rows: Type.Array(OwnSession) }),
  }),
  endSession: endpoint({
    ...{ method: 'DELETE', path: '/v1/sessions/:sessionId', tag: 'session', access: 'signed-in', does: 'own' },
    summary: { es: 'Cerrar una sesión mía', en: 'End a session of mine' },
    params: Type.Object({ sessionId: Id }),
    answer: null,
  }),
  linkOwner: endpoint({
    ...{
      method: 'POST',
      path: '/v1/invitations::owner',
      tag: 'session',
      access: 'anyone',
      does: 'own',
      mostPerMinute: 30,
    },
    summary: { es: 'De quién es una invitación', en: 'Whose invitation it is' },
    body: Type.Object({ token: Token }, { additionalProperties: false }),
    answer: Type.Object({ login: Type.String(), displayName: Type.String(), kind: Type.String() }),
  }),
  acceptInvitation: endpoint({
    ...{
      method: 'POST',
      path: '/v1/invitations::accept',
      tag: 'session',
      access: 'anyone',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Elegir la contraseña con un enlace', en: 'Choose the password with a link' },
    body: Type.Object({ token: Token, password: Password }, { additionalProperties: false }),
    answer: UserSchema,
  }),
  changePassword: endpoint({
    ...{
      method: 'POST',
      path: '/v1/session::password',
      tag: 'session',
      access: 'signed-in',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Cambiar mi contraseña', en: 'Change my password' },
    body: Type.Object({ present: Password, next: Password }, { additionalProperties: false }),
    answer: SessionSchema,
  }),
  enrolTotp: endpoint({
    ...{
      method: 'POST',
      path: '/v1/session::enrol-totp',
      tag: 'session',
      access: 'signed-in',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Preparar el segundo factor', en: 'Prepare the second factor' },
    answer: Type.Object({ secret: Type.String(), uri: Type.String() }),
  }),
  confirmTotp: endpoint({
    ...{
      method: 'POST',
      path: '/v1/session::confirm-totp',
      tag: 'session',
      access: 'signed-in',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Confirmar el segundo factor', en: 'Confirm the second factor' },
    body: Type.Object({ code: Code }, { additionalProperties: false }),
    answer: Type.Object({ session: SessionSchema, recoveryCodes: Type.Array(Type.String()) }),
  }),
  disableTotp: endpoint({
    ...{
      method: 'POST',
      path: '/v1/session::disable-totp',
      tag: 'session',
      access: 'signed-in',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Quitar el segundo factor', en: 'Take the second factor off' },
    body: Type.Object({ password: Password, code: Code }, { additionalProperties: false }),
    answer: SessionSchema,
  }),
  renewRecoveryCodes: endpoint({
    ...{
      method: 'POST',
      path: '/v1/session::recovery-codes',
      tag: 'session',
      access: 'signed-in',
      does: 'own',
      mostPerMinute: 10,
    },
    summary: { es: 'Códigos de recuperación nuevos', en: 'New recovery codes' },
    body: Type.Object({ password: Password, code: Code }, { additionalProperties: false }),
    answer: Type.Object({ recoveryCodes: Type.Array(Type.String()) }),
  }),
};
