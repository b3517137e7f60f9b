// How much there is, for operators: each from an index or from counts that are kept, so that asking often costs little.
import type { Kysely } from 'kysely';
import type { Database } from './database.ts';

export interface RowCounts {
  readonly cases: readonly { readonly state: string; readonly count: number }[];
  readonly alerts: readonly { readonly state: string; readonly count: number }[];
  /** Messages that are still to be delivered. */
  readonly messages: number;
  /** Logins and addresses that nobody may log in with now. */
  readonly locked: number;
}

/** @throws RecordsUnavailableError */
export async function countRows(db: Kysely<Database>, nowMs: number): Promise<RowCounts> {
  const byState = (table: 'case_counts' | 'alert_counts') =>
    db
      .selectFrom(table)
      .select(({ fn }) => ['state', fn.sum<number>('count').as('count')])
      .groupBy('state')
      .orderBy('state')
      .execute();
  const [cases, alerts, messages, locked] = await Promise.all([
    ...([byState('case_counts'), byState('alert_counts')] as const),
    db
      .selectFrom('notification_messages')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('state', '=', 'pending')
      .executeTakeFirstOrThrow(),
    db
      .selectFrom('login_failures')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('locked_until_ms', '>', nowMs)
      .executeTakeFirstOrThrow(),
  ]);
  const plain = (rows: readonly { state: string; count: number }[]) =>
    rows.map(({ state, count }) => ({ state, count: Number(count) }));
  return { cases: plain(cases), alerts: plain(alerts), messages: Number(messages.count), locked: Number(locked.count) };
}
