// HDF5 files in memory, by h5wasm: the HDF5 library itself as WebAssembly, which sees no file of this machine.
import { InputError } from '../lib/errors.ts';
import { elementCount, MAX_ELEMENTS, type Tensor } from './tensors.ts';
import { mostUnpackedBytes } from './zip.ts';

export interface Hdf5Reader {
  /** Names in a group, in the library's order; none where there is no such group. */
  names(group: string): readonly string[];
  /** @throws InputError where there is no such dataset, or it is not of floats. */
  tensor(path: string): Tensor;
  /** Text, list of texts, or null where there is none. @param path '/' for the file itself */
  textAttribute(path: string, name: string): string | readonly string[] | null;
}

export interface Hdf5Writer {
  group(path: string): void;
  dataset(path: string, tensor: Tensor): void;
  /** @param path '/' for the file itself */
  attribute(path: string, name: string, value: string | readonly string[]): void;
}

type Library = typeof import('h5wasm');
type Container = InstanceType<Library['Group']>;

let opened = 0;

/** @throws InputError if the bytes are no HDF5 file, and what `read` throws. */
export async function readHdf5<Result>(bytes: Uint8Array, read: (file: Hdf5Reader) => Result): Promise<Result> {
  const mostElements = Math.min(MAX_ELEMENTS, mostUnpackedBytes(bytes.length) / Float32Array.BYTES_PER_ELEMENT);
  return withFile('r', bytes, (library, file) => read(readerOf(library, file, mostElements)));
}

export async function writeHdf5(write: (file: Hdf5Writer) => void): Promise<Uint8Array> {
  let bytes = new Uint8Array();
  await withFile(
    'w',
    null,
    (_, file) => {
      write(writerOf(file));
      file.flush();
    },
    (written) => {
      bytes = written;
    },
  );
  return bytes;
}

type File = InstanceType<Library['File']>;

async function withFile<Result>(
  mode: 'r' | 'w',
  bytes: Uint8Array | null,
  use: (library: Library, file: File) => Result,
  onClosed: (bytes: Uint8Array<ArrayBuffer>) => void = () => {},
): Promise<Result> {
  // Loaded on first use: it is four megabytes of WebAssembly.
  const library = await import('h5wasm');
  const { FS, activate_throwing_error_handler: throwErrors } = await library.ready;
  // Else the library prints pages of its own call stack.
  throwErrors();
  opened += 1;
  const name = `network-${opened}.h5`;
  if (bytes !== null) FS.writeFile(name, bytes);
  try {
    const file = openFile(library, name, mode);
    let result: Result;
    try {
      result = use(library, file);
    } finally {
      file.close();
    }
    onClosed(new Uint8Array(FS.readFile(name)));
    return result;
  } finally {
    if (FS.analyzePath(name).exists) FS.unlink(name);
  }
}

function openFile(library: Library, name: string, mode: 'r' | 'w'): File {
  try {
    return new library.File(name, mode);
  } catch (error) {
    throw damaged(causeOf(error));
  }
}

/** @param mostElements of all datasets; compressed ones can claim any number in a few bytes */
function readerOf(library: Library, file: File, mostElements: number): Hdf5Reader {
  let elements = 0;
  const at = (path: string) => (path === '/' ? file : file.get(path));
  return {
    names: (group) =>
      guarded(() => {
        const found = at(group);
        return found instanceof library.Group ? found.keys() : [];
      }),
    tensor: (path) =>
      guarded(() => {
        const found = at(path);
        if (!(found instanceof library.Dataset)) throw damaged(`it holds no numbers under '${path}'`);
        const { shape, dtype } = found;
        const dims = shape ?? [];
        elements += elementCount(dims, path);
        if (elements > mostElements) throw damaged(`it claims to hold ${elements} numbers`);
        if (dtype !== '<f' && dtype !== '<d') throw damaged(`the numbers under '${path}' are not float32 or float64`);
        const { value } = found;
        const isList = value instanceof Float32Array || value instanceof Float64Array;
        return { dims, data: isList ? Float32Array.from(value) : Float32Array.of(value as number) };
      }),
    textAttribute: (path, name) =>
      guarded(() => {
        const found = at(path);
        if (!(found instanceof library.Group) || !Object.hasOwn(found.attrs, name)) return null;
        const { value } = found.attrs[name];
        if (typeof value === 'string') return value;
        // Where a model was saved without any name, h5py writes an empty list of numbers.
        return Array.isArray(value) && value.every((item) => typeof item === 'string') ? (value as string[]) : [];
      }),
  };
}

/** The library throws errors of its own at what is damaged. */
function guarded<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw error instanceof InputError ? error : damaged(causeOf(error));
  }
}

/** The innermost message of the library's stack. */
function causeOf(error: unknown): string {
  const { message } = error as Error;
  return [...message.matchAll(/^ *#\d+:.*\(\): (.*)$/gm)].at(-1)?.[1] ?? message;
}

function writerOf(file: File): Hdf5Writer {
  const groups = new Map<string, Container>([['/', file]]);
  const parentOf = (path: string): Container => {
    const slash = path.lastIndexOf('/');
    return slash < 0 ? file : groupAt(path.slice(0, slash));
  };
  const groupAt = (path: string): Container => {
    const known = groups.get(path);
    if (known !== undefined) return known;
    const made = parentOf(path).create_group(path.slice(path.lastIndexOf('/') + 1));
    groups.set(path, made);
    return made;
  };
  return {
    group: (path) => void groupAt(path),
    dataset(path, { dims, data }) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      parentOf(path).create_dataset({ name, data, shape: [...dims] });
    },
    attribute(path, name, value) {
      const group = groupAt(path);
      if (typeof value === 'string') group.create_attribute(name, value);
      else if (value.length > 0) group.create_attribute(name, [...value]);
      else group.create_attribute(name, [], [0], 'S1');
    },
  };
}

function damaged(what: string): InputError {
  return new InputError('HDF5_DAMAGED', `The HDF5 file can't be read: ${what}`, 'Save the network again');
}
