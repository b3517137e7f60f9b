// Very many alerts, made by the database itself: as many open, of each kind and customer, as a bank would have.
import { sql } from 'kysely';
import type { RecordStore } from '../../src/records/record-store.ts';
import { T0 } from './alert-records.ts';

/** One in a hundred is open; a customer has ten; days of five minutes' alerts. */
export async function fillAlerts(store: RecordStore, rows: number): Promise<void> {
  const perStatement = 100_000;
  for (let from = 0; from < rows; from += perStatement) {
    const to = Math.min(rows, from + perStatement) - 1;
    await store.transact((tx) =>
      sql`
        INSERT INTO alerts (id, state, case_id, customer_id, payee_id, card_id, device_id, typology, severity, queue,
          assignee, action, intended, decided_by, operation, risk, amount_minor, currency, soles_minor, transactions,
          total_soles_minor, unknown_amounts, loss_minor, most_risk, priority, event_ms, first_ms, last_ms, created_ms,
          first_look_due_ms, decision_due_ms, first_look_ms, decided_ms, reasons, rules, versions, log_partition,
          log_offset, tags, version)
        SELECT 'TX-' || lpad(n::text, 9, '0'),
          CASE WHEN n % 100 = 0 THEN 'new' WHEN n % 10 < 7 THEN 'closed-genuine' WHEN n % 10 = 8 THEN 'closed-error'
            ELSE 'closed-fraud' END,
          'C-' || (n / 3), 'K-' || (n * 7919 % (${rows} / 10)), 'P-' || (n * 31 % (${rows} / 5)), NULL,
          CASE WHEN n % 3 = 0 THEN 'D-' || (n % (${rows} / 5)) END,
          (ARRAY['F02', 'F03', 'F05', 'F08', 'F09', 'F12', 'F13', 'E01', 'E02', 'other'])[1 + n * 13 % 97 % 10],
          (ARRAY['low', 'medium', 'medium', 'high', 'critical'])[1 + n * 17 % 89 % 5],
          (ARRAY['urgent', 'cards', 'accounts', 'laundering', 'general'])[1 + n * 19 % 83 % 5],
          CASE WHEN n % 4 = 0 THEN 'analyst-' || (n % 37) END,
          'review', 'review', 'model', 'transfer', 0.5, n * 37 % 1000003, 'PEN', n * 37 % 1000003, 1,
          n * 37 % 1000003, 0, n, 0.5, (n * 7 % 1000) / 100.0, ${T0} + n * 1000, ${T0} + n * 1000, ${T0} + n * 1000,
          ${T0} + n * 1000, ${T0} + n * 1000 + 3600000, ${T0} + n * 1000 + 28800000, NULL,
          CASE WHEN n % 100 = 0 THEN NULL ELSE ${T0} + n * 1000 + 5000 END,
          '[{"code": "HORA_INUSUAL", "weight": 1, "es": "La hora", "en": "The hour"}]', '["off-habit@1"]',
          '{"model": "fraud@1"}', 0, n, CASE WHEN n % 997 = 0 THEN '{llamar}'::text[] ELSE '{}'::text[] END, 1
        FROM generate_series(${from}::bigint, ${to}::bigint) AS n`.execute(tx),
    );
  }
}
