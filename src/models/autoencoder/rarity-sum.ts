// Adds up the rarities of many rows: what `raritiesOf` gives, summed, at a tenth of the time.
//
// Ordinary residuals cost a comparison. For the others the place among the training rows' residuals is found by the leading
// bits of the number, as in a table of logarithms, and a step or two; its rarity is at hand. All rows go through one feature
// before the next, so that its tables stay in the nearest cache.
import { type ResidualTail, residualRarity } from './residual-rarity.ts';

/** Adds to each of the first `rows` sums what is rare in the row's residuals, which are rows × tails. */
export type AddRarities = (residuals: Float32Array, rows: number, sums: Float64Array) => void;

/** What is known of one feature beforehand. Numbers ≥ 0 are compared by their float32 bits, which are in the same order. */
interface RarityTable {
  readonly column: number;
  readonly tail: ResidualTail;
  /** No residual with these bits or lower ones is rare. */
  readonly ordinaryBits: number;
  /** By the place among the tail's residuals, and one for what is beyond them: the rarity above the ordinary ÷ scale. */
  readonly shares: Float64Array;
  /** The tail's residuals, and one that nothing reaches. */
  readonly knots: Int32Array;
  /** By the leading bits, counted from `firstBits`: no residual with these has an earlier place. The last is for all above. */
  readonly firstPlaces: Uint32Array;
  readonly firstBits: number;
}

/** Sign, exponent and six bits of the mantissa are looked up: 64 steps for each doubling, most of which hold one knot at most. */
const DROPPED_BITS = 17;
const INFINITY_BITS = 0x7f800000;
const BEYOND_BITS = 0x7fffffff;
/** Rows that are looked through for rare residuals before those are added. */
const BLOCK_ROWS = 256;

const oneFloat = new Float32Array(1);
const itsBits = new Int32Array(oneFloat.buffer);

/**
 * @param ordinary rarity that counts for nothing, ≥ 0
 * @param scale what each rarity is divided by, > 0
 * @returns adds in the order of the features, so that the sums have the bits of adding one by one
 */
export function createRaritySum(tails: readonly (ResidualTail | null)[], ordinary: number, scale: number): AddRarities {
  const columns = tails.length;
  const tables = tails.flatMap((tail, column) => (tail === null ? [] : [tableOf(tail, column, ordinary, scale)]));
  const rare = new Int32Array(BLOCK_ROWS + 1);
  const addOf = (
    { column, tail, ordinaryBits, shares, knots, firstPlaces, firstBits }: RarityTable,
    bits: Int32Array,
    firstRow: number,
    endRow: number,
    sums: Float64Array,
  ) => {
    // A third of the residuals are rare, at random: a branch on each would be mistaken as often. The sign of a difference is
    // none. What is negative, by rounding or as the bits of NaN, counts as 0.
    let count = 0;
    for (let row = firstRow, at = firstRow * columns + column; row < endRow; row++, at += columns) {
      rare[count] = row;
      const own = bits[at];
      count += (ordinaryBits - (own & ~(own >> 31))) >>> 31;
    }
    const lastBucket = firstPlaces.length - 1;
    for (let i = 0; i < count; i++) {
      const row = rare[i];
      const own = bits[row * columns + column];
      if (own < 0 || own > INFINITY_BITS) continue;
      const bucket = Math.min(lastBucket, Math.max(0, (own >> DROPPED_BITS) - firstBits));
      let place = firstPlaces[bucket];
      place += (knots[place] - own) >>> 31;
      while (knots[place] < own) place++;
      if (place < knots.length - 1 || tail.step === null) sums[row] += shares[place];
      else {
        itsBits[0] = own;
        sums[row] += Math.max(0, residualRarity(tail, oneFloat[0]) - ordinary) / scale;
      }
    }
  };
  return (residuals, rows, sums) => {
    const bits = new Int32Array(residuals.buffer, residuals.byteOffset, residuals.length);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const end = Math.min(rows, first + BLOCK_ROWS);
      for (const table of tables) addOf(table, bits, first, end, sums);
    }
  };
}

function tableOf(tail: ResidualTail, column: number, ordinary: number, scale: number): RarityTable {
  const { residuals, rowsFrom, rows } = tail;
  const share = (count: number) => Math.max(0, Math.log((rows + 1) / (count + 1)) - ordinary) / scale;
  const shares = Float64Array.from({ length: residuals.length + 1 }, (_, place) => share(rowsFrom[place] ?? 0));
  const found = shares.findIndex((each) => each > 0);
  const firstRare = found < 0 ? residuals.length : found;
  const knots = Int32Array.from(residuals, bitsBelow);
  const ordinaryBits = firstRare === 0 ? -1 : knots[firstRare - 1];
  const ends = Int32Array.of(...knots, BEYOND_BITS);
  return { column, tail, ordinaryBits, shares, knots: ends, ...placesByBits(knots, firstRare) };
}

function placesByBits(knots: Int32Array, firstRare: number): Pick<RarityTable, 'firstPlaces' | 'firstBits'> {
  if (firstRare === knots.length) return { firstPlaces: Uint32Array.of(firstRare), firstBits: 0 };
  const firstBits = knots[firstRare] >> DROPPED_BITS;
  const count = (knots[knots.length - 1] >> DROPPED_BITS) - firstBits + 1;
  const firstPlaces = new Uint32Array(count + 1);
  let place = firstRare;
  for (let bucket = 0; bucket < count; bucket++) {
    while (knots[place] >> DROPPED_BITS < firstBits + bucket) place++;
    firstPlaces[bucket] = place;
  }
  firstPlaces[count] = knots.length;
  return { firstPlaces, firstBits };
}

/** Of the greatest float32 that is not above the value, ≥ 0: a float32 is above the one where it is above the other. */
function bitsBelow(value: number): number {
  oneFloat[0] = value;
  const bits = Math.max(0, itsBits[0]);
  return oneFloat[0] > value ? bits - 1 : bits;
}
