// What is asked all the time finds its rows by an index, whatever lies beside them.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { openPostgres } from '../../src/adapters/postgres/open-postgres.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { openTestServer, withPostgres } from '../records/with-postgres.ts';

const ROWS = 50_000;

const QUERIES: Readonly<Record<string, string>> = {
  new: "SELECT body FROM notifications WHERE state = 'new' ORDER BY at_ms, id LIMIT 500 FOR UPDATE SKIP LOCKED",
  escalations: 'SELECT id FROM notifications WHERE escalate_at_ms <= 5 ORDER BY escalate_at_ms, id LIMIT 200',
  subject: "SELECT id FROM notifications WHERE subject_kind = 'alert' AND subject_id = '77'",
  page: "SELECT * FROM notifications WHERE (at_ms, id) < (40000, 'x') ORDER BY at_ms DESC, id DESC LIMIT 50",
  due: `UPDATE notification_messages SET due_ms = 9 WHERE id IN (SELECT id FROM notification_messages
    WHERE state = 'pending' AND due_ms <= 5 AND channel <> ALL('{mail}') ORDER BY due_ms, id LIMIT 2 FOR UPDATE SKIP LOCKED)`,
  dead: "SELECT * FROM notification_messages WHERE state = 'dead' ORDER BY created_ms DESC, id DESC LIMIT 50",
  members: `SELECT n.body FROM notification_members m JOIN notifications n ON n.id = m.notification_id
    WHERE m.message_id = 'm77' ORDER BY m.at_ms, m.notification_id LIMIT 200`,
  old: 'SELECT id FROM notification_messages WHERE ended_ms < 100 ORDER BY ended_ms, id LIMIT 100',
};

describe.runIf(withPostgres)('on PostgreSQL', () => {
  it('no query of the notifier reads a whole table', async () => {
    const server = await openTestServer();
    const store = await openRecordStore(await openPostgres({ url: await server.create(), maxConnections: 2 }));
    try {
      await store.transact(async (tx) => {
        await sql`INSERT INTO notifications (id, kind, severity, body, subject_kind, subject_id, at_ms, state, level)
          SELECT 'n' || i, 'alert', 'low', '{}', 'alert', i::text, i, 'planned', 0 FROM generate_series(1, ${ROWS}::int) i`.execute(
          tx,
        );
        await sql`INSERT INTO notification_messages (id, channel, state, due_ms, attempts, created_ms, ended_ms)
          SELECT 'm' || i, 'mail', 'delivered', i, 1, i, i FROM generate_series(1, ${ROWS}::int) i`.execute(tx);
        await sql`INSERT INTO notification_members (message_id, notification_id, at_ms)
          SELECT 'm' || i, 'n' || i, i FROM generate_series(1, ${ROWS}::int) i`.execute(tx);
        await sql`ANALYZE notifications, notification_messages, notification_members`.execute(tx);
      });
      for (const [name, query] of Object.entries(QUERIES)) {
        const plan = await store.transact(async (tx) => {
          const { rows } = await sql.raw<Record<string, string>>(`EXPLAIN ${query}`).execute(tx);
          return rows.map((row) => row['QUERY PLAN']).join('\n');
        });
        expect(plan, name).not.toContain('Seq Scan');
        expect(plan, name).toContain('Index');
      }
    } finally {
      await store.close();
      await server.stop();
    }
  });
});
