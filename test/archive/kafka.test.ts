// The archiver on a real Kafka: members that come, go and are killed, and markers of transactions between the records.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka } from '../../scripts/kafka/broker.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { withOwnKafka } from '../kafka/with-kafka.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import { decisionRecords, listedNumbers, NOON_MS, openTestArchive, type TestArchive, TOPIC } from './archive-setup.ts';
import { archiveAndKill } from './kill-and-look.ts';

const RECORDS = 4000;

describe.runIf(withOwnKafka)('the archive of a topic on a real Kafka', () => {
  let kafka: RunningKafka;
  let archive: TestArchive;
  let folder: string;
  beforeAll(async () => {
    kafka = await startKafka();
  }, 120_000);
  afterAll(() => kafka?.stop());
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'archive-kafka-'));
    archive = await openTestArchive();
  });
  afterEach(async () => {
    await archive.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('has every decision once, though archivers are killed and take over from one another', {
    timeout: 600_000,
  }, async () => {
    const log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
    await log.createTopics([settingsOf(TOPIC, 4)]);
    const argv = [join(archive.folder, 'store'), join(folder, 'scratch'), 'kafka', kafka.bootstrap];
    let parts = 0;
    for (let n = 0; n < RECORDS; n += 400) {
      // Each append is a transaction with its marker.
      for (let from = n; from < n + 400; from += 100) {
        await log.append(decisionRecords(from, from + 100, (one) => NOON_MS + one * 1000));
      }
      const both = [2500 + n, 4000].map((afterMs) => archiveAndKill(argv, afterMs));
      for (const told of await Promise.all(both)) parts += told.filter((line) => line.startsWith('wrote')).length;
      const numbers = await listedNumbers(archive.decisions());
      expect(new Set(numbers).size).toBe(numbers.length);
    }
    await archive.archiver(log, { group: 'archive' }).runOnce();
    await log.close();
    expect(await listedNumbers(archive.decisions())).toEqual(
      Array.from({ length: RECORDS }, (_, n) => RECORDS - 1 - n),
    );
    expect(parts).toBeGreaterThan(10);
  });
});
