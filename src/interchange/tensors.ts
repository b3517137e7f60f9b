// Named arrays of float32: what all the files of networks hold once their containers are opened.
import { InputError } from '../lib/errors.ts';

/** Row-major; `data.length` is the product of `dims`. */
export interface Tensor {
  readonly dims: readonly number[];
  readonly data: Float32Array;
}

export type TensorMap = ReadonlyMap<string, Tensor>;

/** Names of number formats as safetensors spells them. */
export type FloatFormat = 'F16' | 'BF16' | 'F32' | 'F64';

export const BYTES_OF: Readonly<Record<FloatFormat, number>> = { F16: 2, BF16: 2, F32: 4, F64: 8 };

/** Of all numbers of one file: a gigabyte of float32. */
export const MAX_ELEMENTS = 1 << 28;
const MAX_RANK = 8;

/** @throws InputError for dimensions that are no whole numbers, too many, or of more elements than a file may have. */
export function elementCount(dims: readonly unknown[], name: string): number {
  let count = 1;
  for (const axis of dims) {
    if (typeof axis !== 'number' || !Number.isSafeInteger(axis) || axis < 0) {
      throw badTensor(name, `has the dimension ${String(axis)}`);
    }
    count *= axis;
    if (count > MAX_ELEMENTS) throw badTensor(name, `has more than ${MAX_ELEMENTS} elements`);
  }
  if (dims.length > MAX_RANK) throw badTensor(name, `has ${dims.length} dimensions`);
  return count;
}

/** Little-endian numbers as float32; float64 are rounded. @param bytes exactly those of `count` numbers */
export function floatsOf(bytes: Uint8Array, format: FloatFormat, count: number): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const floats = new Float32Array(count);
  const read = READERS[format];
  for (let i = 0; i < count; i++) floats[i] = read(view, i);
  return floats;
}

const READERS: Readonly<Record<FloatFormat, (view: DataView, index: number) => number>> = {
  F16: (view, index) => halfOf(view.getUint16(2 * index, true)),
  BF16: (view, index) => bits(view.getUint16(2 * index, true) << 16),
  F32: (view, index) => view.getFloat32(4 * index, true),
  F64: (view, index) => view.getFloat64(8 * index, true),
};

const word = new DataView(new ArrayBuffer(4));

function bits(pattern: number): number {
  word.setInt32(0, pattern);
  return word.getFloat32(0);
}

/** IEEE 754 binary16. */
function halfOf(pattern: number): number {
  const sign = pattern & 0x8000 ? -1 : 1;
  const exponent = (pattern >> 10) & 0x1f;
  const fraction = pattern & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The numbers' bytes, little-endian as on every processor that Node runs on. */
export function bytesOf({ data }: Tensor): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** rows × columns → columns × rows */
export function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(data.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = data[row * columns + column];
  }
  return turned;
}

function badTensor(name: string, problem: string): InputError {
  return new InputError('TENSOR_REFUSED', `Tensor '${name}' ${problem}`, 'Export the network again');
}
