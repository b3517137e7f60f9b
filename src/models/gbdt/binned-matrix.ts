// A feature matrix as small integers: each value is replaced by the number of its bin.
//
// Bins are stored by column, several columns to one 32-bit word (four of 8 bits, or two of 16 bits where a feature has
// more than 256 bins), because one load then serves several histograms. Finding the bin of a number by a table on the
// leading bits of the float costs a seventh of a binary search.
import type { Prng } from '../../lib/prng.ts';
import type { Matrix } from '../matrix.ts';
import { createEdgeScratch, findBinEdges } from './bin-edges.ts';
import { keyOfFloat, orderKey } from './float-order.ts';

/** Edges are found on a sample of at most so many rows. */
const EDGE_SAMPLE_ROWS = 200_000;
const TABLE_BITS = 14;
const ROW_BLOCK = 2048;
const NARROW_BINS = 256;

export interface BinnedFeature {
  /** Column in the matrix. */
  readonly column: number;
  /** Which of `words` holds it, and where in the word. */
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** First cell of this feature in a histogram. */
  readonly offset: number;
  /** Number of bins for numbers; the bin for missing values, if any, has this number. */
  readonly valueBins: number;
  readonly hasMissing: boolean;
  /** Upper ends of all value bins but the last. */
  readonly thresholds: Float32Array;
  /** Rows per bin, that of missing values last. */
  readonly counts: Uint32Array;
}

/** Four features of 8 bits or two of 16 bits. */
export interface BinnedWord {
  readonly wide: boolean;
  /** One word per row. */
  readonly bins: Uint32Array;
  /** Places in `features`; `offsets` has 4 or 2 histogram offsets, those of unused places point to a cell of their own. */
  readonly features: readonly number[];
  readonly offsets: readonly number[];
}

export interface BinnedMatrix {
  readonly rows: number;
  /** Features with more than one bin; one that is constant on the rows sampled for edges is left out. */
  readonly features: readonly BinnedFeature[];
  readonly words: readonly BinnedWord[];
  /** Cells of one histogram. */
  readonly cells: number;
}

/** @param maxBins bins per feature at most, the one for missing values included, 3 … 4096. */
export function binMatrix(matrix: Matrix, maxBins: number, prng: Prng): BinnedMatrix {
  const { rows, columns, values } = matrix;
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const sample = sampleRows(rows, prng);
  const scratch = createEdgeScratch(sample.length);
  const narrow: Column[] = [];
  const wide: Column[] = [];
  for (let column = 0; column < columns; column++) {
    const { thresholds, hasMissing } = findBinEdges(bits, column, columns, sample, maxBins - 1, scratch);
    if (thresholds.length === 0 && !hasMissing) continue;
    const counts = new Uint32Array(thresholds.length + 2);
    (counts.length > NARROW_BINS ? wide : narrow).push({ column, thresholds, counts });
  }
  const words = [...wordsOf(rows, narrow, false), ...wordsOf(rows, wide, true)];
  fillWords(words, bits, rows, columns);
  return layOut(rows, words);
}

interface Column {
  readonly column: number;
  readonly thresholds: Float32Array;
  readonly counts: Uint32Array;
}

interface Word {
  readonly wide: boolean;
  readonly bins: Uint32Array;
  readonly members: readonly Column[];
}

function sampleRows(rows: number, prng: Prng): Uint32Array {
  const taken = Math.min(rows, EDGE_SAMPLE_ROWS);
  const sample = new Uint32Array(taken);
  if (taken === rows) {
    for (let i = 0; i < rows; i++) sample[i] = i;
    return sample;
  }
  for (let i = 0; i < taken; i++) {
    const from = Math.floor((i * rows) / taken);
    const to = Math.floor(((i + 1) * rows) / taken);
    sample[i] = from + prng.nextBelow(to - from);
  }
  return sample;
}

function placesOf(wide: boolean): number {
  return wide ? 2 : 4;
}

function wordsOf(rows: number, columns: readonly Column[], wide: boolean): Word[] {
  const words: Word[] = [];
  for (let first = 0; first < columns.length; first += placesOf(wide)) {
    words.push({ wide, bins: new Uint32Array(rows), members: columns.slice(first, first + placesOf(wide)) });
  }
  return words;
}

