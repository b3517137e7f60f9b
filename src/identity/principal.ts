// Who asks: a person who is signed in, a program with a key, or Centinela itself.
import { type Permission, permissionsOf, type Role } from './permissions.ts';

export interface Principal {
  readonly kind: 'user' | 'api-key' | 'system';
  readonly id: string;
  /** As people know it; in the audit. */
  readonly name: string;
  /** Empty for keys, which have permissions of their own. */
  readonly roles: readonly Role[];
  readonly permissions: ReadonlySet<Permission>;
}

/** What Centinela does by itself. */
export const SYSTEM: Principal = {
  ...{ kind: 'system', id: 'system', name: 'Centinela', roles: [] },
  permissions: new Set<Permission>(),
};

export function userPrincipal(id: string, name: string, roles: readonly Role[]): Principal {
  return { kind: 'user', id, name, roles, permissions: permissionsOf(roles) };
}
