// Follows the topic of alerts as a group and takes them into the records, where people work on them.
//
// Each batch is one transaction of the records, and only then does the group move on: after a crash some come again, and are
// known (records/alerts/take-alerts.ts). A record that is none of ours is counted and passed over, for it stays in the log.
import { type AlertRecord, readAlertRecord } from '../../alerts/alert-record.ts';
import { FencedError } from '../../lib/errors.ts';
import type { StreamBatch, StreamConsumer, StreamLog, StreamPartition, StreamPosition } from '../../ports.ts';
import type { TakenIn } from '../../records/alerts/take-alerts.ts';

export interface AlertTakerOptions {
  readonly log: Pick<StreamLog, 'join'>;
  readonly topic: string;
  readonly group: string;
  /** In one transaction; what is told of them is written there, too. */
  readonly take: (records: readonly AlertRecord[]) => Promise<TakenIn>;
  readonly onTrouble: (error: Error) => void;
  readonly sleep: (ms: number) => Promise<void>;
}

export interface AlertTakerCounts {
  opened: number;
  joined: number;
  suppressed: number;
  repeated: number;
  refused: number;
  /** Records of the partitions at hand that wait, when last looked at. */
  lagRecords: number;
}

const POLL_RECORDS = 1000;
const POLL_WAIT_MS = 500;
const LAG_EVERY_MS = 5000;
const FIRST_RETRY_MS = 200;
const MOST_RETRY_MS = 30_000;
const decoder = new TextDecoder();

export class AlertTaker {
  readonly counts: AlertTakerCounts = { opened: 0, joined: 0, suppressed: 0, repeated: 0, refused: 0, lagRecords: 0 };
  readonly #options: AlertTakerOptions;
  #isStopping = false;
  /** The offset that comes next, of the partitions that are ours. */
  readonly #next = new Map<number, number>();
  #lagMs = Number.NEGATIVE_INFINITY;

  constructor(options: AlertTakerOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#isStopping = true;
  }

  /** Until it is stopped. What fails is tried again, less and less often. */
  async run(): Promise<void> {
    const { log, topic, group, onTrouble, sleep } = this.#options;
    let failures = 0;
    while (!this.#isStopping) {
      let consumer: StreamConsumer | null = null;
      try {
        this.#next.clear();
        const forget = async (gone: readonly StreamPartition[]) => {
          for (const { partition } of gone) this.#next.delete(partition);
        };
        const listener = {
          assigned: async (at: readonly StreamPosition[]) => {
            for (const { partition, offset } of at) this.#next.set(partition, offset);
            return at;
          },
          ...{ revoked: forget, lost: forget },
        };
        consumer = await log.join({ group, topics: [topic], listener });
        while (!this.#isStopping) {
          const batches = await consumer.poll(POLL_RECORDS, POLL_WAIT_MS);
          if (batches.length > 0) await this.#takeAll(consumer, batches);
          failures = 0;
          await this.#measureLag(consumer);
        }
      } catch (error) {
        // Another process takes them by now.
        if (!(error instanceof FencedError)) onTrouble(error as Error);
        await sleep(Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures++));
      } finally {
        await consumer?.close().catch(onTrouble);
      }
    }
  }

  async #takeAll(consumer: StreamConsumer, batches: readonly StreamBatch[]): Promise<void> {
    const records = batches.flatMap((batch) => batch.records.flatMap(({ value }) => this.#read(value)));
    if (records.length > 0) {
      const { opened, joined, suppressed, repeated } = await this.#options.take(records);
      this.counts.opened += opened.length;
      this.counts.joined += joined;
      this.counts.suppressed += suppressed;
      this.counts.repeated += repeated;
    }
    const positions = batches.map(({ topic, partition, records: read }) => {
      return { topic, partition, offset: read[read.length - 1].offset + 1 };
    });
    await consumer.commit([], positions);
    for (const { partition, offset } of positions) this.#next.set(partition, offset);
  }

  async #measureLag(consumer: StreamConsumer): Promise<void> {
    const nowMs = performance.now();
    if (nowMs - this.#lagMs < LAG_EVERY_MS) return;
    this.#lagMs = nowMs;
    const ends = await consumer.ends();
    const waiting = ends.map(({ partition, offset }) => offset - (this.#next.get(partition) ?? offset));
    this.counts.lagRecords = waiting.reduce((sum, each) => sum + Math.max(0, each), 0);
  }

  #read(value: Uint8Array | null): AlertRecord[] {
    const read = value === null ? null : readAlertRecord(parsed(value));
    if (read?.kind === 'transaction') return [read.record];
    if (read?.kind !== 'other') this.counts.refused++;
    return [];
  }
}

function parsed(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return null;
  }
}
