// The cuts of bit vectors as WebAssembly: eight rows at a time (Lucchese and others, "Exploiting CPU SIMD extensions to speed-up
// document scoring with tree ensembles", SIGIR 2016).
//
// A cut's threshold is compared with the eight rows' values at once, and takes leaves away in the rows that are above it. A
// column's cuts are sorted, so that the first that no row is above ends them; an infinite one behind the last always does.
import {
  F32X4_GREATER,
  F32X4_NOT_EQUAL,
  get,
  i32Const,
  increase,
  load32Splat,
  load128,
  loadI32,
  set,
  store128,
  V128_AND,
  V128_AND_NOT,
  V128_ANY_TRUE,
  V128_OR,
  type WasmFunction,
  whileBelow,
  whileTrue,
} from '../wasm-module.ts';

/** Rows of a call: two vectors. */
export const KERNEL_ROWS = 8;
const VECTORS = [0, 1];
const VECTOR_BYTES = 16;
/** Of one column's values, or one tree's words, of all rows. */
export const GROUP_BYTES = VECTORS.length * VECTOR_BYTES;
/** Per column: the addresses of its cuts, of those of missing values and of their end. */
export const COLUMN_BYTES = 12;
/** Per cut: its threshold, the address of its tree's words, and the leaves on its left. */
export const CUT_BYTES = 12;
/** Per cut of missing values: as above, without the threshold. */
export const MISSING_CUT_BYTES = 8;

/** Byte addresses. */
export interface CutShape {
  /** Columns' values of eight rows. */
  readonly values: number;
  readonly columns: number;
  readonly columnsEnd: number;
}

const [COLUMN, COLUMNS_END, VALUES, CUT, MISSING_END, WORDS] = [0, 1, 2, 3, 4, 5];
const FIRST_VECTOR = 6;
const value = (vector: number) => FIRST_VECTOR + vector;
const above = (vector: number) => FIRST_VECTOR + 2 + vector;
const LEFT_LEAVES = FIRST_VECTOR + 4;

/** Takes away what the rows' values cut; without parameters. */
export function cutFunction(name: string, { values, columns, columnsEnd }: CutShape): WasmFunction {
  return {
    ...{ name, parameters: 0, i32Locals: FIRST_VECTOR, v128Locals: 5 },
    body: [
      ...[...i32Const(columns), ...set(COLUMN), ...i32Const(columnsEnd), ...set(COLUMNS_END)],
      ...[...i32Const(values), ...set(VALUES)],
      ...whileBelow(COLUMN, COLUMNS_END, [
        ...VECTORS.flatMap((vector) => [...load128(VALUES, vector * VECTOR_BYTES), ...set(value(vector))]),
        ...cutSorted(),
        ...cutMissing(),
        ...increase(COLUMN, COLUMN_BYTES),
        ...increase(VALUES, GROUP_BYTES),
      ]),
    ],
  };
}

function cutSorted(): number[] {
  return [
    ...loadI32(COLUMN, 0),
    ...set(CUT),
    ...whileTrue(
      [...VECTORS.flatMap((vector) => compare(vector, load32Splat(CUT, 0), F32X4_GREATER)), ...anyAbove()],
      [...takeLeaves(4), ...increase(CUT, CUT_BYTES)],
    ),
  ];
}

function cutMissing(): number[] {
  return [
    ...[...loadI32(COLUMN, 4), ...set(CUT), ...loadI32(COLUMN, 8), ...set(MISSING_END)],
    // What is not equal to itself is missing.
    ...VECTORS.flatMap((vector) => compare(vector, get(value(vector)), F32X4_NOT_EQUAL)),
    ...[...get(CUT), ...get(MISSING_END), ...anyAbove()],
    // Nothing to do where no row misses the value.
    ...[0x1b, ...set(CUT)],
    ...whileBelow(CUT, MISSING_END, [...takeLeaves(0), ...increase(CUT, MISSING_CUT_BYTES)]),
  ];
}

function compare(vector: number, other: readonly number[], comparison: readonly number[]): number[] {
  return [...get(value(vector)), ...other, ...comparison, ...set(above(vector))];
}

function anyAbove(): number[] {
  return [...get(above(0)), ...get(above(1)), ...V128_OR, ...V128_ANY_TRUE];
}

/** @param offset of the address of the words within the cut; the leaves are behind it */
function takeLeaves(offset: number): number[] {
  return [
    ...[...loadI32(CUT, offset), ...set(WORDS), ...load32Splat(CUT, offset + 4), ...set(LEFT_LEAVES)],
    ...VECTORS.flatMap((vector) => [
      ...[...get(WORDS), ...load128(WORDS, vector * VECTOR_BYTES)],
      ...[...get(above(vector)), ...get(LEFT_LEAVES), ...V128_AND, ...V128_AND_NOT],
      ...store128(vector * VECTOR_BYTES),
    ]),
  ];
}
