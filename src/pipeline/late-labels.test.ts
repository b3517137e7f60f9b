import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { feature } from '../features/catalogue/builder.ts';
import { createFeatureEngine } from '../features/engine.ts';
import { withLateLabels } from './late-labels.ts';

const HOUR_MS = 3_600_000;
const CLAIMS = [feature('payee', 'fraud-count', '30d', { claimed: true })];

function payment(hour: number, fraudKnownAtHour: number | null): Transaction {
  return createTransaction({
    ...{ id: `t${hour}`, eventTimeMs: hour * HOUR_MS, amountMinor: 1000 + hour, currency: 'PEN', payeeId: 'mule' },
    ...(fraudKnownAtHour !== null && { isFraud: true, labelTimeMs: fraudKnownAtHour * HOUR_MS }),
  });
}

function claimsSeen(stream: readonly Transaction[], maxWaiting?: number) {
  const fold = withLateLabels(createFeatureEngine(CLAIMS), maxWaiting);
  const out = new Float64Array(1);
  const seen = stream.map((transaction) => {
    fold.fold(transaction, out, 0);
    return out[0];
  });
  return { seen, fold };
}

describe('late labels', () => {
  it('count from when they are known, and not before', () => {
    const { seen, fold } = claimsSeen([payment(0, 50), payment(49, null), payment(51, null), payment(52, null)]);
    expect(seen).toEqual([0, 0, 0, 1]);
    expect(fold.waiting).toBe(0);
  });

  it('count as many as are known, whatever the order in which they become known', () => {
    const streams = fc.array(fc.option(fc.integer({ min: 2, max: 200 }), { nil: null }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(streams, (delays) => {
        const stream = delays.map((delay, hour) => payment(hour, delay === null ? null : hour + delay));
        const { seen } = claimsSeen(stream);
        stream.forEach((_, row) => {
          const newestMs = (row - 1) * HOUR_MS;
          const known = stream.filter(
            (earlier, place) => place < row && (earlier.labelTimeMs ?? Number.POSITIVE_INFINITY) <= newestMs,
          );
          expect(seen[row]).toBe(known.length);
        });
      }),
    );
  });

  it('are given up beyond a limit, and counted', () => {
    const { fold } = claimsSeen([payment(0, 500), payment(1, 501), payment(2, 502)], 2);
    expect([fold.waiting, fold.givenUp]).toEqual([2, 1]);
  });

  it('do not wait where the transaction is not taken into the state', () => {
    const stale = payment(0, 900);
    const { fold } = claimsSeen([payment(700, null), stale]);
    expect(fold.waiting).toBe(0);
  });
});
