// The port of master keys: they wrap data keys, and nothing else, and never leave where they are kept (a file, the
// configuration, Vault, a cloud's key service). `src/adapters/keys` has those.
//
// A master has an id that says which key and version it is (`file:3f9a21c04be7d815`, `vault:transit/centinela:v3`) and is
// kept beside what it wrapped. One is current and wraps; several open, so that data keys are re-wrapped while all goes on.

export interface WrapRequest {
  /** A data key, or what wrapping made of it. */
  readonly bytes: Uint8Array;
  /** What it is (`data-key/<id>`): authenticated, so that a wrapped key does not open as another one. */
  readonly context: string;
}

/**
 * Requests that concern each other are given together: a service is asked once for many.
 *
 * All throw an error with code `KEYS_UNAVAILABLE` where the service does not answer (later it may), and
 * InputError MASTER_KEY_REFUSED where it refuses or the bytes are not what was wrapped.
 */
export interface MasterKeys {
  /** Wraps from now on. */
  readonly currentId: string;
  /** Whether what this master wrapped can be opened here. */
  opens(masterId: string): boolean;
  /** In the order of the requests. */
  wrap(requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]>;
  unwrap(masterId: string, requests: readonly WrapRequest[]): Promise<readonly Uint8Array[]>;
}

/** For moving from one kind of master to another: the first wraps, all open. */
export function combineMasterKeys(current: MasterKeys, older: readonly MasterKeys[]): MasterKeys {
  const all = [current, ...older];
  return {
    currentId: current.currentId,
    opens: (masterId) => all.some((each) => each.opens(masterId)),
    wrap: (requests) => current.wrap(requests),
    unwrap: (masterId, requests) => (all.find((each) => each.opens(masterId)) ?? current).unwrap(masterId, requests),
  };
}

export function isKeysUnavailable(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'KEYS_UNAVAILABLE';
}
