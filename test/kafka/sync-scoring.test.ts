// Scoring through a real Kafka, with a worker at work on it: tails of committed records, transactions of the worker, dead letters.
import { afterAll, beforeAll, describe } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { syncScoringChecks } from '../streams/sync-scoring-checks.ts';
import { withKafka } from './with-kafka.ts';

describe.runIf(withKafka)('a real Kafka', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  syncScoringChecks('Kafka', async () => {
    const log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
    return { log, close: () => log.close() };
  });
});
