// The running windows of an entity: exact counters that follow the windows forward and back in time.
//
// The windows of an entity stand at a time (`position`). Moving that time forward lets events enter at the head and
// leave at the tail; moving it back undoes exactly that, because all counters are integers. A late event is therefore
// folded by moving the windows back to its time, inserting it in order, and letting the next event move them forward.
// Ages are measured from the entity's newest event modulo 2^32 ms, so the horizon must stay below 49 days.
import { DistinctCounts } from './distinct-counts.ts';
import { EntityCursor } from './entity-cursor.ts';
import type { FoldEvent } from './event.ts';
import { squareHigh, squareLow } from './exact-moments.ts';
import { END, FIRST, HEADS, type KindPlan, NEWEST_MS, POSITION_MS } from './plan.ts';

/** How a window counts distinct values: it is looked through, or beyond so many events a table counts each value. */
const SCANNED = 0;
const TABULATED = 1;
const SCANNED_EVENTS = 64;
/** A window that has shrunk to so many events is looked through again. */
const TABULATED_EVENTS = 16;

export class EntityWindows extends EntityCursor {
  readonly counts: DistinctCounts = new DistinctCounts();
  protected readonly event: FoldEvent;
  readonly #hasDistinct: boolean;
  /** Per distinct column, how far back the event being inserted has been looked for, and where it was found. */
  readonly #searchedTo: Int32Array;
  readonly #foundAt: Int32Array;
  readonly #found: Uint8Array;

  constructor(plan: KindPlan, maxClass: number, event: FoldEvent) {
    super(plan, maxClass);
    this.event = event;
    this.#hasDistinct = plan.distinctFields.length > 0;
    this.#searchedTo = new Int32Array(plan.distinctFields.length);
    this.#foundAt = new Int32Array(plan.distinctFields.length);
    this.#found = new Uint8Array(plan.distinctFields.length);
  }

  /** Moves the windows of the open entity to stand at a time. */
  position(timeMs: number): void {
    const position = this.float + POSITION_MS;
    const from = this.floats[position];
    if (timeMs === from) return;
    this.floats[position] = timeMs;
    if (this.ringClass < 0) return;
    if (timeMs > from) this.#forward(timeMs);
    else this.#back(timeMs);
  }

