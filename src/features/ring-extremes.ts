// Greatest and least amount of any run of events in a ring, without a structure per window.
//
// Rings of up to 64 events are looked through. Larger ones keep the extremes of every 64 and every 4096 elements, so a
// run of 2^20 events costs at most a few hundred steps, whatever the order of the amounts; and any run can be asked for,
// so a late event in the middle needs nothing special. Blocks hold only events that pass the plan's one filter.
import type { EntityCursor } from './entity-cursor.ts';
import { BLOCK_BITS } from './ring-slab.ts';

const SCANNED_CLASS = 6;
const SMALL = BLOCK_BITS[0];
const LARGE = BLOCK_BITS[1];
const SMALL_MASK = (1 << SMALL) - 1;
const LARGE_MASK = (1 << LARGE) - 1;

/** Brings the blocks up to date after the events `from … to` (sequence numbers) were written or moved. */
export function refreshBlocks(cursor: EntityCursor, from: number, to: number): void {
  if (cursor.ringClass <= SCANNED_CLASS || from === to) return;
  const last = (to - 1) | 0;
  // In-order events complete a block with their last element; until then the block is never read.
  if (from === last) {
    if ((from & SMALL_MASK) === SMALL_MASK) refreshSmall(cursor, (from & cursor.mask) >>> SMALL);
    if ((from & LARGE_MASK) === LARGE_MASK) refreshLarge(cursor, (from & cursor.mask) >>> LARGE);
    return;
  }
  for (let s = from & ~SMALL_MASK; ((last - s) | 0) >= 0; s = (s + SMALL_MASK + 1) | 0) {
    refreshSmall(cursor, (s & cursor.mask) >>> SMALL);
  }
  for (let s = from & ~LARGE_MASK; ((last - s) | 0) >= 0; s = (s + LARGE_MASK + 1) | 0) {
    refreshLarge(cursor, (s & cursor.mask) >>> LARGE);
  }
}

function refreshSmall(cursor: EntityCursor, block: number): void {
  const { amounts, flags, slab, chunk } = cursor;
  const filter = cursor.plan.extremeFlag;
  const from = cursor.base + (block << SMALL);
  let max = Number.NEGATIVE_INFINITY;
  let min = Number.POSITIVE_INFINITY;
  for (let at = from; at <= from + SMALL_MASK; at++) {
    if ((flags[at] & filter) === 0) continue;
    if (amounts[at] > max) max = amounts[at];
    if (amounts[at] < min) min = amounts[at];
  }
  slab.maxima[0][chunk][from >>> SMALL] = max;
  slab.minima[0][chunk][from >>> SMALL] = min;
}

function refreshLarge(cursor: EntityCursor, block: number): void {
  if (cursor.ringClass < LARGE) return;
  const { slab, chunk } = cursor;
  const at = (cursor.base >>> LARGE) + block;
  const maxima = slab.maxima[0][chunk];
  const minima = slab.minima[0][chunk];
  let max = Number.NEGATIVE_INFINITY;
  let min = Number.POSITIVE_INFINITY;
  const first = at << (LARGE - SMALL);
  for (let small = first; small < first + (1 << (LARGE - SMALL)); small++) {
    if (maxima[small] > max) max = maxima[small];
    if (minima[small] < min) min = minima[small];
  }
  slab.maxima[1][chunk][at] = max;
  slab.minima[1][chunk][at] = min;
}

/** Greatest amount that passes the plan's filter among the events `from … to`; −Infinity for none. */
export function greatest(cursor: EntityCursor, from: number, to: number): number {
  return extreme(cursor, from, to, 1);
}

/** Least amount that passes the plan's filter among the events `from … to`; +Infinity for none. */
export function least(cursor: EntityCursor, from: number, to: number): number {
  return -extreme(cursor, from, to, -1);
}

/** Greatest of `sign × amount`. */
function extreme(cursor: EntityCursor, from: number, to: number, sign: 1 | -1): number {
  const { amounts, flags, base, mask, ringClass, slab, chunk } = cursor;
  const filter = cursor.plan.extremeFlag;
  const blocks = sign === 1 ? slab.maxima : slab.minima;
  const useSmall = ringClass > SCANNED_CLASS;
  const useLarge = ringClass >= LARGE;
  let best = Number.NEGATIVE_INFINITY;
  let s = from;
  while (s !== to) {
    const left = (to - s) | 0;
    const at = base + (s & mask);
    if (useLarge && (s & LARGE_MASK) === 0 && left > LARGE_MASK) {
      best = Math.max(best, sign * blocks[1][chunk][at >>> LARGE]);
      s = (s + LARGE_MASK + 1) | 0;
    } else if (useSmall && (s & SMALL_MASK) === 0 && left > SMALL_MASK) {
      best = Math.max(best, sign * blocks[0][chunk][at >>> SMALL]);
      s = (s + SMALL_MASK + 1) | 0;
    } else {
      if ((flags[at] & filter) !== 0 && sign * amounts[at] > best) best = sign * amounts[at];
      s = (s + 1) | 0;
    }
  }
  return best;
}
