// The worker role: a log, what decides, checkpoints, and what operators see, put together; it works until it is told to stop.
// A keyed stream has a worker for each of its stages, all in this process.
import type { EvidencePacker } from '../pipeline/evidence/draft.ts';
import { CheckpointStore } from '../pipeline/stream/checkpoint-store.ts';
import type { AddressToken } from '../pipeline/stream/outputs.ts';
import type { DecidedRecord, LiveVersion } from '../pipeline/stream/partition-fold.ts';
import { groupOfStage, type KeyedStage } from '../pipeline/stream/stages/keyed-stages.ts';
import type { TopicNames } from '../pipeline/stream/topics.ts';
import type { PartitionSetup, VersionSource } from '../pipeline/stream/versions.ts';
import { Worker } from '../pipeline/stream/worker.ts';
import { DEFAULT_WORKER, type WorkerObserver, type WorkerSettings } from '../pipeline/stream/worker-options.ts';
import type { MasterKeys, ObjectStore, StreamLog, StreamPosition } from '../ports.ts';
import { LetterSealer } from '../privacy/sealed-letter.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type OpsServer, startOpsServer } from '../telemetry/ops-server.ts';
import { workerMetrics } from './worker-metrics.ts';

export interface WorkerRole {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  /** Keyed stages, each with a worker of its own in this process; null where each partition is folded as a whole. */
  readonly stages: readonly KeyedStage[] | null;
  readonly checkpoints: ObjectStore;
  readonly settings: Partial<WorkerSettings>;
  /** Dead letters are sealed with keys under these; null: they are written as they came. */
  readonly masters: MasterKeys | null;
  /** Packs the evidence that `setup` asks for; left out: none is made. */
  readonly evidence?: EvidencePacker;
  /** By which alerts name the address that a transaction came from; left out: they have none. */
  readonly addressToken?: AddressToken;
  readonly logger: Logger;
  /** Where operators ask; null for nowhere. */
  readonly ops: { readonly host: string; readonly port: number } | null;
  readonly onDecided?: (decided: readonly DecidedRecord[]) => void;
}

export interface RunningWorker {
  /** Of the operators' server; null without one. */
  readonly opsPort: number | null;
  isReady(): boolean;
  /** In Prometheus' text format. */
  metrics(): Promise<string>;
  /** How far it is done with the partitions that it owns, of all stages. */
  positions(): StreamPosition[];
  /** What decides in each partition that it owns. */
  live(): LiveVersion[];
  /** Ends after the batch at hand. */
  stop(): void;
  /** Until it has stopped, or gave up. */
  readonly done: Promise<void>;
}

/** The event loop answers, but has the worker moved? Beyond this it is called stuck. */
const STUCK_AFTER_MS = 120_000;

export async function startWorker(role: WorkerRole): Promise<RunningWorker> {
  const { logger } = role;
  const metrics = workerMetrics(Date.now);
  let movedMs = Date.now();
  const onMove = () => {
    movedMs = Date.now();
  };
  const workers = workersOf(role, (topic) =>
    observers(metrics.observerOf(topic), loggingObserver(logger, topic), onMove),
  );
  const isReady = () => workers.every((worker) => worker.isReady);
  let ops: OpsServer | null = null;
  if (role.ops !== null) {
    ops = await startOpsServer(role.ops.host, role.ops.port, {
      metrics: () => metrics.registry.metrics(),
      metricsType: metrics.registry.contentType,
      isAlive: () => Date.now() - movedMs < STUCK_AFTER_MS,
      isReady,
    });
    logger.info({ host: role.ops.host, port: ops.port }, 'metrics and health are served');
  }
  const stop = () => {
    for (const worker of workers) worker.stop();
  };
  const done = runAll(workers, stop).finally(async () => {
    await ops?.close();
  });
  const live = () => workers[workers.length - 1].live();
  const positions = () => workers.flatMap((worker) => worker.positions());
  return {
    opsPort: ops?.port ?? null,
    isReady,
    metrics: () => metrics.registry.metrics(),
    positions,
    live,
    stop,
    done,
  };
}

function workersOf(role: WorkerRole, observerOf: (topic: string) => WorkerObserver): Worker[] {
  const { log, topics, setup, versions, checkpoints, masters, evidence, addressToken, onDecided } = role;
  const settings: WorkerSettings = { ...DEFAULT_WORKER, topics, ...role.settings };
  const whole: KeyedStage = { name: 'transactions', input: topics.transactions, setup, versions };
  const stages = role.stages ?? [whole];
  const changesTo = stages[stages.length - 1].input;
  const letters = masters === null ? null : new LetterSealer(masters);
  return stages.map(({ name, input, ...own }) => {
    const group = role.stages === null ? settings.group : groupOfStage(settings.group, name);
    const folder = role.stages === null ? input : `keyed/${input}`;
    return new Worker({
      ...{ log, ...own, letters, settings: { ...settings, group, input, changesTo }, observer: observerOf(input) },
      checkpoints: (partition) => new CheckpointStore(checkpoints, `${folder}/${partition}`),
      now: () => performance.timeOrigin + performance.now(),
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      ...(onDecided !== undefined && { onDecided }),
      ...(evidence !== undefined && { evidence }),
      ...(addressToken !== undefined && { addressToken }),
    });
  });
}

/** Until all have stopped; where one gives up the others stop, too. */
async function runAll(workers: readonly Worker[], stop: () => void): Promise<void> {
  const runs = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      stop();
      throw error;
    }),
  );
  const failed = (await Promise.allSettled(runs)).find((run) => run.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function loggingObserver(logger: Logger, topic: string): Partial<WorkerObserver> {
  return {
    assigned: (partitions) => logger.info({ topic, partitions }, 'given partitions'),
    revoked: (partitions) => logger.info({ topic, partitions }, 'gave partitions up'),
    restored: (partition, from, upTo, tookMs) =>
      logger.info({ topic, partition, from, upTo, tookMs: Math.round(tookMs) }, 'the state has caught up'),
    batch: ({ partition, output: { failures } }) => {
      if (failures.length > 0) logger.warn({ partition, ...failures[0] }, 'a detector failed and was left out');
    },
    leftOut: (partition, offset, parts) =>
      parts.length > 0
        ? logger.warn({ topic, partition, offset, parts }, 'decisions are made without these parts from here on')
        : logger.info({ topic, partition, offset }, 'decisions are made with all they need again'),
    changed: (partition, offset, { model, rules, thresholds }) =>
      logger.info(
        { topic, partition, offset, model, rules, thresholds },
        'other rules, thresholds or another model decide from here on',
      ),
    troubled: (code, message) => logger.warn({ topic, code }, message),
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
