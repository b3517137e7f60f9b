// History as the log has it: the transactions of all partitions in the order of their event times, each once, with what the
// records say of them now. It reads a little at a time and rests between, for it shares its process with decisions.
//
// Partitions are merged by the event time of what each has next: within one they are in order but for stragglers, which the
// features allow for. Labels of the stream's own topic are not looked at: the records have the last word on each.
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import { hashText } from '../../lib/hash.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import { kindOf } from '../../pipeline/stream/record-kinds.ts';
import type { StreamLog, StreamRecord } from '../../ports.ts';

export interface KnownLabel {
  readonly isFraud: boolean;
  readonly typology: string | null;
  readonly labelTimeMs: number;
}

export interface LogHistoryOptions {
  readonly log: Pick<StreamLog, 'read' | 'bounds'>;
  readonly topic: string;
  readonly decoders: Pick<RecordDecoders, 'prepare' | 'transaction'>;
  /** What is known of these transactions, by id. */
  labelsOf(ids: readonly string[]): Promise<ReadonlyMap<string, KnownLabel>>;
  rest(): Promise<void>;
}

export interface HistoryBatch {
  readonly transactions: readonly Transaction[];
  /** Share of the log that was read, 0–1. */
  readonly progress: number;
}

/** Opened in a few milliseconds. */
const BATCH = 128;
const MOST_IDS = 8_000_000;

interface Source {
  readonly partition: number;
  readonly end: number;
  next: number;
  /** Read and not yet taken. */
  held: readonly Transaction[];
  at: number;
}

/** Up to where the log is when it begins. */
export async function* logHistory(options: LogHistoryOptions): AsyncGenerator<HistoryBatch> {
  const { log, topic, labelsOf, rest } = options;
  const bounds = await log.bounds(topic);
  const sources = bounds.map(({ partition, start, end }): Source => ({ partition, end, next: start, held: [], at: 0 }));
  const total = bounds.reduce((sum, { start, end }) => sum + end - start, 0);
  const left = () => sources.reduce((sum, { next, end, held, at }) => sum + end - next + held.length - at, 0);
  const isNew = onceEach();
  for (;;) {
    const batch: Transaction[] = [];
    while (batch.length < BATCH) {
      for (const source of sources) if (source.at === source.held.length) await fill(source, options);
      const source = earliest(sources);
      if (source === null) break;
      const transaction = source.held[source.at++];
      if (isNew(transaction.id)) batch.push(transaction);
    }
    if (batch.length === 0) return;
    const labels = await labelsOf(batch.map(({ id }) => id));
    const transactions = batch.map((each) => ({ ...each, ...labels.get(each.id) }));
    yield { transactions, progress: total === 0 ? 1 : 1 - left() / total };
    await rest();
  }
}

/** Until it has something, or there is nothing left. */
async function fill(source: Source, { log, topic, decoders }: LogHistoryOptions): Promise<void> {
  while (source.next < source.end && source.at === source.held.length) {
    const { partition, next, end } = source;
    const read = await log.read({ topic, partition, offset: next }, BATCH, 0);
    const records = read.filter(({ offset }) => offset < end);
    // What is kept no longer, and transactions' own marks, leave gaps.
    source.next = records.length === 0 ? end : records[records.length - 1].offset + 1;
    source.held = await decoded(records, decoders);
    source.at = 0;
  }
}

async function decoded(
  records: readonly StreamRecord[],
  decoders: LogHistoryOptions['decoders'],
): Promise<readonly Transaction[]> {
  const values = records.flatMap((record) =>
    record.value !== null && kindOf(record) === 'transaction' ? [record.value] : [],
  );
  await decoders.prepare?.(values);
  return values.flatMap((value) => {
    try {
      return [decoders.transaction(value)];
    } catch (error) {
      // It is among the dead letters, and was never decided.
      if (error instanceof InputError) return [];
      throw error;
    }
  });
}

function earliest(sources: readonly Source[]): Source | null {
  let first: Source | null = null;
  for (const source of sources) {
    if (source.at === source.held.length) continue;
    if (first === null || source.held[source.at].eventTimeMs < first.held[first.at].eventTimeMs) first = source;
  }
  return first;
}

function onceEach(): (id: string) => boolean {
  const seen = new FingerprintSet(MOST_IDS);
  const low = new Int32Array(1);
  const high = new Int32Array(1);
  return (id) => {
    hashText(id, low, high, 0);
    return seen.add(low[0], high[0]);
  };
}
