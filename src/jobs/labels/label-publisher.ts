// Labels of the records onto the stream's topic `labels`, so that features and models learn what people, claims and customers
// said: in the order of their changes, each at least once.
//
// The records' feed is the outbox: a label is in it once it is committed, whoever said it. How far it has been published is
// kept as an object after the stream has taken the labels; a crash between the two publishes some again, which teaches nothing
// new. A label repeats its transaction, which is read from the stream and sealed as it was there: nobody's data in clear.
import { labelRecordOf } from '../../alerts/label.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import { LABEL_SOURCE_HEADER } from '../../pipeline/stream/record-kinds.ts';
import type { ObjectStore, OutgoingRecord, StreamLog } from '../../ports.ts';
import { EnvelopeError } from '../../privacy/envelope.ts';
import { labelFeed } from '../../records/alerts/labels.ts';
import type { TransactionLabelTable } from '../../records/alerts/tables.ts';
import type { RecordStore } from '../../records/record-store.ts';

/** Where a transaction stands in the stream. */
export interface PlaceInStream {
  readonly partition: number;
  readonly offset: number;
}

export interface LabelPublisherOptions {
  readonly records: RecordStore;
  readonly log: Pick<StreamLog, 'append' | 'read' | 'bounds'>;
  readonly topics: { readonly transactions: string; readonly labels: string };
  readonly objects: ObjectStore;
  /** null where it is not decided yet, or nobody knows it. */
  readonly placeOf: (transactionId: string) => Promise<PlaceInStream | null>;
  /** As it stands in the stream. @throws InputError, EnvelopeError where it cannot be read */
  readonly open: (value: Uint8Array) => Promise<Transaction>;
  /** A sealed record that is the transaction with its label. */
  readonly seal: (labelled: Transaction, topic: string) => Promise<OutgoingRecord>;
  readonly nowMs: () => number;
  /** Its transaction is not in the stream (any more): it stays in the records. */
  readonly onPassedOver: (transactionId: string) => void;
}

const MOST_AT_ONCE = 500;
/** A label may be said before its decision is archived: so long it is waited for, and those after it with it. */
const WAIT_FOR_DECISION_MS = 30_000;
const PLACE = 'labels/published.json';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class LabelPublisher {
  readonly #options: LabelPublisherOptions;
  #published: number | null = null;

  constructor(options: LabelPublisherOptions) {
    this.#options = options;
  }

  /** What is new, up to 500. @returns how many the stream took @throws what the records, the log and the objects throw */
  async publish(): Promise<number> {
    const { records, log, objects } = this.#options;
    const after = this.#published ?? (await this.#begin());
    const rows = await labelFeed(records.db, after, MOST_AT_ONCE);
    const outputs: OutgoingRecord[] = [];
    let upTo = after;
    for (const row of rows) {
      const transaction = await this.#transactionOf(row.transaction_id);
      if (transaction === null && this.#mayStillCome(row)) break;
      if (transaction === null) this.#options.onPassedOver(row.transaction_id);
      else outputs.push(await this.#labelled(transaction, row));
      upTo = row.feed;
    }
    if (outputs.length > 0) await log.append(outputs);
    if (upTo > after) await objects.put(PLACE, encoder.encode(JSON.stringify({ feed: upTo })));
    this.#published = upTo;
    return outputs.length;
  }

  /** Records that were restored from a copy count from further back than what is published: then all is published again. */
  async #begin(): Promise<number> {
    const { records, objects } = this.#options;
    const kept = await objects.get(PLACE);
    if (kept === null) return 0;
    const { feed } = JSON.parse(decoder.decode(kept)) as { readonly feed: number };
    const { last } = await records.db.selectFrom('label_feed').select('last').executeTakeFirstOrThrow();
    return feed <= last ? feed : 0;
  }

  #mayStillCome({ at_ms: atMs }: TransactionLabelTable): boolean {
    return this.#options.nowMs() - atMs < WAIT_FOR_DECISION_MS;
  }

  /** null where it is not known, or not kept by the stream any more: no window holds it then. */
  async #transactionOf(id: string): Promise<Transaction | null> {
    const { log, topics, open, placeOf } = this.#options;
    const place = await placeOf(id);
    if (place === null) return null;
    const topic = topics.transactions;
    const bounds = (await log.bounds(topic)).find(({ partition }) => partition === place.partition);
    if (bounds === undefined || place.offset < bounds.start || place.offset >= bounds.end) return null;
    const [record] = await log.read({ topic, ...place }, 1, 0);
    if (record?.value == null || record.offset !== place.offset) return null;
    const transaction = await open(record.value).catch(nothingOfBroken);
    return transaction?.id === id ? transaction : null;
  }

  async #labelled(transaction: Transaction, row: TransactionLabelTable): Promise<OutgoingRecord> {
    const label = { outcome: row.outcome, typology: row.typology, atMs: row.at_ms };
    const { seal, topics } = this.#options;
    const sealed = await seal(labelRecordOf(transaction, label).transaction, topics.labels);
    const source = { name: LABEL_SOURCE_HEADER, value: encoder.encode(row.source) };
    return { ...sealed, headers: [...sealed.headers, source] };
  }
}

/** One that cannot be read must not hold up the others. */
function nothingOfBroken(error: unknown): null {
  if (error instanceof InputError || error instanceof EnvelopeError) return null;
  throw error;
}
