import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { streamLogChecks } from './stream-log-checks.ts';

streamLogChecks('files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-log-'));
  const log = await openFileLog({ folder, onRecovery: (report) => expect.fail(report.reason) });
  return {
    log,
    async close() {
      await log.close();
      rmSync(folder, { recursive: true });
    },
  };
});
