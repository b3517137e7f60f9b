// Alerts from the stream into the records, beside a running service.
import type { AlertRecord } from '../../alerts/alert-record.ts';
import type { AlertSettings } from '../../alerts/settings.ts';
import { SYSTEM } from '../../identity/principal.ts';
import { AlertTaker, type AlertTakerCounts } from '../../jobs/alerts/alert-taker.ts';
import type { StreamLog } from '../../ports.ts';
import { tokeniseAddresses } from '../../records/alerts/addresses.ts';
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
  readonly vault: Pick<Vault, 'trail' | 'tokens'>;
  readonly logger: Logger;
  /** Of those that were opened, in the same transaction. */
  readonly tell: RunningNotifications['tell'];
  /** In force now. */
  readonly settings: () => AlertSettings;
}

export function startAlerts({ log, topic, records, vault, tell, logger, settings }: AlertParts): RunningAlerts {
  const { kind, id, name } = SYSTEM;
  const tokenOf = (address: string) => vault.tokens.address(address);
  // Whoever else writes alerts may do it with the address itself.
  const withTokens = (alert: AlertRecord): AlertRecord =>
    alert.ipAddress === null ? alert : { ...alert, ipAddress: tokenOf(alert.ipAddress) };
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
          alerts.map(withTokens),
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
  let isStopping = false;
  const running = tokeniseAddresses(records, tokenOf, () => isStopping)
    .then((replaced) => replaced > 0 && logger.info({ replaced }, 'addresses of earlier alerts are tokens now'))
    .catch(({ message }: Error) =>
      logger.warn({ message }, 'addresses of earlier alerts are replaced at the next start'),
    )
    .then(() => taker.run());
  return {
    counts: taker.counts,
    async close() {
      isStopping = true;
      taker.stop();
      await running;
    },
  };
}
