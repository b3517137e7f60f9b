// How records and segments lie on disk (docs/file-log.md); all numbers little-endian.
//
// record:  u32 length of the body, u32 CRC-32C of the body, body
// body:    u64 offset, i64 time, i32 key length (-1: none), i32 value length (-1: none), u16 headers, key, value,
//          then for each header u16 name length, name, u32 value length, value
// segment: 8 bytes "CNTLLOG1", u64 offset that its name says, u64 offset up to which it replaces others (0: none),
//          u32 zero, u32 CRC-32C of the 28 bytes before it, records
import { crc32c } from '../../../lib/crc32c.ts';
import type { OutgoingRecord, StreamHeader, StreamRecord } from '../../../ports.ts';

export const SEGMENT_HEADER_BYTES = 32;
const PREFIX_BYTES = 8;
const FIXED_BYTES = 26;
const MAGIC = Buffer.from('CNTLLOG1');
const WORD = 2 ** 32;

export interface SegmentHeader {
  readonly base: number;
  /** Offset up to which this segment took the place of those after it; 0 for one that was only appended to. */
  readonly coveredTo: number;
}

export function encodeSegmentHeader({ base, coveredTo }: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(bytes);
  writeInteger(bytes, base, 8);
  writeInteger(bytes, coveredTo, 16);
  bytes.writeUInt32LE(crc32c(bytes, 0, 28), 28);
  return bytes;
}

/** null where the bytes are no header of a segment */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | null {
  if (bytes.length < SEGMENT_HEADER_BYTES || !bytes.subarray(0, 8).equals(MAGIC)) return null;
  if (bytes.readUInt32LE(28) !== crc32c(bytes, 0, 28)) return null;
  return { base: readInteger(bytes, 8), coveredTo: readInteger(bytes, 16) };
}

/** Bytes that the record takes on disk. */
export function encodedBytes({ key, value, headers }: OutgoingRecord): number {
  let bytes = PREFIX_BYTES + FIXED_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const header of headers) bytes += 6 + Buffer.byteLength(header.name) + header.value.length;
  return bytes;
}

/** Writes the record at `at`. @returns where the next one begins */
export function encodeRecord(
  into: Buffer,
  at: number,
  record: OutgoingRecord,
  offset: number,
  timestampMs: number,
): number {
  const { key, value, headers } = record;
  const body = at + PREFIX_BYTES;
  writeInteger(into, offset, body);
  writeInteger(into, timestampMs, body + 8);
  into.writeInt32LE(key === null ? -1 : key.length, body + 16);
  into.writeInt32LE(value === null ? -1 : value.length, body + 20);
  into.writeUInt16LE(headers.length, body + 24);
  let end = body + FIXED_BYTES;
  if (key !== null) {
    into.set(key, end);
    end += key.length;
  }
  if (value !== null) {
    into.set(value, end);
    end += value.length;
  }
  for (const header of headers) end = encodeHeader(into, end, header);
  into.writeUInt32LE(end - body, at);
  into.writeUInt32LE(crc32c(into, body, end), at + 4);
  return end;
}

function encodeHeader(into: Buffer, at: number, { name, value }: StreamHeader): number {
  const nameBytes = into.write(name, at + 2);
  into.writeUInt16LE(nameBytes, at);
  into.writeUInt32LE(value.length, at + 2 + nameBytes);
  into.set(value, at + 6 + nameBytes);
  return at + 6 + nameBytes + value.length;
}

/** What lies at a place: a whole record's bytes, `short` where more bytes are needed to tell, `damaged` where it is none. */
export function measureRecord(bytes: Buffer, at: number, end: number): number | 'short' | 'damaged' {
  if (at + PREFIX_BYTES > end) return 'short';
  const length = bytes.readUInt32LE(at);
  if (length < FIXED_BYTES) return 'damaged';
  const next = at + PREFIX_BYTES + length;
  if (next > end) return 'short';
  return crc32c(bytes, at + PREFIX_BYTES, next) === bytes.readUInt32LE(at + 4) ? next - at : 'damaged';
}

/** How many bytes must be there for the record at `at` to be whole. */
export function neededBytes(bytes: Buffer, at: number, end: number): number {
  return PREFIX_BYTES + (at + PREFIX_BYTES > end ? 0 : bytes.readUInt32LE(at));
}

export function offsetOf(bytes: Buffer, at: number): number {
  return readInteger(bytes, at + PREFIX_BYTES);
}

export function timestampOf(bytes: Buffer, at: number): number {
  return readInteger(bytes, at + PREFIX_BYTES + 8);
}

/** Of a record that `measureRecord` found whole. Key and value are views of the bytes, not copies. */
export function decodeRecord(bytes: Buffer, at: number): StreamRecord {
  const body = at + PREFIX_BYTES;
  const keyBytes = bytes.readInt32LE(body + 16);
  const valueBytes = bytes.readInt32LE(body + 20);
  const keyAt = body + FIXED_BYTES;
  const valueAt = keyAt + Math.max(0, keyBytes);
  return {
    offset: readInteger(bytes, body),
    timestampMs: readInteger(bytes, body + 8),
    key: keyBytes < 0 ? null : viewOf(bytes, keyAt, keyBytes),
    value: valueBytes < 0 ? null : viewOf(bytes, valueAt, valueBytes),
    headers: decodeHeaders(bytes, valueAt + Math.max(0, valueBytes), bytes.readUInt16LE(body + 24)),
  };
}

function decodeHeaders(bytes: Buffer, start: number, count: number): StreamHeader[] {
  const headers: StreamHeader[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    const nameEnd = at + 2 + bytes.readUInt16LE(at);
    const valueBytes = bytes.readUInt32LE(nameEnd);
    headers.push({ name: bytes.toString('utf8', at + 2, nameEnd), value: viewOf(bytes, nameEnd + 4, valueBytes) });
    at = nameEnd + 4 + valueBytes;
  }
  return headers;
}

/** A plain array: callers of the port know nothing of Buffer. */
function viewOf(bytes: Buffer, at: number, length: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
}

function writeInteger(into: Buffer, value: number, at: number): void {
  const high = Math.floor(value / WORD);
  into.writeUInt32LE(value - high * WORD, at);
  into.writeInt32LE(high, at + 4);
}

function readInteger(bytes: Buffer, at: number): number {
  return bytes.readInt32LE(at + 4) * WORD + bytes.readUInt32LE(at);
}
