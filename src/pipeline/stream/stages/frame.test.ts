import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTransaction } from '../../../domain/transaction.ts';
import { FLAG_HABIT, FLAG_OFF_HABIT } from '../../../features/event-flags.ts';
import { InputError } from '../../../lib/errors.ts';
import {
  ADMISSIONS,
  decodeFrame,
  encodeFrame,
  type Frame,
  sealedWithin,
  transactionBytes,
  transactionOfFrame,
} from './frame.ts';

const transaction = createTransaction({
  ...{ id: 'T-ñ', eventTimeMs: 1_770_000_000_000, amountMinor: -5, currency: 'PEN', payerId: 'C-1' },
  authFactors: ['pin'],
});

/** Of what is sealed, which is none here. */
const decoders = {
  transaction: (): never => expect.unreachable(),
  label: (): never => expect.unreachable(),
};

/** What damage makes of a frame may look sealed. */
const refusing = {
  transaction(): never {
    throw new InputError('ENVELOPE_BROKEN', 'It is none', 'Find out why');
  },
  label(): never {
    throw new InputError('ENVELOPE_BROKEN', 'It is none', 'Find out why');
  },
};

const frames: fc.Arbitrary<Frame> = fc.record({
  origin: fc.record({ partition: fc.nat(9999), offset: fc.maxSafeNat() }),
  source: fc.record({ stage: fc.nat(9), partition: fc.nat(9999), offset: fc.maxSafeNat() }),
  layout: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  admission: fc.constantFrom(...ADMISSIONS),
  isLate: fc.boolean(),
  habit: fc.constantFrom(0, FLAG_HABIT, FLAG_OFF_HABIT),
  visited: fc.nat(0xffff),
  visits: fc.nat(0xffff),
  values: fc.float64Array({ maxLength: 40 }),
  isDecided: fc.boolean(),
  isSealed: fc.constant(false),
  label: fc.option(fc.record({ isFraud: fc.boolean(), isKnown: fc.boolean() })),
  transaction: fc.constant(transactionBytes(transaction)),
});

it('comes back as it was, wherever its bytes stand in a buffer', () => {
  fc.assert(
    fc.property(frames, fc.nat(9), (frame, before) => {
      const bytes = encodeFrame(frame);
      const buffer = Buffer.alloc(before + bytes.length + 3);
      buffer.set(bytes, before);
      const again = decodeFrame(buffer.subarray(before, before + bytes.length));
      expect({ ...again, transaction: null }).toEqual({ ...frame, transaction: null });
      expect(transactionOfFrame(again, decoders)).toEqual(transaction);
      expect(sealedWithin(bytes)).toBeNull();
    }),
  );
});

it('is refused where it is damaged, and nothing else happens', () => {
  fc.assert(
    fc.property(frames, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(), (frame, at, change, cut) => {
      const bytes = encodeFrame(frame);
      bytes[at % bytes.length] ^= change;
      try {
        const damaged = bytes.subarray(0, bytes.length - (cut % bytes.length));
        transactionOfFrame(decodeFrame(damaged), refusing);
        sealedWithin(damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(InputError);
      }
    }),
  );
  expect(() => decodeFrame(new Uint8Array(3))).toThrow('it is too short');
  expect(() => decodeFrame(new Uint8Array(64))).toThrow('its version is 0');
});
