// Adds up the rarities of many rows: what `raritiesOf` gives, summed, at a tenth of the time.
//
// Ordinary residuals cost a comparison. For the others the place among the training rows' residuals is found by the leading
// bits of the number, as in a table of logarithms, and a step or two; its rarity is at hand. All rows go through one feature
// before the next, so that its tables stay in the nearest cache.
import { type ResidualTail, residualRarity } from './residual-rarity.ts';

/** Adds to each of the first `rows` sums what is rare in the row's residuals, which are rows × tails. */
export type AddRarities = (residuals: Float32Array, rows: number, sums: Float64Array) => void;

/** What is known of one feature beforehand. */
interface RarityTable {
  readonly column: number;
  readonly tail: ResidualTail;
  /** No residual up to this one is rare. */
  readonly ordinaryUpTo: number;
  /** By the place among the tail's residuals, and one for what is beyond them: the rarity above the ordinary ÷ scale. */
  readonly shares: Float64Array;
  /** By the leading bits, counted from `firstBits`: no residual with these has an earlier place. */
  readonly firstPlaces: Uint32Array;
  readonly firstBits: number;
}

/** Sign, exponent and four bits of the mantissa are looked up: 16 steps for each doubling. */
const DROPPED_BITS = 19;

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
  return (residuals, rows, sums) => {
    const bits = new Int32Array(residuals.buffer, residuals.byteOffset, residuals.length);
    for (const { column, tail, ordinaryUpTo, shares, firstPlaces, firstBits } of tables) {
      const known = tail.residuals;
      for (let row = 0, at = column; row < rows; row++, at += columns) {
        const residual = residuals[at];
        if (!(residual > ordinaryUpTo)) continue;
        const bucket = Math.max(0, (bits[at] >> DROPPED_BITS) - firstBits);
        let place = bucket < firstPlaces.length ? firstPlaces[bucket] : known.length;
        while (place < known.length && known[place] < residual) place++;
        if (place < known.length || tail.step === null) sums[row] += shares[place];
        else sums[row] += Math.max(0, residualRarity(tail, residual) - ordinary) / scale;
      }
    }
  };
}

function tableOf(tail: ResidualTail, column: number, ordinary: number, scale: number): RarityTable {
  const { residuals, rowsFrom, rows } = tail;
  const share = (count: number) => Math.max(0, Math.log((rows + 1) / (count + 1)) - ordinary) / scale;
  const shares = Float64Array.from({ length: residuals.length + 1 }, (_, place) => share(rowsFrom[place] ?? 0));
  const found = shares.findIndex((each) => each > 0);
  const firstRare = found < 0 ? residuals.length : found;
  const ordinaryUpTo = firstRare === 0 ? Number.NEGATIVE_INFINITY : residuals[firstRare - 1];
  return { column, tail, ordinaryUpTo, shares, ...placesByBits(residuals, firstRare) };
}

/** Rounding to float32 leaves numbers in their order, and a residual, being one, where it is. */
function placesByBits(residuals: Float64Array, firstRare: number): Pick<RarityTable, 'firstPlaces' | 'firstBits'> {
  if (firstRare === residuals.length) return { firstPlaces: Uint32Array.of(firstRare), firstBits: 0 };
  const firstBits = leadingBits(residuals[firstRare]);
  const count = leadingBits(residuals[residuals.length - 1]) - firstBits + 1;
  const firstPlaces = new Uint32Array(count);
  let place = firstRare;
  for (let bucket = 0; bucket < count; bucket++) {
    while (leadingBits(residuals[place]) < firstBits + bucket) place++;
    firstPlaces[bucket] = place;
  }
  return { firstPlaces, firstBits };
}

function leadingBits(value: number): number {
  oneFloat[0] = value;
  return Math.max(0, itsBits[0] >> DROPPED_BITS);
}
