import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { syncScoringChecks } from './sync-scoring-checks.ts';

syncScoringChecks('memory', async () => {
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const log = createMemoryLog({ now: Date.now, sleep });
  return { log, close: () => log.close() };
});

syncScoringChecks('files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sync-scoring-'));
  const log = await openFileLog({ folder, onRecovery: (report) => expect.fail(report.reason) });
  return {
    log,
    async close() {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
});
