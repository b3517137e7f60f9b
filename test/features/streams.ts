// Random streams of transactions for the feature tests: few entities, many ties, late events, labels, missing fields.
import fc from 'fast-check';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { createPrng } from '../../src/lib/prng.ts';

export interface StreamShape {
  readonly events: number;
  readonly seed: number;
  /** Mean gap between events, ms. */
  readonly gapMs: number;
  /** Time step: a large one makes ties. */
  readonly stepMs: number;
  /** One in so many events is late, by up to `lateMs`; 0 for none. */
  readonly lateOneIn: number;
  readonly lateMs: number;
  readonly entities: number;
}

export const streamShapes = (maxEvents: number): fc.Arbitrary<StreamShape> =>
  fc.record({
    events: fc.integer({ min: 1, max: maxEvents }),
    seed: fc.integer(),
    gapMs: fc.constantFrom(20_000, 1_800_000, 14_400_000, 90_000_000),
    stepMs: fc.constantFrom(1, 1000, 3_600_000),
    lateOneIn: fc.constantFrom(0, 3, 10),
    lateMs: fc.constantFrom(1000, 3_600_000, 86_000_000),
    entities: fc.constantFrom(1, 2, 7),
  });

const START_MS = Date.UTC(2026, 2, 1);

/** Times never fall behind the newest by more than `lateMs`. */
export function randomStream(shape: StreamShape): Transaction[] {
  const prng = createPrng(shape.seed);
  const chance = (oneIn: number) => oneIn > 0 && prng.nextBelow(oneIn) === 0;
  const pick = <T>(values: readonly T[]) => values[prng.nextBelow(values.length)]!;
  const id = (prefix: string) => (chance(12) ? null : `${prefix}${prng.nextBelow(shape.entities)}`);
  let newest = START_MS;
  return Array.from({ length: shape.events }, (_, index) => {
    newest += prng.nextBelow(2 * shape.gapMs);
    newest -= newest % shape.stepMs;
    const late = chance(shape.lateOneIn) ? prng.nextBelow(shape.lateMs) : 0;
    const located = chance(2);
    return createTransaction({
      id: `t${index}`,
      eventTimeMs: newest - (late - (late % shape.stepMs)),
      amountMinor: chance(20) ? 5_000_000 : pick([1000, 5000, 10_000, 100 + prng.nextBelow(9000)]),
      currency: pick(['PEN', 'PEN', 'USD']),
      operation: pick(['purchase', 'transfer', 'transfer', 'cash-withdrawal', 'login-failed']),
      rail: pick(['card', 'yape', 'cash', null]),
      channel: pick(['app', 'pos', null]),
      status: pick(['approved', 'approved', 'approved', 'declined', 'attempted']),
      payerId: id('a'),
      payeeId: id('a'),
      cardId: id('c'),
      deviceId: id('d'),
      terminalId: id('t'),
      merchantId: id('m'),
      ipAddress: id('i'),
      ubigeo: id('15010'),
      mcc: pick(['5411', '6011', null]),
      country: pick(['PE', 'PE', 'US', null]),
      latitude: located ? -12 - prng.nextBelow(100) / 50 : null,
      longitude: located ? -77 - prng.nextBelow(100) / 50 : null,
      isFraud: pick([true, false, false, null]),
    });
  });
}
