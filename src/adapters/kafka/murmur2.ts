// Which partition a key goes to, as Kafka's own Java client chooses it: murmur2 of the key's bytes, sign dropped, modulo
// the number of partitions (org.apache.kafka.common.utils.Utils.murmur2, BuiltInPartitioner.partitionForKey).

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** @returns a signed 32-bit hash */
export function murmur2(bytes: Uint8Array): number {
  const length = bytes.length;
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    let word = bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16) | (bytes[i + 3] << 24);
    word = Math.imul(word, MULTIPLIER);
    word ^= word >>> 24;
    word = Math.imul(word, MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  const left = length - whole;
  if (left > 0) {
    if (left === 3) hash ^= bytes[whole + 2] << 16;
    if (left >= 2) hash ^= bytes[whole + 1] << 8;
    hash = Math.imul(hash ^ bytes[whole], MULTIPLIER);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, MULTIPLIER);
  return (hash ^ (hash >>> 15)) | 0;
}

export function partitionOfKey(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
