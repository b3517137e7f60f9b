// Keys of programs: `cnt_<id>_<secret>`. The id finds the key, the secret proves it; of the secret (256 random bits) only the
// SHA-256 is kept. The prefix lets scanners of repositories find keys that were left where they do not belong.
//
// A key may do what is written on it and never more than its maker may, today: of what its maker has lost the key has lost,
// too, and with the account of whoever left their keys end. What a bank's systems need of Centinela is different: it is the
// bank's (SERVICE_PERMISSIONS), may be given by whoever looks after keys, and stays. What takes a person's judgement, or
// would let a key make itself others, no key has.
import { InputError } from '../lib/errors.ts';
import { isPermission, type Permission, permissionsOf, type Role } from './permissions.ts';
import { hashSecret, isSameHash, newToken, type RandomBytes } from './tokens.ts';

export const MOST_KEY_LIFE_MS = 366 * 86_400_000;
/** Keys that are neither revoked nor expired. */
export const MOST_KEYS = 500;

/** What systems of the bank do, whoever made their key. */
export const SERVICE_PERMISSIONS: readonly Permission[] = ['transactions:score', 'labels:write'];

/** A second pair of eyes is a person's (maker–checker), and accounts are made by people. */
export const NEVER_FOR_KEYS: readonly Permission[] = [
  ...(['cases:approve', 'rules:approve', 'personal-data:erase', 'personal-data:approve-erasure'] as const),
  ...(['users:manage', 'api-keys:manage', 'cases:confidential'] as const),
];

export interface ApiKeyText {
  readonly id: string;
  readonly secret: string;
}

const KEY = /^cnt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
const ID_BYTES = 8;
const ID = /^[0-9a-f]{16}$/;

export function newApiKey(randomBytes: RandomBytes): ApiKeyText & { readonly text: string } {
  const id = Buffer.from(randomBytes(ID_BYTES)).toString('hex');
  const secret = newToken(randomBytes);
  return { id, secret, text: `cnt_${id}_${secret}` };
}

export function parseApiKey(text: string): ApiKeyText | null {
  // Longer texts are not even looked through.
  if (text.length !== 64) return null;
  const match = KEY.exec(text);
  return match === null ? null : { id: match[1], secret: match[2] };
}

export function isApiKeyId(text: string): boolean {
  return ID.test(text);
}

export function isKeySecret(secret: string, secretHash: Uint8Array): boolean {
  return isSameHash(hashSecret(secret), secretHash);
}

/** @throws InputError with code `SCOPE_REFUSED` or `SCOPE_INVALID` */
export function checkScopes(scopes: readonly string[], maker: ReadonlySet<Permission>): readonly Permission[] {
  if (scopes.length === 0) {
    throw new InputError('SCOPE_INVALID', 'A key without a permission is of no use', 'Name what it may do');
  }
  const checked: Permission[] = [];
  for (const scope of new Set(scopes)) {
    if (!isPermission(scope)) {
      throw new InputError(
        'SCOPE_INVALID',
        `There is no permission '${scope.slice(0, 60)}'`,
        'See the list of permissions',
      );
    }
    if (NEVER_FOR_KEYS.includes(scope)) {
      throw new InputError('SCOPE_REFUSED', `No key has '${scope}'`, 'A person does this');
    }
    if (!maker.has(scope) && !SERVICE_PERMISSIONS.includes(scope)) {
      throw new InputError(
        'SCOPE_REFUSED',
        `You may not give '${scope}', which you do not have`,
        'Have somebody make the key who has it, or leave it out',
      );
    }
    checked.push(scope);
  }
  return checked;
}

/** What a key may do today. @param makerRoles empty where the maker's account is disabled */
export function presentScopes(scopes: readonly string[], makerRoles: readonly Role[]): ReadonlySet<Permission> {
  const maker = permissionsOf(makerRoles);
  return new Set(
    scopes
      .filter(isPermission)
      .filter((scope) => !NEVER_FOR_KEYS.includes(scope) && (maker.has(scope) || SERVICE_PERMISSIONS.includes(scope))),
  );
}
