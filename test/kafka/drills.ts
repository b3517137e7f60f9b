// Kill drills on a real broker: workers are killed, the broker is restarted, and workers come and go, all under load. Then
// the topics are read by a tool that is not ours, and the state is compared with one that nobody disturbed.
//
// Usage: node test/kafka/drills.ts [--worker-kills 50] [--broker-restarts 5] [--rebalances 20] [--rate 400] [--seed 1]
//   [--twins 5] [--stages one|keyed]
// Prints one JSON object; exit code 1 where anything was lost, decided twice or differs.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { startKafka } from '../../scripts/kafka/broker.ts';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { transactionRecord } from '../../src/jobs/stream/feed-stream.ts';
import { streamSetup } from '../../src/jobs/stream/stream-setup.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { snapshotOf } from '../../src/pipeline/stream/fold-snapshot.ts';
import { decisionRecord } from '../../src/pipeline/stream/outputs.ts';
import { type KeyedStage, keyedStages } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import { stageTopicSettings, stageTopics } from '../../src/pipeline/stream/stages/stage-topics.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import type { StreamLog } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';

const PARTITIONS = 4;
const ENTRY = new URL('../../src/main.ts', import.meta.url).pathname;
const READY_WITHIN_MS = 120_000;
const DRAINED_WITHIN_MS = 300_000;
const WRITES_A_SECOND = 10;

const { values } = parseArgs({
  options: {
    'worker-kills': { type: 'string', default: '50' },
    'broker-restarts': { type: 'string', default: '5' },
    rebalances: { type: 'string', default: '20' },
    twins: { type: 'string', default: '5' },
    rate: { type: 'string', default: '400' },
    seed: { type: 'string', default: '1' },
    stages: { type: 'string', default: 'one' },
  },
});
const wanted = {
  workerKills: Number(values['worker-kills']),
  brokerRestarts: Number(values['broker-restarts']),
  rebalances: Number(values.rebalances),
  twins: Number(values.twins),
  rate: Number(values.rate),
};
const prng = createPrng(Number(values.seed));
const topics = topicNames();
const between = stageTopics();
const folder = mkdtempSync(join(tmpdir(), 'centinela-drills-'));
const kafka = await startKafka({ heapMb: 512 });
const log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
const workers = new Set<ChildProcess>();

