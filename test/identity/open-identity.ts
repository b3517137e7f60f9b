// Identity over a store, with a clock that tests move, real randomness, real sealing and the audit's drafts at hand.
import { randomBytes } from 'node:crypto';
import { expect } from 'vitest';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import { DEFAULT_PASSWORD_HASHER } from '../../src/identity/password-hash.ts';
import type { Role } from '../../src/identity/permissions.ts';
import type { IdentityProvider } from '../../src/identity/provider-claims.ts';
import type { User } from '../../src/identity/user.ts';
import { dataKey, openBytes, sealBytes } from '../../src/privacy/envelope.ts';
import { createIdentity, type Identity } from '../../src/records/identity/identity.ts';
import type { Actor, IdentitySettings, Tx } from '../../src/records/identity/identity-context.ts';
import type { LogInRequest, LogInResult } from '../../src/records/identity/log-in.ts';
import type { NewSession } from '../../src/records/identity/session-records.ts';
import type { RecordStore } from '../../src/records/record-store.ts';

export const PASSWORD = 'siete olas contra el muelle';
export const ADDRESS = '192.0.2.10';
export const VISITOR = { address: ADDRESS, userAgent: 'Prueba/1.0' };
export const START_MS = Date.UTC(2026, 10, 26, 15);
/** The real algorithm, at a cost at which hundreds of log-ins take no time. */
export const CHEAP = { ...DEFAULT_PASSWORD_HASHER, cost: { memoryKib: 64, passes: 1, lanes: 1 } };

export interface OpenIdentity {
  readonly identity: Identity;
  readonly store: RecordStore;
  readonly clock: { nowMs: number };
  /** Drafts of the audit, as they were written. */
  readonly audit: AuditEntryDraft[];
  readonly troubles: Error[];
  /** The same store as another process sees it. */
  another(settings?: Partial<IdentitySettings>): Identity;
  logIn(login: string, changes?: Partial<LogInRequest>): Promise<LogInResult>;
  /** @throws where it is refused */
  enter(login: string, changes?: Partial<LogInRequest>): Promise<NewSession>;
  /** The first administrator, signed in, and as an actor. */
  administrator(): Promise<{ readonly user: User; readonly actor: Actor }>;
  /** Somebody with a password. */
  person(login: string, roles: readonly Role[]): Promise<User>;
}

export interface OpenOptions {
  readonly settings?: Partial<IdentitySettings>;
  readonly provider?: IdentityProvider;
  readonly record?: (tx: Tx, draft: AuditEntryDraft) => Promise<void>;
}

export function openIdentity(store: RecordStore, options: OpenOptions = {}): OpenIdentity {
  const clock = { nowMs: START_MS };
  const audit: AuditEntryDraft[] = [];
  const troubles: Error[] = [];
  const key = dataKey('ab'.repeat(16), new Uint8Array(randomBytes(32)), START_MS);
  const another = (settings: Partial<IdentitySettings> = {}) =>
    createIdentity({
      ...{ store, nowMs: () => clock.nowMs, randomBytes, provider: options.provider ?? null },
      seal: (bytes, place) => sealBytes(key, bytes, place),
      open: (bytes, place) => openBytes(key, bytes, place),
      settings: { passwords: CHEAP, totpRequiredFor: [], ...options.settings, ...settings },
      record: options.record ?? (async (_, draft) => void audit.push(draft)),
      onTrouble: (error) => troubles.push(error),
    });
  const identity = another();
  let administrator: { user: User; actor: Actor } | null = null;

  const opened: OpenIdentity = {
    ...{ identity, store, clock, audit, troubles, another },
    logIn: (login, changes = {}) =>
      identity.login({ ...VISITOR, login, password: PASSWORD, code: null, previousToken: null, ...changes }),
    async enter(login, changes = {}) {
      const result = await opened.logIn(login, changes);
      if (result.kind !== 'signed-in') throw new Error(`${login} is not let in: ${result.kind}`);
      return result.session;
    },
    async administrator() {
      if (administrator !== null) return administrator;
      const { token } = await identity.createSetupLink();
      const details = { login: 'admin.uno', displayName: 'Rosa Uno', email: null };
      const user = await identity.setup({ ...details, token, password: PASSWORD, address: ADDRESS });
      const { principal } = await opened.enter('admin.uno');
      administrator = { user, actor: { principal, address: ADDRESS } };
      return administrator;
    },
    async person(login, roles) {
      const { actor } = await opened.administrator();
      const { invitation } = await identity.createUser(actor, {
        login,
        displayName: `Persona ${login}`,
        email: null,
        roles,
      });
      return identity.acceptInvitation({ token: invitation.token, password: PASSWORD, address: ADDRESS });
    },
  };
  return opened;
}

export const refusal = (code: string) => expect.objectContaining({ code });
