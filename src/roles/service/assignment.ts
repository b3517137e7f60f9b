// Shares out cases that nobody has taken, beside a running service: to people who are there, by their roles' queues.
//
// Several processes take turns at the audit's lock, and a case that one has given is not free for the next. Being given a case
// is not having looked at it: notifications go on until somebody acts.
import type { AssignmentMethod } from '../../alerts/assignment.ts';
import type { AlertSettings } from '../../alerts/settings.ts';
import { SYSTEM } from '../../identity/principal.ts';
import { assignAutomatically, isAnyFree } from '../../records/alerts/assign.ts';
import { lockAudit } from '../../records/audit/append.ts';
import { presentAnalysts } from '../../records/identity/analysts.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { every } from './every.ts';
import { newId, type Vault } from './vault.ts';

export interface AssignmentSettings {
  readonly method: AssignmentMethod;
  /** Cases that are open with one person; who has more gets none. */
  readonly mostOpen: number;
  /** Whose last request was within it is there. */
  readonly presentMs: number;
  readonly everyMs: number;
}

export const DEFAULT_ASSIGNMENT: Omit<AssignmentSettings, 'method'> = {
  ...{ mostOpen: 20, presentMs: 15 * 60_000, everyMs: 5000 },
};

export interface AssignmentParts {
  readonly records: RecordStore;
  readonly vault: Pick<Vault, 'trail'>;
  readonly assignment: AssignmentSettings;
  readonly logger: Logger;
  /** In force now. */
  readonly settings: () => AlertSettings;
}

const MOST_AT_ONCE = 50;

/** @returns ends it */
export function startAssignment(parts: AssignmentParts): () => void {
  const { records, logger, assignment, settings } = parts;
  const round = async () => {
    // Free cases are few or none most of the time: nobody is made to wait for that.
    if (!(await isAnyFree(records.db))) return;
    await records.transact((tx) => share(tx, parts, settings()));
  };
  return every(assignment.everyMs, round, ({ message }) => logger.warn({ message }, 'cases will be shared out again'));
}

async function share(
  tx: Parameters<typeof assignAutomatically>[0],
  { vault, assignment }: AssignmentParts,
  { queues }: AlertSettings,
): Promise<void> {
  await lockAudit(tx);
  const atMs = Date.now();
  const { method, mostOpen, presentMs } = assignment;
  const roles = [...new Set(queues.flatMap((queue) => queue.roles))];
  const analysts = await presentAnalysts(tx, roles, atMs - presentMs, mostOpen);
  if (analysts.length === 0) return;
  const { kind, id, name } = SYSTEM;
  const act = { by: { kind, id, name }, permissions: new Set<string>(), atMs, address: null, newId: () => newId(atMs) };
  const { audit } = await assignAutomatically(tx, { analysts, queues, method, most: MOST_AT_ONCE }, act);
  if (audit.length > 0) await vault.trail.append(tx, audit);
}
