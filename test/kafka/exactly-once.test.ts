// Each record once, whatever dies: transactions, zombies, the broker and the worker killed, on a real Kafka and through
// the eyes of tools that are not ours (kcat, Kafka's console consumer and its verifier of transactions).
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { COMPRESSIONS } from '../../src/adapters/kafka/compressions.ts';
import { type KafkaLogOptions, openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { FencedError, StreamUnavailableError } from '../../src/lib/errors.ts';
import type { AssignmentListener, StreamConsumer, StreamLog, StreamRecord } from '../../src/ports.ts';
import { recordOf, settingsOf } from '../streams/stream-log-checks.ts';
import { withOwnKafka } from './with-kafka.ts';

const WORKER = fileURLToPath(new URL('copying-worker.ts', import.meta.url));
const PATIENCE_MS = 60_000;
const hasKcat = spawnSync('kcat', ['-V']).status === 0;

function listenerOf() {
  const lost: number[] = [];
  const listener: AssignmentListener = {
    assigned: async (committed) => committed,
    revoked: async () => undefined,
    lost: async (partitions) => {
      lost.push(...partitions.map(({ partition }) => partition));
    },
  };
  return { lost, listener };
}

describe.runIf(withOwnKafka)('exactly once on a real Kafka', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  const open = (more: Partial<KafkaLogOptions> = {}) => openKafkaLog({ brokers: kafka.bootstrap.split(','), ...more });

  async function withLog<Result>(use: (log: StreamLog) => Promise<Result>, more: Partial<KafkaLogOptions> = {}) {
    const log = open(more);
    try {
      return await use(log);
    } finally {
      await log.close();
    }
  }

  async function readTopic(log: StreamLog, topic: string): Promise<StreamRecord[]> {
    const found: StreamRecord[] = [];
    for (const { partition, start, end } of await log.bounds(topic)) {
      for (let offset = start; offset < end; ) {
        const more = await log.read({ topic, partition, offset }, 10_000, 200);
        if (more.length === 0) break;
        found.push(...more);
        offset = more.at(-1)!.offset + 1;
      }
    }
    return found;
  }

  async function firstRecord(consumer: StreamConsumer) {
    const untilMs = Date.now() + PATIENCE_MS;
    while (Date.now() < untilMs) {
      const [batch] = await consumer.poll(100, 200);
      if (batch !== undefined) return batch;
    }
    throw new Error('no record came');
  }

  const textsOf = (records: readonly StreamRecord[]) =>
    records.map(({ value }) => new TextDecoder().decode(value ?? Uint8Array.of()));

  test.each(COMPRESSIONS)('what is written with %s is read by us, by kcat and by the console consumer', (compression) =>
    withLog(
      async (log) => {
        const topic = `compressed-${compression}`;
        await log.createTopics([settingsOf(topic, 1)]);
        const values = Array.from({ length: 50 }, (_, index) => `${index} ${'lorem ipsum '.repeat(40)}ñ`);
        await log.append(values.map((value) => recordOf(topic, value, { key: Uint8Array.of(107) })));
        expect(textsOf(await readTopic(log, topic))).toEqual(values);
        if (hasKcat) {
          const args = ['-C', '-q', '-e', '-b', kafka.bootstrap, '-t', topic, '-f', '%k=%s\n'];
          const { stdout } = spawnSync('kcat', args, { encoding: 'utf8' });
          expect(stdout.trim().split('\n')).toEqual(values.map((value) => `k=${value}`));
        }
        const { stdout } = kafka.tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
          ...['--bootstrap-server', kafka.bootstrap, '--topic', topic, '--from-beginning'],
          ...['--max-messages', '50', '--timeout-ms', '20000'],
        ]);
        expect(stdout.trim().split('\n')).toEqual(values);
      },
      { compression },
    ),
  );

  test.runIf(hasKcat).each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])('what kcat writes with %s is read', (codec) =>
    withLog(async (log) => {
      const topic = `from-kcat-${codec}`;
      await log.createTopics([settingsOf(topic, 1)]);
      const values = Array.from({ length: 200 }, (_, index) => `${index} ${'dolor sit amet '.repeat(20)}`.trim());
      const { status } = spawnSync('kcat', ['-P', '-b', kafka.bootstrap, '-t', topic, '-z', codec], {
        input: `${values.join('\n')}\n`,
      });
      expect(status).toBe(0);
      expect(textsOf(await readTopic(log, topic))).toEqual(values);
    }),
  );

  test('keys go to the partitions that kcat chooses by murmur2', async () => {
    if (!hasKcat) return;
    await withLog(async (log) => {
      await log.createTopics([settingsOf('keys-ours', 7), settingsOf('keys-theirs', 7)]);
      const keys = Array.from({ length: 100 }, (_, index) => `cliente-${index * 7919}`);
      const ours = await log.append(keys.map((key) => recordOf('keys-ours', key, { key: Buffer.from(key) })));
      spawnSync('kcat', ['-P', '-b', kafka.bootstrap, '-t', 'keys-theirs', '-K', ':', '-X', 'partitioner=murmur2'], {
        input: keys.map((key) => `${key}:${key}\n`).join(''),
      });
      const theirs = new Map<string, number>();
      for (let partition = 0; partition < 7; partition++) {
        const records = await log.read({ topic: 'keys-theirs', partition, offset: 0 }, 1000, 500);
        for (const text of textsOf(records)) theirs.set(text, partition);
      }
      expect(keys.map((key) => theirs.get(key))).toEqual(ours.map(({ partition }) => partition));
    });
  });

  test('a member with a name takes the place of its forerunner at once, which is fenced', () =>
    withLog(
      async (before) => {
        await before.createTopics([settingsOf('named-in', 1), settingsOf('named-out', 1)]);
        await before.append([recordOf('named-in', 'a')]);
        const forerunner = listenerOf();
        const first = await before.join({ group: 'named', topics: ['named-in'], listener: forerunner.listener });
        const { topic, partition } = await firstRecord(first);
        const position = { topic, partition, offset: 1 };
        await withLog(
          async (after) => {
            const startedMs = Date.now();
            const second = await after.join({ group: 'named', topics: ['named-in'], listener: listenerOf().listener });
            expect((await firstRecord(second)).records).toHaveLength(1);
            // Long before the forerunner's session would have ended: 6 s here.
            expect(Date.now() - startedMs).toBeLessThan(4000);
            const late = first.commit([recordOf('named-out', 'late', { partition: 0 })], [position]);
            await expect(late).rejects.toThrow(FencedError);
            await second.commit([recordOf('named-out', 'right', { partition: 0 })], [position]);
            await first.poll(1, 0);
            expect(forerunner.lost).toEqual([0]);
            await expect
              .poll(() => readTopic(after, 'named-out').then(textsOf), { timeout: 10_000 })
              .toEqual(['right']);
            await first.close();
            await second.close();
          },
          { instanceId: 'pod-0' },
        );
      },
      { instanceId: 'pod-0' },
    ));

  test('what is refused in the middle is aborted: no reader of committed records sees it', () =>
    withLog(async (log) => {
      await log.createTopics([settingsOf('aborted-in', 1), settingsOf('aborted-out', 1)]);
      await log.append([recordOf('aborted-in', 'a')]);
      const consumer = await log.join({ group: 'aborting', topics: ['aborted-in'], listener: listenerOf().listener });
      const { topic, partition } = await firstRecord(consumer);
      const position = { topic, partition, offset: 1 };
      await consumer.commit([recordOf('aborted-out', 'good', { partition: 0 })], [position]);
      // From here on the broker refuses larger records: the transaction fails after its first record was written.
      const { status } = kafka.tool('org.apache.kafka.tools.ConfigCommand', [
        ...['--bootstrap-server', kafka.bootstrap, '--alter', '--entity-type', 'topics'],
        ...['--entity-name', 'aborted-out', '--add-config', 'max.message.bytes=1000'],
      ]);
      expect(status).toBe(0);
      const large = recordOf('aborted-out', null, { partition: 0, value: randomBytes(500_000) });
      const failing = consumer.commit([recordOf('aborted-in', 'seen?'), large], [position]);
      await expect(failing).rejects.toThrow('refuses a batch');
      await consumer.commit([recordOf('aborted-out', 'after', { partition: 0 })], [position]);
      await expect
        .poll(() => readTopic(log, 'aborted-out').then(textsOf), { timeout: 10_000 })
        .toEqual(['good', 'after']);
      await expect.poll(() => readTopic(log, 'aborted-in').then(textsOf), { timeout: 10_000 }).toEqual(['a']);
      await consumer.close();
    }));

  test.each(['auto', 'classic'] as const)(
    'a zombie is fenced and told that it has lost everything (%s)',
    (groupProtocol) =>
      withLog(
        async (log) => {
          const input = `zombie-in-${groupProtocol}`;
          const output = `zombie-out-${groupProtocol}`;
          await log.createTopics([settingsOf(input, 1), settingsOf(output, 1)]);
          await log.append([recordOf(input, 'a')]);
          const group = `zombies-${groupProtocol}`;
          const { listener, lost } = listenerOf();
          const zombie = await log.join({ group, topics: [input], listener });
          const position = { topic: input, partition: 0, offset: 1 };
          await firstRecord(zombie);
          // It does not poll for longer than it may: the group goes on without it.
          await new Promise((resolve) => setTimeout(resolve, 5000));
          const heir = await log.join({ group, topics: [input], listener: listenerOf().listener });
          await firstRecord(heir);
          await heir.commit([recordOf(output, 'heir')], [position]);
          await expect(zombie.commit([recordOf(output, 'zombie')], [position])).rejects.toThrow(FencedError);
          await heir.close();
          await zombie.poll(1, 200);
          expect(lost).toEqual([0]);
          await expect.poll(() => readTopic(log, output).then(textsOf), { timeout: 10_000 }).toEqual(['heir']);
          await zombie.close();
        },
        { groupProtocol, maxPollIntervalMs: 1000, sessionTimeoutMs: 3000 },
      ),
  );

  test('workers killed and a broker killed lose nothing and double nothing, in the eyes of the console tools too', async () => {
    const count = 20_000;
    const input = 'killed-in';
    const output = 'killed-out';
    const workers: ChildProcess[] = [];
    const start = () => {
      const child = spawn(process.execPath, [WORKER, kafka.bootstrap, 'copiers', input, output], { stdio: 'inherit' });
      workers.push(child);
      return child;
    };
    const killed = (child: ChildProcess) =>
      new Promise<void>((resolve) => {
        child.once('exit', () => resolve());
        child.kill('SIGKILL');
      });
    const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
    await withLog(async (log) => {
      await log.createTopics([settingsOf(input, 4), settingsOf(output, 4)]);
      const first = start();
      start();
      for (let from = 0; from < count; from += 1000) {
        const some = Array.from({ length: 1000 }, (_, index) =>
          recordOf(input, `${from + index}`, { partition: index % 4 }),
        );
        await log.append(some);
        if (from === 6000) {
          await killed(first);
          start();
        }
        if (from === 12_000) {
          await kafka.kill();
          await pause(500);
          await kafka.restart();
        }
        await pause(100);
      }
      await expect
        .poll(async () => new Set(textsOf(await readTopic(log, output))).size, { timeout: 90_000, interval: 1000 })
        .toBe(count);
      expect(textsOf(await readTopic(log, output)).length).toBe(count);
    });
    await Promise.all(
      workers.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map(killed),
    );
    const { stdout } = kafka.tool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
      ...['--bootstrap-server', kafka.bootstrap, '--topic', output, '--from-beginning', '--timeout-ms', '5000'],
      ...['--isolation-level', 'read_committed'],
    ]);
    const lines = stdout.trim().split('\n');
    expect([lines.length, new Set(lines).size]).toEqual([count, count]);
    const transactions = () =>
      kafka.tool('org.apache.kafka.tools.TransactionsCommand', ['--bootstrap-server', kafka.bootstrap, 'list']).stdout;
    await expect.poll(transactions, { timeout: 30_000, interval: 1000 }).not.toContain('Ongoing');
    expect(transactions()).toContain('copiers-');
  }, 240_000);

  test('a log that does not answer is unavailable, and answers again when it is back', async () => {
    await withLog(
      async (log) => {
        await log.createTopics([settingsOf('away', 1)]);
        await kafka.kill();
        await expect(log.append([recordOf('away', 'lost?')])).rejects.toThrow(StreamUnavailableError);
        await kafka.restart();
        await log.append([recordOf('away', 'back')]);
        expect(textsOf(await readTopic(log, 'away'))).toContain('back');
      },
      { retryForMs: 1500 },
    );
  }, 120_000);
});
