// Keys on the hot path: a key that is known here costs a SHA-256, not a query.
//
// What was read of a key counts for five seconds from before it was read, no longer: so a revocation, wherever it was made, is
// seen everywhere within five seconds, without messages between processes that could be lost. From half of that on a key in
// use is read again in the background, so that nobody waits for it. If the database does not answer, keys end with what is
// known of them: refusing is better than letting in whoever was put out. In the process where a key is revoked, or its maker
// changed, it is forgotten at once.
import { isKeySecret, parseApiKey } from '../../identity/api-keys.ts';
import { type NetworkCheck, networkCheck } from '../../identity/networks.ts';
import type { Principal } from '../../identity/principal.ts';
import { InputError } from '../../lib/errors.ts';
import { findKeyInForce, writeKeyUse } from './api-key-records.ts';
import type { IdentityContext } from './identity-context.ts';

export interface KeyCache {
  /** null where the text is no key in force, or not from this address. */
  principalOf(text: string, address: string | null): Promise<Principal | null>;
  /** All: what keys may do has changed, or one of them is revoked. */
  forget(): void;
  /** Waits for what is being written. */
  close(): Promise<void>;
}

interface KnownKey {
  /** Before it was read. */
  readonly asOfMs: number;
  readonly secretHash: Uint8Array;
  readonly principal: Principal;
  readonly expiresMs: number;
  /** null: anywhere. */
  readonly isInNetworks: NetworkCheck | null;
  /** Judged before. */
  readonly addresses: Map<string, boolean>;
  usedMs: number;
}

interface Reading {
  readonly asOfMs: number;
  readonly result: Promise<KnownKey | null>;
}

const WRITE_EVERY_MS = 60_000;
const MOST_ADDRESSES = 1000;
/** Keys that are read at the same time: nobody's keys cost a query each. */
const MOST_READING = 100;

export function createKeyCache(context: IdentityContext): KeyCache {
  const { nowMs, onTrouble, settings } = context;
  const known = new Map<string, KnownKey>();
  const reading = new Map<string, Reading>();
  const writing = new Set<Promise<void>>();

  function read(id: string, atMs: number): Promise<KnownKey | null> {
    const there = reading.get(id);
    if (there !== undefined && atMs - there.asOfMs < settings.keyCacheMs) return there.result;
    if (reading.size >= MOST_READING) {
      throw new InputError('IDENTITY_BUSY', 'Too many keys are being looked up', 'Try again in a few seconds');
    }
    const usedMs = known.get(id)?.usedMs ?? null;
    const result = findKeyInForce(context, id).then((found) => {
      const key = found === null ? null : knownOf(found, atMs, usedMs);
      // Whatever was forgotten, or begun again, meanwhile is not put back.
      if (reading.get(id)?.result === result) keep(id, key);
      return key;
    });
    reading.set(id, { asOfMs: atMs, result });
    const end = () => {
      if (reading.get(id)?.result === result) reading.delete(id);
    };
    result.then(end, end);
    return result;
  }

  function keep(id: string, key: KnownKey | null): void {
    known.delete(id);
    if (key === null) return;
    if (known.size >= settings.mostCachedKeys) known.delete(known.keys().next().value!);
    known.set(id, key);
  }

  /** At most once a minute, while nobody waits. */
  function noteUse(id: string, key: KnownKey, atMs: number): void {
    if (atMs - key.usedMs < WRITE_EVERY_MS) return;
    key.usedMs = atMs;
    const written = writeKeyUse(context, id, atMs)
      .catch(onTrouble)
      .finally(() => writing.delete(written));
    writing.add(written);
  }

  function refresh(id: string, atMs: number): void {
    if (reading.has(id) || reading.size >= MOST_READING) return;
    read(id, atMs).catch(onTrouble);
  }

  return {
    async principalOf(text, address) {
      const parsed = parseApiKey(text);
      if (parsed === null) return null;
      const { id, secret } = parsed;
      const atMs = nowMs();
      let key: KnownKey | null | undefined = known.get(id);
      const ageMs = key === undefined ? Number.POSITIVE_INFINITY : atMs - key.asOfMs;
      if (ageMs >= settings.keyCacheMs) key = await read(id, atMs);
      else if (ageMs >= settings.keyCacheMs / 2) refresh(id, atMs);
      if (key === null || key === undefined || !isKeySecret(secret, key.secretHash)) return null;
      if (key.expiresMs <= atMs || !isFrom(key, address)) return null;
      noteUse(id, key, atMs);
      return key.principal;
    },
    forget() {
      known.clear();
      reading.clear();
    },
    async close() {
      await Promise.all(writing);
    },
  };
}

function knownOf(
  { key, secretHash }: NonNullable<Awaited<ReturnType<typeof findKeyInForce>>>,
  asOfMs: number,
  usedMs: number | null,
): KnownKey {
  const { id, name, presentScopes, networks, expiresMs, lastUsedMs } = key;
  return {
    ...{ asOfMs, secretHash, expiresMs, addresses: new Map(), usedMs: usedMs ?? lastUsedMs ?? 0 },
    principal: { kind: 'api-key', id, name, roles: [], permissions: new Set(presentScopes) },
    isInNetworks: networks.length === 0 ? null : networkCheck(networks),
  };
}

function isFrom({ isInNetworks, addresses }: KnownKey, address: string | null): boolean {
  if (isInNetworks === null) return true;
  if (address === null) return false;
  const before = addresses.get(address);
  if (before !== undefined) return before;
  const isIn = isInNetworks(address);
  if (addresses.size < MOST_ADDRESSES) addresses.set(address, isIn);
  return isIn;
}
