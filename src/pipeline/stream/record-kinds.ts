// What travels in the stream of transactions: transactions, labels of earlier ones, and changes of what decides.
//
// All three come in one order, so that a fold over the stream is the same whenever it is done: a label counts from its
// place on, and a change of rules or model holds from exactly one offset. A header says what a record is; a record without
// it is a transaction, so that a bank's own producer need not know of it.
import { InputError } from '../../lib/errors.ts';
import type { StreamRecord } from '../../ports.ts';

export const KIND_HEADER = 'centinela-kind';

/** Of a label that the service writes: who said it, the customer, an analyst, a claim (domain of `LabelSource`). */
export const LABEL_SOURCE_HEADER = 'centinela-label-source';

export const RECORD_KINDS = ['transaction', 'label', 'control'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export const VALUE_MISSING = (): InputError => new InputError('VALUE_MISSING', 'The record has no value', 'Send one');

const decoder = new TextDecoder();

/** null for a kind that this version does not know. */
export function kindOf({ headers }: Pick<StreamRecord, 'headers'>): RecordKind | null {
  const header = headers.find(({ name }) => name === KIND_HEADER);
  if (header === undefined) return 'transaction';
  const kind = decoder.decode(header.value);
  return RECORD_KINDS.find((known) => known === kind) ?? null;
}

export function kindHeader(kind: RecordKind): StreamRecord['headers'][number] {
  return { name: KIND_HEADER, value: new TextEncoder().encode(kind) };
}

/** Those at or after the offset, each once and in order, whatever was delivered again. */
export function newRecords(records: readonly StreamRecord[], offset: number): readonly StreamRecord[] {
  let next = offset;
  return records.filter((record) => {
    const isNew = record.offset >= next;
    if (isNew) next = record.offset + 1;
    return isNew;
  });
}