try {
  await log.createTopics([...topicSettings(topics, PARTITIONS, 1), ...stageTopicSettings(between, PARTITIONS, 1)]);
  const writer = startWriting(log);
  const recoveries = { worker: [] as number[], broker: [] as number[] };
  let first = await startWorker('a');
  for (let kill = 0; kill < wanted.workerKills; kill++) {
    await sleep(300 + prng.nextBelow(2500));
    const before = await committedEnds();
    first.kill('SIGKILL');
    const startedMs = performance.now();
    first = await startWorker('a');
    const readyMs = performance.now() - startedMs;
    await movesOn(before);
    recoveries.worker.push(performance.now() - startedMs);
    tell(
      `kill ${kill + 1}: ${(recoveries.worker.at(-1)! / 1000).toFixed(1)} s, ready after ${(readyMs / 1000).toFixed(1)} s`,
    );
  }
  for (let restart = 0; restart < wanted.brokerRestarts; restart++) {
    await sleep(1000 + prng.nextBelow(3000));
    const startedMs = performance.now();
    await kafka.restart();
    await movesOn(await committedEnds());
    recoveries.broker.push(performance.now() - startedMs);
    tell(`broker restart ${restart + 1}: ${(recoveries.broker.at(-1)! / 1000).toFixed(1)} s`);
  }
  for (let round = 0; round < wanted.rebalances; round++) {
    const second = await startWorker(round % 4 < 2 ? 'b' : 'a');
    await sleep(500 + prng.nextBelow(2000));
    // In turn the newcomer leaves in order, and the old hand is killed.
    const leaver = round % 2 === 0 ? second : first;
    leaver.kill(round % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
    if (leaver === first) first = second;
    await ended(leaver);
    await movesOn(await committedEnds());
    tell(`rebalance ${round + 1}`);
  }
  // Two of one name, which nobody should start: they put each other out, and still nothing is decided twice.
  for (let round = 0; round < wanted.twins; round++) {
    // They may give up, or not get ready.
    const twins = Promise.allSettled([startWorker('twin'), startWorker('twin')]);
    await sleep(6000 + prng.nextBelow(6000));
    for (const each of [...workers]) if (each !== first) each.kill('SIGKILL');
    await twins;
    await movesOn(await committedEnds());
    tell(`twins ${round + 1}`);
  }
  const sent = await writer.stop();
  await drained();
  first.kill('SIGTERM');
  await ended(first);
  const result = { ...(await verify(sent)), ...summary(recoveries), transactions: sent.size };
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const { lost, duplicated, decisionsDiffer, statesDiffer } = result;
  process.exitCode = lost + duplicated + decisionsDiffer + statesDiffer === 0 ? 0 : 1;
} finally {
  for (const worker of workers) worker.kill('SIGKILL');
  await log.close().catch(() => undefined);
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Writes until it is stopped; what the log may or may not have taken is sent again with the same id. */
function startWriting(to: StreamLog) {
  const sent = new Set<string>();
  let stopping = false;
  const writing = (async () => {
    const perWrite = Math.max(1, Math.round(wanted.rate / WRITES_A_SECOND));
    for (let round = 0; ; round++) {
      for (const batch of createSimulator({ customers: 300, days: 30, seed: 1 + round }).batches()) {
        for (let start = 0; start < batch.length; start += perWrite) {
          if (stopping) return;
          const records = batch.slice(start, start + perWrite).map((transaction) => {
            const id = `${round}-${transaction.id}`;
            sent.add(id);
            return transactionRecord({ ...transaction, id }, topics.transactions);
          });
          await untilTaken(() => to.append(records));
          await sleep(1000 / WRITES_A_SECOND);
        }
      }
    }
  })();
  return {
    async stop(): Promise<Set<string>> {
      stopping = true;
      await writing;
      return sent;
    },
  };
}

async function untilTaken(write: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await write();
      return;
    } catch (error) {
      if (attempt > 60) throw error;
      await sleep(500);
    }
  }
}

async function startWorker(instance: string): Promise<ChildProcess> {
  const child = spawn(
    process.execPath,
    [
      ...[
        ENTRY,
        'worker',
        '--stages',
        values.stages,
        '--brokers',
        kafka.bootstrap,
        '--checkpoints',
        join(folder, 'checkpoints'),
      ],
      ...[
        '--checkpoint-seconds',
        '2',
        '--ops-port',
        '0',
        '--registry',
        join(folder, 'registry'),
        '--instance',
        instance,
      ],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  workers.add(child);
  child.once('exit', () => workers.delete(child));
  const port = await new Promise<number>((resolve, reject) => {
    let text = '';
    child.stderr!.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /"port":(\d+)/.exec(text);
      if (found !== null) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(`the worker ended: ${text.slice(-2000)}`)));
  });
  await until(READY_WITHIN_MS, async () => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    return response?.status === 200;
  });
  return child;
}

async function committedEnds(): Promise<number> {
  for (;;) {
    try {
      return (await log.bounds(topics.decisions)).reduce((sum, { end }) => sum + end, 0);
    } catch {
      await sleep(200);
    }
  }
}

async function movesOn(from: number): Promise<void> {
  await until(READY_WITHIN_MS, async () => (await committedEnds()) > from);
}

async function drained(): Promise<void> {
  let before = -1;
  await until(DRAINED_WITHIN_MS, async () => {
    const now = await committedEnds();
    const isStill = now === before;
    before = now;
    await sleep(4000);
    return isStill && (await committedEnds()) === now;
  });
}

/** Read by kcat, or by Kafka's own console consumer: neither knows of us. */
function decisionsRead(): string[] {
  const kcat = spawnSync(
    'kcat',
    [
      '-b',
      kafka.bootstrap,
      '-C',
      '-t',
      topics.decisions,
      '-o',
      'beginning',
      '-e',
      '-q',
      '-X',
      'isolation.level=read_committed',
    ],
    { maxBuffer: 2 ** 31 - 1, encoding: 'utf8' },
  );
  if (kcat.error !== undefined || kcat.status !== 0) throw new Error(`kcat: ${kcat.error?.message ?? kcat.stderr}`);
  return kcat.stdout.split('\n').filter((line) => line !== '');
}

