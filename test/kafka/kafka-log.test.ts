// The Kafka adapter does what every stream log must do, on a real broker, by both group protocols.
import { afterAll, beforeAll, describe } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { streamLogChecks } from '../streams/stream-log-checks.ts';
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
  }
});
