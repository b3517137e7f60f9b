// An object store in memory, with a disk that may be full and bytes that may rot.
import type { Prng } from '../../src/lib/prng.ts';
import type { ObjectStore } from '../../src/ports.ts';

export interface SimulatedStore extends ObjectStore {
  isFull: boolean;
  /** Something was damaged since it began. */
  readonly wasDamaged: boolean;
  /** Changes a byte of some object, cuts it short, or loses it. @returns its key, or null where there is none */
  damage(prng: Prng): string | null;
}

/** @param written told of every object once it is there */
export function createSimulatedStore(written: (key: string) => void = () => undefined): SimulatedStore {
  const objects = new Map<string, Uint8Array>();
  let wasDamaged = false;
  const store: SimulatedStore = {
    isFull: false,
    get wasDamaged() {
      return wasDamaged;
    },
    async put(key, bytes) {
      if (store.isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      objects.set(key, bytes.slice());
      written(key);
    },
    async putNew(key, bytes) {
      if (objects.has(key)) return false;
      await store.put(key, bytes);
      return true;
    },
    get: async (key) => objects.get(key)?.slice() ?? null,
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    async remove(key) {
      objects.delete(key);
    },
    damage(prng) {
      const keys = [...objects.keys()].sort();
      if (keys.length === 0) return null;
      const key = keys[prng.nextBelow(keys.length)];
      const bytes = objects.get(key)!;
      const how = prng.nextBelow(3);
      wasDamaged = true;
      if (how === 0 || bytes.length === 0) objects.delete(key);
      else if (how === 1) objects.set(key, bytes.subarray(0, prng.nextBelow(bytes.length)));
      else bytes[prng.nextBelow(bytes.length)] ^= 1 + prng.nextBelow(255);
      return key;
    },
  };
  return store;
}
