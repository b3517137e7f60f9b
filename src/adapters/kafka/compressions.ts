// How batches on Kafka may be packed, in the order of their numbers in the protocol (KIP-110).
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];
