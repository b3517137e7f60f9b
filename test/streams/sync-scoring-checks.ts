// What scoring through a log must do whatever the log, with a worker at work on it. A suite calls it with a way to open one.
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { transactionRecord } from '../../src/jobs/stream/feed-stream.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import {
  openSyncScoring,
  type ScoreAnswer,
  ScoringFullError,
  type SyncScoring,
  type SyncScoringSettings,
} from '../../src/pipeline/stream/sync-scoring.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { Worker } from '../../src/pipeline/stream/worker.ts';
import { DEFAULT_WORKER } from '../../src/pipeline/stream/worker-options.ts';
import type { StreamLog } from '../../src/ports.ts';
import { createSimulatedStore } from '../simulation/simulated-store.ts';
import { simulatedSetup, simulatedVersions } from '../simulation/stream-parts.ts';
import { silentObserver } from './silent-observer.ts';
import type { OpenedLog } from './stream-log-checks.ts';

const START_MS = 1_760_000_000_000;
const PATIENT = { deadlineMs: 30_000 };

export const after = (ms: number, call: () => void) => {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
};

export const tx = (id: string, more: Partial<Transaction> = {}): Transaction =>
  createTransaction({
    ...{ id, eventTimeMs: START_MS, amountMinor: 1000, currency: 'PEN', payerId: `p-${id}`, payeeId: 'b', ...more },
  });

const actionOf = (answer: ScoreAnswer) => (answer.kind === 'decided' ? answer.decision.action : answer.kind);

