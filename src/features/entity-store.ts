// The state of one entity kind: entities come, their events are kept in order in rings, and the idle are forgotten.

import { EntityWindows } from './entity-windows.ts';
import type { FoldEvent } from './event.ts';
import { FLAG_LABELS, labelBits } from './event-flags.ts';
import type { EngineLimits } from './limits.ts';
import {
  END,
  FIRST,
  FIRST_SEEN_MS,
  HEADS,
  type KindPlan,
  NEWEST_MS,
  POSITION_MS,
  RING_BASE,
  RING_CLASS,
} from './plan.ts';
import { refreshBlocks } from './ring-extremes.ts';
import { SLOT_CHUNK_BITS, SLOT_CHUNK_MASK } from './slot-table.ts';

const FIRST_CLASS = 1;
const MAX_SPAN_MS = 2 ** 32 - 1;
/** Candidates of which the longest idle is forgotten when a kind is full. */
const EVICTION_CANDIDATES = 64;

export class EntityStore extends EntityWindows {
  /** How long an event can still matter: longest window with its delay, plus the allowed lateness. */
  readonly horizonMs: number;
  readonly #limits: EngineLimits;
  readonly #maxClass: number;
  truncated = 0;
  evicted = 0;
  evictedEarly = 0;
  retainedEvents = 0;

  constructor(plan: KindPlan, limits: EngineLimits, event: FoldEvent) {
    const maxClass = 31 - Math.clz32(limits.maxEventsPerEntity);
    super(plan, maxClass, event);
    this.#limits = limits;
    this.#maxClass = maxClass;
    this.horizonMs = plan.longestSpanMs + limits.latenessMs;
    if (this.horizonMs > MAX_SPAN_MS || this.horizonMs > limits.idleMs) {
      throw new RangeError(
        `the windows of ${plan.kind} with their delay and the allowed lateness span ${this.horizonMs} ms: ` +
          `at most ${MAX_SPAN_MS} (49 days), and not more than idleMs (${limits.idleMs})`,
      );
    }
  }

  /** A new entity first seen at a time; it must not be in the table. */
  create(low: number, high: number, timeMs: number): number {
    if (this.slots.size >= this.#limits.maxEntitiesPerKind) this.#evictLongestIdle();
    const slot = this.slots.insert(low, high);
    const floats = this.slots.floats[slot >>> SLOT_CHUNK_BITS];
    const float = (slot & SLOT_CHUNK_MASK) * this.slots.floatStride;
    floats[float + NEWEST_MS] = timeMs;
    floats[float + FIRST_SEEN_MS] = timeMs;
    floats[float + POSITION_MS] = timeMs;
    const { lastSeenOffsets } = this.plan;
    for (let i = 0; i < lastSeenOffsets.length; i++) floats[float + lastSeenOffsets[i]] = Number.NaN;
    return slot;
  }

  /**
   * Inserts the event into the open entity, whose windows stand at its time, behind the events with the same time.
   * @param values one id per distinct field of the plan, 0 for none @param keep false: it will be taken out again
   */
  insert(timeMs: number, flags: number, amount: number, values: Uint32Array, keep: boolean): void {
    const { plan, int, float } = this;
    if (plan.needsRing) {
      this.#makeRoom(timeMs, keep);
      const { ints, base, mask } = this;
      const head = ints[int + HEADS];
      const end = ints[int + END];
      for (let s = end; s !== head; s = (s - 1) | 0) this.copyEvent(base + ((s - 1) & mask), base + (s & mask));
      const at = base + (head & mask);
      this.times[at] = timeMs | 0;
      this.flags[at] = flags;
      if (plan.needsAmounts) this.amounts[at] = amount;
      for (let c = 0; c < this.columns.length; c++) this.columns[c][at] = values[c];
      ints[int + END] = (end + 1) | 0;
      ints[int + HEADS] = (head + 1) | 0;
      this.retainedEvents++;
      if (plan.extremes) refreshBlocks(this, head, ints[int + END]);
      this.beginOwn(head);
      for (let w = 0; w < plan.laneStart[1]; w++) this.enterOwn(w, head, 1);
    }
    if (!keep) return;
    const { floats } = this;
    if (timeMs > floats[float + NEWEST_MS]) floats[float + NEWEST_MS] = timeMs;
    if (timeMs < floats[float + FIRST_SEEN_MS]) floats[float + FIRST_SEEN_MS] = timeMs;
    const { lastSeenFlags, lastSeenOffsets } = plan;
    for (let i = 0; i < lastSeenFlags.length; i++) {
      const last = float + lastSeenOffsets[i];
      if ((flags & lastSeenFlags[i]) !== 0 && !(floats[last] > timeMs)) floats[last] = timeMs;
    }
    if (plan.placeOffset >= 0) this.#rememberPlace(timeMs);
  }

  #rememberPlace(timeMs: number): void {
    const { floats } = this;
    const { latitude, longitude } = this.event;
    const at = this.float + this.plan.placeOffset;
    if (Number.isNaN(latitude) || Number.isNaN(longitude)) return;
    if (floats[at + 3] === 1 && floats[at + 2] > timeMs) return;
    floats[at] = latitude;
    floats[at + 1] = longitude;
    floats[at + 2] = timeMs;
    floats[at + 3] = 1;
  }

