// A transaction (or a label) on its way through the stages: what is known of it so far, and the transaction itself.
//
// Layout, little-endian: a head of 40 bytes, the features so far (float64, in the order of the visits made), then the
// transaction in JSON with what is missing left out. Card numbers are tokens by then. What came sealed goes on as it came: each
// stage opens it for itself, and nothing of it lies in clear between them.
import { createTransaction, type Transaction } from '../../../domain/transaction.ts';
import { FLAG_HABIT, FLAG_OFF_HABIT } from '../../../features/event-flags.ts';
import { InputError } from '../../../lib/errors.ts';
import type { RecordDecoders } from '../partition-fold.ts';
import type { Source } from './source-marks.ts';

/** Where the first stage read it. */
export interface Origin {
  readonly partition: number;
  readonly offset: number;
}

export const ADMISSIONS = ['ok', 'too-late', 'too-early'] as const;
export type Admission = (typeof ADMISSIONS)[number];

export interface Frame {
  readonly origin: Origin;
  /** Who passed it on. */
  readonly source: Source;
  /** Which features the values are of; see topology.ts. */
  readonly layout: number;
  /** As the first stage judged its time. */
  readonly admission: Admission;
  isLate: boolean;
  /** Flags of the payer's habit. */
  habit: number;
  /** Bits of the visits made, whose features are in `values`. */
  visited: number;
  /** Bits of those to be made where it goes. */
  visits: number;
  values: Float64Array;
  /** It was decided before there were stages: they learn from it, nothing more. */
  readonly isDecided: boolean;
  /** Of a label; null for a transaction. */
  readonly label: { readonly isFraud: boolean; isKnown: boolean } | null;
  /** `transaction` is the value as it came, of the transaction or the label. */
  readonly isSealed: boolean;
  /** JSON, where it is not sealed. */
  readonly transaction: Uint8Array;
}

const VERSION = 1;
const HEAD_BYTES = 40;
const MOST_VALUES = 65_536;

const LATE = 1;
const HABITUAL = 2;
const OFF_HABIT = 4;
const LABEL = 8;
const FRAUD = 16;
const KNOWN = 32;
const DECIDED = 64;
const SEALED = 128;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeFrame(frame: Frame): Uint8Array {
  const { origin, source, layout, admission, isLate, habit, visited, visits, values, label } = frame;
  const { transaction, isDecided, isSealed } = frame;
  const bytes = new Uint8Array(HEAD_BYTES + values.byteLength + transaction.length);
  const view = new DataView(bytes.buffer);
  const flags =
    (isLate ? LATE : 0) |
    (isDecided ? DECIDED : 0) |
    (isSealed ? SEALED : 0) |
    ((habit & FLAG_HABIT) !== 0 ? HABITUAL : 0) |
    ((habit & FLAG_OFF_HABIT) !== 0 ? OFF_HABIT : 0) |
    (label === null ? 0 : LABEL | (label.isFraud ? FRAUD : 0) | (label.isKnown ? KNOWN : 0));
  view.setUint8(0, VERSION);
  view.setUint8(1, flags);
  view.setUint8(2, ADMISSIONS.indexOf(admission));
  view.setUint8(3, source.stage);
  view.setUint16(4, visited, true);
  view.setUint16(6, visits, true);
  view.setUint32(8, layout, true);
  view.setUint32(12, origin.partition, true);
  view.setFloat64(16, origin.offset, true);
  view.setUint32(24, values.length, true);
  view.setUint32(28, source.partition, true);
  view.setFloat64(32, source.offset, true);
  bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), HEAD_BYTES);
  bytes.set(transaction, HEAD_BYTES + values.byteLength);
  return bytes;
}

/** @throws InputError FRAME_UNREADABLE */
export function decodeFrame(bytes: Uint8Array): Frame {
  if (bytes.length < HEAD_BYTES) throw unreadable('it is too short');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint8(0);
  if (version !== VERSION) throw unreadable(`its version is ${version}, this program knows ${VERSION}`);
  const flags = view.getUint8(1);
  const admission = ADMISSIONS[view.getUint8(2)];
  const count = view.getUint32(24, true);
  const end = HEAD_BYTES + 8 * count;
  if (admission === undefined || count > MOST_VALUES || end > bytes.length) throw unreadable('it is damaged');
  const values = new Float64Array(count);
  // The bytes may stand at any place of a larger buffer.
  new Uint8Array(values.buffer).set(bytes.subarray(HEAD_BYTES, end));
  return {
    origin: { partition: view.getUint32(12, true), offset: view.getFloat64(16, true) },
    source: { stage: view.getUint8(3), partition: view.getUint32(28, true), offset: view.getFloat64(32, true) },
    layout: view.getUint32(8, true),
    admission,
    isLate: (flags & LATE) !== 0,
    isDecided: (flags & DECIDED) !== 0,
    isSealed: (flags & SEALED) !== 0,
    habit: ((flags & HABITUAL) !== 0 ? FLAG_HABIT : 0) | ((flags & OFF_HABIT) !== 0 ? FLAG_OFF_HABIT : 0),
    visited: view.getUint16(4, true),
    visits: view.getUint16(6, true),
    values,
    label: (flags & LABEL) === 0 ? null : { isFraud: (flags & FRAUD) !== 0, isKnown: (flags & KNOWN) !== 0 },
    transaction: bytes.subarray(end),
  };
}

/** The first stage has checked it. */
export function transactionBytes(transaction: Transaction): Uint8Array {
  const given = Object.entries(transaction).filter(([, value]) => value !== null);
  return encoder.encode(JSON.stringify(Object.fromEntries(given)));
}

/** What has to be opened before the transaction of a frame can be read; null where nothing has. */
export function sealedWithin(bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < HEAD_BYTES || bytes[0] !== VERSION || (bytes[1] & SEALED) === 0) return null;
  const count = new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(24, true);
  return bytes.subarray(HEAD_BYTES + 8 * count);
}

/** @throws InputError FRAME_UNREADABLE; of the decoders */
export function transactionOfFrame(
  { transaction, isSealed, label }: Frame,
  decoders: Pick<RecordDecoders, 'transaction' | 'label'>,
): Transaction {
  if (isSealed) return label === null ? decoders.transaction(transaction) : decoders.label(transaction).transaction;
  try {
    return createTransaction(JSON.parse(decoder.decode(transaction)));
  } catch {
    throw unreadable('its transaction is no JSON');
  }
}

function unreadable(why: string): InputError {
  return new InputError(
    'FRAME_UNREADABLE',
    `The record is none that a stage passes on: ${why}`,
    'Only workers write to the topics of stages: find out who else does, or update the workers',
  );
}
