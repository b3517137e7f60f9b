// What the operations of identity share: the records, the clock, randomness, sealing, settings, and how a change is written
// to the audit in the transaction that makes it.
import type { Kysely } from 'kysely';
import type { AuditEntryDraft } from '../../audit/entry.ts';
import type { CertificateMapping } from '../../identity/client-certificate.ts';
import { DEFAULT_LOCKOUT, type LockoutSettings } from '../../identity/lockout.ts';
import {
  createPasswordHasher,
  DEFAULT_PASSWORD_HASHER,
  type PasswordHasher,
  type PasswordHasherSettings,
} from '../../identity/password-hash.ts';
import type { Permission, Role } from '../../identity/permissions.ts';
import { type Principal, SYSTEM } from '../../identity/principal.ts';
import type { ClaimMapping, IdentityProvider } from '../../identity/provider-claims.ts';
import { DEFAULT_SESSIONS, type SessionSettings } from '../../identity/sessions.ts';
import type { RandomBytes } from '../../identity/tokens.ts';
import { InputError } from '../../lib/errors.ts';
import type { SealedPlace } from '../../privacy/envelope.ts';
import type { Database } from '../database.ts';
import type { RecordStore } from '../record-store.ts';

export type Tx = Kysely<Database>;

/** Encrypts, or decrypts, what is bound to its place: it opens there alone. */
export type Sealing = (bytes: Uint8Array, place: SealedPlace) => Promise<Uint8Array> | Uint8Array;

export interface IdentitySettings {
  readonly passwords: PasswordHasherSettings;
  readonly lockout: LockoutSettings;
  readonly sessions: SessionSettings;
  /** Whoever has one of these roles uses one-time codes. */
  readonly totpRequiredFor: readonly Role[];
  /** As authenticator apps show it. */
  readonly issuerName: string;
  readonly setupMs: number;
  readonly invitationMs: number;
  readonly resetMs: number;
  /** How long somebody may be at the identity provider. */
  readonly providerMs: number;
  readonly mostProviderRequests: number;
  readonly claims: ClaimMapping | null;
  readonly certificates: readonly CertificateMapping[];
  /** Nobody sees a revoked key accepted for longer, in any process. */
  readonly keyCacheMs: number;
  readonly mostCachedKeys: number;
}

export const DEFAULT_IDENTITY: IdentitySettings = {
  ...{ passwords: DEFAULT_PASSWORD_HASHER, lockout: DEFAULT_LOCKOUT, sessions: DEFAULT_SESSIONS },
  ...{ totpRequiredFor: ['administrator'], issuerName: 'Centinela' },
  ...{ setupMs: 24 * 3_600_000, invitationMs: 72 * 3_600_000, resetMs: 24 * 3_600_000 },
  ...{ providerMs: 10 * 60_000, mostProviderRequests: 10_000, claims: null, certificates: [] },
  ...{ keyCacheMs: 5000, mostCachedKeys: 10_000 },
};

export interface IdentityOptions {
  readonly store: RecordStore;
  readonly nowMs: () => number;
  readonly randomBytes: RandomBytes;
  readonly seal: Sealing;
  readonly open: Sealing;
  readonly settings?: Partial<IdentitySettings>;
  readonly record: (tx: Tx, draft: AuditEntryDraft) => Promise<void>;
  /** The bank's; null where people log in here alone. */
  readonly provider?: IdentityProvider | null;
  /** Of work that nobody waits for: writing when a key was last used. */
  readonly onTrouble?: (error: Error) => void;
}

export interface IdentityContext extends Required<Omit<IdentityOptions, 'settings'>> {
  readonly settings: IdentitySettings;
  readonly hasher: PasswordHasher;
}

/** Who does something, and from where. */
export interface Actor {
  readonly principal: Principal;
  readonly address: string | null;
}

export function systemActor(address: string | null): Actor {
  return { principal: SYSTEM, address };
}

export function createContext(options: IdentityOptions): IdentityContext {
  const settings = { ...DEFAULT_IDENTITY, ...options.settings };
  const hasher = createPasswordHasher(settings.passwords);
  return { provider: null, onTrouble: () => {}, ...options, settings, hasher };
}

export type Note = Pick<AuditEntryDraft, 'action' | 'detail'> & { readonly subject?: AuditEntryDraft['subject'] };

/** Writes to the audit, in the transaction. */
export function note(context: IdentityContext, tx: Tx, actor: Actor, { action, subject, detail }: Note): Promise<void> {
  const { kind, id, name } = actor.principal;
  return context.record(tx, {
    ...{ atMs: context.nowMs(), actor: { kind, id, name }, action, subject: subject ?? null, detail },
    address: actor.address,
  });
}

/** @throws InputError with code `FORBIDDEN` */
export function demand({ principal }: Actor, permission: Permission): void {
  if (principal.permissions.has(permission)) return;
  throw new InputError('FORBIDDEN', `This asks for the permission '${permission}'`, 'Ask an administrator');
}

/** Changed by somebody else meanwhile. */
export function changedMeanwhile(what: string): InputError {
  return new InputError('VERSION_CONFLICT', `${what} was changed meanwhile`, 'Look at it again and repeat the change');
}
