// Mean and spread from exact integer sums: nothing drifts, and equal amounts have a spread of exactly zero.
//
// A square is kept as q·2^32 + r with 0 ≤ r < 2^33, both integers. Sums of q and r stay exact in float64 while the sum
// of squares is under 2^85 and a ring has at most 2^20 events. The variance n·Σa² − (Σa)² is formed with error-free
// products (Dekker, "A floating-point technique for extending the available precision", Numer. Math. 18, 1971).

/** Amounts beyond this count as this in the spread: their square would no longer be exact (S/ 43,980 million). */
export const SQUARE_LIMIT = 2 ** 42;

const SPLITTER = 134217729;

/** High part q of a²: a² = q·2^32 + r. */
export function squareHigh(amount: number): number {
  const a = Math.min(Math.abs(amount), SQUARE_LIMIT);
  const h = Math.floor(a / 65536);
  return h * h + Math.floor((2 * h * (a - h * 65536)) / 65536);
}

/** Low part r of a². */
export function squareLow(amount: number): number {
  const a = Math.min(Math.abs(amount), SQUARE_LIMIT);
  const h = Math.floor(a / 65536);
  const l = a - h * 65536;
  const middle = 2 * h * l;
  return (middle - Math.floor(middle / 65536) * 65536) * 65536 + l * l;
}

function productError(a: number, b: number, product: number): number {
  const ca = SPLITTER * a;
  const ah = ca - (ca - a);
  const al = a - ah;
  const cb = SPLITTER * b;
  const bh = cb - (cb - b);
  const bl = b - bh;
  return al * bl - (product - ah * bh - al * bh - ah * bl);
}

/**
 * n·Σa² − (Σa)², rounded once or twice at the end.
 * @param sum Σa @param high Σq @param low Σr
 */
function scaledVariance(events: number, sum: number, high: number, low: number): number {
  const high1 = events * high;
  const p1 = high1 * 4294967296;
  const e1 = productError(events, high, high1) * 4294967296;
  const p2 = events * low;
  const e2 = productError(events, low, p2);
  const p3 = sum * sum;
  const e3 = productError(sum, sum, p3);
  const s = p1 - p3;
  const t = s - p1;
  const se = p1 - (s - t) + (-p3 - t);
  const u = s + p2;
  const v = u - s;
  const ue = s - (u - v) + (p2 - v);
  return u + (ue + (se + (e1 - e3 + e2)));
}

/** Sample standard deviation (divisor n − 1); NaN for fewer than two events. */
export function sampleDeviation(events: number, sum: number, high: number, low: number): number {
  if (events < 2) return Number.NaN;
  return Math.sqrt(Math.max(0, scaledVariance(events, sum, high, low)) / (events * (events - 1)));
}
