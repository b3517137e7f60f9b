// What a bank sets about alerts and cases; each number has a default that was chosen for a retail bank and can be argued with.
import { DEFAULT_QUEUES, type Queue } from './queues.ts';
import { DEFAULT_SERVICE_LEVELS, type ServiceLevels } from './service-levels.ts';
import { DEFAULT_SEVERITY, type SeveritySettings } from './severity.ts';

export interface GroupingSettings {
  /** Another alert of the same customer and typology so soon after the last joins the open one. */
  readonly cooldownMs: number;
  /** But an alert takes what comes no longer than this after its first transaction, so that a steady stream is seen again. */
  readonly mostCooldownMs: number;
  /** And no more than so many transactions. */
  readonly mostJoined: number;
  /** An alert belongs to an open case whose last alert with the same link is no older. */
  readonly windowMs: number;
  /** A full case takes no more: the next alert opens another. */
  readonly mostAlertsOfCase: number;
  /** So many customers of alerts make one case of a device, a payee, an address that they share. */
  readonly leastCustomersOfDevice: number;
  readonly leastCustomersOfPayee: number;
  readonly leastCustomersOfIp: number;
  /** What more customers share (a company's network, a shop) says nothing: it links no further alerts. */
  readonly mostCustomersOfLink: number;
}

export interface AlertSettings {
  readonly grouping: GroupingSettings;
  readonly severity: SeveritySettings;
  readonly levels: ServiceLevels;
  readonly queues: readonly Queue[];
  /** A case about more money is closed as genuine by two people, céntimos of soles. */
  readonly fourEyesGenuineAboveMinor: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

export const DEFAULT_GROUPING: GroupingSettings = {
  ...{ cooldownMs: 30 * MINUTE_MS, mostCooldownMs: DAY_MS, mostJoined: 1_000 },
  ...{ windowMs: 7 * DAY_MS, mostAlertsOfCase: 500 },
  ...{ leastCustomersOfDevice: 2, leastCustomersOfPayee: 3, leastCustomersOfIp: 3, mostCustomersOfLink: 100 },
};

export const DEFAULT_ALERT_SETTINGS: AlertSettings = {
  ...{ grouping: DEFAULT_GROUPING, severity: DEFAULT_SEVERITY, levels: DEFAULT_SERVICE_LEVELS, queues: DEFAULT_QUEUES },
  fourEyesGenuineAboveMinor: 500_000,
};
