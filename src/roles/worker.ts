// The worker role: a log, what decides, checkpoints, and what operators see, put together; it works until it is told to stop.
import { CheckpointStore } from '../pipeline/stream/checkpoint-store.ts';
import type { DecidedRecord } from '../pipeline/stream/partition-fold.ts';
import type { TopicNames } from '../pipeline/stream/topics.ts';
import type { PartitionSetup, VersionSource } from '../pipeline/stream/versions.ts';
import { Worker } from '../pipeline/stream/worker.ts';
import { DEFAULT_WORKER, type WorkerObserver, type WorkerSettings } from '../pipeline/stream/worker-options.ts';
import type { ObjectStore, StreamLog, StreamPosition } from '../ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type OpsServer, startOpsServer } from '../telemetry/ops-server.ts';
import { workerMetrics } from './worker-metrics.ts';

export interface WorkerRole {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  readonly checkpoints: ObjectStore;
  readonly settings: Partial<WorkerSettings>;
  readonly logger: Logger;
  /** Where operators ask; null for nowhere. */
  readonly ops: { readonly host: string; readonly port: number } | null;
  readonly onDecided?: (decided: readonly DecidedRecord[]) => void;
}

export interface RunningWorker {
  /** Of the operators' server; null without one. */
  readonly opsPort: number | null;
  isReady(): boolean;
  /** Where its state stands in the partitions that it owns. */
  positions(): StreamPosition[];
  /** Ends after the batch at hand. */
  stop(): void;
  /** Until it has stopped, or gave up. */
  readonly done: Promise<void>;
}

/** The event loop answers, but has the worker moved? Beyond this it is called stuck. */
const STUCK_AFTER_MS = 120_000;

export async function startWorker(role: WorkerRole): Promise<RunningWorker> {
  const { log, topics, setup, versions, checkpoints, logger } = role;
  const settings: WorkerSettings = { ...DEFAULT_WORKER, topics, ...role.settings };
  const metrics = workerMetrics(Date.now);
  const storeOf = (partition: number) => new CheckpointStore(checkpoints, `${topics.transactions}/${partition}`);
  let movedMs = Date.now();
  const worker = new Worker({
    ...{ log, setup, versions, checkpoints: storeOf, settings },
    observer: observers(metrics.observer, loggingObserver(logger), () => {
      movedMs = Date.now();
    }),
    now: () => performance.timeOrigin + performance.now(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    ...(role.onDecided !== undefined && { onDecided: role.onDecided }),
  });
  let ops: OpsServer | null = null;
  if (role.ops !== null) {
    ops = await startOpsServer(role.ops.host, role.ops.port, {
      metrics: () => metrics.registry.metrics(),
      metricsType: metrics.registry.contentType,
      isAlive: () => Date.now() - movedMs < STUCK_AFTER_MS,
      isReady: () => worker.isReady,
    });
    logger.info({ host: role.ops.host, port: ops.port }, 'metrics and health are served');
  }
  const done = worker.run().finally(async () => {
    await ops?.close();
  });
  return {
    ...{ opsPort: ops?.port ?? null, isReady: () => worker.isReady, positions: () => worker.positions() },
    ...{ stop: () => worker.stop(), done },
  };
}

function loggingObserver(logger: Logger): Partial<WorkerObserver> {
  return {
    assigned: (partitions) => logger.info({ partitions }, 'given partitions'),
    revoked: (partitions) => logger.info({ partitions }, 'gave partitions up'),
    restored: (partition, from, upTo, tookMs) =>
      logger.info({ partition, from, upTo, tookMs: Math.round(tookMs) }, 'the state has caught up'),
    batch: ({ partition, output: { failures } }) => {
      if (failures.length > 0) logger.warn({ partition, ...failures[0] }, 'a detector failed and was left out');
    },
    leftOut: (partition, offset, parts) =>
      parts.length > 0
        ? logger.warn({ partition, offset, parts }, 'decisions are made without these parts from here on')
        : logger.info({ partition, offset }, 'decisions are made with all they need again'),
    changed: (partition, offset, model, rules) =>
      logger.info({ partition, offset, model, rules }, 'other rules or another model decide from here on'),
    troubled: (code, message) => logger.warn({ code }, message),
  };
}

/** Each hears everything; `onAny` too. */
function observers(first: WorkerObserver, second: Partial<WorkerObserver>, onAny: () => void): WorkerObserver {
  return {
    batch: (done) => {
      onAny();
      first.batch(done);
      second.batch?.(done);
    },
    restored: (...told) => {
      onAny();
      first.restored(...told);
      second.restored?.(...told);
    },
    checkpointed: (...told) => first.checkpointed(...told),
    committed: (...told) => first.committed(...told),
    queued: (depths) => first.queued(depths),
    leftOut: (...told) => {
      first.leftOut(...told);
      second.leftOut?.(...told);
    },
    changed: (...told) => second.changed?.(...told),
    troubled: (...told) => {
      first.troubled(...told);
      second.troubled?.(...told);
    },
    assigned: (partitions) => {
      onAny();
      first.assigned(partitions);
      second.assigned?.(partitions);
    },
    revoked: (partitions) => {
      first.revoked(partitions);
      second.revoked?.(partitions);
    },
    lagging: (waiting) => {
      onAny();
      first.lagging(waiting);
    },
  };
}
