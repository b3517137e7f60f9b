// MurmurHash2 by Austin Appleby (public domain, 32 bits) as Apache Kafka's Java client seeds and uses it
// (org.apache.kafka.common.utils.Utils.murmur2): a key then goes to the same partition whichever client or log writes it.

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** Signed 32-bit hash. */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  const wholeWords = length & ~3;
  let hash = SEED ^ length;
  for (let at = 0; at < wholeWords; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    word = Math.imul(word, MULTIPLIER);
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= bytes[wholeWords + 2]! << 16;
  if (rest >= 2) hash ^= bytes[wholeWords + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ bytes[wholeWords]!, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

/** The partition, from 0, that Kafka's default partitioner gives a key. @param partitions how many there are, from 1 */
export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