export function syncScoringChecks(name: string, open: () => Promise<OpenedLog>): void {
  describe(`scoring through ${name}`, { timeout: 90_000 }, () => {
    let opened: OpenedLog;
    let log: StreamLog;
    let topics: ReturnType<typeof topicNames>;
    let scoring: SyncScoring;
    let stopWorker: (() => Promise<void>) | null;
    const store = createSimulatedStore();
    let number = 0;

    const openScoring = (settings: Partial<SyncScoringSettings> = {}) =>
      openSyncScoring({ log, topics, writer: transactionRecord, settings, after, onTrouble: () => undefined });

    async function startWorker(): Promise<void> {
      const worker = new Worker({
        ...{
          log,
          setup: simulatedSetup(),
          versions: simulatedVersions(async () => undefined),
          observer: silentObserver,
        },
        checkpoints: (partition) => new CheckpointStore(store, `${topics.transactions}/${partition}`),
        settings: { ...DEFAULT_WORKER, topics, group: `${topics.transactions}-group` },
        ...{ now: () => performance.now(), sleep: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)) },
      });
      const done = worker.run();
      stopWorker = async () => {
        worker.stop();
        await done;
      };
    }

    async function stop(): Promise<void> {
      await stopWorker?.();
      stopWorker = null;
    }

    beforeEach(async () => {
      opened = await open();
      log = opened.log;
      topics = topicNames(`sync-${Date.now()}-${number++}.`);
      await log.createTopics(topicSettings(topics, 3, 1));
      scoring = await openScoring();
      stopWorker = null;
    });
    afterEach(async () => {
      await scoring.close();
      await stop();
      await opened.close();
    });

    test('gives each of many at once its own decision', async () => {
      await startWorker();
      const some = fc.array(fc.record({ payer: fc.nat(5), amountMinor: fc.integer({ min: 1, max: 900_000 }) }), {
        ...{ minLength: 1, maxLength: 60 },
      });
      let run = 0;
      const property = fc.asyncProperty(some, async (given) => {
        run++;
        const transactions = given.map(({ payer, amountMinor }, i) =>
          tx(`${run}-${i}`, { payerId: `p${payer}`, amountMinor, eventTimeMs: START_MS + run * 100_000 + i }),
        );
        const answers = await Promise.all(transactions.map((each) => scoring.score(each, PATIENT)));
        answers.forEach((answer, i) => {
          expect(answer).toMatchObject({ kind: 'decided', isEarlier: false, decision: { id: `${run}-${i}` } });
          // A rule of the simulated stream: what is above S/ 3000 is declined, by itself or with what the governor lets.
          const isLarge = transactions[i].amountMinor > 300_000;
          if (answer.kind === 'decided') expect(answer.decision.intended === 'decline').toBe(isLarge);
        });
      });
      await fc.assert(property, { numRuns: 12 });
      expect(scoring.waiting).toBe(0);
    });

    test('answers by the amount at the deadline, and finds what is decided later', async () => {
      const [small, large] = await Promise.all([
        scoring.score(tx('small'), { deadlineMs: 200 }),
        scoring.score(tx('large', { amountMinor: 50_000_00 }), { deadlineMs: 200 }),
      ]);
      expect(small).toMatchObject({ kind: 'timeout', action: 'approve' });
      expect(large).toMatchObject({ kind: 'timeout', action: 'review' });
      expect(scoring.find('small')).toBeNull();
      await startWorker();
      await expect.poll(() => scoring.find('large')?.action, { timeout: 30_000 }).toBe('decline');
      expect(await scoring.score(tx('large'), PATIENT)).toMatchObject({ kind: 'decided', isEarlier: true });
    });

    test('tells what cannot be decided at once, with the reason', async () => {
      await startWorker();
      const answers = await Promise.all([
        scoring.score(tx('good'), PATIENT),
        // Beyond what the schema allows.
        scoring.score(tx('bad', { currency: 'soles' }), PATIENT),
        scoring.score(tx('huge', { concept: 'x'.repeat(2_000_000) }), PATIENT),
      ]);
      expect(answers.map(actionOf)).toEqual(['approve', 'refused', 'refused']);
      expect(answers[1]).toMatchObject({ refusal: { code: 'VALUE_INVALID' } });
    });

    test('gives an id that came before its earlier decision, or says that there was one', async () => {
      await startWorker();
      const [one, other] = await Promise.all([
        scoring.score(tx('same'), PATIENT),
        scoring.score(tx('same', { amountMinor: 400_000 }), PATIENT),
      ]);
      expect([actionOf(one), actionOf(other)]).toEqual(['approve', 'approve']);
      expect(other).toMatchObject({ isEarlier: true });
      const forgetful = await openScoring({ recentBytes: 0 });
      const again = forgetful.score(tx('same'), PATIENT);
      // Only what comes later in its partition shows that it is not coming.
      const later = await forgetful.score(tx('later', { payerId: 'p-same' }), PATIENT);
      expect(later).toMatchObject({ kind: 'decided', isEarlier: false });
      await forgetful.score(tx('latest', { payerId: 'p-same' }), PATIENT);
      expect(await again).toEqual({ kind: 'decided-before' });
      await forgetful.close();
    });

    test('turns away what is beyond its limit, and closes once all have their answer', async () => {
      const narrow = await openScoring({ mostWaiting: 2 });
      const waiting = [narrow.score(tx('a'), PATIENT), narrow.score(tx('b'), PATIENT)];
      await expect(narrow.score(tx('c'), PATIENT)).rejects.toThrow(ScoringFullError);
      const closed = narrow.close();
      await expect(narrow.score(tx('d'), PATIENT)).rejects.toThrow('closed');
      await startWorker();
      await closed;
      expect((await Promise.all(waiting)).map(actionOf)).toEqual(['approve', 'approve']);
      expect(scoring.find('c')).toBeNull();
    });

    test('goes on through the end of a worker and the beginning of another', async () => {
      await startWorker();
      const answers: Promise<ScoreAnswer>[] = [];
      for (let i = 0; i < 90; i++) {
        answers.push(scoring.score(tx(`${i}`, { payerId: `p${i % 7}` }), PATIENT));
        if (i % 30 === 15) {
          await stop();
          answers.push(scoring.score(tx(`between-${i}`), PATIENT));
          await startWorker();
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
      const all = await Promise.all(answers);
      expect(all.filter(({ kind }) => kind !== 'decided')).toEqual([]);
      const ids = all.map((answer) => (answer.kind === 'decided' ? answer.decision.id : ''));
      expect(new Set(ids).size).toBe(93);
    });
  });
}
