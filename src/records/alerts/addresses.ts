// Addresses of the internet that alerts were kept with before they were tokens: replaced where they stand, alerts and links of
// cases, so that what comes from the same address still finds them. It may stop anywhere and goes on with what is left.
import { sql } from 'kysely';
import type { RecordStore } from '../record-store.ts';
import type { Tx } from './act.ts';

/** Rows of one transaction. */
const AT_ONCE = 500;

/** @returns how many alerts and links there were */
export async function tokeniseAddresses(
  records: RecordStore,
  tokenOf: (address: string) => string,
  isStopping: () => boolean,
): Promise<number> {
  let replaced = 0;
  for (const step of [tokeniseAlerts, tokeniseLinks]) {
    for (let count = -1; count !== 0 && !isStopping(); replaced += count) {
      count = await records.transact((tx) => step(tx, tokenOf));
    }
  }
  return replaced;
}

async function tokeniseAlerts(tx: Tx, tokenOf: (address: string) => string): Promise<number> {
  const { rows } = await sql<{ readonly id: string; readonly address: string }>`
    SELECT id, ip_address AS address FROM alerts
    WHERE ip_address IS NOT NULL AND NOT starts_with(ip_address, 'ip_') LIMIT ${AT_ONCE} FOR UPDATE`.execute(tx);
  if (rows.length === 0) return 0;
  const [ids, tokens] = [rows.map(({ id }) => id), rows.map(({ address }) => tokenOf(address))];
  await sql`
    UPDATE alerts SET ip_address = made.token FROM unnest(${ids}::text[], ${tokens}::text[]) AS made (id, token)
    WHERE alerts.id = made.id`.execute(tx);
  return rows.length;
}

/** Of one address under several ways of writing it, a customer and a case, there is one link afterwards. */
async function tokeniseLinks(tx: Tx, tokenOf: (address: string) => string): Promise<number> {
  const { rows } = await sql<{ readonly key: string }>`
    SELECT DISTINCT key FROM case_keys
    WHERE starts_with(key, 'ip:') AND NOT starts_with(key, 'ip:ip_') LIMIT ${AT_ONCE}`.execute(tx);
  if (rows.length === 0) return 0;
  const before = rows.map(({ key }) => key);
  const after = before.map((key) => `ip:${tokenOf(key.slice('ip:'.length))}`);
  await sql`
    WITH gone AS (DELETE FROM case_keys WHERE key = ANY(${before}::text[]) RETURNING *)
    INSERT INTO case_keys AS kept (key, customer_id, case_id, first_ms, last_ms)
    SELECT made.after, customer_id, case_id, min(first_ms), max(last_ms)
    FROM gone JOIN unnest(${before}::text[], ${after}::text[]) AS made (before, after) ON gone.key = made.before
    GROUP BY made.after, customer_id, case_id
    ON CONFLICT (key, customer_id, case_id) DO UPDATE
    SET first_ms = least(kept.first_ms, excluded.first_ms), last_ms = greatest(kept.last_ms, excluded.last_ms)`.execute(
    tx,
  );
  return rows.length;
}
