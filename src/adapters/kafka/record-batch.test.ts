import { CompressionAlgorithms, crc32c, createRecordsBatch, Reader, readRecordsBatch } from '@platformatic/kafka';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMPRESSIONS } from './compressions.ts';
import { committedBatches } from './fetch.ts';
import { CorruptBatchError, encodeBatch, readBatchHeads, readRecords } from './record-batch.ts';

const CONTROL = 32;
const producer = { producerId: 7n, producerEpoch: 3, firstSequence: 11, transactional: true };
const bytes = fc.uint8Array({ maxLength: 300 });
const record = fc.record({
  key: fc.option(bytes, { nil: null }),
  value: fc.option(bytes, { nil: null }),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 20 }), value: bytes }), { maxLength: 3 }),
  timestampMs: fc.integer({ min: 0, max: 4_000_000_000_000 }),
});
const records = fc.array(record, { minLength: 1, maxLength: 40 });
const plain = (value: Uint8Array | null) => (value === null ? null : [...value]);

describe('record batches', () => {
  it('come back as they were, with every compression', () => {
    fc.assert(
      fc.property(records, fc.constantFrom(...COMPRESSIONS), (written, compression) => {
        const [head] = readBatchHeads(encodeBatch(written, producer, compression));
        const read = readRecords(head);
        expect(read.map(({ offset }) => offset)).toEqual(written.map((_, index) => index));
        read.forEach((one, index) => {
          const { key, value, headers, timestampMs } = written[index];
          expect([plain(one.key), plain(one.value), one.timestampMs]).toEqual([plain(key), plain(value), timestampMs]);
          expect(one.headers.map((header) => [header.name, [...header.value]])).toEqual(
            headers.map((header) => [header.name, [...header.value]]),
          );
        });
      }),
      { numRuns: 300 },
    );
  });

  it('are what the client library reads and writes', () => {
    // The library writes times wrong that lie more than 2^31 ms apart in one batch.
    const near = record.map((one) => ({ ...one, timestampMs: 1_700_000_000_000 + (one.timestampMs % 1_000_000_000) }));
    fc.assert(
      fc.property(
        fc.array(near, { minLength: 1, maxLength: 40 }),
        fc.constantFrom(...COMPRESSIONS),
        (written, compression) => {
          const theirs = readRecordsBatch(Reader.from(encodeBatch(written, producer, compression)));
          expect(theirs).toMatchObject({ producerId: 7n, producerEpoch: 3, firstSequence: 11, magic: 2 });
          expect(theirs.records.map(({ value }) => plain(value))).toEqual(written.map(({ value }) => plain(value)));
          const messages = written.map(({ key, value, timestampMs }) => ({
            ...{ topic: 't', partition: 0, timestamp: BigInt(timestampMs) },
            ...{ key: Buffer.from(key ?? []), value: Buffer.from(value ?? []) },
          }));
          const algorithm = CompressionAlgorithms[compression.toUpperCase() as keyof typeof CompressionAlgorithms];
          const [head] = readBatchHeads(createRecordsBatch(messages as never, { compression: algorithm }).buffer);
          expect(readRecords(head).map(({ timestampMs }) => timestampMs)).toEqual(
            written.map((one) => one.timestampMs),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('that were damaged are refused, and what is cut off at the end is left out', () => {
    const one = { key: null, value: Buffer.from('x'.repeat(100)), headers: [], timestampMs: 5 };
    const batch = encodeBatch([one, one], producer, 'none');
    for (let at = 21; at < batch.length; at++) {
      const damaged = Buffer.from(batch);
      damaged[at] ^= 1;
      expect(() => readBatchHeads(damaged)).toThrow(CorruptBatchError);
    }
    expect(readBatchHeads(Buffer.concat([batch, batch.subarray(0, batch.length - 1)]))).toHaveLength(1);
    expect(readBatchHeads(batch.subarray(0, 11))).toEqual([]);
  });
});

describe('what has been committed', () => {
  const at = (firstOffset: number, producerId: bigint, kind: 'data' | 'commit' | 'abort', transactional = true) => {
    const marker = Buffer.from([0, 0, 0, kind === 'abort' ? 0 : 1]);
    const one = { key: kind === 'data' ? null : marker, value: Buffer.alloc(6), headers: [], timestampMs: 1 };
    const batch = encodeBatch([one], { ...producer, producerId, transactional }, 'none');
    batch.writeBigInt64BE(BigInt(firstOffset), 0);
    if (kind === 'data') return batch;
    // Only brokers write markers; the checksum covers the attributes.
    batch.writeInt16BE(batch.readInt16BE(21) | CONTROL, 21);
    batch.writeUInt32BE(crc32c(batch.subarray(21)) >>> 0, 17);
    return batch;
  };

  it('leaves out each aborted transaction, also several of one producer and those whose end is not there yet', () => {
    const fetched = {
      ...{ topic: 't', partition: 0, errorCode: 0, lastStableOffset: 20 },
      aborted: [
        { producerId: 1n, firstOffset: 2 },
        { producerId: 1n, firstOffset: 6 },
        { producerId: 2n, firstOffset: 10 },
      ],
      bytes: Buffer.concat([
        at(0, 1n, 'data'),
        at(1, 1n, 'commit'),
        at(2, 1n, 'data'),
        at(3, 2n, 'data'),
        at(4, 1n, 'abort'),
        at(5, 2n, 'commit'),
        at(6, 1n, 'data'),
        at(7, 1n, 'abort'),
        at(8, 1n, 'data'),
        at(9, 1n, 'commit'),
        at(10, 2n, 'data'),
        at(11, 3n, 'data', false),
      ]),
    };
    const { batches, next } = committedBatches(fetched, 0);
    expect(batches.map(({ firstOffset }) => firstOffset)).toEqual([0, 3, 8, 11]);
    expect(next).toBe(12);
    expect(committedBatches(fetched, 9).batches.map(({ firstOffset }) => firstOffset)).toEqual([11]);
  });
});
