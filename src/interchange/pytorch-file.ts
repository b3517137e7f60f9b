// PyTorch's .pt and .pth files: a zip of one pickle and one file of numbers per tensor.
//
// Written so that `torch.load(file, weights_only=True)` reads it; read by an interpreter that can build tensors and
// containers and nothing else (pickle/read-pickle.ts). Format: torch/serialization.py and caffe2/serialize of PyTorch.
import { zipSync } from 'fflate';
import { InputError } from '../lib/errors.ts';
import {
  isObject,
  isTuple,
  type PickleFunction,
  type PickleObject,
  type PickleResolver,
  type PickleValue,
} from './pickle/pickle-values.ts';
import { readPickle } from './pickle/read-pickle.ts';
import { pickleStateDict } from './pickle/write-pickle.ts';
import {
  BYTES_OF,
  bytesOf,
  elementCount,
  type FloatFormat,
  floatsOf,
  MAX_ELEMENTS,
  type Tensor,
  type TensorMap,
} from './tensors.ts';
import { isZip, openZip } from './zip.ts';

export interface PytorchFile {
  readonly tensors: TensorMap;
  /** Our own description of the network; null in a file of someone else. */
  readonly description: string | null;
}

const FOLDER = 'network';
/** PyTorch reads the records that its pickle names, and leaves this one alone. */
const DESCRIPTION_RECORD = 'extra/centinela-network.json';
/** A fixed time, so that the same network gives the same bytes. */
const ZIP_TIME = '1980-01-02T00:00:00';

export function writePytorch({ tensors, description }: PytorchFile): Uint8Array {
  const records: Record<string, Uint8Array> = { [`${FOLDER}/data.pkl`]: pickleStateDict(tensors) };
  [...tensors.values()].forEach((tensor, index) => {
    records[`${FOLDER}/data/${index}`] = bytesOf(tensor);
  });
  if (description !== null) records[`${FOLDER}/${DESCRIPTION_RECORD}`] = new TextEncoder().encode(description);
  records[`${FOLDER}/version`] = new TextEncoder().encode('3\n');
  // PyTorch maps the numbers where they lie, so they are stored as they are.
  return zipSync(records, { level: 0, mtime: ZIP_TIME });
}

/** @throws InputError if the file is no zip, is damaged, or its pickle asks for more than tensors and containers. */
export function readPytorch(file: Uint8Array): PytorchFile {
  if (!isZip(file)) {
    throw new InputError(
      'PYTORCH_OLD_FORMAT',
      'The file is not a zip: it was saved by PyTorch before 1.6, with _use_new_zipfile_serialization=False, or by something else',
      'Load it with PyTorch and save its state_dict() again, or save it as safetensors',
    );
  }
  const records = openZip(file, '.pt file');
  const pickles = [...records.keys()].filter((name) => name.endsWith('/data.pkl') || name === 'data.pkl');
  if (pickles.length !== 1) throw damaged(`it holds ${pickles.length} files named data.pkl`);
  const folder = pickles[0].slice(0, -'data.pkl'.length);
  if (records.has(`${folder}constants.pkl`)) {
    throw new InputError(
      'PYTORCH_SCRIPT',
      'The file is a TorchScript program',
      'Save model.state_dict() with torch.save, or export the model to ONNX',
    );
  }
  checkByteOrder(records.get(`${folder}byteorder`));
  const root = readPickle(records.get(pickles[0]) as Uint8Array, resolverOf(records, folder));
  const description = records.get(folder + DESCRIPTION_RECORD);
  return {
    tensors: tensorsOf(root),
    description: description === undefined ? null : new TextDecoder().decode(description),
  };
}

function checkByteOrder(record: Uint8Array | undefined): void {
  if (record === undefined || new TextDecoder().decode(record) === 'little') return;
  throw damaged('its numbers are big-endian');
}

/** What a storage class is called by PyTorch, and the format of its numbers. Counters (of batches) are read and dropped. */
const STORAGES: Readonly<Record<string, FloatFormat | 'I64'>> = {
  FloatStorage: 'F32',
  DoubleStorage: 'F64',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
};

interface Storage {
  readonly format: FloatFormat | 'I64';
  readonly bytes: Uint8Array;
  /** Converted once, however many tensors share it. */
  floats: Float32Array | null;
}

/** A counter of whole numbers: known to be there, of no use for a network. */
const COUNTER: PickleObject = { kind: 'object', name: 'counter', value: null };

