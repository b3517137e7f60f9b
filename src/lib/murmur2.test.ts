import { expect, test } from 'vitest';
import { murmur2, partitionOfKey } from './murmur2.ts';

// Apache Kafka, clients/src/test/java/org/apache/kafka/common/utils/UtilsTest.java, testMurmur2 (Apache-2.0).
const KAFKA_VECTORS: readonly (readonly [string, number])[] = [
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
];

test.each(KAFKA_VECTORS)("Kafka's hash of %s", (text, hash) => {
  expect(murmur2(new TextEncoder().encode(text))).toBe(hash);
});

test('a partition is the positive hash modulo their number', () => {
  const key = new TextEncoder().encode('21');
  expect(partitionOfKey(key, 8)).toBe((-973932308 & 0x7fffffff) % 8);
  expect(partitionOfKey(key, 1)).toBe(0);
});