  /** Takes the event just inserted out again. */
  takeOut(): void {
    const { plan, ints, int, base, mask } = this;
    if (!plan.needsRing) return;
    const head = (ints[int + HEADS] - 1) | 0;
    this.beginOwn(head);
    for (let w = 0; w < plan.laneStart[1]; w++) this.enterOwn(w, head, -1);
    const end = (ints[int + END] - 1) | 0;
    for (let s = head; s !== end; s = (s + 1) | 0) this.copyEvent(base + ((s + 1) & mask), base + (s & mask));
    ints[int + HEADS] = head;
    ints[int + END] = end;
    this.retainedEvents--;
    if (plan.extremes) refreshBlocks(this, head, end);
  }

  /** Drops what is past the horizon and makes sure that one more event fits. */
  #makeRoom(timeMs: number, keep: boolean): void {
    const { int } = this;
    if (this.ringClass < 0) {
      this.ints[int + RING_BASE] = this.slab.allocate(FIRST_CLASS);
      this.ints[int + RING_CLASS] = FIRST_CLASS + 1;
      this.openRing();
      return;
    }
    const { ints, times, base, mask } = this;
    const end = ints[int + END];
    let first = ints[int + FIRST];
    if (keep) {
      const newest = this.floats[this.float + NEWEST_MS];
      const dropped = this.horizonMs - Math.max(0, timeMs - newest);
      const from = first;
      while (first !== end && ((newest | 0) - times[base + (first & mask)]) >>> 0 >= dropped) first = (first + 1) | 0;
      ints[int + FIRST] = first;
      this.retainedEvents -= (first - from) | 0;
    }
    const retained = (end - first) | 0;
    if (retained > mask) {
      if (this.ringClass < this.#maxClass) this.#resize(this.ringClass + 1);
      else this.#dropOldest();
    } else if (this.ringClass > FIRST_CLASS + 1 && retained <= mask >> 2) this.#resize(this.ringClass - 1);
  }

