// Objects that are written once and read often, remembered: a history of a thousand entries is then not a thousand requests
// to a bucket. Only for keys that never change; whoever wants to know whether somebody changed them asks the store itself.
import type { ObjectStore } from '../ports.ts';

const MOST_BYTES = 128 * 1024 * 1024;

/** @param mostBytes beyond, what was read first is forgotten */
export function rememberedObjects(store: ObjectStore, mostBytes: number = MOST_BYTES): ObjectStore {
  const known = new Map<string, Uint8Array>();
  let bytesKnown = 0;
  const forget = (key: string) => {
    bytesKnown -= known.get(key)?.length ?? 0;
    known.delete(key);
  };
  const remember = (key: string, bytes: Uint8Array) => {
    forget(key);
    if (bytes.length > mostBytes) return;
    known.set(key, bytes);
    bytesKnown += bytes.length;
    for (const [oldest] of known) {
      if (bytesKnown <= mostBytes) break;
      forget(oldest);
    }
  };
  return {
    async put(key, bytes) {
      forget(key);
      await store.put(key, bytes);
    },
    putNew: (key, bytes) => store.putNew(key, bytes),
    async get(key) {
      const before = known.get(key);
      if (before !== undefined) return before;
      const bytes = await store.get(key);
      if (bytes !== null) remember(key, bytes);
      return bytes;
    },
    list: (prefix) => store.list(prefix),
    async remove(key) {
      forget(key);
      await store.remove(key);
    },
  };
}
