import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactExp, exactLog } from './exact-math.ts';

describe('exactExp and exactLog', () => {
  it('agree with Math.exp to 1e-14 relative', () => {
    fc.assert(
      fc.property(fc.double({ min: -600, max: 600, noNaN: true }), (x) => {
        expect(Math.abs(exactExp(x) / Math.exp(x) - 1)).toBeLessThan(1e-14 * Math.max(1, Math.abs(x)));
      }),
    );
  });

  it('agree with Math.log to 1e-14 of the larger of 1 and the result', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-250, max: 1e250, noNaN: true }), (x) => {
        expect(Math.abs(exactLog(x) - Math.log(x))).toBeLessThan(1e-14 * Math.max(1, Math.abs(Math.log(x))));
      }),
    );
  });

  it('give known bits, the same on every machine', () => {
    expect([exactExp(0), exactExp(0.7), exactExp(-2.5), exactExp(11.25)]).toEqual([
      1, 2.0137527074704766, 0.0820849986238988, 76879.91976467776,
    ]);
    expect([exactLog(1), exactLog(3.7), exactLog(1e-5)]).toEqual([0, 1.3083328196501787, -11.512925464970229]);
  });
});
