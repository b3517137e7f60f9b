// A person with an account: what is known of them, and what their details may look like. Accounts are disabled, never
// deleted: the audit names them for years.
import { InputError } from '../lib/errors.ts';
import type { PasswordProblem } from './password-policy.ts';
import { isRole, type Role } from './permissions.ts';

export type UserState = 'active' | 'disabled';
export type TotpState = 'off' | 'pending' | 'on';

export interface User {
  readonly id: string;
  readonly login: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly roles: readonly Role[];
  readonly state: UserState;
  readonly totpState: TotpState;
  /** An identity provider says who this is; there is no password here. */
  readonly isExternal: boolean;
  /** false: invited, or external. */
  readonly hasPassword: boolean;
  readonly createdMs: number;
  readonly lastLoginMs: number | null;
  /** Rises with every change of the above but the last. */
  readonly version: number;
}

export interface UserDetails {
  readonly login: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly roles: readonly Role[];
}

const LOGIN = /^[a-z0-9][a-z0-9._@-]{1,63}$/;
const MOST_NAME_LENGTH = 100;
const MOST_EMAIL_LENGTH = 254;
const EMAIL = /^[^\s@<>"',;]{1,64}@[^\s@<>"',;]+\.[^\s@<>"',;]+$/;
const CONTROL = /\p{C}/u;

export function isLogin(text: string): boolean {
  return LOGIN.test(text);
}

/** Capitals make no difference. What cannot be a login stays what it is, and is nobody's. */
export function plainLogin(login: string): string {
  return login.normalize('NFKC').trim().toLowerCase();
}

/** @throws InputError with code `USER_INVALID` */
export function checkUserDetails(details: {
  readonly login: string;
  readonly displayName: string;
  readonly email: string | null;
  readonly roles: readonly string[];
}): UserDetails {
  const login = plainLogin(details.login);
  if (!isLogin(login)) {
    throw invalid(
      'The login is not one',
      'Use 2 to 64 letters a–z, digits and . _ @ -, beginning with a letter or digit',
    );
  }
  const displayName = details.displayName.normalize('NFC').trim();
  if (displayName === '' || displayName.length > MOST_NAME_LENGTH || CONTROL.test(displayName)) {
    throw invalid('The name is not one', `Give 1 to ${MOST_NAME_LENGTH} characters`);
  }
  const email = details.email?.trim() ?? null;
  if (email !== null && (email.length > MOST_EMAIL_LENGTH || !EMAIL.test(email) || CONTROL.test(email))) {
    throw invalid('The e-mail address is not one', 'Write it like nombre@banco.example, or leave it out');
  }
  return { login, displayName, email, roles: checkRoles(details.roles) };
}

/** Each once, in the order in which they come. */
export function checkRoles(roles: readonly string[]): readonly Role[] {
  return [...new Set(roles)].map((role) => {
    if (isRole(role)) return role;
    throw invalid(`There is no role '${role.slice(0, 60)}'`, 'See the list of roles');
  });
}

function invalid(problem: string, hint: string): InputError {
  return new InputError('USER_INVALID', problem, hint);
}

const PASSWORD_HINTS: Readonly<Record<PasswordProblem, readonly [string, string]>> = {
  PASSWORD_TOO_SHORT: ['The password is too short', 'Use at least 12 characters, for example four words'],
  PASSWORD_TOO_LONG: ['The password is too long', 'Use at most 128 characters'],
  PASSWORD_COMMON: ['The password is one that many people use', 'Use words that do not go together'],
  PASSWORD_PREDICTABLE: ['The password repeats itself or follows the keyboard', 'Use words that do not go together'],
  PASSWORD_IS_NAME: ['The password has your name or that of the service in it', 'Use other words'],
};

export function passwordRefused(code: PasswordProblem): InputError {
  return new InputError(code, ...PASSWORD_HINTS[code]);
}