  #resize(sizeClass: number): void {
    const { ints, int, slab, times, amounts, flags, base, mask, ringClass, slot } = this;
    const columns = this.columns.slice();
    const oldBase = ints[int + RING_BASE];
    ints[int + RING_BASE] = slab.allocate(sizeClass);
    ints[int + RING_CLASS] = sizeClass + 1;
    this.open(slot);
    for (let s = ints[int + FIRST]; s !== ints[int + END]; s = (s + 1) | 0) {
      const from = base + (s & mask);
      const to = this.base + (s & this.mask);
      this.times[to] = times[from];
      this.flags[to] = flags[from];
      if (this.plan.needsAmounts) this.amounts[to] = amounts[from];
      for (let c = 0; c < columns.length; c++) this.columns[c][to] = columns[c][from];
    }
    slab.release(oldBase, ringClass);
    if (this.plan.extremes) refreshBlocks(this, ints[int + FIRST], ints[int + END]);
  }

  /** The ring is full and may not grow: its oldest event leaves all windows and is forgotten. */
  #dropOldest(): void {
    const { plan, ints, int } = this;
    const first = ints[int + FIRST];
    const next = (first + 1) | 0;
    for (let w = 0; w < plan.windows; w++) {
      const head = ints[int + HEADS + plan.windowLane[w]];
      if (ints[int + plan.tails + w] !== first) continue;
      if (head !== first) this.leave(w, first, head, -1);
      ints[int + plan.tails + w] = next;
    }
    for (let lane = 0; lane < plan.lanes; lane++) {
      if (ints[int + HEADS + lane] === first) ints[int + HEADS + lane] = next;
    }
    ints[int + FIRST] = next;
    this.truncated++;
    this.retainedEvents--;
  }

  /** Gives the open entity's ring back and clears its counters; what it knows without the ring stays. */
  dropRing(): void {
    const { plan, ints, int, floats, float } = this;
    if (this.ringClass < 0) return;
    this.forgetCounts();
    this.slab.release(ints[int + RING_BASE], this.ringClass);
    this.retainedEvents -= (ints[int + END] - ints[int + FIRST]) | 0;
    ints.fill(0, int + RING_BASE, int + plan.intStride);
    for (const offset of plan.sums.offset) floats[float + offset] = 0;
    for (const offset of plan.squares.offset) floats.fill(0, float + offset, float + offset + 2);
    this.ringClass = -1;
  }

  /** Forgets the open entity. */
  forget(): void {
    this.dropRing();
    this.slots.remove(this.slot);
  }

  /** Looks at the next few entities and forgets what the stream's newest time has left behind. */
  evictIdle(newestMs: number, steps: number): void {
    const { slots } = this;
    for (let step = 0; step < steps; step++) {
      const slot = this.#nextSlot();
      if (slot < 0 || !slots.isInUse(slot)) continue;
      const idleMs = newestMs - this.newestOf(slot);
      if (idleMs <= this.horizonMs) continue;
      this.open(slot);
      if (idleMs > this.#limits.idleMs + this.#limits.latenessMs) {
        this.forget();
        this.evicted++;
      } else this.dropRing();
    }
  }

  #evictLongestIdle(): void {
    let oldest = -1;
    let oldestMs = Number.POSITIVE_INFINITY;
    for (let step = 0; step < EVICTION_CANDIDATES; step++) {
      const slot = this.#nextSlot();
      if (slot < 0 || !this.slots.isInUse(slot)) continue;
      const newest = this.newestOf(slot);
      if (newest < oldestMs) {
        oldestMs = newest;
        oldest = slot;
      }
    }
    if (oldest < 0) return;
    this.open(oldest);
    this.forget();
    this.evictedEarly++;
  }

  #nextSlot(): number {
    const { slots } = this;
    if (slots.highWater === 0) return -1;
    if (slots.hand >= slots.highWater) slots.hand = 0;
    return slots.hand++;
  }

  newestOf(slot: number): number {
    return this.slots.floats[slot >>> SLOT_CHUNK_BITS][(slot & SLOT_CHUNK_MASK) * this.slots.floatStride + NEWEST_MS];
  }

  /**
   * Sets the label of a retained event of the open entity and corrects the counters of windows that contain it.
   * Events with the same time and amount cannot be told apart; one whose label differs is taken.
   * @returns false if no such event is retained
   */
  learnLabel(timeMs: number, amount: number, isFraud: boolean): boolean {
    const { ints, int, base, mask, flags, plan } = this;
    if (this.ringClass < 0) return false;
    const end = ints[int + END];
    let found = -1;
    let s = this.#lowerBound(timeMs);
    for (; s !== end && this.timeOf(s) === timeMs; s = (s + 1) | 0) {
      const at = base + (s & mask);
      if (plan.needsAmounts && this.amounts[at] !== amount) continue;
      found = at;
      if ((flags[at] & FLAG_LABELS) !== labelBits(isFraud, flags[at])) break;
    }
    if (found < 0) return false;
    const label = labelBits(isFraud, flags[found]);
    if ((flags[found] & FLAG_LABELS) === label) return true;
    const changed = flags[found] ^ label ^ (flags[found] & FLAG_LABELS);
    for (let w = 0; w < plan.windows; w++) {
      const tail = ints[int + plan.tails + w];
      const head = ints[int + HEADS + plan.windowLane[w]];
      if (((s - tail) | 0) >= 0 && ((head - s) | 0) > 0) this.relabel(w, flags[found], changed);
    }
    flags[found] = changed;
    return true;
  }

  /** Sequence number of the first retained event at or after a time. */
  #lowerBound(timeMs: number): number {
    const { ints, int } = this;
    let from = ints[int + FIRST];
    let length = (ints[int + END] - from) | 0;
    while (length > 0) {
      const half = length >> 1;
      const middle = (from + half) | 0;
      if (this.timeOf(middle) < timeMs) {
        from = (middle + 1) | 0;
        length -= half + 1;
      } else length = half;
    }
    return from;
  }
}
