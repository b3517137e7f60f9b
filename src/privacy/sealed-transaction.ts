// A transaction at rest: JSON whose personal fields are in one envelope, sealed with the payer's key (without a payer the
// card's, then the payee's), and back. What stays readable is what features and searches need: amounts, times, codes and ids;
// an id that is somebody's number itself (personal-fields.ts) is a token there and stands in clear inside of the envelope.
//
//   {"id":"…","eventTimeMs":…, …, "payerId":"dni_…","sealedBy":1,"sealed":"<envelope in Base64>"}
//
// Opened it is the transaction that it was, so whatever is computed of it is the same. Once the key is destroyed it comes
// back with those fields null and the tokens for ids; `erased` says so.
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import type { DataKeys, FoundKey } from './data-keys.ts';
import { type DataKey, type DataKeyId, EnvelopeError, keyIdOf, openBytes, sealBytes } from './envelope.ts';
import { ID_FIELDS, KINDS_OF, SEALED_FIELDS } from './personal-fields.ts';
import type { SubjectToken, Tokens } from './tokens.ts';

export interface OpenedTransaction {
  readonly transaction: Transaction;
  /** The key was destroyed: personal fields are null, for ever. */
  readonly erased: boolean;
}

const FORMAT = 1;
const MARK = '"sealedBy":';
const TABLE = 'transaction';
const FIELD = 'personal';
/** Whoever has no payer, card or payee shares this one's key. */
const NOBODY = 'nobody';
const MOST_BYTES = 64 * 1024;
const SEALED_COUNT = SEALED_FIELDS.length;

type Fields = Record<string, unknown>;

/** Whether bytes are such a record. Inside of a text the mark's quotes would be escaped, so it cannot be written there. */
export function isSealedTransaction(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(MARK);
}

/** Sync where the keys are at hand, which `prepare` and the `…All` see to. */
export class TransactionCodec {
  readonly #keys: DataKeys;
  readonly #tokens: Tokens;

  constructor(keys: DataKeys, tokens: Tokens) {
    this.#keys = keys;
    this.#tokens = tokens;
  }

  /** With whose key it is sealed. */
  subjectOf({ payerId, cardId, payeeId }: Pick<Transaction, 'payerId' | 'cardId' | 'payeeId'>): SubjectToken {
    return this.#tokens.subject(payerId ?? cardId ?? payeeId ?? NOBODY);
  }

  /** The same transaction with tokens for ids that are somebody's number: for what leaves, and for folds over sealed logs. */
  withPublicIds(transaction: Transaction): Transaction {
    let changed: Fields | null = null;
    for (const field of ID_FIELDS) {
      const id = transaction[field];
      if (id === null) continue;
      const open = this.#tokens.publicId(id, KINDS_OF[field]);
      if (open === id) continue;
      changed ??= { ...transaction };
      changed[field] = open;
    }
    return changed === null ? transaction : (changed as Transaction);
  }

  /** null where the key is not at hand: `prepare` first. */
  seal(transaction: Transaction, nowMs: number): Uint8Array | null {
    const key = this.#keys.keyToSeal(this.subjectOf(transaction), nowMs);
    return key === null ? null : this.#sealWith(key, transaction);
  }

  /**
   * Gets the keys that sealing these needs, new ones for new customers.
   *
   * @throws what `DataKeys.keysToSeal` throws
   */
  async prepare(transactions: readonly Transaction[], nowMs: number): Promise<void> {
    await this.#keys.keysToSeal(
      transactions.map((each) => this.subjectOf(each)),
      nowMs,
    );
  }

  async sealAll(transactions: readonly Transaction[], nowMs: number): Promise<Uint8Array[]> {
    const subjects = transactions.map((each) => this.subjectOf(each));
    const keys = await this.#keys.keysToSeal(subjects, nowMs);
    return transactions.map((each, index) => this.#sealWith(keys.get(subjects[index])!, each));
  }

  /**
   * null where the key is not at hand: `openAll`.
   *
   * @throws EnvelopeError where the bytes are not what was sealed
   */
  open(bytes: Uint8Array): OpenedTransaction | null {
    const record = readRecord(bytes);
    const key = this.#keys.keyToOpen(record.keyId);
    return key === null ? null : openRecord(record, key);
  }

  /** @throws EnvelopeError; InputError DATA_KEY_MISSING; what the master keys throw */
  async openAll(all: readonly Uint8Array[]): Promise<OpenedTransaction[]> {
    const records = all.map(readRecord);
    const keys = await this.#keys.keysToOpen(records.map(({ keyId }) => keyId));
    return records.map((record) => openRecord(record, keys.get(record.keyId)!));
  }

  #sealWith(key: DataKey, t: Transaction): Uint8Array {
    const open = this.withPublicIds(t);
    const personal: unknown[] = [];
    for (const field of SEALED_FIELDS) personal.push(t[field]);
    // Only ids that were replaced.
    if (open !== t) for (const field of ID_FIELDS) personal.push(open[field] === t[field] ? null : t[field]);
    const plain = Buffer.from(JSON.stringify(personal));
    const sealed = sealBytes(key, plain, { table: TABLE, row: t.id, field: FIELD });
    return Buffer.from(JSON.stringify(openPart(open, base64(sealed))));
  }
}