  #forward(timeMs: number): void {
    const { plan, ints, int, times, base, mask } = this;
    const newest = this.floats[this.float + NEWEST_MS];
    const newestLow = newest | 0;
    const gap = timeMs - newest;
    const end = ints[int + END];
    for (let lane = 0; lane < plan.lanes; lane++) {
      const from = plan.laneStart[lane];
      const to = plan.laneStart[lane + 1];
      const visible = plan.laneDelayMs[lane] - gap;
      let head = ints[int + HEADS + lane];
      while (head !== end && (newestLow - times[base + (head & mask)]) >>> 0 >= visible) {
        for (let w = from; w < to; w++) this.#enter(w, head, 1);
        head = (head + 1) | 0;
      }
      ints[int + HEADS + lane] = head;
      for (let w = from; w < to; w++) {
        const gone = plan.windowSpanMs[w] - gap;
        const tailAt = int + plan.tails + w;
        let tail = ints[tailAt];
        while (tail !== head && (newestLow - times[base + (tail & mask)]) >>> 0 >= gone) {
          this.leave(w, tail, head, -1);
          tail = (tail + 1) | 0;
        }
        ints[tailAt] = tail;
      }
    }
  }

  #back(timeMs: number): void {
    const { plan, ints, int, times, base, mask } = this;
    const newest = this.floats[this.float + NEWEST_MS];
    const newestLow = newest | 0;
    const gap = timeMs - newest;
    const first = ints[int + FIRST];
    for (let lane = 0; lane < plan.lanes; lane++) {
      const from = plan.laneStart[lane];
      const to = plan.laneStart[lane + 1];
      let head = ints[int + HEADS + lane];
      for (let w = from; w < to; w++) {
        const gone = plan.windowSpanMs[w] - gap;
        const tailAt = int + plan.tails + w;
        let tail = ints[tailAt];
        while (tail !== first && (newestLow - times[base + ((tail - 1) & mask)]) >>> 0 < gone) {
          tail = (tail - 1) | 0;
          this.leave(w, tail, head, 1);
        }
        ints[tailAt] = tail;
      }
      const visible = plan.laneDelayMs[lane] - gap;
      while (head !== first && (newestLow - times[base + ((head - 1) & mask)]) >>> 0 < visible) {
        head = (head - 1) | 0;
        for (let w = from; w < to; w++) this.#enter(w, head, -1);
      }
      ints[int + HEADS + lane] = head;
    }
  }

  /** Counts an event in (sign 1) or out (−1) at the head of a window; its tail is before or at the event. */
  #enter(window: number, sequence: number, sign: number): void {
    this.count(window, sequence, sign, this.plan.hours[window] >= 0 ? this.event.hourAt(this.timeOf(sequence)) : 0);
    if (this.#hasDistinct) {
      this.#countDistinct(window, sequence, this.ints[this.int + this.plan.tails + window], sequence, sign, false);
    }
  }

  /** Counts an event out (sign −1) or in again (1) at the tail of a window; `head` is one past the window's last. */
  protected leave(window: number, sequence: number, head: number, sign: number): void {
    this.count(window, sequence, sign, this.plan.hours[window] >= 0 ? this.event.hourAt(this.timeOf(sequence)) : 0);
    if (this.#hasDistinct) this.#countDistinct(window, sequence, (sequence + 1) | 0, head, sign, false);
  }

  protected count(window: number, sequence: number, sign: number, hour: number): void {
    const { plan, ints, int } = this;
    const at = this.base + (sequence & this.mask);
    const flags = this.flags[at];
    const { counts, sums, squares } = plan;
    for (let i = counts.start[window]; i < counts.start[window + 1]; i++) {
      if ((flags & counts.what[i]) !== 0) ints[int + counts.offset[i]] += sign;
    }
    const hours = plan.hours[window];
    if (hours >= 0) ints[int + hours + hour] += sign;
    const sumEnd = sums.start[window + 1];
    let i = sums.start[window];
    if (i === sumEnd) return;
    const { floats, float } = this;
    const amount = this.amounts[at];
    for (; i < sumEnd; i++) {
      if ((flags & sums.what[i]) !== 0) floats[float + sums.offset[i]] += sign * amount;
    }
    const squareEnd = squares.start[window + 1];
    i = squares.start[window];
    if (i === squareEnd) return;
    const high = sign * squareHigh(amount);
    const low = sign * squareLow(amount);
    for (; i < squareEnd; i++) {
      if ((flags & squares.what[i]) === 0) continue;
      floats[float + squares.offset[i]] += high;
      floats[float + squares.offset[i] + 1] += low;
    }
  }

  /** Adjusts the distinct counts of a window whose other events are `from … to`. */
  #countDistinct(window: number, sequence: number, from: number, to: number, sign: number, own: boolean): void {
    const { distinct } = this.plan;
    for (let i = distinct.start[window]; i < distinct.start[window + 1]; i++) {
      const values = this.columns[distinct.what[i]];
      const value = values[this.base + (sequence & this.mask)];
      const counter = this.int + distinct.offset[i];
      const others = (to - from) | 0;
      if (this.ints[counter + 1] === SCANNED) {
        if (others <= SCANNED_EVENTS || sign < 0) {
          if (value === 0) continue;
          const occurs = own
            ? this.#occurredBefore(distinct.what[i], value, from)
            : this.#occurs(values, value, sequence, from, to);
          if (!occurs) this.ints[counter] += sign;
          continue;
        }
        this.#tabulate(i, values, from, to, 1);
        this.ints[counter + 1] = TABULATED;
      }
      if (value !== 0) this.#countInTable(i, counter, value | 0, sign);
      if (sign < 0 && others <= TABULATED_EVENTS) {
        this.#tabulate(i, values, from, to, -1);
        this.ints[counter + 1] = SCANNED;
      }
    }
  }

  #countInTable(i: number, counter: number, value: number, sign: number): void {
    if (sign > 0) {
      if (this.counts.add(this.slot, i, value) === 1) this.ints[counter]++;
    } else if (this.counts.remove(this.slot, i, value) === 0) this.ints[counter]--;
  }

  /** Enters the values of events into the table (sign 1) or takes them out (−1). */
  #tabulate(i: number, values: Uint32Array, from: number, to: number, sign: number): void {
    for (let s = from; s !== to; s = (s + 1) | 0) {
      const value = values[this.base + (s & this.mask)] | 0;
      if (value === 0) continue;
      if (sign > 0) this.counts.add(this.slot, i, value);
      else this.counts.remove(this.slot, i, value);
    }
  }

  /** Whether a value occurs in `from … to`, nearest to `sequence` first. */
  #occurs(values: Uint32Array, value: number, sequence: number, from: number, to: number): boolean {
    const { base, mask } = this;
    if (from === sequence || from === ((sequence + 1) | 0)) {
      for (let s = from; s !== to; s = (s + 1) | 0) if (values[base + (s & mask)] === value) return true;
      return false;
    }
    for (let s = to; s !== from; ) {
      s = (s - 1) | 0;
      if (values[base + (s & mask)] === value) return true;
    }
    return false;
  }

  /** Begins the insertion of an event: nothing has been looked for yet. */
  protected beginOwn(sequence: number): void {
    this.#searchedTo.fill(sequence);
    this.#found.fill(0);
  }

  /** Whether the inserted event's value occurs from `from` on; windows are nested, so none is searched twice. */
  #occurredBefore(column: number, value: number, from: number): boolean {
    if (this.#found[column] === 1) return ((this.#foundAt[column] - from) | 0) >= 0;
    const { base, mask } = this;
    const values = this.columns[column];
    let s = this.#searchedTo[column];
    while (((s - from) | 0) > 0) {
      s = (s - 1) | 0;
      if (values[base + (s & mask)] === value) {
        this.#found[column] = 1;
        this.#foundAt[column] = s;
        return true;
      }
    }
    this.#searchedTo[column] = s;
    return false;
  }

  /** The event itself: its hour is at hand, and its age may not be measurable (an event that is not kept). */
  protected enterOwn(window: number, sequence: number, sign: number): void {
    this.count(window, sequence, sign, this.event.hour);
    if (this.#hasDistinct) {
      this.#countDistinct(window, sequence, this.ints[this.int + this.plan.tails + window], sequence, sign, true);
    }
  }

  /** Corrects a window's counters for an event inside it whose label bits change. */
  protected relabel(window: number, before: number, after: number): void {
    const { counts } = this.plan;
    for (let i = counts.start[window]; i < counts.start[window + 1]; i++) {
      const what = counts.what[i];
      if ((before & what) !== 0) this.ints[this.int + counts.offset[i]]--;
      if ((after & what) !== 0) this.ints[this.int + counts.offset[i]]++;
    }
  }

  /** Takes the open entity's distinct counts out of the table. */
  protected forgetCounts(): void {
    const { plan, ints, int } = this;
    for (let w = 0; w < plan.windows; w++) {
      const tail = ints[int + plan.tails + w];
      const head = ints[int + HEADS + plan.windowLane[w]];
      for (let i = plan.distinct.start[w]; i < plan.distinct.start[w + 1]; i++) {
        if (ints[int + plan.distinct.offset[i] + 1] === SCANNED) continue;
        this.#tabulate(i, this.columns[plan.distinct.what[i]], tail, head, -1);
      }
    }
  }

  override memoryBytes(): number {
    return super.memoryBytes() + this.counts.memoryBytes();
  }
}
