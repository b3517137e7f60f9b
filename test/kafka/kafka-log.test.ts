// The Kafka adapter does what every stream log must do, on a real broker, by both group protocols.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import type { StreamPartition } from '../../src/ports.ts';
import { settingsOf, streamLogChecks } from '../streams/stream-log-checks.ts';
import { withKafka } from './with-kafka.ts';

describe.runIf(withKafka)('a real Kafka', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  for (const groupProtocol of ['auto', 'classic'] as const) {
    streamLogChecks(`Kafka (${groupProtocol === 'auto' ? 'consumer' : groupProtocol} protocol)`, async () => {
      const log = openKafkaLog({ brokers: kafka.bootstrap.split(','), groupProtocol });
      return { log, close: () => log.close() };
    });

    test(`two members share each topic evenly (${groupProtocol})`, async () => {
      const topics = [`shared-a-${groupProtocol}`, `shared-b-${groupProtocol}`];
      const logs = [0, 1].map(() => openKafkaLog({ brokers: kafka.bootstrap.split(','), groupProtocol }));
      try {
        await logs[0].createTopics(topics.map((topic) => settingsOf(topic, 4)));
        const owned = logs.map(() => new Set<string>());
        const consumers = await Promise.all(
          logs.map((log, index) => {
            const change = (at: readonly StreamPartition[], act: 'add' | 'delete') => {
              for (const { topic, partition } of at) owned[index][act](`${topic}/${partition}`);
            };
            return log.join({
              ...{ group: `sharing-${groupProtocol}`, topics },
              listener: {
                assigned: async (at) => {
                  change(at, 'add');
                  return at;
                },
                revoked: async (at) => change(at, 'delete'),
                lost: async (at) => change(at, 'delete'),
              },
            });
          }),
        );
        const shares = () =>
          owned.map((each) => topics.map((topic) => [...each].filter((name) => name.startsWith(`${topic}/`)).length));
        const untilMs = Date.now() + 30_000;
        while (JSON.stringify(shares()) !== '[[2,2],[2,2]]' && Date.now() < untilMs) {
          await Promise.all(consumers.map((consumer) => consumer.poll(1, 100)));
        }
        expect(shares()).toEqual([
          [2, 2],
          [2, 2],
        ]);
        for (const consumer of consumers) await consumer.close();
      } finally {
        for (const log of logs) await log.close();
      }
    });
  }
});
