// Rows with some of their values swapped for those of other rows: what a denoising autoencoder learns from.
//
// To give the true value back the network must infer it from the others, and cannot learn to let any value pass (Vincent
// and others, "Extracting and Composing Robust Features with Denoising Autoencoders", ICML 2008). A swapped value is one
// that its feature really takes, whatever its distribution, a category's code as well.
import type { Prng } from '../../lib/prng.ts';
import type { Matrix } from '../matrix.ts';

/** 16 random bits decide on one value. */
const WORD_PARTS = 65_536;

/** @param share of the values that are swapped, in [0, 1) @param rows two or more */
export function swapValues({ rows, columns, values }: Matrix, share: number, prng: Prng): Matrix {
  // Each column takes from the rows one distance away, so that memory is walked through in order.
  const distances = Uint32Array.from({ length: columns }, () => 1 + prng.nextBelow(rows - 1));
  const threshold = Math.round(share * WORD_PARTS);
  const swapped = values.slice();
  let bits = 0;
  for (let at = 0, row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      if (at % 2 === 0) bits = prng.nextUint32();
      else bits >>>= 16;
      if ((bits & 65_535) >= threshold) continue;
      const other = row + distances[column];
      swapped[at] = values[(other < rows ? other : other - rows) * columns + column];
    }
  }
  return { rows, columns, values: swapped };
}
