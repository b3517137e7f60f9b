// Hugging Face's safetensors: a JSON header and the numbers behind it; nothing in it can be executed.
//
// Format: length of the header (uint64, little-endian), the header ({ name: { dtype, shape, data_offsets } } and
// "__metadata__", texts by name), then the bytes, which the offsets cover without gaps or overlaps
// (https://huggingface.co/docs/safetensors).
import { InputError } from '../lib/errors.ts';
import { BYTES_OF, bytesOf, elementCount, type FloatFormat, floatsOf, type Tensor, type TensorMap } from './tensors.ts';

export interface SafetensorsFile {
  readonly tensors: TensorMap;
  readonly metadata: Readonly<Record<string, string>>;
}

const LENGTH_BYTES = 8;
/** The reference implementation's limit is 100 MB; no network of ours comes near this one. */
const MAX_HEADER_BYTES = 16 << 20;
const MAX_TENSORS = 100_000;
const COUNTER_FORMAT = 'I64';
const COUNTER_BYTES = 8;
const METADATA = '__metadata__';

export function writeSafetensors({ tensors, metadata }: SafetensorsFile): Uint8Array {
  let end = 0;
  const entries = [...tensors].map(([name, tensor]) => {
    const begin = end;
    end += tensor.data.byteLength;
    return [name, { dtype: 'F32', shape: tensor.dims, data_offsets: [begin, end] }] as const;
  });
  const text = JSON.stringify({ [METADATA]: metadata, ...Object.fromEntries(entries) });
  const unpadded = new TextEncoder().encode(text).length;
  // Filled up with spaces, so that the numbers start at a multiple of eight.
  const header = new TextEncoder().encode(text + ' '.repeat((8 - (unpadded % 8)) % 8));
  const file = new Uint8Array(LENGTH_BYTES + header.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, LENGTH_BYTES);
  let at = LENGTH_BYTES + header.length;
  for (const tensor of tensors.values()) {
    file.set(bytesOf(tensor), at);
    at += tensor.data.byteLength;
  }
  return file;
}

/** @throws InputError if the file is damaged, or a tensor is not of floats. */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  if (file.length < LENGTH_BYTES) throw damaged('it ends within its header');
  const headerBytes = new DataView(file.buffer, file.byteOffset, file.byteLength).getBigUint64(0, true);
  if (headerBytes > BigInt(MAX_HEADER_BYTES)) throw damaged(`its header would be ${headerBytes} bytes long`);
  const start = LENGTH_BYTES + Number(headerBytes);
  if (start > file.length) throw damaged('it ends within its header');
  const header = parseHeader(file.subarray(LENGTH_BYTES, start));
  const { [METADATA]: metadata, ...entries } = header;
  const names = Object.keys(entries);
  if (names.length > MAX_TENSORS) throw damaged(`it names ${names.length} tensors`);
  const data = file.subarray(start);
  const spans: [number, number][] = [];
  const tensors = new Map<string, Tensor>();
  for (const name of names) {
    const { tensor, begin, end } = readEntry(name, entries[name], data);
    if (tensor !== null) tensors.set(name, tensor);
    spans.push([begin, end]);
  }
  checkSpans(spans, data.length);
  return { tensors, metadata: readMetadata(metadata) };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (isRecord(header)) return header;
  } catch {
    // Said below.
  }
  throw damaged('its header is not a JSON object');
}

interface Entry {
  /** null for whole numbers: PyTorch's counters of batches, of no use for a network. */
  readonly tensor: Tensor | null;
  readonly begin: number;
  readonly end: number;
}

function readEntry(name: string, entry: unknown, data: Uint8Array): Entry {
  if (!isRecord(entry) || !Array.isArray(entry.shape) || !Array.isArray(entry.data_offsets)) {
    throw damaged(`tensor '${name}' has no shape or no offsets`);
  }
  const { dtype, shape } = entry;
  const isCounter = dtype === COUNTER_FORMAT;
  if (!isCounter && (typeof dtype !== 'string' || !Object.hasOwn(BYTES_OF, dtype))) {
    throw new InputError(
      'TENSOR_REFUSED',
      `Tensor '${name}' holds ${String(dtype)}`,
      `Convert it to one of ${Object.keys(BYTES_OF).join(', ')}`,
    );
  }
  const count = elementCount(shape, name);
  const [begin, end] = entry.data_offsets as unknown[];
  if (!isOffset(begin) || !isOffset(end) || begin > end || end > data.length) {
    throw damaged(`the offsets of tensor '${name}' lie outside the file`);
  }
  const format = dtype as FloatFormat;
  const bytesEach = isCounter ? COUNTER_BYTES : BYTES_OF[format];
  if (end - begin !== count * bytesEach) {
    throw damaged(`tensor '${name}' has ${end - begin} bytes for ${count} numbers of ${bytesEach} bytes`);
  }
  if (isCounter) return { tensor: null, begin, end };
  return { tensor: { dims: shape as number[], data: floatsOf(data.subarray(begin, end), format, count) }, begin, end };
}

/** Gaps could hide data and overlaps could make one number serve twice; the format forbids both. */
function checkSpans(spans: readonly (readonly [number, number])[], length: number): void {
  let at = 0;
  for (const [begin, end] of [...spans].sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== at) throw damaged(`its tensors leave a gap or overlap at byte ${at}`);
    at = end;
  }
  if (at !== length) throw damaged(`${length - at} bytes belong to no tensor`);
}

function readMetadata(metadata: unknown): Record<string, string> {
  if (metadata === undefined) return {};
  if (!isRecord(metadata) || Object.values(metadata).some((value) => typeof value !== 'string')) {
    throw damaged('its metadata are not texts');
  }
  return metadata as Record<string, string>;
}

const isOffset = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function damaged(what: string): InputError {
  return new InputError('SAFETENSORS_DAMAGED', `The safetensors file is damaged: ${what}`, 'Export the network again');
}
