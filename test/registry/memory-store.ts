// Objects in memory, which a test can look at and damage.
import type { ObjectStore } from '../../src/ports.ts';

export function createMemoryStore(
  objects = new Map<string, Uint8Array>(),
): ObjectStore & { readonly objects: Map<string, Uint8Array> } {
  return {
    objects,
    put: async (key, bytes) => void objects.set(key, bytes.slice()),
    putNew: async (key, bytes) => {
      if (objects.has(key)) return false;
      objects.set(key, bytes.slice());
      return true;
    },
    get: async (key) => objects.get(key) ?? null,
    remove: async (key) => void objects.delete(key),
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
  };
}
