// A cluster of three of which nodes die one after the other: what was acknowledged stays, each record comes out once.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import type { StreamLog } from '../../src/ports.ts';
import { recordOf, settingsOf } from '../streams/stream-log-checks.ts';
import { withOwnKafka } from './with-kafka.ts';

const WORKER = fileURLToPath(new URL('copying-worker.ts', import.meta.url));
const COUNT = 12_000;
const PART = 500;

describe.runIf(withOwnKafka)('three nodes of Kafka', () => {
  let kafka: RunningKafka;
  let log: StreamLog;
  let workers: ChildProcess[] = [];

  beforeAll(async () => {
    kafka = await startKafka({ nodes: 3 });
    log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
    await log.createTopics(['in', 'out'].map((name) => ({ ...settingsOf(name, 6), replicas: 3 })));
  }, 120_000);
  afterAll(async () => {
    for (const worker of workers) worker.kill('SIGKILL');
    await log?.close();
    await kafka?.stop();
  });

  async function copied(): Promise<string[]> {
    const values: string[] = [];
    for (const { partition, start, end } of await log.bounds('out')) {
      for (let offset = start; offset < end; ) {
        const records = await log.read({ topic: 'out', partition, offset }, 10_000, 100);
        if (records.length === 0) break;
        values.push(...records.map(({ value }) => Buffer.from(value!).toString()));
        offset = records.at(-1)!.offset + 1;
      }
    }
    return values;
  }

  test('go on while one is away, and lose and double nothing', async () => {
    const start = () =>
      spawn(process.execPath, [WORKER, kafka.bootstrap, 'copiers', 'in', 'out'], { stdio: 'inherit' });
    workers = [start(), start()];
    for (let from = 0; from < COUNT; from += PART) {
      const numbers = Array.from({ length: PART }, (_, index) => from + index);
      await log.append(numbers.map((number) => recordOf('in', `${number}`, { partition: number % 6 })));
      if (from === 3000) await kafka.kill(0);
      if (from === 6000) await kafka.restart(0);
      if (from === 9000) await kafka.kill(2);
    }
    await expect.poll(async () => new Set(await copied()).size, { timeout: 90_000, interval: 500 }).toBe(COUNT);
    expect((await copied()).length).toBe(COUNT);
  }, 180_000);
});
