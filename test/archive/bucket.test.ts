// The archive in a bucket of a real store: written, compacted and read through a cache that is too small for all of it.
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type RunningS3, startS3, whyNoS3 } from '../../scripts/s3/s3-proxy.ts';
import { cachedObjects } from '../../src/adapters/archive/local-objects.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { createS3ObjectStore } from '../../src/adapters/s3/s3-object-store.ts';
import { maintainArchive } from '../../src/jobs/archive/maintain.ts';
import { settingsOf } from '../streams/stream-log-checks.ts';
import {
  DAY_MS,
  decisionNumber,
  decisionRecords,
  listedNumbers,
  NOON_MS,
  openTestArchive,
  type TestArchive,
  TOPIC,
} from './archive-setup.ts';

const asked = process.env.CENTINELA_LONG_TESTS === '1';
const why = asked ? whyNoS3() : null;
if (why !== null) process.stderr.write(`Tests of the archive on a real S3 store are skipped: ${why}\n`);

describe.runIf(asked && why === null)('an archive in a bucket', () => {
  let s3: RunningS3;
  let archive: TestArchive;
  beforeAll(async () => {
    s3 = await startS3();
  }, 120_000);
  afterAll(() => s3?.stop());
  beforeEach(async () => {
    archive = await openTestArchive();
  });
  afterEach(() => archive.close());

  test('has every decision once, before and after compaction, with a cache of a few files', async () => {
    const { endpoint, accessKeyId, secretAccessKey, bucket } = s3;
    const store = createS3ObjectStore({
      ...{ endpoint, accessKeyId, secretAccessKey, bucket, prefix: 'archive' },
      ...{ region: 'us-east-1', sessionToken: null },
    });
    const cache = await cachedObjects(store, join(archive.folder, 'cache'), 30_000);
    const inBucket = archive.through(store, cache);
    const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.min(ms, 5)));
    const log = createMemoryLog({ now: Date.now, sleep });
    await log.createTopics([settingsOf(TOPIC, 3)]);
    await log.append(decisionRecords(0, 1000, (n) => NOON_MS + n * 600_000));
    await inBucket.archiver(log, { settings: { partRows: 40, firstRetryMs: 1 } }).runOnce();
    const expected = Array.from({ length: 1000 }, (_, n) => 999 - n);
    expect(await listedNumbers(inBucket.decisions(), 100)).toEqual(expected);
    const { compacted } = await maintainArchive(inBucket.tools, { nowMs: NOON_MS + 20 * DAY_MS });
    expect(compacted.reduce((sum, { rows }) => sum + rows, 0)).toBe(1000);
    const read = inBucket.decisions();
    expect(await listedNumbers(read, 100)).toEqual(expected);
    for (let n = 0; n < 1000; n += 111) {
      expect((await read.findDecision(decisionNumber(n).id))!.decision).toStrictEqual(decisionNumber(n));
    }
    expect(cache.bytes).toBeLessThan(60_000);
  });
});
