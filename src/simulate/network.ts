// Addresses that phones get from their carriers, and the integer hash that fixes who gets which.
import { mobileAddress } from './population.ts';

const ADDRESS_POOL = Array.from({ length: 8192 }, (_, n) => mobileAddress(Math.imul(n + 1, 0x9e3779b1) >>> 8));

/** A uniform 32-bit number that belongs to a pair for good. */
export function mix(a: number, b: number): number {
  let h = Math.imul(a ^ 0x27d4eb2f, 0x85ebca6b) ^ Math.imul(b + 1, 0xc2b2ae35);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  return (h ^ (h >>> 13)) >>> 0;
}

/** The address that a carrier gives to a phone on a day. */
export function carrierAddress(key: number, day: number): string {
  return ADDRESS_POOL[mix(key, day) & 8191]!;
}
