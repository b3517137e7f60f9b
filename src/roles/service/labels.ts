// Labels of the records onto the stream, beside a running service.
import { LabelPublisher, type PlaceInStream } from '../../jobs/labels/label-publisher.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import type { TopicNames } from '../../pipeline/stream/topics.ts';
import type { ObjectStore, StreamLog } from '../../ports.ts';
import { isSealedTransaction } from '../../privacy/sealed-transaction.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RunningArchive } from './decision-archive.ts';
import { every } from './every.ts';
import { sealedRecord, sealedValue } from './sealed-values.ts';
import type { Vault } from './vault.ts';

export interface LabelParts {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly records: RecordStore;
  readonly objects: ObjectStore;
  readonly vault: Pick<Vault, 'codec'>;
  readonly decisions: RunningArchive['decisions'];
  /** Of what others wrote in clear. */
  readonly decoders: Pick<RecordDecoders, 'transaction'>;
  readonly logger: Logger;
}

const LOOK_MS = 500;

/** @returns ends it; what is not published then is when the service starts again */
export function startLabels(parts: LabelParts): () => void {
  const { log, topics, records, objects, vault, decisions, decoders, logger } = parts;
  const { codec } = vault;
  const placeOf = async (id: string): Promise<PlaceInStream | null> => {
    const columns = ['log_partition as partition', 'log_offset as offset'] as const;
    const alert = await records.db.selectFrom('alerts').select(columns).where('id', '=', id).executeTakeFirst();
    return alert ?? (await decisions.findDecision(id))?.decision?.at ?? null;
  };
  const publisher = new LabelPublisher({
    ...{ records, log, topics, objects, placeOf, nowMs: Date.now },
    async open(value) {
      if (!isSealedTransaction(value)) return decoders.transaction(value);
      return (await codec.openAll([value]))[0].transaction;
    },
    async seal(labelled, topic) {
      return sealedRecord(codec, labelled, await sealedValue(codec, labelled, Date.now()), topic);
    },
    // Ids of transactions are the bank's; still they are not for logs.
    onPassedOver: () => logger.warn('a label was passed over: its transaction is not in the stream'),
  });
  return every(
    LOOK_MS,
    () => publisher.publish(),
    ({ message }) => logger.warn({ message }, 'labels will be published again'),
  );
}
