// The dense layer as WebAssembly: outputs = activation(inputs × kernel + bias), four rows and eight units at a time.
//
// Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (ACM TOMS 34, 2008): the inner loop keeps a
// tile of sums in registers, 4 rows × 2 vectors here, so that each load of a weight serves four rows and each load of an
// input eight units, and the sixteen registers of x86-64 are not exceeded. Every sum starts at its bias and adds one
// product after another in the order of the inputs, whatever the batch: a row alone has the bits it has among others.

import {
  countDown,
  F32X4_ADD,
  F32X4_MUL,
  F32X4_PMAX,
  get,
  i32Const,
  increase,
  load32Splat,
  load128,
  set,
  splatConst,
  store128,
  type WasmFunction,
} from '../../wasm-module.ts';
import { LEAKY_SLOPE } from '../activations.ts';

export const TILE_ROWS = 4;
export const LANES = 4;
export const BYTES = 4;
const UNROLLED = 4;

/** Activations that the kernel applies itself; others are applied to what it has stored. */
export type FusedActivation = 'linear' | 'relu' | 'leaky-relu';

export interface DenseShape {
  readonly inputs: number;
  readonly units: number;
  readonly activation: FusedActivation;
  /** Byte addresses. Rows are contiguous: `inputStride` and `outputStride` numbers apart. */
  readonly input: number;
  readonly inputStride: number;
  readonly output: number;
  readonly outputStride: number;
  readonly kernel: number;
  readonly bias: number;
}

/** Units rounded up to whole vectors. */
export function paddedUnits(units: number): number {
  return Math.ceil(units / LANES) * LANES;
}

/** Vectors of each panel, in order: pairs, and a single one at the end where the number is odd. */
function panelsOf(units: number): { readonly pairs: number; readonly single: boolean } {
  const vectors = paddedUnits(units) / LANES;
  return { pairs: vectors >> 1, single: vectors % 2 === 1 };
}

/** Vectors of a panel; the last panel of a layer may have fewer. */
const PANEL_VECTORS = 2;

/** The kernel in the order in which it is read: panel by panel, input by input; padded units have weight 0. */
export function packKernel(
  kernel: Float32Array,
  inputs: number,
  units: number,
  panelVectors = PANEL_VECTORS,
): Float32Array {
  const padded = paddedUnits(units);
  const packed = new Float32Array(inputs * padded);
  let at = 0;
  for (let first = 0; first < padded; ) {
    const width = Math.min(padded - first, panelVectors * LANES);
    for (let input = 0; input < inputs; input++) {
      for (let unit = first; unit < first + width; unit++)
        packed[at++] = unit < units ? kernel[input * units + unit] : 0;
    }
    first += width;
  }
  return packed;
}

// Locals of the function.
const TILES = 0;
const [X, Y, W, K, ROWS, PANELS, PANEL_W, PANEL_BIAS, PANEL_Y] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const FIRST_VECTOR = 10;
const sum = (row: number, vector: number) => FIRST_VECTOR + row * 2 + vector;
const weight = (vector: number) => FIRST_VECTOR + TILE_ROWS * 2 + vector;
const SPLAT = FIRST_VECTOR + TILE_ROWS * 2 + 2;

/** Its one parameter is the number of tiles of four rows, at least 1. */
export function denseFunction(name: string, shape: DenseShape): WasmFunction {
  const { pairs, single } = panelsOf(shape.units);
  const pairBytes = pairs * 2 * LANES * BYTES;
  return {
    name,
    parameters: 1,
    i32Locals: FIRST_VECTOR - 1,
    v128Locals: TILE_ROWS * 2 + 3,
    body: [...(pairs > 0 ? panels(shape, 2, pairs, 0) : []), ...(single ? panels(shape, 1, 1, pairBytes) : [])],
  };
}

/** @param firstBytes where the first panel's units begin, in bytes within a row of outputs */
function panels(shape: DenseShape, vectors: number, count: number, firstBytes: number): number[] {
  const width = vectors * LANES * BYTES;
  const assign = (local: number, value: number) => [...i32Const(value), ...set(local)];
  return [
    ...assign(PANELS, count),
    ...assign(PANEL_W, shape.kernel + firstBytes * shape.inputs),
    ...assign(PANEL_BIAS, shape.bias + firstBytes),
    ...assign(PANEL_Y, shape.output + firstBytes),
    ...countDown(PANELS, [
      ...assign(X, shape.input),
      ...get(PANEL_Y),
      ...set(Y),
      ...get(TILES),
      ...set(ROWS),
      ...countDown(ROWS, tile(shape, vectors)),
      ...increase(PANEL_W, shape.inputs * width),
      ...increase(PANEL_BIAS, width),
      ...increase(PANEL_Y, width),
    ]),
  ];
}

function tile(shape: DenseShape, vectors: number): number[] {
  const { inputs, inputStride, outputStride, activation } = shape;
  const rounds = Math.floor(inputs / UNROLLED);
  const rest = inputs % UNROLLED;
  const width = vectors * LANES * BYTES;
  const body: number[] = [];
  for (let row = 0; row < TILE_ROWS; row++) {
    for (let vector = 0; vector < vectors; vector++) {
      body.push(...load128(PANEL_BIAS, vector * LANES * BYTES), ...set(sum(row, vector)));
    }
  }
  body.push(...get(PANEL_W), ...set(W));
  if (rounds > 0) {
    body.push(...i32Const(rounds), ...set(K));
    body.push(...countDown(K, products(UNROLLED)));
  }
  body.push(...products(rest));
  for (let row = 0; row < TILE_ROWS; row++) {
    for (let vector = 0; vector < vectors; vector++) {
      const address = row * outputStride * BYTES + vector * LANES * BYTES;
      body.push(...get(Y), ...activated(activation, sum(row, vector)), ...store128(address));
    }
  }
  body.push(...increase(X, (TILE_ROWS * inputStride - inputs) * BYTES));
  body.push(...increase(Y, TILE_ROWS * outputStride * BYTES));
  return body;

  function products(count: number): number[] {
    if (count === 0) return [];
    const code: number[] = [];
    for (let step = 0; step < count; step++) {
      for (let vector = 0; vector < vectors; vector++) {
        code.push(...load128(W, step * width + vector * LANES * BYTES), ...set(weight(vector)));
      }
      for (let row = 0; row < TILE_ROWS; row++) {
        code.push(...load32Splat(X, (row * inputStride + step) * BYTES), ...set(SPLAT));
        for (let vector = 0; vector < vectors; vector++) {
          code.push(...get(sum(row, vector)), ...get(SPLAT), ...get(weight(vector)));
          code.push(...F32X4_MUL, ...F32X4_ADD, ...set(sum(row, vector)));
        }
      }
    }
    code.push(...increase(W, count * width), ...increase(X, count * BYTES));
    return code;
  }
}

/** What a local holds, activated. */
export function activated(activation: FusedActivation, local: number): number[] {
  switch (activation) {
    case 'linear':
      return get(local);
    case 'relu':
      return [...splatConst(0), ...get(local), ...F32X4_PMAX];
    case 'leaky-relu':
      return [...get(local), ...splatConst(LEAKY_SLOPE), ...F32X4_MUL, ...get(local), ...F32X4_PMAX];
  }
}
