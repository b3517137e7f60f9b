// What tests of the audit in a database share: a key, entries, verification, a trail with a clock and timers of the test's own.
import { type AuditReport, verifyAudit } from '../../src/audit/verify.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { appendAudit } from '../../src/records/audit/append.ts';
import { AuditTrail, type AuditTrailOptions } from '../../src/records/audit/audit-trail.ts';
import { type KeyMaking, keyInUse, listPublicKeys } from '../../src/records/audit/keys.ts';
import { storeAuditSource } from '../../src/records/audit/store-source.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { draftNumber, NOON_MS } from './memory-audit.ts';

/** Sealed with a mask that stands for a master key. */
export function makingOf(nowMs = () => NOON_MS): KeyMaking {
  const prng = createPrng(11);
  const masked = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x5a);
  return {
    ...{ sealing: { seal: masked, open: masked }, nowMs },
    randomBytes: (count) => Uint8Array.from({ length: count }, () => Math.floor(prng.nextFloat() * 256)),
  };
}

export const drafts = (count: number, from = 1) => Array.from({ length: count }, (_, i) => draftNumber(from + i));
export const append = (store: RecordStore, count: number, from = 1) =>
  store.transact((tx) => appendAudit(tx, drafts(count, from)));

export async function verified(store: RecordStore): Promise<AuditReport> {
  const publicKeys = (await listPublicKeys(store.db)).slice(0, 1).map(({ publicKey }) => publicKey);
  return verifyAudit(storeAuditSource(store.db), { publicKeys });
}

export function trailOf(store: RecordStore, given: Partial<AuditTrailOptions> = {}) {
  const timers: { ms: number; run: () => void }[] = [];
  const heads: number[] = [];
  const troubles: Error[] = [];
  const clock = { nowMs: NOON_MS };
  const trail = new AuditTrail({
    ...{ store, key: keyInUse(store, makingOf()), nowMs: () => clock.nowMs },
    after: (ms, run) => {
      const timer = { ms, run };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    onHead: ({ sequence }) => void heads.push(sequence),
    onTrouble: (error) => void troubles.push(error),
    ...given,
  });
  const fire = () => {
    for (const { run } of timers.splice(0)) run();
  };
  return { trail, timers, heads, troubles, clock, fire };
}
