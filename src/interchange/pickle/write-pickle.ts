// A pickle of a PyTorch state dict, in the instructions that torch.save itself uses (protocol 2).
import { elementCount, type TensorMap } from '../tensors.ts';

const BINARY_INTEGER = 0x7fffffff;

/** The i-th tensor's numbers are the storage of key `i`. */
export function pickleStateDict(tensors: TensorMap): Uint8Array {
  const parts: Uint8Array[] = [];
  const ascii = (text: string) => parts.push(new TextEncoder().encode(text));
  const raw = (...bytes: number[]) => parts.push(Uint8Array.from(bytes));
  const integer = (value: number) => {
    if (value > BINARY_INTEGER) throw new Error(`pickle: ${value} is too great`);
    parts.push(...[[0x4a], word(value)].map((bytes) => Uint8Array.from(bytes)));
  };
  const string = (text: string) => {
    const encoded = new TextEncoder().encode(text);
    raw(0x58, ...word(encoded.length));
    parts.push(encoded);
  };
  const tuple = (values: readonly number[]) => {
    ascii('(');
    values.forEach(integer);
    ascii('t');
  };
  const orderedDict = () => ascii('ccollections\nOrderedDict\n)R');
  raw(0x80, 2);
  orderedDict();
  [...tensors].forEach(([name, { dims }], index) => {
    string(name);
    const count = elementCount(dims, name);
    ascii('ctorch._utils\n_rebuild_tensor_v2\n((');
    string('storage');
    ascii('ctorch\nFloatStorage\n');
    string(String(index));
    string('cpu');
    integer(count);
    ascii('tQ');
    integer(0);
    tuple(dims);
    tuple(dims.map((_, axis) => dims.slice(axis + 1).reduce((product, next) => product * next, 1)));
    raw(0x89);
    orderedDict();
    ascii('tRs');
  });
  ascii('.');
  const pickle = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    pickle.set(part, at);
    at += part.length;
  }
  return pickle;
}

function word(value: number): number[] {
  return [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255];
}
