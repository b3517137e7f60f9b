// People whom the bank's identity provider knows (OpenID Connect): which roles its claims give, and under which name they
// appear here. How claims are fetched and verified is the adapter's work (adapters/oidc); what they mean is decided here.
import { InputError } from '../lib/errors.ts';
import type { Role } from './permissions.ts';
import { checkUserDetails, type UserDetails } from './user.ts';

/** Claims of an ID token whose signature, issuer, audience, times and nonce are checked. */
export interface VerifiedClaims {
  readonly issuer: string;
  /** Never reassigned by the issuer, unlike names (OpenID Connect Core 5.7). */
  readonly subject: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What to send the browser to, and what to remember of it. */
export interface ProviderRequest {
  readonly url: string;
  readonly state: string;
  readonly nonce: string;
  /** PKCE (RFC 7636). */
  readonly codeVerifier: string;
}

/** The bank's identity provider. */
export interface IdentityProvider {
  begin(): Promise<ProviderRequest>;
  /**
   * @param callback what the browser came back with
   * @throws InputError with code `PROVIDER_REFUSED` or `PROVIDER_UNAVAILABLE`
   */
  finish(
    callback: { readonly code: string; readonly issuer: string | null },
    request: Pick<ProviderRequest, 'nonce' | 'codeVerifier'>,
    nowMs: number,
  ): Promise<VerifiedClaims>;
}

export interface ClaimMapping {
  /** Where groups or roles are; a path: `groups`, `realm_access.roles`. */
  readonly rolesClaim: string;
  /** Its values, exactly as written, and the roles that each gives. */
  readonly roles: Readonly<Record<string, readonly Role[]>>;
  readonly loginClaim: string;
  readonly nameClaim: string;
  readonly emailClaim: string;
  /** One of these must be among the methods that the provider has used (`amr`, RFC 8176: `mfa`, `otp`, `hwk`); none: any. */
  readonly requiredMethods: readonly string[];
  /** Lower case; the address of mail must be of one of these, and not one that the provider calls unverified; none: any. */
  readonly allowedDomains: readonly string[];
}

export const DEFAULT_CLAIMS: Omit<ClaimMapping, 'roles'> = {
  ...{ rolesClaim: 'groups', loginClaim: 'preferred_username', nameClaim: 'name', emailClaim: 'email' },
  ...{ requiredMethods: [], allowedDomains: [] },
};

const MOST_VALUES = 1000;

/**
 * @returns roles may be empty: this person is known and may do nothing here
 * @throws InputError with code `PROVIDER_METHOD_MISSING`, `PROVIDER_DOMAIN` or `PROVIDER_CLAIMS_INVALID`
 */
export function detailsOfClaims({ claims }: VerifiedClaims, mapping: ClaimMapping): UserDetails {
  const methods = textsAt(claims, 'amr');
  const { requiredMethods } = mapping;
  if (requiredMethods.length > 0 && !requiredMethods.some((method) => methods.includes(method))) {
    throw new InputError(
      'PROVIDER_METHOD_MISSING',
      `The identity provider did not use ${requiredMethods.join(' or ')}`,
      'Sign in there with a second factor',
    );
  }
  const roles = textsAt(claims, mapping.rolesClaim).flatMap((value) =>
    Object.hasOwn(mapping.roles, value) ? mapping.roles[value] : [],
  );
  const [login = ''] = textsAt(claims, mapping.loginClaim);
  const [displayName = login] = textsAt(claims, mapping.nameClaim);
  const [email = null] = textsAt(claims, mapping.emailClaim);
  demandDomain(email, claims.email_verified, mapping.allowedDomains);
  try {
    return checkUserDetails({ login, displayName, email, roles });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const problem = `The identity provider's ${mapping.loginClaim}, ${mapping.nameClaim} or ${mapping.emailClaim} cannot be used`;
    throw new InputError('PROVIDER_CLAIMS_INVALID', problem, error.message);
  }
}

function demandDomain(email: string | null, isVerified: unknown, allowedDomains: readonly string[]): void {
  if (allowedDomains.length === 0) return;
  const domain = email?.slice(email.lastIndexOf('@') + 1).toLowerCase() ?? '';
  if (isVerified !== false && isVerified !== 'false' && allowedDomains.includes(domain)) return;
  throw new InputError(
    'PROVIDER_DOMAIN',
    'Your address of mail is not of a domain that may come in here, or the identity provider has not verified it',
    "Sign in with your bank's account",
  );
}

/** One text, or a list of texts; what is of another kind is none. */
function textsAt(claims: Readonly<Record<string, unknown>>, path: string): readonly string[] {
  // A name with dots of its own (https://banco.example/roles) comes first.
  const value = Object.hasOwn(claims, path)
    ? claims[path]
    : path
        .split('.')
        .reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), claims);
  const values = Array.isArray(value) ? value.slice(0, MOST_VALUES) : [value];
  return values.filter((each) => typeof each === 'string' && each !== '');
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
