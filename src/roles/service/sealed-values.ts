// Transactions as the service writes them onto the stream, and as its worker reads them: personal fields sealed.
//
// What others have written in clear is read, too. Whatever is decided speaks of ids by their public form, so that decisions
// and alerts carry nobody's number.
import type { LabelRecord } from '../../domain/stream-records.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { streamKeyOf } from '../../jobs/stream/feed-stream.ts';
import { InputError } from '../../lib/errors.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import type { OutgoingRecord } from '../../ports.ts';
import type { DataKeys } from '../../privacy/data-keys.ts';
import { type DataKeyId, EnvelopeError, keyIdOf } from '../../privacy/envelope.ts';
import { isSealedTransaction, type TransactionCodec } from '../../privacy/sealed-transaction.ts';

const NO_HEADERS: OutgoingRecord['headers'] = [];
const SEALED = Buffer.from('"sealed":"');
/** More than the shortest envelope has. */
const LOOKED_AT = 80;
const encoder = new TextEncoder();

/** @param sealed by `sealedValue` before */
export function sealedRecord(
  codec: TransactionCodec,
  transaction: Transaction,
  sealed: Uint8Array,
  topic: string,
): OutgoingRecord {
  const key = encoder.encode(streamKeyOf(codec.withPublicIds(transaction)));
  return { topic, partition: null, key, value: sealed, headers: NO_HEADERS, timestampMs: null };
}

/** At once where the customer's key is at hand, as it is for all but the first of their transactions. */
export function sealedValue(
  codec: TransactionCodec,
  transaction: Transaction,
  nowMs: number,
): Uint8Array | Promise<Uint8Array> {
  return codec.seal(transaction, nowMs) ?? codec.sealAll([transaction], nowMs).then(([sealed]) => sealed);
}

export function openingDecoders(codec: TransactionCodec, keys: DataKeys, clear: RecordDecoders): RecordDecoders {
  return {
    ...clear,
    prepare(values) {
      const waits = [clear.prepare?.(values) ?? null, openMissing(keys, values)].filter((wait) => wait !== null);
      return waits.length === 0 ? null : Promise.all(waits).then(() => undefined);
    },
    isSealed: isSealedTransaction,
    prepareLabels: (values) => openMissing(keys, values)?.then(() => undefined) ?? null,
    transaction(value) {
      return codec.withPublicIds(isSealedTransaction(value) ? openedBy(codec, value) : clear.transaction(value));
    },
    label(value) {
      const { transaction, isFraud } = isSealedTransaction(value) ? sealedLabel(codec, value) : clear.label(value);
      return { transaction: codec.withPublicIds(transaction), isFraud };
    },
  };
}

/** @throws InputError */
function openedBy(codec: TransactionCodec, value: Uint8Array): Transaction {
  try {
    const opened = codec.open(value);
    if (opened === null) throw new Error('a sealed transaction was not prepared');
    return opened.transaction;
  } catch (error) {
    if (!(error instanceof EnvelopeError)) throw error;
    throw new InputError('ENVELOPE_BROKEN', error.message, 'Find out who else writes to the stream');
  }
}

/** The transaction with its label. @throws InputError */
function sealedLabel(codec: TransactionCodec, value: Uint8Array): LabelRecord {
  const transaction = openedBy(codec, value);
  const { isFraud } = transaction;
  if (isFraud !== null) return { transaction, isFraud };
  throw new InputError('LABEL_INVALID', 'isFraud must be true or false', 'Find out who else writes to the stream');
}

/** Gets the keys that are not at hand; null where all are. */
function openMissing(keys: DataKeys, values: readonly Uint8Array[]): Promise<unknown> | null {
  const missing = new Set<DataKeyId>();
  for (const value of values) {
    const id = isSealedTransaction(value) ? keyOfRecord(value) : null;
    if (id !== null && keys.keyToOpen(id) === null) missing.add(id);
  }
  return missing.size === 0 ? null : keys.keysToOpen([...missing]);
}

/** Of its envelope, without reading the rest; null where it is none, which is told when it is opened. */
function keyOfRecord(value: Uint8Array): DataKeyId | null {
  const buffer = bufferOf(value);
  const at = buffer.lastIndexOf(SEALED);
  if (at < 0) return null;
  try {
    return keyIdOf(
      Buffer.from(buffer.toString('latin1', at + SEALED.length, at + SEALED.length + LOOKED_AT), 'base64'),
    );
  } catch {
    return null;
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
