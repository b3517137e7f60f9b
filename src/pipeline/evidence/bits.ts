// Doubles as their bytes: what is written is what is read, NaN and signed zeros too.

const BYTES = 8;
const view = new DataView(new ArrayBuffer(BYTES));

/** 16 hexadecimal digits, the most significant first. */
export function bitsOf(value: number): string {
  view.setFloat64(0, value);
  return view.getBigUint64(0).toString(16).padStart(16, '0');
}

export function numberOfBits(bits: string): number {
  view.setBigUint64(0, BigInt(`0x${bits}`));
  return view.getFloat64(0);
}

/** base64, each number little-endian. */
export function bytesOfNumbers(values: Float64Array): string {
  const bytes = new DataView(new ArrayBuffer(values.length * BYTES));
  for (let i = 0; i < values.length; i++) bytes.setFloat64(i * BYTES, values[i], true);
  return Buffer.from(bytes.buffer).toString('base64');
}

/** Of whole numbers of 8 bytes; what is over is left out. */
export function numbersOfBytes(base64: string): Float64Array {
  const buffer = Buffer.from(base64, 'base64');
  const bytes = new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength);
  return Float64Array.from({ length: Math.floor(buffer.length / BYTES) }, (_, i) => bytes.getFloat64(i * BYTES, true));
}
