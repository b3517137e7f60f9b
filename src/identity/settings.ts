// What administrators set about who comes in: the bank's identity provider with what its groups mean, which programs'
// certificates stand for whom, and who needs one-time codes. One file (`serve --identity FILE`, docs/identity.md).
//
// Secrets are named here and kept elsewhere (`CENTINELA_SECRET_…`): the file may be read and be versioned.
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { InputError } from '../lib/errors.ts';
import { type CertificateMapping, checkCertificateMappings } from './client-certificate.ts';
import { PERMISSIONS, ROLES, type Role } from './permissions.ts';
import { type ClaimMapping, DEFAULT_CLAIMS } from './provider-claims.ts';

const closed = { additionalProperties: false } as const;
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const texts = (maxItems: number) => Type.Array(text(200), { maxItems });

const ProviderSchema = Type.Object(
  {
    issuer: text(500),
    clientId: text(200),
    /** Name of the secret; left out: a public client, which PKCE alone protects. */
    clientSecret: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' })),
    clientAuthentication: Type.Optional(Type.Enum(['basic', 'post'])),
    /** As it is registered there; its path ends with the interface's, `/v1/session/provider`. */
    redirectUri: text(500),
    scopes: Type.Optional(Type.Array(text(100), { minItems: 1, maxItems: 20 })),
    rolesClaim: Type.Optional(text(200)),
    roles: Type.Record(text(300), Type.Array(Type.Enum([...ROLES]), { minItems: 1, maxItems: ROLES.length })),
    loginClaim: Type.Optional(text(200)),
    nameClaim: Type.Optional(text(200)),
    emailClaim: Type.Optional(text(200)),
    requiredMethods: Type.Optional(texts(20)),
    allowedDomains: Type.Optional(
      Type.Array(Type.String({ pattern: '^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$' }), { maxItems: 100 }),
    ),
  },
  closed,
);

const CertificateSchema = Type.Object(
  {
    id: Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
    name: text(100),
    permissions: Type.Array(Type.Enum([...PERMISSIONS]), { minItems: 1, maxItems: PERMISSIONS.length }),
    match: Type.Object(
      {
        subject: Type.Optional(Type.Record(Type.String({ pattern: '^[A-Za-z0-9.]{1,40}$' }), text(300))),
        alternativeName: Type.Optional(text(500)),
        fingerprint: Type.Optional(Type.String({ pattern: '^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$' })),
      },
      closed,
    ),
  },
  closed,
);

const IdentityFileSchema = Type.Object(
  {
    provider: Type.Optional(ProviderSchema),
    certificates: Type.Optional(Type.Array(CertificateSchema, { maxItems: 1000 })),
    totpRequiredFor: Type.Optional(Type.Array(Type.Enum([...ROLES]), { maxItems: ROLES.length })),
  },
  { $id: 'IdentitySettings', ...closed },
);

export interface ProviderSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Its name; null for a public client. */
  readonly clientSecret: string | null;
  readonly clientAuthentication: 'basic' | 'post';
  readonly redirectUri: string;
  readonly scopes: readonly string[];
}

export interface IdentityFile {
  /** null: people log in here alone. */
  readonly provider: ProviderSettings | null;
  /** null where there is no provider. */
  readonly claims: ClaimMapping | null;
  readonly certificates: readonly CertificateMapping[];
  readonly totpRequiredFor: readonly Role[];
}

/** Where the provider sends browsers back to: the path of the endpoint. */
export const PROVIDER_CALLBACK_PATH = '/v1/session/provider';
const DEFAULT_SCOPES = ['openid', 'profile', 'email'];
const MOST_TOLD = 3;
const validator = Compile(IdentityFileSchema);

export const NO_IDENTITY_FILE: IdentityFile = {
  ...{ provider: null, claims: null, certificates: [], totpRequiredFor: ['administrator'] },
};

/** @throws InputError with code `IDENTITY_SETTINGS_INVALID` or `CERTIFICATE_MAPPING_INVALID` */
export function readIdentityFile(value: unknown): IdentityFile {
  if (!validator.Check(value)) {
    const told = [...validator.Errors(value)]
      .slice(0, MOST_TOLD)
      .map(({ instancePath, message }) => `${instancePath.slice(1).replaceAll('/', '.') || 'settings'} ${message}`);
    throw invalid(`The settings of identity: ${told.join('; ')}`, 'See docs/identity.md');
  }
  const { provider, certificates = [], totpRequiredFor = NO_IDENTITY_FILE.totpRequiredFor } = value;
  return {
    ...(provider === undefined ? { provider: null, claims: null } : providerOf(provider)),
    certificates: checkCertificateMappings(certificates),
    totpRequiredFor,
  };
}

function providerOf(given: Static<typeof ProviderSchema>): Pick<IdentityFile, 'provider' | 'claims'> {
  const { issuer, clientId, clientSecret = null, clientAuthentication = 'basic', redirectUri, roles } = given;
  const { scopes = DEFAULT_SCOPES, allowedDomains = [], requiredMethods = [] } = given;
  const { rolesClaim, loginClaim, nameClaim, emailClaim } = { ...DEFAULT_CLAIMS, ...given };
  if (!URL.canParse(redirectUri) || !new URL(redirectUri).pathname.endsWith(PROVIDER_CALLBACK_PATH)) {
    throw invalid(
      `The settings of identity: provider.redirectUri does not lead to ${PROVIDER_CALLBACK_PATH}`,
      `Write https://<address of Centinela>${PROVIDER_CALLBACK_PATH}, and register it at the provider`,
    );
  }
  if (!scopes.includes('openid')) {
    throw invalid('The settings of identity: provider.scopes lacks openid', 'Add it: without it nobody is named');
  }
  return {
    provider: { issuer, clientId, clientSecret, clientAuthentication, redirectUri, scopes },
    claims: { roles, rolesClaim, loginClaim, nameClaim, emailClaim, requiredMethods, allowedDomains },
  };
}

function invalid(problem: string, hint: string): InputError {
  return new InputError('IDENTITY_SETTINGS_INVALID', problem, hint);
}
