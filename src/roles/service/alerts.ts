// Alerts from the stream into the records, beside a running service.
import type { AlertSettings } from '../../alerts/settings.ts';
import { SYSTEM } from '../../identity/principal.ts';
import { AlertTaker, type AlertTakerCounts } from '../../jobs/alerts/alert-taker.ts';
import type { StreamLog } from '../../ports.ts';
import { takeAlerts } from '../../records/alerts/take-alerts.ts';
import { lockAudit } from '../../records/audit/append.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RunningNotifications } from './notifications.ts';
import { newId, type Vault } from './vault.ts';

export interface RunningAlerts {
  readonly counts: AlertTakerCounts;
  close(): Promise<void>;
}

export interface AlertParts {
  readonly log: StreamLog;
  readonly topic: string;
  readonly records: RecordStore;
  readonly vault: Pick<Vault, 'trail'>;
  readonly logger: Logger;
  /** Of those that were opened, in the same transaction. */
  readonly tell: RunningNotifications['tell'];
  /** In force now. */
  readonly settings: () => AlertSettings;
}

export function startAlerts({ log, topic, records, vault, tell, logger, settings }: AlertParts): RunningAlerts {
  const { kind, id, name } = SYSTEM;
  const taker = new AlertTaker({
    ...{ log, topic, group: 'alerts' },
    take: (alerts) =>
      records.transact(async (tx) => {
        await lockAudit(tx);
        const atMs = Date.now();
        const act = {
          by: { kind, id, name },
          permissions: new Set<string>(),
          atMs,
          address: null,
          newId: () => newId(atMs),
        };
        const context = { settings: settings(), typologiesOfRule: () => [] };
        const { result, audit } = await takeAlerts(
          tx,
          alerts,
          { context, evidenceOf: ({ evidence }) => evidence },
          act,
        );
        await tell(tx, result.opened);
        await vault.trail.append(tx, audit);
        return result;
      }),
    onTrouble: ({ message }) => logger.warn({ message }, 'alerts will be taken again'),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
  const running = taker.run();
  return {
    counts: taker.counts,
    async close() {
      taker.stop();
      await running;
    },
  };
}
