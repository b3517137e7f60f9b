// Replays beside a running service: one at a time, in a thread of its own, over the service's own log.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { SYSTEM } from '../../identity/principal.ts';
import type { ThreadEntry } from '../../jobs/detect/second-thread.ts';
import { type KnownLabel, logHistory } from '../../jobs/replay/log-history.ts';
import { ReplayQueue } from '../../jobs/replay/replay-queue.ts';
import { type LiveDecider, replayInThread } from '../../jobs/replay/replay-thread.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import type { StreamLog } from '../../ports.ts';
import type { Act, Done } from '../../records/alerts/act.ts';
import type { TransactionLabelTable } from '../../records/alerts/tables.ts';
import { lockAudit } from '../../records/audit/append.ts';
import type { RecordStore } from '../../records/record-store.ts';
import {
  beatReplay,
  claimReplay,
  endReplay,
  forgetReplays,
  hasOpenReplays,
  takeUpInterrupted,
  yieldReplay,
} from '../../records/replays/replay-jobs.ts';
import type { ListState } from '../../registry/list-book-state.ts';
import { newId, type Vault } from './vault.ts';

export interface ReplayParts {
  readonly records: RecordStore;
  readonly vault: Pick<Vault, 'trail'>;
  readonly log: StreamLog;
  readonly topic: string;
  /** That open what is sealed. */
  readonly decoders: RecordDecoders;
  readonly thread: ThreadEntry;
  readonly live: () => Promise<LiveDecider>;
  readonly lists: () => Promise<readonly ListState[]>;
  readonly onTrouble: (error: Error) => void;
}

/** Between two batches: what waits is answered first. */
const REST_MS = 2;
const KEEP_MS = 90 * 86_400_000;

export function startReplays({
  records,
  vault,
  log,
  topic,
  decoders,
  thread,
  live,
  lists,
  onTrouble,
}: ReplayParts): ReplayQueue {
  const runner = randomUUID();
  const audited = <Result>(
    change: (tx: Parameters<Parameters<RecordStore['transact']>[0]>[0], act: Act) => Promise<Done<Result>>,
  ) =>
    records.transact(async (tx) => {
      await lockAudit(tx);
      const { result, audit } = await change(tx, ownAct());
      await vault.trail.append(tx, audit);
      return result;
    });
  const queue = new ReplayQueue({
    records: {
      async takeUp(isStart) {
        // Nobody else can have an embedded database open.
        const isAlone = isStart && records.engine === 'pglite';
        if (isStart) await records.transact((tx) => forgetReplays(tx, Date.now() - KEEP_MS));
        if (!(await hasOpenReplays(records.db))) return;
        await audited((tx, act) => takeUpInterrupted(tx, isAlone, act));
      },
      async claim(leaseMs) {
        if (!(await hasOpenReplays(records.db))) return null;
        return await records.transact((tx) => claimReplay(tx, runner, Date.now(), leaseMs));
      },
      beat: (job, progress, leaseMs) => records.transact((tx) => beatReplay(tx, job, progress, Date.now() + leaseMs)),
      end: (job, end) => audited((tx, act) => endReplay(tx, job, end, act)),
      giveBack: (job) => records.transact((tx) => yieldReplay(tx, job)),
    },
    async run({ request }, how) {
      const task = { request, live: await live(), lists: await lists(), nowMs: Date.now() };
      const labelsOf = (ids: readonly string[]) => knownLabels(records, ids);
      return await replayInThread(thread, task, logHistory({ log, topic, decoders, labelsOf, rest }), how);
    },
    onTrouble,
  });
  queue.start();
  return queue;
}

function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}

function ownAct(): Act {
  const { kind, id, name } = SYSTEM;
  const atMs = Date.now();
  return { by: { kind, id, name }, permissions: new Set(), atMs, address: null, newId: () => newId(atMs) };
}

async function knownLabels({ db }: RecordStore, ids: readonly string[]): Promise<ReadonlyMap<string, KnownLabel>> {
  const { rows } = await sql<Pick<TransactionLabelTable, 'transaction_id' | 'outcome' | 'typology' | 'at_ms'>>`
    SELECT transaction_id, outcome, typology, at_ms FROM transaction_labels
    WHERE transaction_id = ANY(${ids}::text[])`.execute(db);
  return new Map(
    rows.map(({ transaction_id, outcome, typology, at_ms }) => [
      transaction_id,
      { isFraud: outcome !== 'genuine', typology, labelTimeMs: at_ms },
    ]),
  );
}
