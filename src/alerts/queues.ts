// Queues (bandejas): which alerts go to whom. The first queue whose conditions an alert meets takes it; the last takes all.

import type { Severity } from '../rules/rule.ts';
import type { AlertRecord } from './alert-record.ts';
import { severityRank } from './severity.ts';
import { type Family, familyOf } from './typology.ts';

export interface Queue {
  /** Lower case words joined by hyphens. */
  readonly id: string;
  readonly es: string;
  readonly en: string;
  /** Roles of identity/permissions.ts whose people it is for. */
  readonly roles: readonly string[];
  /** Conditions, all of which hold; what is left out is no condition. */
  readonly families?: readonly Family[];
  readonly typologies?: readonly string[];
  readonly leastSeverity?: Severity;
  readonly leastSolesMinor?: number;
}

const ANALYSTS = ['fraud-analyst', 'operations-manager'];

export const DEFAULT_QUEUES: readonly Queue[] = [
  { id: 'urgent', es: 'Urgentes', en: 'Urgent', roles: ANALYSTS, leastSeverity: 'critical' },
  { id: 'cards', es: 'Tarjetas', en: 'Cards', roles: ANALYSTS, families: ['card'] },
  {
    id: 'accounts',
    es: 'Cuentas y billeteras',
    en: 'Accounts and wallets',
    roles: ANALYSTS,
    families: ['takeover', 'scam'],
  },
  {
    ...{ id: 'laundering', es: 'Lavado de activos y extorsión', en: 'Laundering and extortion' },
    roles: ['compliance-officer', ...ANALYSTS],
    families: ['laundering', 'extortion'],
  },
  { id: 'internal', es: 'Fraude interno', en: 'Internal fraud', roles: ['operations-manager'], families: ['internal'] },
  { id: 'errors', es: 'Errores operativos', en: 'Operational errors', roles: ANALYSTS, families: ['error'] },
  { id: 'general', es: 'General', en: 'General', roles: ANALYSTS },
];

export function queueOf(
  alert: { readonly typology: string; readonly severity: Severity } & Pick<AlertRecord, 'solesMinor'>,
  queues: readonly Queue[] = DEFAULT_QUEUES,
): string {
  const found = queues.find((queue) => takes(queue, alert)) ?? queues.at(-1);
  return found?.id ?? 'general';
}

function takes(queue: Queue, { typology, severity, solesMinor }: Parameters<typeof queueOf>[0]): boolean {
  const { families, typologies, leastSeverity, leastSolesMinor } = queue;
  if (families !== undefined && !families.includes(familyOf(typology))) return false;
  if (typologies !== undefined && !typologies.includes(typology)) return false;
  if (leastSeverity !== undefined && severityRank(severity) < severityRank(leastSeverity)) return false;
  // An amount that is not known may be a large one.
  return leastSolesMinor === undefined || solesMinor === null || solesMinor >= leastSolesMinor;
}

/** The queues of somebody with these roles. */
export function queuesOfRoles(roles: readonly string[], queues: readonly Queue[] = DEFAULT_QUEUES): readonly Queue[] {
  return queues.filter((queue) => queue.roles.some((role) => roles.includes(role)));
}