/** Gives each feature its cells; only now is it known which columns have missing values. */
function layOut(rows: number, words: readonly Word[]): BinnedMatrix {
  const features: BinnedFeature[] = [];
  let cells = 0;
  const placed = words.map(({ wide, bins, members }, word) => {
    const first = features.length;
    members.forEach(({ column, thresholds, counts }, place) => {
      const valueBins = thresholds.length + 1;
      const hasMissing = counts[valueBins] > 0;
      const shift = (32 / placesOf(wide)) * place;
      const mask = wide ? 0xffff : 0xff;
      features.push({ column, word, shift, mask, offset: cells, valueBins, hasMissing, thresholds, counts });
      cells += valueBins + (hasMissing ? 1 : 0);
    });
    return { wide, bins, features: members.map((_, place) => first + place) };
  });
  return {
    rows,
    features,
    words: placed.map((word) => {
      // Unused places of a word always hold bin 0 and add to one last cell that nobody reads.
      const offsets = Array.from({ length: placesOf(word.wide) }, (_, place) =>
        place < word.features.length ? features[word.features[place]].offset : cells,
      );
      return { ...word, offsets };
    }),
    cells: cells + 1,
  };
}

function fillWords(words: readonly Word[], bits: Int32Array, rows: number, columns: number): void {
  const lookups = words.map(({ members }) => members.map(({ thresholds }) => createLookup(thresholds)));
  for (let from = 0; from < rows; from += ROW_BLOCK) {
    const to = Math.min(rows, from + ROW_BLOCK);
    words.forEach(({ wide, bins, members }, w) => {
      members.forEach((member, place) => {
        fillBlock(bins, (32 / placesOf(wide)) * place, member, lookups[w][place], bits, columns, from, to);
      });
    });
  }
}

/** For each value of a float's leading bits, the bins that numbers starting so can be in. */
interface Lookup {
  readonly keys: Uint32Array;
  readonly firstKey: number;
  readonly shift: number;
  /** `low[slot]` is the bin of the slot's smallest number; `low[slot + 1]` bounds its greatest. */
  readonly low: Uint16Array;
}

function createLookup(thresholds: Float32Array): Lookup {
  const keys = Uint32Array.from(thresholds, keyOfFloat);
  if (keys.length === 0) return { keys, firstKey: 0, shift: 31, low: new Uint16Array(3) };
  const firstKey = keys[0];
  const span = keys[keys.length - 1] - firstKey;
  const shift = Math.max(0, 32 - Math.clz32(span) - TABLE_BITS);
  const slots = (span >>> shift) + 1;
  const low = new Uint16Array(slots + 1);
  let bin = 0;
  for (let slot = 0; slot < slots; slot++) {
    const smallest = firstKey + slot * 2 ** shift;
    while (bin < keys.length && keys[bin] < smallest) bin++;
    low[slot] = bin;
  }
  low[slots] = keys.length;
  return { keys, firstKey, shift, low };
}

function fillBlock(
  words: Uint32Array,
  shift: number,
  { column, thresholds, counts }: Column,
  lookup: Lookup,
  bits: Int32Array,
  columns: number,
  from: number,
  to: number,
): void {
  const { keys, firstKey, shift: slotShift, low } = lookup;
  const lastKey = keys.length === 0 ? 0 : keys[keys.length - 1];
  const last = keys.length;
  let at = from * columns + column;
  for (let row = from; row < to; row++, at += columns) {
    const value = bits[at];
    let bin = 0;
    if ((value & 0x7fffffff) > 0x7f800000) {
      bin = thresholds.length + 1;
    } else {
      const key = orderKey(value);
      if (key > lastKey) bin = last;
      else if (key > firstKey) {
        const slot = (key - firstKey) >>> slotShift;
        bin = low[slot];
        let high = low[slot + 1];
        while (bin < high) {
          const middle = (bin + high) >>> 1;
          if (keys[middle] < key) bin = middle + 1;
          else high = middle;
        }
      }
    }
    counts[bin]++;
    words[row] |= bin << shift;
  }
}
