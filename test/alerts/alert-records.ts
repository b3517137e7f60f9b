// Alerts as the stream tells them, for tests.
import { type AlertRecord, readAlertRecord } from '../../src/alerts/alert-record.ts';

export const T0 = Date.UTC(2026, 0, 13, 15, 0, 0);
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export interface AlertFields {
  readonly id: string;
  readonly atMs?: number;
  readonly customer?: string | null;
  readonly payee?: string | null;
  readonly device?: string | null;
  readonly ip?: string | null;
  readonly reason?: string;
  readonly action?: string;
  readonly risk?: number | null;
  readonly amountMinor?: number;
  readonly currency?: string;
  readonly operation?: string;
  readonly rules?: readonly string[];
}

/** What would be in a record of the topic `alerts`. */
export function alertValue(fields: AlertFields) {
  const { id, atMs = T0, customer = 'K-1', payee = null, device = null, ip = null, risk = 0.7 } = fields;
  const { reason = 'MONTO_FUERA_DE_PERFIL', action = 'review', amountMinor = 10_000, currency = 'PEN' } = fields;
  return {
    ...{ kind: 'transaction', id, eventTimeMs: atMs, action, intended: action, by: 'model', risk, modelRisk: risk },
    ...{ expectedLossMinor: null, rules: fields.rules ?? [], silenced: [] },
    reasons: [{ code: reason, weight: 1, es: 'motivo', en: 'reason' }],
    ...{ versions: { model: 'fraud@1', rules: 'a1b2' }, degraded: [], at: { partition: 0, offset: 1 } },
    ...{ amountMinor, currency, operation: fields.operation ?? 'transfer', payerId: customer, payeeId: payee },
    ...{ cardId: null, deviceId: device, terminalId: null, ipAddress: ip },
  };
}

export function alertRecord(fields: AlertFields): AlertRecord {
  const read = readAlertRecord(alertValue(fields));
  if (read.kind !== 'transaction') throw new Error(`No alert: ${JSON.stringify(read)}`);
  return read.record;
}
