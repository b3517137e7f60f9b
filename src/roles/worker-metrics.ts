// The worker's metrics for Prometheus. What happens per transaction is counted in plain numbers and exported when asked.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { STEPS } from '../pipeline/stream/step-times.ts';
import type { BatchDone, WorkerObserver } from '../pipeline/stream/worker-options.ts';
import { ACTIONS } from '../rules/rule.ts';

const WAIT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const STEP_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const BATCH_BUCKETS = [1, 4, 16, 64, 256, 1024, 4096, 16384];

export interface WorkerMetrics {
  /** @param stage the topic that is folded */
  observerOf(stage: string): WorkerObserver;
  readonly registry: Registry;
}

/** @param now ms */
export function workerMetrics(now: () => number): WorkerMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'centinela_' });
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Counter({ name: `centinela_${name}_total`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: readonly Label[] = [],
  ) => new Histogram({ name: `centinela_${name}`, help, buckets, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name: `centinela_${name}`, help, labelNames, registers });

  const transactions = counter('transactions', 'Transactions that were decided.');
  const decisions = counter('decisions', 'Decisions by what is done.', ['action']);
  const degraded = counter('degraded_decisions', 'Decisions made without all they need, by what was left out.', [
    'without',
  ]);
  const failures = counter('detector_failures', 'Runs in which a detector, or its reasons, failed.', ['detector']);
  const missed = counter('deadlines_missed', 'Runs of records in which a step took longer than its deadline.', [
    'step',
  ]);
  const refused = counter('dead_letters', 'Records that could not be processed.', ['reason']);
  const passed = counter('records_without_decision', 'Duplicates and labels, by kind.', ['kind']);
  const outOfOrder = counter('out_of_order', 'Transactions that came late, or too late or too early for the windows.', [
    'how',
  ]);
  const governor = counter('governor_alerts', 'Alerts of the safety governor.', ['kind']);
  const troubles = counter('troubles', 'What went wrong and was begun again.', ['code']);
  const fold = histogram('fold_seconds', 'Time to fold, score and decide a batch.', WAIT_BUCKETS);
  const step = histogram('step_seconds', 'Time of a step for a run of records.', STEP_BUCKETS, ['step']);
  const detector = histogram('detector_seconds', 'Time of a detector for a run of records.', STEP_BUCKETS, [
    'detector',
  ]);
  const commitOutputs = histogram('commit_records', 'Outputs of one commit.', BATCH_BUCKETS);
  const queuedRecords = gauge('queued_records', 'Records that were fetched and are not folded yet.', ['stage']);
  const queuedOutputs = gauge('queued_outputs', 'Decisions, alerts and letters that are not committed yet.', ['stage']);
  const heldBytes = gauge('read_ahead_bytes', 'What the log has read ahead and not given yet.', ['stage']);
  const isLeftOut = gauge('left_out', 'Parts that decisions are made without at the moment.', ['partition', 'part']);
  const wait = histogram(
    'wait_seconds',
    'From the writing of the oldest record of a batch to its durable decision.',
    WAIT_BUCKETS,
  );
  const batch = histogram('batch_records', 'Records of a batch of one partition.', BATCH_BUCKETS);
  const ofStage = ['stage', 'partition'] as const;
  const owned = gauge('owned_partitions', 'Partitions that this worker owns.', ['stage']);
  const lag = gauge('lag_records', 'Records that wait.', ofStage);
  const checkpointBytes = gauge('checkpoint_bytes', 'Size of the state at its last checkpoint.', ofStage);
  const checkpointWritten = counter('checkpoint_written_bytes', 'Bytes of state that had changed and were written.');
  const checkpointSeconds = histogram(
    'checkpoint_seconds',
    'Time to write a checkpoint, beside the work.',
    WAIT_BUCKETS,
  );
  const restoreSeconds = histogram(
    'restore_seconds',
    'From being given a partition to having caught up with the group.',
    WAIT_BUCKETS,
  );
  const checkpointed = new Map<string, { readonly stage: string; readonly partition: number; readonly atMs: number }>();
  const age = new Gauge({
    ...{
      name: 'centinela_checkpoint_age_seconds',
      help: 'Since the last checkpoint.',
      labelNames: ofStage,
      registers,
    },
    collect() {
      this.reset();
      for (const { stage, partition, atMs } of checkpointed.values()) {
        this.set({ stage, partition }, (now() - atMs) / 1000);
      }
    },
  });
  for (const action of ACTIONS) decisions.inc({ action }, 0);
  for (const each of STEPS) missed.inc({ step: each }, 0);

  const count = ({ output, foldMs, records, oldestWaitMs, missed: missedSteps }: BatchDone) => {
    const { counts, decided } = output;
    transactions.inc(counts.transactions);
    const byAction = new Map<string, number>();
    const byPart = new Map<string, number>();
    for (const { verdict, degraded: left } of decided) {
      byAction.set(verdict.action, (byAction.get(verdict.action) ?? 0) + 1);
      for (const part of left) byPart.set(part, (byPart.get(part) ?? 0) + 1);
    }
    for (const [action, number] of byAction) decisions.inc({ action }, number);
    for (const [without, number] of byPart) degraded.inc({ without }, number);
    for (const name of new Set(output.failures.map((failure) => failure.detector))) failures.inc({ detector: name });
    for (const each of missedSteps) missed.inc({ step: each });
    for (const each of STEPS) if (each !== 'commit') step.observe({ step: each }, output.times.steps[each] / 1000);
    for (const [name, tookMs] of output.times.detectors) detector.observe({ detector: name }, tookMs / 1000);
    for (const { refusal } of output.refused) refused.inc({ reason: refusal.code });
    for (const { kind } of output.governorAlerts) governor.inc({ kind });
    passed.inc({ kind: 'duplicate' }, counts.duplicates);
    passed.inc({ kind: 'label' }, counts.labels);
    passed.inc({ kind: 'label-too-late' }, counts.labelsTooLate);
    outOfOrder.inc({ how: 'late' }, counts.late);
    outOfOrder.inc({ how: 'out-of-time' }, counts.outOfTime);
    fold.observe(foldMs / 1000);
    // What is passed on has not been decided yet.
    if (output.passed === undefined) wait.observe(Math.max(0, oldestWaitMs) / 1000);
    batch.observe(records);
  };
  const leftOutParts = new Map<number, readonly string[]>();
  const setLeftOut = (partition: number, parts: readonly string[]) => {
    for (const part of leftOutParts.get(partition) ?? []) isLeftOut.remove({ partition, part });
    for (const part of parts) isLeftOut.set({ partition, part }, 1);
    leftOutParts.set(partition, parts);
  };
  const give = (stage: string, partitions: Set<number>, changed: readonly number[], isOurs: boolean) => {
    for (const partition of changed) {
      if (isOurs) partitions.add(partition);
      else {
        partitions.delete(partition);
        checkpointed.delete(`${stage}/${partition}`);
        setLeftOut(partition, []);
        for (const each of [lag, checkpointBytes, age]) each.remove({ stage, partition });
      }
    }
    owned.set({ stage }, partitions.size);
  };
  const observerOf = (stage: string): WorkerObserver => {
    const partitions = new Set<number>();
    return {
      batch: count,
      committed(outputs, tookMs) {
        step.observe({ step: 'commit' }, tookMs / 1000);
        commitOutputs.observe(outputs);
      },
      queued(depths) {
        queuedRecords.set({ stage }, depths.records);
        queuedOutputs.set({ stage }, depths.outputs);
        heldBytes.set({ stage }, depths.heldBytes);
      },
      leftOut: (partition, _offset, parts) => setLeftOut(partition, parts),
      restored: (_partition, _from, _upTo, tookMs) => restoreSeconds.observe(tookMs / 1000),
      checkpointed(partition, { bytes, writtenBytes }, tookMs) {
        checkpointed.set(`${stage}/${partition}`, { stage, partition, atMs: now() });
        checkpointBytes.set({ stage, partition }, bytes);
        checkpointWritten.inc(writtenBytes);
        checkpointSeconds.observe(tookMs / 1000);
      },
      changed: () => undefined,
      troubled: (code) => troubles.inc({ code }),
      assigned: (changed) => give(stage, partitions, changed, true),
      revoked: (changed) => give(stage, partitions, changed, false),
      lagging: (waiting) => {
        for (const { partition, records } of waiting) lag.set({ stage, partition }, records);
      },
    };
  };
  return { registry, observerOf };
}
