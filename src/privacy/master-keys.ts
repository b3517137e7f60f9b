// Master keys wrap data keys, and nothing else, and never leave where they are kept (a file, the configuration, Vault, a cloud's
// key service: `src/adapters/keys`). This is how several kinds of them are used together.
import type { MasterKeys } from '../ports.ts';

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