function resolverOf(records: ReadonlyMap<string, Uint8Array>, folder: string): PickleResolver {
  let elements = 0;
  const storages = new Map<string, PickleObject>();
  const rebuild: PickleFunction = {
    kind: 'function',
    name: 'torch._utils._rebuild_tensor_v2',
    call: ([storage, offset, dims, strides]) => {
      const tensor = rebuildTensor(storage, offset, dims, strides);
      if (tensor === null) return COUNTER;
      // Tensors may share one storage, so a small file could unfold without end.
      elements += tensor.data.length;
      if (elements > MAX_ELEMENTS) throw damaged(`its tensors have more than ${MAX_ELEMENTS} elements together`);
      return { kind: 'object', name: 'tensor', value: tensor };
    },
  };
  const globals: Readonly<Record<string, PickleFunction | PickleObject>> = {
    'collections.OrderedDict': { kind: 'function', name: 'collections.OrderedDict', call: emptyDict },
    'torch._utils._rebuild_tensor_v2': rebuild,
    'torch._utils._rebuild_parameter': {
      kind: 'function',
      name: 'torch._utils._rebuild_parameter',
      call: ([data]) => data,
    },
    ...Object.fromEntries(
      Object.entries(STORAGES).map(([name, format]) => [
        `torch.${name}`,
        { kind: 'object', name, value: format } as const,
      ]),
    ),
  };
  return {
    global(module, name) {
      const known = `${module}.${name}`;
      if (!Object.hasOwn(globals, known)) throw unsafe(`asks for ${known}`);
      return globals[known];
    },
    persistent(id) {
      if (!isTuple(id) || id.items.length !== 5 || id.items[0] !== 'storage')
        throw unsafe('names an unknown kind of record');
      const [, type, key] = id.items;
      if (!isObject(type) || !Object.hasOwn(STORAGES, type.name)) throw unsafe('names a storage of an unknown type');
      const bytes = typeof key === 'string' && /^\d{1,9}$/.test(key) ? records.get(`${folder}data/${key}`) : undefined;
      if (bytes === undefined) throw damaged(`the numbers '${String(key)}' are missing`);
      const known = storages.get(`${type.name} ${String(key)}`);
      if (known !== undefined) return known;
      const value: Storage = { format: STORAGES[type.name], bytes, floats: null };
      const storage: PickleObject = { kind: 'object', name: 'storage', value };
      storages.set(`${type.name} ${String(key)}`, storage);
      return storage;
    },
  };
}

function emptyDict(args: readonly PickleValue[]): PickleValue {
  if (args.length > 0) throw unsafe('makes an OrderedDict from something');
  return new Map();
}

/** null for a tensor of whole numbers. Strides may be any that stay within the storage: a transposed weight has them so. */
function rebuildTensor(
  given: PickleValue,
  offset: PickleValue,
  dimsGiven: PickleValue,
  stridesGiven: PickleValue,
): Tensor | null {
  if (!isObject(given) || given.name !== 'storage') throw unsafe('builds a tensor from something else than numbers');
  const storage = given.value as Storage;
  const { format, bytes } = storage;
  if (format === 'I64') return null;
  const dims = wholeNumbers(dimsGiven);
  const strides = wholeNumbers(stridesGiven);
  const count = elementCount(dims, 'of the file');
  const [start] = wholeNumbers({ kind: 'tuple', items: [offset] });
  const stored = Math.floor(bytes.length / BYTES_OF[format]);
  const last = dims.reduce((sum, axis, i) => sum + (axis - 1) * strides[i], start);
  if (strides.length !== dims.length || (count > 0 && last >= stored))
    throw damaged('a tensor reaches beyond its numbers');
  storage.floats ??= floatsOf(bytes, format, stored);
  const numbers = storage.floats;
  const data = new Float32Array(count);
  const index = dims.map(() => 0);
  for (let i = 0; i < count; i++) {
    data[i] = numbers[index.reduce((sum, at, axis) => sum + at * strides[axis], start)];
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis] === dims[axis]; axis--) index[axis] = 0;
  }
  return { dims, data };
}

function wholeNumbers(value: PickleValue): number[] {
  const items = isTuple(value) ? value.items : [];
  if (!isTuple(value) || items.some((item) => !Number.isSafeInteger(item) || (item as number) < 0)) {
    throw damaged('a tensor has dimensions that are no whole numbers');
  }
  return items as number[];
}

/** A state dict, or a checkpoint that holds one under the usual name. */
function tensorsOf(root: PickleValue): TensorMap {
  if (!(root instanceof Map)) throw notStateDict();
  for (const name of ['state_dict', 'model_state_dict']) {
    const inner = root.get(name);
    if (inner instanceof Map) return tensorsOf(inner);
  }
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of root) {
    if (value === COUNTER) continue;
    if (typeof name !== 'string' || !isObject(value) || value.name !== 'tensor') throw notStateDict();
    tensors.set(name, value.value as Tensor);
  }
  return tensors;
}

function notStateDict(): InputError {
  return new InputError(
    'PYTORCH_NOT_STATE_DICT',
    'The file holds something else than a state dict (a dict of tensors by name)',
    'Save model.state_dict() with torch.save',
  );
}

function unsafe(what: string): InputError {
  return new InputError(
    'PICKLE_REFUSED',
    `The pickle in the file ${what}; only tensors and containers are ever built`,
    'If you trust the file, load it with PyTorch and save its state_dict(), or use safetensors',
  );
}

function damaged(what: string): InputError {
  return new InputError('PYTORCH_DAMAGED', `The .pt file is damaged: ${what}`, 'Save the state dict again');
}