async function verify(sent: ReadonlySet<string>) {
  const lines = decisionsRead();
  const byId = new Map<string, string>();
  let duplicated = 0;
  for (const line of lines) {
    const { id } = JSON.parse(line) as { id: string };
    if (byId.has(id)) duplicated++;
    byId.set(id, line);
  }
  const lost = [...sent].filter((id) => !byId.has(id)).length;
  const undisturbed = await foldUndisturbed();
  const decisionsDiffer = undisturbed.decisions.filter((line) => byId.get(JSON.parse(line).id) !== line).length;
  return { lost, duplicated, decisionsDiffer, statesDiffer: undisturbed.statesDiffer, decisions: lines.length };
}

/** The topics as they stand, folded in one go, and held against the last checkpoint of each partition. */
async function foldUndisturbed() {
  const { rules } = await readPlacedRules(BUILT_IN_RULES);
  const { setup, versions } = streamSetup({
    ...{ model: null, catalogue: 'default' },
    rules: { ...NO_RULES, placed: rules, detectors: detectorsHere().map(({ name }) => name) },
    decoders: { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl },
    loadModel: () => Promise.reject(new Error('there is no model')),
  });
  const whole: KeyedStage = { name: 'transactions', input: topics.transactions, setup, versions };
  const stages = values.stages === 'keyed' ? keyedStages(setup, versions, topics, between) : [whole];
  const decisions: string[] = [];
  let statesDiffer = 0;
  for (const stage of stages) {
    for (const { partition, end } of await log.bounds(stage.input)) {
      if (!(await foldPartition(stage, partition, end, decisions))) statesDiffer++;
    }
  }
  return { decisions, statesDiffer };
}

/** @returns whether the state is that of the last checkpoint */
async function foldPartition(
  { input, setup, versions }: KeyedStage,
  partition: number,
  end: number,
  decisions: string[],
) {
  const from = { topic: input, partition };
  const fold = setup.createFold(setup.createEngine(), null, partition);
  const version = await versions.initial(setup.definitions);
  let offset = 0;
  while (offset < end) {
    const records = await log.read({ ...from, offset }, 2000, 1000);
    if (records.length === 0) break;
    const { decided } = fold.take(records, version);
    decisions.push(...decided.map((each) => JSON.stringify(decisionRecord(each, from))));
    offset = records[records.length - 1].offset + 1;
  }
  // Nothing ever came.
  if (offset === 0) return true;
  const store = new CheckpointStore(
    createFolderObjectStore(join(folder, 'checkpoints')),
    values.stages === 'keyed' ? `keyed/${input}/${partition}` : `${input}/${partition}`,
  );
  const { definitions, limits, stage } = setup;
  const any = async () => true;
  const kept = await store.restore(Number.MAX_SAFE_INTEGER, definitions, limits, setup.fold.maxIds, any, stage);
  const own = snapshotOf(fold, offset, null);
  return (
    kept !== null &&
    kept.offset === offset &&
    Buffer.compare(kept.engine.checkpoint(), own.engine) === 0 &&
    JSON.stringify(kept.head) === JSON.stringify(own.head) &&
    isDeepStrictEqual(kept.seen.generations(), own.ids)
  );
}

function summary(recoveries: Readonly<Record<'worker' | 'broker', number[]>>) {
  const figures = (seconds: number[]) => {
    const sorted = seconds.map((ms) => ms / 1000).sort((a, b) => a - b);
    return { p50: sorted[sorted.length >> 1] ?? null, max: sorted.at(-1) ?? null };
  };
  return {
    ...{
      workerKills: wanted.workerKills,
      brokerRestarts: wanted.brokerRestarts,
      rebalances: wanted.rebalances,
      twins: wanted.twins,
    },
    ...{ workerRecoverySeconds: figures(recoveries.worker), brokerRecoverySeconds: figures(recoveries.broker) },
  };
}

async function until(withinMs: number, isSo: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (performance.now() < endMs) {
    if (await isSo()) return;
    await sleep(50);
  }
  throw new Error(`not within ${withinMs / 1000} s`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  await new Promise((resolve) => child.once('exit', resolve));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
