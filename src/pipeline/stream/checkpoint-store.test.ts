import { describe, expect, it } from 'vitest';
import { createGovernorState } from '../../decisions/governor.ts';
import { createTransaction } from '../../domain/transaction.ts';
import { handbookCatalogue } from '../../features/catalogue/handbook.ts';
import { createFeatureEngine } from '../../features/engine.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import { createPrng } from '../../lib/prng.ts';
import type { ObjectStore } from '../../ports.ts';
import { CheckpointStore } from './checkpoint-store.ts';
import type { FoldSnapshot } from './fold-snapshot.ts';

const DEFINITIONS = handbookCatalogue;
const MAX_IDS = 300_000;
const OPTIONS = { blockBytes: 1024, pause: async () => undefined };

function memoryStore() {
  const objects = new Map<string, Uint8Array>();
  const store: ObjectStore = {
    put: async (key, bytes) => void objects.set(key, bytes.slice()),
    async putNew(key, bytes) {
      if (objects.has(key)) return false;
      objects.set(key, bytes.slice());
      return true;
    },
    get: async (key) => objects.get(key) ?? null,
    list: async (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    remove: async (key) => void objects.delete(key),
  };
  const named = (part: string) => [...objects.keys()].filter((key) => key.includes(part)).sort();
  return { objects, store, named };
}

const engine = createFeatureEngine(DEFINITIONS);
const seen = new FingerprintSet(MAX_IDS);
const row = new Float64Array(engine.width);
const prng = createPrng(1);
let folded = 0;
// More than a chunk of them, which then never changes.
for (let i = 0; i < 70_000; i++) seen.add(prng.nextUint32(), prng.nextUint32());

/** The state a few transactions on; each is larger than the one before. */
function nextState(offset: number): FoldSnapshot {
  for (let i = 0; i < 5; i++, folded++) {
    const eventTimeMs = folded * 60_000;
    const given = {
      id: `${folded}`,
      eventTimeMs,
      amountMinor: 100 + folded,
      currency: 'PEN',
      payerId: `p${folded % 40}`,
    };
    engine.fold(createTransaction({ ...given, terminalId: `c${folded % 7}` }), row);
    seen.add(prng.nextUint32(), prng.nextUint32());
  }
  const ids = structuredClone(seen.generations());
  const head = { governor: createGovernorState(), severest: null, change: null };
  return { offset, head, engine: engine.checkpoint(), ids, last: { offset: offset - 1, hash: `h${offset}` } };
}

const restore = (store: ObjectStore, upTo: number, isOurs?: () => Promise<boolean>) =>
  new CheckpointStore(store, 'p', OPTIONS).restore(upTo, DEFINITIONS, {}, MAX_IDS, isOurs);

describe('checkpoints', () => {
  it('give the state back bit for bit, the newest that is not beyond the offset', async () => {
    const { store } = memoryStore();
    const checkpoints = new CheckpointStore(store, 'p', OPTIONS);
    const [one, two] = [nextState(10), nextState(20)];
    for (const state of [one, two]) await checkpoints.write(state, 0);
    for (const [upTo, state] of [
      [25, two],
      [20, two],
      [19, one],
    ] as const) {
      const restored = (await restore(store, upTo))!;
      expect(restored.offset).toBe(state.offset);
      expect(restored.engine.checkpoint()).toEqual(state.engine);
      expect(restored.seen.generations()).toEqual(state.ids);
      expect(restored.last).toEqual(state.last);
    }
    expect(await restore(store, 9)).toBeNull();
  });

  it('that fail in the midst leave nothing that a later one would take to be there', async () => {
    const { store } = memoryStore();
    const answer = Promise.withResolvers<void>();
    let blocks = 0;
    const troubled: ObjectStore = {
      ...store,
      async put(key, bytes) {
        if (!key.includes('/blocks/')) return await store.put(key, bytes);
        blocks++;
        if (blocks === 2) throw new Error('ENOSPC');
        await store.put(key, bytes);
        // The first is in the store long before it says so.
        if (blocks <= 4) await answer.promise;
      },
    };
    const checkpoints = new CheckpointStore(troubled, 'p', OPTIONS);
    const [one, two] = [nextState(10), nextState(20)];
    const failed = checkpoints.write(one, 0).catch(({ message }: Error) => message);
    const next = failed.then(() => checkpoints.write(two, 0));
    await new Promise((resolve) => setTimeout(resolve, 20));
    answer.resolve();
    expect(await failed).toBe('ENOSPC');
    await next;
    await checkpoints.write({ ...one, offset: 30 }, 0);
    expect((await restore(store, 30))?.offset).toBe(30);
  });

  it('write only blocks that changed, and keep two checkpoints and no block more than they name', async () => {
    const { store, objects, named } = memoryStore();
    const checkpoints = new CheckpointStore(store, 'p', OPTIONS);
    const first = await checkpoints.write(nextState(10), 0);
    expect(first.writtenBytes).toBeLessThanOrEqual(first.bytes);
    const second = await checkpoints.write(nextState(20), 0);
    expect(second.writtenBytes).toBeLessThan(second.bytes / 2);
    for (let offset = 30; offset <= 60; offset += 10) await checkpoints.write(nextState(offset), 0);
    expect(named('/manifests/')).toHaveLength(2);
    const manifests = named('/manifests/').map(
      (key) => JSON.parse(new TextDecoder().decode(objects.get(key))).manifest,
    );
    const needed = manifests.flatMap(({ parts }) => parts.flatMap(({ blocks }: { blocks: string[] }) => blocks));
    expect(new Set(named('/blocks/').map((key) => key.split('-')[1]))).toEqual(new Set(needed));
    expect((await restore(store, 60))!.offset).toBe(60);
  });

  it('serve from the older one where a manifest or a block of the newer is damaged or gone', async () => {
    const spoil: readonly ((objects: Map<string, Uint8Array>, key: string) => void)[] = [
      (objects, key) => objects.delete(key),
      (objects, key) => objects.set(key, objects.get(key)!.slice(0, 5)),
      (objects, key) => {
        const bytes = objects.get(key)!.slice();
        bytes[bytes.length >> 1] ^= 1;
        objects.set(key, bytes);
      },
    ];
    for (const harm of spoil) {
      for (const part of ['/manifests/', '/blocks/']) {
        const { store, objects, named } = memoryStore();
        const checkpoints = new CheckpointStore(store, 'p', OPTIONS);
        await checkpoints.write(nextState(10), 0);
        const before = new Set(named(part));
        await checkpoints.write(nextState(20), 0);
        harm(
          objects,
          named(part)
            .filter((key) => !before.has(key))
            .at(-1)!,
        );
        expect((await restore(store, 99))!.offset).toBe(10);
      }
    }
  });

  it('of a writer that is late harm nothing of the one who writes now', async () => {
    const { store, named } = memoryStore();
    const late = new CheckpointStore(store, 'p', OPTIONS);
    await late.write(nextState(10), 0);
    await late.write(nextState(20), 0);
    const lateState = nextState(30);
    const owner = new CheckpointStore(store, 'p', OPTIONS);
    await owner.write(nextState(40), 0);
    const ofOwner = named('00000002-');
    await late.write(lateState, 0);
    expect(named('00000002-')).toEqual(ofOwner);
    expect((await restore(store, 99))!.offset).toBe(40);
    await owner.write(nextState(50), 0);
    expect((await restore(store, 99))!.offset).toBe(50);
  });

  it('are whole again after another has begun to write', async () => {
    const { store } = memoryStore();
    const owner = new CheckpointStore(store, 'p', OPTIONS);
    await owner.write(nextState(10), 0);
    await new CheckpointStore(store, 'p', OPTIONS).write(nextState(20), 0);
    const written = await owner.write(nextState(30), 0);
    expect(written.writtenBytes).toBeGreaterThan(written.bytes / 4);
    expect((await restore(store, 30))!.offset).toBe(30);
  });

  it('are new ones even after the group was set back', async () => {
    const { store } = memoryStore();
    const before = new CheckpointStore(store, 'p', OPTIONS);
    for (const offset of [100, 200]) await before.write(nextState(offset), 0);
    const after = new CheckpointStore(store, 'p', OPTIONS);
    await after.write(nextState(15), 0);
    expect((await restore(store, 50))!.offset).toBe(15);
  });

  it('of another stream are left out', async () => {
    const { store } = memoryStore();
    await new CheckpointStore(store, 'p', OPTIONS).write(nextState(10), 0);
    expect(await restore(store, 99, async () => false)).toBeNull();
    expect(await restore(store, 99, async () => true)).not.toBeNull();
  });

  it('of other features or another limit of ids say so', async () => {
    const { store } = memoryStore();
    await new CheckpointStore(store, 'p', OPTIONS).write(nextState(10), 0);
    const checkpoints = new CheckpointStore(store, 'p', OPTIONS);
    await expect(checkpoints.restore(99, DEFINITIONS.slice(1), {}, MAX_IDS)).rejects.toMatchObject({
      code: 'CHECKPOINT_OTHER_FEATURES',
    });
  });

  it('are not there where the disk was full on the way', async () => {
    const { store, named } = memoryStore();
    let left = 3;
    const full = {
      ...store,
      put: (key: string, bytes: Uint8Array) =>
        left-- > 0 ? store.put(key, bytes) : Promise.reject(new Error('ENOSPC')),
    };
    await expect(new CheckpointStore(full, 'p', OPTIONS).write(nextState(10), 0)).rejects.toThrow('ENOSPC');
    expect(await restore(store, 99)).toBeNull();
    await new CheckpointStore(store, 'p', OPTIONS).write(nextState(20), 0);
    expect((await restore(store, 99))!.offset).toBe(20);
    expect(named('/epochs/')).toHaveLength(1);
  });
});
