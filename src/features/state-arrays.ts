// The typed arrays that make up a store's state, listed for a checkpoint and filled again from one.
import type { CheckpointReader } from './checkpoint.ts';
import type { EntityStore } from './entity-store.ts';
import { CHUNK_BITS } from './ring-slab.ts';
import { SLOT_CHUNK_BITS } from './slot-table.ts';

export type NumberArray = Int32Array | Uint32Array | Uint16Array | Float64Array | Uint8Array;

/** Plain numbers of a store, in a fixed order. */
function scalarsOf(store: EntityStore): Float64Array {
  const { slots, slab, counts } = store;
  return Float64Array.of(
    slots.size,
    slots.highWater,
    slots.freeHead,
    slots.hand,
    slab.used,
    counts.size,
    store.truncated,
    store.evicted,
    store.evictedEarly,
    store.retainedEvents,
  );
}

/** Elements of a chunk that are in use, out of `perChunk`, when `used` are in use over all chunks. */
const usedOf = (chunk: number, perChunk: number, used: number) =>
  Math.max(0, Math.min(perChunk, used - chunk * perChunk));

function slotArrays(store: EntityStore): NumberArray[] {
  const { ints, floats, intStride, floatStride, highWater } = store.slots;
  return ints.flatMap((chunk, c) => {
    const used = usedOf(c, 1 << SLOT_CHUNK_BITS, highWater);
    return [chunk.subarray(0, used * intStride), floats[c].subarray(0, used * floatStride)];
  });
}

/** The columns of the slab's chunks; blocks of extremes are rounded up. */
function slabArrays(store: EntityStore): NumberArray[] {
  const { slab } = store;
  return slab.times.flatMap((times, c) => {
    const used = Math.min(times.length, usedOf(c, 1 << CHUNK_BITS, slab.used));
    const columns: NumberArray[] = [times, slab.amounts[c], slab.flags[c], ...slab.values.map((column) => column[c])];
    return [
      ...columns.map((column) => column.subarray(0, used)),
      ...[...slab.maxima, ...slab.minima].map((level) => level[c]),
    ];
  });
}

/** Every array of a store's state; views, not copies. */
export function stateArrays(store: EntityStore): NumberArray[] {
  return [
    scalarsOf(store),
    store.slots.buckets,
    store.slab.free,
    store.counts.entries,
    ...slotArrays(store),
    ...slabArrays(store),
  ];
}

/** Fills a fresh store from a checkpoint. */
export function restoreStore(store: EntityStore, reader: CheckpointReader): void {
  const { slots, slab, counts } = store;
  const scalars = new Float64Array(scalarsOf(store).length);
  reader.readInto(scalars);
  [slots.size, slots.highWater, slots.freeHead, slots.hand, slab.used, counts.size] = scalars;
  [store.truncated, store.evicted, store.evictedEarly, store.retainedEvents] = scalars.subarray(6);
  slots.buckets = new Int32Array(reader.nextLength());
  reader.readInto(slots.buckets);
  reader.readInto(slab.free);
  counts.entries = new Int32Array(reader.nextLength());
  reader.readInto(counts.entries);
  slots.addChunks();
  slab.addChunks();
  for (const array of [...slotArrays(store), ...slabArrays(store)]) reader.readInto(array);
}
