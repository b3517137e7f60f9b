// Addresses of the internet in alerts: tokens, by which a ring is still one, also with what was kept before they were tokens.
import { sql } from 'kysely';
import { expect, it } from 'vitest';
import { Tokens } from '../../src/privacy/tokens.ts';
import { tokeniseAddresses } from '../../src/records/alerts/addresses.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { take } from './acts.ts';
import { alertRecord, MINUTE, T0 } from './alert-records.ts';

const tokens = new Tokens(new Uint8Array(32).fill(7));
const tokenOf = (address: string) => tokens.address(address);
const ADDRESS = '190.43.1.2';

describeOnEachEngine('addresses in alerts', (open) => {
  it('are replaced where they stand, and three customers of one address are a ring before and after', async () => {
    const records = await open();
    try {
      const taken = (id: string, customer: string, ip: string | null, minute: number) =>
        take(records, [alertRecord({ id, customer, ip, atMs: T0 + minute * MINUTE })]);
      await taken('A1', 'K-1', ADDRESS, 0);
      // The same, as another program writes it; and somebody else's.
      await taken('A2', 'K-2', `::ffff:${ADDRESS}`, 1);
      await taken('A3', 'K-9', '2800:200::1', 2);
      await taken('A4', 'K-8', null, 2);
      const kept = async () => {
        const { rows } = await sql<{ id: string; address: string | null; case: string }>`
          SELECT id, ip_address AS address, case_id AS case FROM alerts ORDER BY id`.execute(records.db);
        return rows;
      };
      const before = await kept();
      expect(before.map(({ address }) => address)).toEqual([ADDRESS, `::ffff:${ADDRESS}`, '2800:200::1', null]);

      // Three alerts; three links.
      expect(await tokeniseAddresses(records, tokenOf, () => false)).toBe(6);
      expect(await tokeniseAddresses(records, tokenOf, () => false)).toBe(0);
      const token = tokenOf(ADDRESS);
      expect(await kept()).toEqual([
        { ...before[0], address: token },
        { ...before[1], address: token },
        { ...before[2], address: tokenOf('2800:200::1') },
        before[3],
      ]);

      await taken('A5', 'K-3', token, 3);
      const cases = new Map((await kept()).map((row) => [row.id, row.case]));
      const leading = async (id: string) => {
        const { rows } = await sql<{ into: string }>`
          SELECT coalesce(merged_into, id) AS into FROM cases WHERE id = ${cases.get(id)!}`.execute(records.db);
        return rows[0].into;
      };
      const ring = await Promise.all(['A1', 'A2', 'A5'].map(leading));
      expect(new Set(ring).size).toBe(1);
      expect(await leading('A3')).not.toBe(ring[0]);
    } finally {
      await records.close();
    }
  }, 60_000);
});
