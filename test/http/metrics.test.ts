// What operators see of a running service: readable for Prometheus, told of each part, and of nobody.
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { RecordsUnavailableError } from '../../src/lib/errors.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { scanText } from '../privacy/scan-disk.ts';
import { type NotifyingService, startNotifyingService } from './notifying.ts';
import { readMetrics, withoutFigures } from './prometheus-text.ts';
import { eventually } from './running-service.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

let records: RecordStore;
let running: NotifyingService;
let isDown = false;

beforeAll(async () => {
  const database = await openPglite({ folder: null, onRecovery: () => undefined });
  records = await openRecordStore({
    ...database,
    async run(statement) {
      if (isDown) throw new RecordsUnavailableError('no answer');
      return await database.run(statement);
    },
  });
  running = await startNotifyingService(records);
});

afterAll(async () => {
  isDown = false;
  await running?.stop();
  await records?.close();
});

async function scrape(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${running.service.opsPort}/metrics`);
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('version=0.0.4')]);
  return await answer.text();
}

describe('metrics of a running service', () => {
  it('tell of records, alerts, cases, notifications, archive, audit and log-in, with few labels and nobody in them', async () => {
    const { service } = running;
    await running.askAbout('M1', '40000001');
    for (let attempt = 0; attempt < 8; attempt++) {
      const body = { login: 'rosa.quispe', password: `no es esta ${attempt}` };
      await service.stranger.ask('/v1/session', { method: 'POST', body });
    }
    const text = await eventually(async () => {
      const now = await scrape();
      return /centinela_notification_messages_total\{channel="app",outcome="delivered"\} [1-9]/.test(now) ? now : null;
    });
    const metrics = readMetrics(text);
    const sampleOf = (name: string, labels: Record<string, string> = {}) =>
      metrics
        .get(name)
        ?.samples.find((each) => Object.entries(labels).every(([label, value]) => each.labels[label] === value))?.value;
    expect(sampleOf('centinela_transactions_total')).toBe(1);
    expect(sampleOf('centinela_records_transactions_total', { outcome: 'committed' })).toBeGreaterThan(5);
    expect(sampleOf('centinela_records_retries_total')).toBeGreaterThanOrEqual(0);
    expect(metrics.get('centinela_records_transaction_seconds')?.type).toBe('histogram');
    for (const state of ['open', 'idle', 'waiting']) {
      expect(sampleOf('centinela_records_connections', { state })).toBeGreaterThanOrEqual(0);
    }
    expect(sampleOf('centinela_records_up')).toBe(1);
    expect(sampleOf('centinela_alerts_taken_total', { how: 'opened' })).toBe(1);
    expect(sampleOf('centinela_alerts_lag_records')).toBe(0);
    expect(metrics.get('centinela_cases')?.samples.reduce((sum, { value }) => sum + value, 0)).toBe(1);
    expect(sampleOf('centinela_notifications_total', { what: 'planned' })).toBeGreaterThanOrEqual(2);
    expect(sampleOf('centinela_notifications_waiting')).toBeGreaterThanOrEqual(0);
    expect(sampleOf('centinela_archive_running')).toBe(1);
    expect(sampleOf('centinela_archive_lag_records')).toBeGreaterThanOrEqual(0);
    expect(sampleOf('centinela_audit_entries_total')).toBeGreaterThan(3);
    for (const what of ['cases', 'labels', 'holds', 'evidence', 'objects']) {
      expect(sampleOf('centinela_retention_removed_total', { what })).toBe(0);
    }
    expect(sampleOf('centinela_retention_held')).toBe(0);
    expect(sampleOf('centinela_logins_total', { outcome: 'refused' })).toBeGreaterThanOrEqual(5);
    expect(sampleOf('centinela_logins_total', { outcome: 'locked' })).toBeGreaterThanOrEqual(1);
    for (const [name, { samples }] of metrics) {
      expect(name).toMatch(/^centinela_/);
      expect(samples.length, name).toBeLessThan(2000);
    }
    const values = [
      { kind: 'dni', text: '40000001' },
      { kind: 'account', text: '00219400234567810012' },
      { kind: 'login', text: 'rosa.quispe' },
    ];
    expect(scanText('metrics', withoutFigures(text), { values, patterns: ['pan', 'cci', 'mail'] }).findings).toEqual(
      [],
    );
  });

  it.runIf(hasPromtool)('are read by promtool', async () => {
    const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: await scrape(), encoding: 'utf8' });
    // 3: readable, with advice on names.
    expect([0, 3], stderr).toContain(status);
  });

  it('say that the records do not answer, instead of failing', async () => {
    isDown = true;
    const metrics = await eventually(async () => {
      const now = readMetrics(await scrape());
      return now.get('centinela_records_up')?.samples[0]?.value === 0 ? now : null;
    });
    expect(metrics.get('centinela_cases')?.samples).toEqual([]);
  });
});