/** null is left out, as in what banks send. One literal, so that all have one shape. */
function openPart(t: Transaction, sealed: string): Fields {
  return {
    id: t.id,
    eventTimeMs: t.eventTimeMs,
    ingestTimeMs: t.ingestTimeMs ?? undefined,
    amountMinor: t.amountMinor,
    currency: t.currency,
    operation: t.operation,
    rail: t.rail ?? undefined,
    channel: t.channel ?? undefined,
    payerId: t.payerId ?? undefined,
    payeeId: t.payeeId ?? undefined,
    cardId: t.cardId ?? undefined,
    deviceId: t.deviceId ?? undefined,
    terminalId: t.terminalId ?? undefined,
    merchantId: t.merchantId ?? undefined,
    mcc: t.mcc ?? undefined,
    entryMode: t.entryMode ?? undefined,
    ubigeo: t.ubigeo ?? undefined,
    country: t.country ?? undefined,
    authFactors: t.authFactors.length > 0 ? t.authFactors : undefined,
    status: t.status,
    responseCode: t.responseCode ?? undefined,
    externalId: t.externalId ?? undefined,
    balanceAfterMinor: t.balanceAfterMinor ?? undefined,
    isFraud: t.isFraud ?? undefined,
    typology: t.typology ?? undefined,
    labelTimeMs: t.labelTimeMs ?? undefined,
    authExemption: t.authExemption ?? undefined,
    sealedBy: FORMAT,
    sealed,
  };
}

interface SealedRecord {
  readonly keyId: DataKeyId;
  readonly sealed: Uint8Array;
  readonly transaction: Transaction;
}

/** What is open in it is taken as it is: who reads records that others may write checks it against the schema. */
function readRecord(bytes: Uint8Array): SealedRecord {
  if (bytes.length > MOST_BYTES) throw new EnvelopeError(`The record has ${bytes.length} bytes, at most ${MOST_BYTES}`);
  const value = readJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  const { sealed: text, sealedBy, id } = value;
  if (sealedBy !== FORMAT || typeof text !== 'string' || typeof id !== 'string') {
    throw new EnvelopeError('The record is no sealed transaction of this format');
  }
  const sealed = Buffer.from(text, 'base64');
  return { keyId: keyIdOf(sealed), sealed, transaction: createTransaction(value as unknown as Transaction) };
}

function openRecord({ transaction, sealed }: SealedRecord, key: FoundKey): OpenedTransaction {
  if (key === 'erased') return { transaction, erased: true };
  const plain = openBytes(key, sealed, { table: TABLE, row: transaction.id, field: FIELD });
  const values = JSON.parse((plain as Buffer).toString('utf8')) as unknown[];
  const fields = transaction as Fields;
  for (let i = 0; i < SEALED_COUNT; i++) fields[SEALED_FIELDS[i]] = values[i];
  for (let i = SEALED_COUNT; i < values.length; i++) {
    if (values[i] !== null) fields[ID_FIELDS[i - SEALED_COUNT]] = values[i];
  }
  return { transaction, erased: false };
}

function readJson(bytes: Buffer): Fields {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value === 'object' && value !== null) return value as Fields;
  } catch {
    // Told below, without what it holds.
  }
  throw new EnvelopeError('The record is no JSON object');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}
