// Keyed stages on a real Kafka: two workers, each transaction decided once, and decided as one fold in memory does.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { decisionsIn, recordsOf, rounds, startDeciding } from '../stages/keyed-log.ts';
import { withOwnKafka } from './with-kafka.ts';

const PARTITIONS = 4;

describe.runIf(withOwnKafka)('keyed stages on a real Kafka', () => {
  let kafka: RunningKafka;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());

  test('two workers decide each transaction once, as one fold does', { timeout: 240_000 }, async () => {
    const bank = [...createSimulator({ customers: 40, days: 8, seed: 21 }).batches()].flat();
    const whole = await startDeciding({ stages: 'one', partitions: 1, workers: 1 });
    for (const round of rounds(bank, 64)) await whole.round(recordsOf(round));
    await whole.stop();
    const log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
    try {
      const keyed = await startDeciding({ log, stages: 'keyed', partitions: PARTITIONS, workers: 2 });
      for (const round of rounds(bank, 64)) await keyed.round(recordsOf(round));
      await keyed.stop();
      const [expected] = await decisionsIn(whole.log);
      const [decisions, again] = await decisionsIn(log);
      expect(again.size).toBe(0);
      expect(decisions.size).toBe(bank.length);
      expect(decisions).toEqual(expected);
      expect(new Map([...keyed.rows].sort())).toEqual(new Map([...whole.rows].sort()));
    } finally {
      await log.close();
    }
  });
});
