import fc from 'fast-check';
import { expect, test } from 'vitest';
import { haversineKm } from './geo.ts';

const LIMA = [-12.0464, -77.0428] as const;
// Nashville and Los Angeles airports, the usual example of the formula: 2,887.26 km on a radius of 6,372.8 km.
const NASHVILLE = [36.12, -86.67] as const;
const LOS_ANGELES = [33.94, -118.4] as const;

test('known distances', () => {
  expect(haversineKm(...NASHVILLE, ...LOS_ANGELES)).toBeCloseTo((2887.25995 / 6372.8) * 6371.0088, 4);
  expect(haversineKm(0, 0, 0, 180)).toBeCloseTo(Math.PI * 6371.0088, 6);
  expect(haversineKm(0, 0, 1, 0)).toBeCloseTo(111.195, 3);
  expect(haversineKm(...LIMA, ...LIMA)).toBe(0);
  // Antipodes whose haversine rounds to just above 1.
  expect(haversineKm(-89.25999999999999, -180, 89.25999999999999, 0)).toBeCloseTo(Math.PI * 6371.0088, 6);
});

test('is symmetric, never above half the circumference, and the way round a third place is no shorter', () => {
  const latitude = fc.double({ min: -90, max: 90, noNaN: true });
  const longitude = fc.double({ min: -180, max: 180, noNaN: true });
  const place = fc.tuple(latitude, longitude);
  fc.assert(
    fc.property(place, place, place, (a, b, c) => {
      const direct = haversineKm(...a, ...b);
      expect(haversineKm(...b, ...a)).toBeCloseTo(direct, 9);
      expect(direct).toBeLessThanOrEqual(Math.PI * 6371.0088 + 1e-6);
      expect(direct).toBeLessThanOrEqual(haversineKm(...a, ...c) + haversineKm(...c, ...b) + 1e-3);
    }),
  );
});
