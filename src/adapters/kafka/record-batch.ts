// Kafka's record batches (message format 2), written and read on flat buffers: this runs once per record, and the client
// library's own codec costs several allocations for each.
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { compressionsAlgorithms, crc32c } from '@platformatic/kafka';
import type { StreamHeader, StreamRecord } from '../../ports.ts';
import { COMPRESSIONS, type Compression } from './compressions.ts';

/** What is written of a record; the partition is known by then. */
export interface RecordToWrite {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly StreamHeader[];
  readonly timestampMs: number;
}

export interface BatchProducer {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly transactional: boolean;
}

/** What is known of a batch without reading its records. `bytes` is the whole of it. */
export interface BatchHead {
  readonly bytes: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly records: number;
  readonly attributes: number;
  readonly producerId: bigint;
}

/** A batch that is not what the format says: damaged on its way, or by a broker's disk. */
export class CorruptBatchError extends Error {
  override readonly name = 'CorruptBatchError';
  readonly code = 'CORRUPT_BATCH';
}

const HEAD_BYTES = 61;
/** firstOffset and length, which the length does not count */
const PREFIX_BYTES = 12;
const CRC_FROM = 21;
const MAGIC = 2;
const COMPRESSION_MASK = 7;
const LOG_APPEND_TIME = 1 << 3;
const TRANSACTIONAL = 1 << 4;
const CONTROL = 1 << 5;
/** A batch that unpacks to more is refused: brokers take about a megabyte unless told otherwise. */
const MAX_UNPACKED_BYTES = 256 * 1024 * 1024;

const EMPTY = Buffer.alloc(0);
const NO_HEADERS: readonly StreamHeader[] = [];

/** Zigzag as a plain number: exact to 2^52. */
const zigzag = (value: number) => (value >= 0 ? value * 2 : value * -2 - 1);

function varintBytes(value: number): number {
  let rest = zigzag(value);
  let bytes = 1;
  while (rest >= 128) {
    rest = Math.floor(rest / 128);
    bytes++;
  }
  return bytes;
}

function writeVarint(into: Buffer, at: number, value: number): number {
  let rest = zigzag(value);
  let position = at;
  while (rest >= 128) {
    into[position++] = (rest % 128) | 128;
    rest = Math.floor(rest / 128);
  }
  into[position++] = rest;
  return position;
}

function writeBytes(into: Buffer, at: number, bytes: Uint8Array | null): number {
  if (bytes === null) return writeVarint(into, at, -1);
  const position = writeVarint(into, at, bytes.length);
  into.set(bytes, position);
  return position + bytes.length;
}

const bytesOf = (bytes: Uint8Array | null) => (bytes === null ? 1 : varintBytes(bytes.length) + bytes.length);

function bodyBytes(record: RecordToWrite, timestampDelta: number, offsetDelta: number): number {
  let bytes = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + bytesOf(record.key) + bytesOf(record.value);
  bytes += varintBytes(record.headers.length);
  for (const { name, value } of record.headers) {
    const nameBytes = Buffer.byteLength(name);
    bytes += varintBytes(nameBytes) + nameBytes + bytesOf(value);
  }
  return bytes;
}

/** An upper bound of what a record takes in a batch. */
export function recordBytes(record: Pick<RecordToWrite, 'key' | 'value' | 'headers'>): number {
  let bytes = 40 + (record.key?.length ?? 0) + (record.value?.length ?? 0);
  for (const { name, value } of record.headers) bytes += 12 + name.length * 3 + value.length;
  return bytes;
}

function writeRecords(records: readonly RecordToWrite[], firstTimestampMs: number): Buffer {
  const sizes = new Int32Array(records.length);
  let total = 0;
  for (let i = 0; i < records.length; i++) {
    sizes[i] = bodyBytes(records[i], records[i].timestampMs - firstTimestampMs, i);
    total += varintBytes(sizes[i]) + sizes[i];
  }
  const into = Buffer.allocUnsafe(total);
  let at = 0;
  for (let i = 0; i < records.length; i++) {
    const record = records[i];
    at = writeVarint(into, at, sizes[i]);
    into[at++] = 0;
    at = writeVarint(into, at, record.timestampMs - firstTimestampMs);
    at = writeVarint(into, at, i);
    at = writeBytes(into, at, record.key);
    at = writeBytes(into, at, record.value);
    at = writeVarint(into, at, record.headers.length);
    for (const { name, value } of record.headers) {
      const nameBytes = Buffer.byteLength(name);
      at = writeVarint(into, at, nameBytes);
      at += into.write(name, at);
      at = writeBytes(into, at, value);
    }
  }
  return into;
}

function pack(records: Buffer, compression: Compression): Buffer {
  if (compression === 'gzip') return gzipSync(records);
  if (compression === 'zstd') return zstdCompressSync(records);
  return compression === 'none' ? records : compressionsAlgorithms[compression].compressSync(records);
}

