// A cursor over the records and rings of one entity kind: `open` points it at an entity, the rest reads and writes there.
import type { KindPlan } from './plan.ts';
import { NEWEST_MS, RING_BASE, RING_CLASS } from './plan.ts';
import { CHUNK_BITS, CHUNK_MASK, RingSlab } from './ring-slab.ts';
import { SLOT_CHUNK_BITS, SLOT_CHUNK_MASK, SlotTable } from './slot-table.ts';

export class EntityCursor {
  readonly plan: KindPlan;
  readonly slots: SlotTable;
  readonly slab: RingSlab;

  slot = -1;
  /** The chunk with the record's integers, and where they start; the same for its floats. */
  ints: Int32Array = new Int32Array(0);
  int = 0;
  floats: Float64Array = new Float64Array(0);
  float = 0;
  /** The chunk's columns, the ring's first element, its size − 1 and size class (−1 for no ring). */
  times: Int32Array = new Int32Array(0);
  amounts: Float64Array = new Float64Array(0);
  flags: Uint16Array = new Uint16Array(0);
  readonly columns: Uint32Array[];
  chunk = 0;
  base = 0;
  mask = 0;
  ringClass = -1;

  constructor(plan: KindPlan, maxClass: number) {
    this.plan = plan;
    this.slots = new SlotTable(plan.intStride, plan.floatStride);
    this.slab = new RingSlab(plan.needsAmounts, plan.distinctFields.length, maxClass, plan.extremes);
    this.columns = plan.distinctFields.map(() => new Uint32Array(0));
  }

  open(slot: number): void {
    const { slots } = this;
    this.slot = slot;
    this.ints = slots.ints[slot >>> SLOT_CHUNK_BITS];
    this.int = (slot & SLOT_CHUNK_MASK) * slots.intStride;
    this.floats = slots.floats[slot >>> SLOT_CHUNK_BITS];
    this.float = (slot & SLOT_CHUNK_MASK) * slots.floatStride;
    this.openRing();
  }

  openRing(): void {
    const { slab } = this;
    this.ringClass = this.ints[this.int + RING_CLASS] - 1;
    if (this.ringClass < 0) return;
    const at = this.ints[this.int + RING_BASE];
    const chunk = at >>> CHUNK_BITS;
    this.chunk = chunk;
    this.base = at & CHUNK_MASK;
    this.mask = (1 << this.ringClass) - 1;
    this.times = slab.times[chunk];
    this.amounts = slab.amounts[chunk];
    this.flags = slab.flags[chunk];
    for (let c = 0; c < this.columns.length; c++) this.columns[c] = slab.values[c][chunk];
  }

  /** Time of a retained event by its sequence number. */
  timeOf(sequence: number): number {
    const newest = this.floats[this.float + NEWEST_MS];
    return newest - (((newest | 0) - this.times[this.base + (sequence & this.mask)]) >>> 0);
  }

  copyEvent(from: number, to: number): void {
    this.times[to] = this.times[from];
    this.flags[to] = this.flags[from];
    if (this.plan.needsAmounts) this.amounts[to] = this.amounts[from];
    for (let c = 0; c < this.columns.length; c++) this.columns[c][to] = this.columns[c][from];
  }

  memoryBytes(): number {
    return this.slots.memoryBytes() + this.slab.memoryBytes();
  }
}
