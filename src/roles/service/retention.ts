// Deleting what need not be kept, beside a running service: at start and once a day, by one of its processes.
import { randomUUID } from 'node:crypto';
import type { AlertSettings } from '../../alerts/settings.ts';
import { SYSTEM } from '../../identity/principal.ts';
import { type RetentionCounts, type RetentionParts, runRetention } from '../../jobs/retention/retention-round.ts';
import type { ObjectStore } from '../../ports.ts';
import { lockAudit } from '../../records/audit/append.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { endTurn, takeTurn } from '../../records/retention/turn.ts';
import { readRetentionMonths } from '../../records/settings/retention-settings.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { every } from './every.ts';
import { newId, type Vault } from './vault.ts';

export interface RetentionPlace {
  readonly records: RecordStore;
  readonly objects: ObjectStore;
  readonly lists: RetentionParts['lists'];
  readonly vault: Pick<Vault, 'trail' | 'tokens'>;
  readonly logger: Logger;
  /** In force now. */
  readonly settings: () => AlertSettings;
  /** Of each round. */
  readonly told: (counts: RetentionCounts) => void;
  readonly nowMs?: () => number;
}

const DAY_MS = 86_400_000;
const LOOK_MS = 600_000;
/** Longer than a round. */
const TURN_MS = 900_000;

/** @returns ends it, when the transaction at hand is over */
export function startRetention(place: RetentionPlace): () => Promise<void> {
  const onTrouble = ({ message }: Error) => place.logger.warn({ message }, 'what is old will be deleted later');
  let isStopping = false;
  const run = (restMs: number) => runInTurn(place, restMs, () => isStopping);
  let running: Promise<unknown> = run(0).catch(onTrouble);
  const look = () => {
    running = running.then(() => run(DAY_MS).catch(onTrouble));
    return running;
  };
  const stop = every(LOOK_MS, look, onTrouble);
  return async () => {
    isStopping = true;
    stop();
    await running;
  };
}

/** @param restMs nothing is done so soon after all was done */
async function runInTurn(place: RetentionPlace, restMs: number, isStopping: () => boolean): Promise<void> {
  const { records, objects, lists, vault, logger, nowMs = Date.now } = place;
  const holder = randomUUID();
  if (!(await takeTurn(records, holder, { nowMs: nowMs(), turnMs: TURN_MS, restMs }))) return;
  let isDone = false;
  try {
    const { settings: months } = await readRetentionMonths(records.db);
    const counts = await runRetention({
      ...{ records, objects, lists, months, nowMs, isStopping, begin: lockAudit, act: systemAct },
      linkWindowMs: place.settings().grouping.windowMs,
      subjectOf: (customerId) => vault.tokens.subject(customerId),
      record: (tx, drafts) => vault.trail.append(tx, drafts),
    });
    isDone = !counts.isMore;
    place.told(counts);
    logger.info({ ...counts }, 'what need not be kept was deleted');
  } finally {
    await endTurn(records, holder, nowMs(), isDone);
  }
}

export function systemAct(atMs: number) {
  const { kind, id, name } = SYSTEM;
  return { by: { kind, id, name }, permissions: new Set<string>(), atMs, address: null, newId: () => newId(atMs) };
}