/** @param records at least one */
export function encodeBatch(
  records: readonly RecordToWrite[],
  producer: BatchProducer,
  compression: Compression,
): Buffer {
  const firstTimestampMs = records[0].timestampMs;
  let newestMs = firstTimestampMs;
  for (const { timestampMs } of records) if (timestampMs > newestMs) newestMs = timestampMs;
  const packed = pack(writeRecords(records, firstTimestampMs), compression);
  const batch = Buffer.allocUnsafe(HEAD_BYTES + packed.length);
  batch.writeBigInt64BE(0n, 0);
  batch.writeInt32BE(batch.length - PREFIX_BYTES, 8);
  batch.writeInt32BE(-1, 12);
  batch[16] = MAGIC;
  batch.writeInt16BE(COMPRESSIONS.indexOf(compression) | (producer.transactional ? TRANSACTIONAL : 0), 21);
  batch.writeInt32BE(records.length - 1, 23);
  batch.writeBigInt64BE(BigInt(firstTimestampMs), 27);
  batch.writeBigInt64BE(BigInt(newestMs), 35);
  batch.writeBigInt64BE(producer.producerId, 43);
  batch.writeInt16BE(producer.producerEpoch, 51);
  batch.writeInt32BE(producer.firstSequence, 53);
  batch.writeInt32BE(records.length, 57);
  batch.set(packed, HEAD_BYTES);
  batch.writeUInt32BE(crc32c(batch.subarray(CRC_FROM)) >>> 0, 17);
  return batch;
}

export const isControl = ({ attributes }: BatchHead) => (attributes & CONTROL) !== 0;
export const isTransactional = ({ attributes }: BatchHead) => (attributes & TRANSACTIONAL) !== 0;

/** Whole batches at the start of the bytes; what is cut off at the end is left out, as brokers cut there. */
export function readBatchHeads(bytes: Buffer): BatchHead[] {
  const heads: BatchHead[] = [];
  let at = 0;
  while (bytes.length - at >= PREFIX_BYTES) {
    const length = bytes.readInt32BE(at + 8);
    if (length < HEAD_BYTES - PREFIX_BYTES) throw new CorruptBatchError(`a batch of ${length} bytes is too short`);
    const end = at + PREFIX_BYTES + length;
    if (end > bytes.length) break;
    const batch = bytes.subarray(at, end);
    if (batch[16] !== MAGIC) throw new CorruptBatchError(`message format ${batch[16]} is older than Kafka 0.11`);
    if (batch.readUInt32BE(17) !== crc32c(batch.subarray(CRC_FROM)) >>> 0) {
      throw new CorruptBatchError(`the batch at offset ${batch.readBigInt64BE(0)} has another checksum`);
    }
    const firstOffset = Number(batch.readBigInt64BE(0));
    heads.push({
      bytes: batch,
      firstOffset,
      lastOffset: firstOffset + batch.readInt32BE(23),
      records: batch.readInt32BE(57),
      attributes: batch.readInt16BE(21),
      producerId: batch.readBigInt64BE(43),
    });
    at = end;
  }
  return heads;
}

/** True for the marker that ends a transaction by throwing it away; false for the one that keeps it. */
export function isAbortMarker(head: BatchHead): boolean {
  const [marker] = readRecords(head);
  return marker?.key?.[2] === 0 && marker.key[3] === 0;
}

function unpack(head: BatchHead): Buffer {
  const packed = head.bytes.subarray(HEAD_BYTES);
  const compression = COMPRESSIONS[head.attributes & COMPRESSION_MASK];
  const maxOutputLength = MAX_UNPACKED_BYTES;
  switch (compression) {
    case 'none':
      return packed;
    case 'gzip':
      return gunzipSync(packed, { maxOutputLength });
    case 'zstd':
      return zstdDecompressSync(packed, { maxOutputLength });
    case undefined:
      throw new CorruptBatchError(`unknown compression ${head.attributes & COMPRESSION_MASK}`);
    default:
      return compressionsAlgorithms[compression].decompressSync(packed);
  }
}

/** Where the cursor of `readRecords` stands: kept outside so that reading a number allocates nothing. */
let cursor = 0;

function readVarint(bytes: Buffer): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[cursor++];
    if (byte === undefined) throw new CorruptBatchError('a record ends too early');
    value += (byte & 127) * scale;
    if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
  throw new CorruptBatchError('a number of a record is too long');
}

function readBytes(bytes: Buffer): Buffer | null {
  const length = readVarint(bytes);
  if (length < 0) return null;
  const from = cursor;
  cursor += length;
  if (cursor > bytes.length) throw new CorruptBatchError('a record ends too early');
  return bytes.subarray(from, cursor);
}

function readHeaders(bytes: Buffer): readonly StreamHeader[] {
  const count = readVarint(bytes);
  if (count === 0) return NO_HEADERS;
  if (count < 0 || count > bytes.length) throw new CorruptBatchError(`a record with ${count} headers`);
  const headers: StreamHeader[] = [];
  for (let i = 0; i < count; i++) {
    const name = readBytes(bytes)?.toString() ?? '';
    headers.push({ name, value: readBytes(bytes) ?? EMPTY });
  }
  return headers;
}

/** Keys and values are views of the batch's (unpacked) bytes. @throws CorruptBatchError, or what unpacking throws */
export function readRecords(head: BatchHead): StreamRecord[] {
  const bytes = unpack(head);
  const firstMs = Number(head.bytes.readBigInt64BE(27));
  const appendedMs = (head.attributes & LOG_APPEND_TIME) === 0 ? null : Number(head.bytes.readBigInt64BE(35));
  const records: StreamRecord[] = [];
  cursor = 0;
  for (let i = 0; i < head.records; i++) {
    const length = readVarint(bytes);
    const end = cursor + length;
    if (length < 0 || end > bytes.length) throw new CorruptBatchError('a record ends too early');
    cursor++;
    const timestampMs = firstMs + readVarint(bytes);
    const offset = head.firstOffset + readVarint(bytes);
    const key = readBytes(bytes);
    const value = readBytes(bytes);
    const headers = readHeaders(bytes);
    records.push({ offset, timestampMs: appendedMs ?? timestampMs, key, value, headers });
    cursor = end;
  }
  return records;
}
