// Streams in which few entities meet in every combination: accounts that pay and are paid, pay themselves, share devices.

import { LABELLED_FIELDS } from '../../src/domain/stream-records.ts';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { streamKeyOf, transactionRecord } from '../../src/jobs/stream/feed-stream.ts';
import type { Prng } from '../../src/lib/prng.ts';
import { kindHeader } from '../../src/pipeline/stream/record-kinds.ts';
import type { OutgoingRecord } from '../../src/ports.ts';
import { TOPICS } from './stage-runner.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const START_MS = 1_767_600_000_000;
const encoder = new TextEncoder();

export interface StreamShape {
  readonly events: number;
  /** The farthest that an event comes after later ones. */
  readonly mostLateMs: number;
  /** Pauses after which what is idle is forgotten. */
  readonly longPauses: boolean;
  readonly labelShare: number;
}

export function randomStream(prng: Prng, shape: StreamShape): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  const sent: Transaction[] = [];
  const pick = <T>(from: readonly T[]): T => from[prng.nextBelow(from.length)];
  const perhaps = <T>(share: number, make: () => T): T | null => (prng.nextFloat() < share ? make() : null);
  const account = () => `C-${prng.nextBelow(9)}`;
  let nowMs = START_MS;
  for (let number = 0; number < shape.events; number++) {
    nowMs += prng.nextBelow(prng.nextFloat() < 0.1 ? DAY_MS : 30 * MINUTE_MS);
    if (shape.longPauses && prng.nextFloat() < 0.02) nowMs += prng.nextBelow(120) * DAY_MS;
    const lateMs = prng.nextFloat() < 0.15 ? prng.nextBelow(shape.mostLateMs + 1) : 0;
    const transaction = createTransaction({
      ...{ id: `T-${number}`, eventTimeMs: nowMs - lateMs, currency: pick(['PEN', 'PEN', 'USD']) },
      amountMinor: pick([100, 5000, 10_000, 20_000, 100 + prng.nextBelow(prng.nextFloat() < 0.1 ? 900_000 : 30_000)]),
      operation: pick(['purchase', 'transfer', 'cash-withdrawal', 'balance-lookup'] as const),
      status: pick(['approved', 'approved', 'approved', 'declined'] as const),
      payerId: perhaps(0.95, account),
      payeeId: perhaps(0.6, account),
      deviceId: perhaps(0.5, () => `D-${prng.nextBelow(4)}`),
      cardId: perhaps(0.4, () => `K-${prng.nextBelow(5)}`),
      terminalId: perhaps(0.4, () => `P-${prng.nextBelow(3)}`),
      merchantId: perhaps(0.3, () => `M-${prng.nextBelow(3)}`),
      ubigeo: perhaps(0.3, () => pick(['150131', '040101'])),
      ...(prng.nextFloat() < 0.3 && { latitude: -12 - prng.nextBelow(3) / 10, longitude: -77 }),
      country: perhaps(0.3, () => pick(['PE', 'US'])),
      isFraud: perhaps(0.1, () => prng.nextFloat() < 0.5),
    });
    sent.push(transaction);
    const { isFraud } = transaction;
    const record = transactionRecord(transaction, TOPICS.transactions);
    // Labels that come with their transaction, too.
    const value = { ...JSON.parse(new TextDecoder().decode(record.value!)), ...(isFraud !== null && { isFraud }) };
    records.push({ ...record, value: encoder.encode(JSON.stringify(value)) });
    if (prng.nextFloat() < 0.03) records.push(records[records.length - 1]);
    if (prng.nextFloat() < shape.labelShare) records.push(labelRecord(pick(sent), prng.nextFloat() < 0.7));
  }
  return records;
}

/** As it is passed on into the stream. */
export function labelRecord(transaction: Transaction, isFraud: boolean): OutgoingRecord {
  const fields = LABELLED_FIELDS.map((name) => [name, transaction[name]]).filter(([, value]) => value !== null);
  return {
    ...{ topic: TOPICS.transactions, partition: null, timestampMs: null, headers: [kindHeader('label')] },
    key: encoder.encode(streamKeyOf(transaction)),
    value: encoder.encode(JSON.stringify({ ...Object.fromEntries(fields), isFraud })),
  };
}
