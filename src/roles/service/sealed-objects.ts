// Objects that are sealed at rest: what is put through it is an envelope, what was put in clear before is still read.
//
// Whoever opens the store without the keys (the command line) finds envelopes and says so.
import type { ObjectStore } from '../../ports.ts';
import type { OwnSealing } from './sealing.ts';

/** An envelope begins with its version; what is in clear here is JSON. */
const ENVELOPE_VERSION = 1;
const placeOf = (key: string) => ({ table: 'objects', row: key, field: 'content' });

export function sealedObjects(store: ObjectStore, { seal, open }: OwnSealing): ObjectStore {
  return {
    put: async (key, bytes) => store.put(key, await seal(bytes, placeOf(key))),
    putNew: async (key, bytes) => store.putNew(key, await seal(bytes, placeOf(key))),
    async get(key) {
      const bytes = await store.get(key);
      return bytes === null || bytes[0] !== ENVELOPE_VERSION ? bytes : open(bytes, placeOf(key));
    },
    list: (prefix) => store.list(prefix),
    remove: (key) => store.remove(key),
  };
}
