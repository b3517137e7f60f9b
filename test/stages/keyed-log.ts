// A stream in a log with workers that decide it, in rounds: records of one round have no entity in common, and the next
// round comes when the last one is decided. So the order is the same for every entity, whoever works.

import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import { DEFAULT_GOVERNOR } from '../../src/decisions/governor.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { ENTITY_KINDS } from '../../src/features/definition.ts';
import { entityKey } from '../../src/features/entity-key.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { chooseStages, type StageChoice } from '../../src/jobs/stream/choose-stages.ts';
import { transactionRecord } from '../../src/jobs/stream/feed-stream.ts';
import { streamSetup } from '../../src/jobs/stream/stream-setup.ts';
import type { RecordDecoders } from '../../src/pipeline/stream/partition-fold.ts';
import { groupOfStage } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import { stageTopicSettings } from '../../src/pipeline/stream/stages/stage-topics.ts';
import { topicSettings } from '../../src/pipeline/stream/topics.ts';
import type { VersionSource } from '../../src/pipeline/stream/versions.ts';
import type { OutgoingRecord, StreamLog } from '../../src/ports.ts';
import { type RunningWorker, startWorker } from '../../src/roles/worker.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createSimulatedStore } from '../simulation/simulated-store.ts';
import { STAGE_TOPICS, TOPICS } from './stage-runner.ts';

export type Rows = Map<string, readonly number[]>;

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

export function memoryLog(): StreamLog {
  return createMemoryLog({ now: () => 1_770_000_000_000, sleep: nextTurn });
}

/** With the program's own rules; the governor, who looks at a partition as a whole, stays out of it. */
const CLEAR: RecordDecoders = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };

export async function standardSetup(rows: Rows = new Map(), decoders: RecordDecoders = CLEAR) {
  const { rules } = await readPlacedRules(BUILT_IN_RULES);
  const { setup, versions } = streamSetup({
    ...{ model: null, catalogue: 'default', governor: { ...DEFAULT_GOVERNOR, maxBlockedShare: 1 }, maxIds: 8192 },
    rules: { ...NO_RULES, placed: rules, detectors: detectorsHere().map(({ name }) => name) },
    decoders,
    loadModel: () => Promise.reject(new Error('there is no model')),
  });
  return { setup, versions: recorded(versions, rows) };
}

/** Remembers the features of what is decided. */
function recorded(versions: VersionSource, rows: Rows): VersionSource {
  return {
    ...versions,
    async initial(definitions) {
      const version = await versions.initial(definitions);
      const open: typeof version.decider.open = (batch) => {
        batch.transactions.forEach(({ id }, row) => {
          rows.set(id, [...batch.features.subarray(row * batch.width, (row + 1) * batch.width)]);
        });
        return version.decider.open(batch);
      };
      return { ...version, decider: { ...version.decider, open } };
    },
  };
}

export interface Deciding {
  readonly log: StreamLog;
  readonly rows: Rows;
  /** Writes records and waits until all is decided. */
  round(records: readonly OutgoingRecord[]): Promise<void>;
  stop(): Promise<void>;
}

export interface DecidingOptions {
  readonly stages: StageChoice;
  readonly partitions: number;
  /** As many processes as there would be. */
  readonly workers: number;
  readonly log?: StreamLog;
  readonly group?: string;
  readonly takesOver?: boolean;
  /** Default: of what is written in clear. */
  readonly decoders?: RecordDecoders;
}

export async function startDeciding(options: DecidingOptions): Promise<Deciding> {
  const { partitions, workers, group = 'g', takesOver = false, log = memoryLog() } = options;
  const rows: Rows = new Map();
  const { setup, versions } = await standardSetup(rows, options.decoders);
  await log.createTopics(topicSettings(TOPICS, partitions, 1));
  const between = stageTopicSettings(STAGE_TOPICS, partitions, 1);
  const stages = await chooseStages({
    ...{ log, topics: TOPICS, between: STAGE_TOPICS, group, wanted: options.stages, takesOver, setup, versions },
    prepareTopics: () => log.createTopics(between),
  });
  const checkpoints = createSimulatedStore();
  const running: RunningWorker[] = [];
  for (let i = 0; i < workers; i++) {
    running.push(
      await startWorker({
        ...{
          log,
          topics: TOPICS,
          setup,
          versions,
          stages,
          checkpoints,
          masters: null,
          logger: createLogger('error', () => undefined),
        },
        ...{ ops: null, settings: { group, pollWaitMs: 1, checkpointEveryMs: 100, commitEveryMs: 1 } },
      }),
    );
  }
  const later = stages?.slice(1).map(({ name, input }) => ({ input, group: groupOfStage(group, name) })) ?? [];
  const door = stages === null ? group : groupOfStage(group, 'transactions');
  const doors = [TOPICS.labels, TOPICS.control, TOPICS.transactions].map((input) => ({ input, group: door }));
  const watched = [...doors, ...later];
  const isDone = async () => {
    // First where the groups stand, then the ends: what they passed on meanwhile shows.
    const done = await Promise.all(watched.map(({ input, group: own }) => log.groupPositions(own, input, true)));
    for (const [index, { input }] of watched.entries()) {
      for (const { partition, end } of await log.bounds(input)) {
        const { offset } = done[index][partition];
        // On Kafka the last offsets are no records: they mark where transactions end.
        if (offset < end && (await log.read({ topic: input, partition, offset }, 1, 0)).length > 0) return false;
      }
    }
    return true;
  };
  let isOver = false;
  const over = Promise.all(running.map(({ done }) => done)).finally(() => {
    isOver = true;
  });
  over.catch(() => undefined);
  return {
    ...{ log, rows },
    async round(records) {
      await log.append(records);
      while (!isOver && !(await isDone())) await nextTurn();
    },
    async stop() {
      for (const worker of running) worker.stop();
      await over;
    },
  };
}

/** Consecutive transactions that have no entity in common, at most so many. */
export function rounds(transactions: readonly Transaction[], most: number): Transaction[][] {
  const kinds = ENTITY_KINDS.filter((kind) => kind !== 'pair');
  const all: Transaction[][] = [];
  let taken = new Set<string>();
  for (const transaction of transactions) {
    const keys = kinds.flatMap((kind) => {
      const key = entityKey(transaction, kind);
      // An account is one in both its roles.
      return key === null ? [] : [`${kind === 'payer' || kind === 'payee' ? 'account' : kind} ${key}`];
    });
    const round = all[all.length - 1];
    if (round !== undefined && round.length < most && !keys.some((key) => taken.has(key))) round.push(transaction);
    else {
      all.push([transaction]);
      taken = new Set();
    }
    for (const key of keys) taken.add(key);
  }
  return all;
}

export function recordsOf(transactions: readonly Transaction[]): OutgoingRecord[] {
  return transactions.map((transaction) => transactionRecord(transaction, TOPICS.transactions));
}

/** By id, without where it was decided. */
export async function decisionsIn(log: StreamLog): Promise<Map<string, unknown>[]> {
  const found: Map<string, unknown>[] = [new Map(), new Map()];
  for (const { partition, start, end } of await log.bounds(TOPICS.decisions)) {
    for (let offset = start; offset < end; ) {
      const records = await log.read({ topic: TOPICS.decisions, partition, offset }, 10_000, 200);
      if (records.length === 0) break;
      for (const { value } of records) {
        const { at: _, stageAt: __, ...decision } = JSON.parse(new TextDecoder().decode(value!));
        const [first, again] = found;
        (first.has(decision.id) ? again : first).set(decision.id, decision);
      }
      offset = records[records.length - 1].offset + 1;
    }
  }
  return found;
}
