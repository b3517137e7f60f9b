// Writes WebAssembly modules, and runs them: the few sections and instructions that the kernels of models need.
//
// Encoding after the WebAssembly core specification 2.0 (https://www.w3.org/TR/wasm-core-2/), chapter 5 and the SIMD
// instructions of chapter 4. Relaxed SIMD is left out on purpose: its results may differ from one processor to another,
// and a decision must give the same bits wherever it is executed again.
import { assert } from '../lib/assert.ts';

export interface WasmFunction {
  /** The name it is exported under. */
  readonly name: string;
  /** i32 parameters. */
  readonly parameters: number;
  readonly i32Locals: number;
  readonly v128Locals: number;
  readonly body: readonly number[];
}

/** Locals are numbered: parameters, then i32 locals, then v128 locals. */
export const get = (local: number): number[] => [0x20, ...unsigned(local)];
export const set = (local: number): number[] => [0x21, ...unsigned(local)];
export const i32Const = (value: number): number[] => [0x41, ...signed(value)];
export const I32_ADD = [0x6a] as const;
export const I32_SHL = [0x74] as const;
export const I32_MUL = [0x6c] as const;
/** Signed. */
export const I32_GREATER = [0x4a] as const;
export const F32X4_NOT_EQUAL = simd(0x42);
export const F32X4_GREATER = simd(0x44);
export const V128_AND = simd(0x4e);
/** `a & ~b` */
export const V128_AND_NOT = simd(0x4f);
export const V128_OR = simd(0x50);
/** 1 where any bit is set. */
export const V128_ANY_TRUE = simd(0x53);
export const F32X4_ADD = simd(0xe4);
export const F32X4_MUL = simd(0xe6);
/** `a < b ? b : a`, one instruction on all processors, where `max` takes several for its NaN rule. */
export const F32X4_PMAX = simd(0xeb);

/** Adds a constant to an i32 local. */
export const increase = (local: number, by: number): number[] => [
  ...get(local),
  ...i32Const(by),
  ...I32_ADD,
  ...set(local),
];

/** Loads an i32 at `local + offset`. */
export const loadI32 = (local: number, offset: number): number[] => [...get(local), 0x28, 2, ...unsigned(offset)];
/** Stores the i32 on top of the stack at the address below it. */
export const STORE_I32 = [0x36, 2, 0] as const;

/** Loads 16 bytes at `local + offset`. */
export const load128 = (local: number, offset: number): number[] => [...get(local), ...simd(0), 4, ...unsigned(offset)];
/** Loads a float32 at `local + offset` into all four lanes. */
export const load32Splat = (local: number, offset: number): number[] => [
  ...get(local),
  ...simd(9),
  2,
  ...unsigned(offset),
];
/** Stores the v128 on top of the stack at the address below it. @param offset bytes added to the address */
export const store128 = (offset: number): number[] => [...simd(11), 4, ...unsigned(offset)];

/** A float32 in all four lanes. */
export function splatConst(value: number): number[] {
  const bytes = [...new Uint8Array(Float32Array.of(value, value, value, value).buffer)];
  return [...simd(12), ...bytes];
}

/** Runs the body as often as the local says, which must be at least once, and leaves it at 0. */
export function countDown(local: number, body: readonly number[]): number[] {
  return [0x03, 0x40, ...body, ...increase(local, -1), ...get(local), 0x0d, 0, 0x0b];
}

/** Runs the body while the first local is below the second; not at all where it is not at the start. */
export function whileBelow(local: number, end: number, body: readonly number[]): number[] {
  const below = [...get(local), ...get(end), 0x49];
  return [...below, 0x04, 0x40, 0x03, 0x40, ...body, ...below, 0x0d, 0, 0x0b, 0x0b];
}

/** Runs the body where the test, which leaves an i32, is not 0. */
export function when(test: readonly number[], body: readonly number[]): number[] {
  return [...test, 0x04, 0x40, ...body, 0x0b];
}

/** Runs the body as long as the test, which leaves an i32, is not 0. */
export function whileTrue(test: readonly number[], body: readonly number[]): number[] {
  return [0x03, 0x40, ...when(test, [...body, 0x0c, 1]), 0x0b];
}

/** Runs the body while the local, read as a signed number, is above 0. */
export function whileAbove0(local: number, body: readonly number[]): number[] {
  const above = [...get(local), ...i32Const(0), ...I32_GREATER];
  return [...above, 0x04, 0x40, 0x03, 0x40, ...body, ...above, 0x0d, 0, 0x0b, 0x0b];
}

/** Sets `target` to the smaller of a local and a constant. */
export const least = (local: number, constant: number, target: number): number[] => [
  ...i32Const(constant),
  ...get(local),
  ...[...get(local), ...i32Const(constant), ...I32_GREATER],
  0x1b,
  ...set(target),
];

const PAGE_BYTES = 65_536;
/** A network of 64 million weights; more is a mistake. */
const MAX_MEMORY_BYTES = 256 * 1024 * 1024;

/** Node has it; the language's own type library puts it among those of browsers. */
declare const WebAssembly: {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Record<string, unknown> };
};

export interface WasmProgram {
  readonly buffer: ArrayBuffer;
  /** By the functions' names. */
  readonly exports: Readonly<Record<string, unknown>>;
}

/** @param bytes of memory, all 0 at first */
export function runWasm(functions: readonly WasmFunction[], bytes: number): WasmProgram {
  assert(bytes <= MAX_MEMORY_BYTES, `the program needs ${bytes} bytes; at most ${MAX_MEMORY_BYTES} are given to one`);
  const pages = Math.ceil(bytes / PAGE_BYTES);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const module = new WebAssembly.Module(wasmModule(functions, pages));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  return { buffer: memory.buffer, exports };
}

/** @returns the bytes of a module that imports its memory as `env.memory`. */
function wasmModule(functions: readonly WasmFunction[], memoryPages: number): Uint8Array<ArrayBuffer> {
  assert(functions.length > 0, 'a module has at least one function');
  const types = functions.map(({ parameters }) => [
    0x60,
    ...vector(Array.from({ length: parameters }, () => [0x7f])),
    0,
  ]);
  const memory = [...text('env'), ...text('memory'), 0x02, 0x01, ...unsigned(memoryPages), ...unsigned(memoryPages)];
  const exports = functions.map(({ name }, index) => [...text(name), 0x00, ...unsigned(index)]);
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memory])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(exports)),
    ...section(10, vector(functions.map(code))),
  ]);
}

function code({ i32Locals, v128Locals, body }: WasmFunction): number[] {
  const locals = vector([
    [...unsigned(i32Locals), 0x7f],
    [...unsigned(v128Locals), 0x7b],
  ]);
  const bytes = [...locals, ...body, 0x0b];
  return [...unsigned(bytes.length), ...bytes];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
}

function simd(instruction: number): number[] {
  return [0xfd, ...unsigned(instruction)];
}

/** LEB128 of a whole number ≥ 0. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return bytes;
}

/** LEB128 of a 32-bit whole number. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    const last = (rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0);
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}
