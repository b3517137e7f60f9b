// The dense layer behind a ReLU as WebAssembly: inputs that are 0, half of them and more, cost nothing.
//
// For each row the positive inputs are listed once, and only their weights are multiplied. A product with 0 adds nothing to
// a sum, so what is left is the same sum in the same order: the bits are those of the kernel that multiplies everything
// (weights are finite; a bias of −0 is stored as +0, which such an addition would have made of it).

import {
  countDown,
  F32X4_ADD,
  F32X4_MUL,
  get,
  I32_ADD,
  I32_GREATER,
  I32_MUL,
  I32_SHL,
  i32Const,
  increase,
  least,
  load32Splat,
  load128,
  loadI32,
  STORE_I32,
  set,
  store128,
  type WasmFunction,
  whileAbove0,
  whileBelow,
} from '../../wasm-module.ts';
import { activated, BYTES, type DenseShape, LANES, paddedUnits } from './dense-kernel.ts';

/** Sums that stay in registers: 32 units. */
export const AFTER_RELU_PANEL_VECTORS = 8;
/** Narrower layers are faster by tiles of four rows. */
const FEWEST_UNITS = 32;

/** Rows that share a panel's weights while these are in the nearest cache. */
const GROUP_ROWS = 8;

export interface AfterReluShape extends DenseShape {
  /** Byte address of the room that `listNumbers` counts. */
  readonly list: number;
}

export function suitsAfterRelu({ units }: { readonly units: number }): boolean {
  return units >= FEWEST_UNITS;
}

/** Room for a group's lists of positive inputs and, before them, their ends; in numbers of four bytes. */
export function listNumbers(inputs: number): number {
  return GROUP_ROWS * (inputs + 1);
}

const ROWS = 0;
const [GROUP, LEFT, X, Y, ROW_X, ROW_Y, ROW_LIST, ROW_END, LIST, END, OFFSET, W] = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
];
const FIRST_VECTOR = 13;
const sum = (vector: number) => FIRST_VECTOR + vector;
const SPLAT = FIRST_VECTOR + AFTER_RELU_PANEL_VECTORS;

/** Its one parameter is the number of rows, at least 1. */
export function afterReluFunction(name: string, shape: AfterReluShape): WasmFunction {
  return {
    name,
    parameters: 1,
    i32Locals: FIRST_VECTOR - 1,
    v128Locals: AFTER_RELU_PANEL_VECTORS + 1,
    body: [
      ...i32Const(shape.input),
      ...set(X),
      ...i32Const(shape.output),
      ...set(Y),
      ...whileAbove0(ROWS, [
        ...least(ROWS, GROUP_ROWS, GROUP),
        ...eachRow(shape, [
          ...get(ROW_LIST),
          ...set(END),
          ...listPositive(shape.inputs),
          ...get(ROW_END),
          ...get(END),
          ...STORE_I32,
        ]),
        ...panels(shape),
        ...increase(X, GROUP_ROWS * shape.inputStride * BYTES),
        ...increase(Y, GROUP_ROWS * shape.outputStride * BYTES),
        ...increase(ROWS, -GROUP_ROWS),
      ]),
    ],
  };
}

/** The body for each row of the group, with the row's addresses. */
function eachRow(shape: AfterReluShape, body: readonly number[]): number[] {
  const lists = shape.list + GROUP_ROWS * BYTES;
  return [
    ...[...get(GROUP), ...set(LEFT), ...get(X), ...set(ROW_X), ...get(Y), ...set(ROW_Y)],
    ...[...i32Const(shape.list), ...set(ROW_END), ...i32Const(lists), ...set(ROW_LIST)],
    ...countDown(LEFT, [
      ...body,
      ...increase(ROW_X, shape.inputStride * BYTES),
      ...increase(ROW_Y, shape.outputStride * BYTES),
      ...increase(ROW_END, BYTES),
      ...increase(ROW_LIST, shape.inputs * BYTES),
    ]),
  ];
}

/** Every offset is written, and the end moves on where the number is above 0: read as an integer, a float has the same sign. */
function listPositive(inputs: number): number[] {
  return Array.from({ length: inputs }, (_, input) => [
    ...get(END),
    ...i32Const(input * BYTES),
    ...STORE_I32,
    ...get(END),
    ...loadI32(ROW_X, input * BYTES),
    ...i32Const(0),
    ...I32_GREATER,
    ...i32Const(2),
    ...I32_SHL,
    ...I32_ADD,
    ...set(END),
  ]).flat();
}

function panels(shape: AfterReluShape): number[] {
  const code: number[] = [];
  const padded = paddedUnits(shape.units);
  const step = AFTER_RELU_PANEL_VECTORS * LANES;
  for (let first = 0; first < padded; first += step) {
    const vectors = Math.min(AFTER_RELU_PANEL_VECTORS, (padded - first) / LANES);
    code.push(...panel(shape, first, vectors));
  }
  return code;
}

function panel(shape: AfterReluShape, firstUnit: number, vectors: number): number[] {
  const vectorBytes = LANES * BYTES;
  const product: number[] = [
    ...[...loadI32(LIST, 0), ...set(OFFSET)],
    // An input's weights are `vectors` whole vectors, so they lie `vectors × LANES` times as far apart as the inputs.
    ...[...get(OFFSET), ...i32Const(vectors * LANES), ...I32_MUL],
    ...[...i32Const(shape.kernel + firstUnit * shape.inputs * BYTES), ...I32_ADD, ...set(W)],
    ...[...get(ROW_X), ...get(OFFSET), ...I32_ADD, ...set(OFFSET)],
    ...[...load32Splat(OFFSET, 0), ...set(SPLAT)],
  ];
  const start: number[] = [...i32Const(shape.bias + firstUnit * BYTES), ...set(W)];
  const end: number[] = [];
  for (let vector = 0; vector < vectors; vector++) {
    start.push(...load128(W, vector * vectorBytes), ...set(sum(vector)));
    product.push(...get(sum(vector)), ...get(SPLAT), ...load128(W, vector * vectorBytes));
    product.push(...F32X4_MUL, ...F32X4_ADD, ...set(sum(vector)));
    end.push(...get(ROW_Y), ...activated(shape.activation, sum(vector)));
    end.push(...store128((firstUnit + vector * LANES) * BYTES));
  }
  return eachRow(shape, [
    ...start,
    ...[...get(ROW_LIST), ...set(LIST), ...loadI32(ROW_END, 0), ...set(END)],
    ...whileBelow(LIST, END, [...product, ...increase(LIST, BYTES)]),
    ...end,
  ]);
}
