// From the moment a transaction is due to be sent to the moment its committed decision has been read, at a steady rate.
//
// A sender that is late, or waits for the brokers, does not make its transactions look younger: they count from when they were due.
import type { StreamLog } from '../../src/ports.ts';
import { type EndlessStream, placeOf } from './endless-stream.ts';

export interface LatencyOptions {
  readonly sender: StreamLog;
  /** With connections of its own. */
  readonly reader: StreamLog;
  readonly topics: { readonly transactions: string; readonly decisions: string };
  readonly stream: EndlessStream;
  /** Place of the first transaction. */
  readonly from: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** At the same rate, before those: brokers and workers that have just begun compile their code. */
  readonly warmUpSeconds: number;
}

export interface Latencies {
  /** Of those after the warm-up that were decided in time, ms, sorted. */
  readonly milliseconds: Float64Array;
  readonly sent: number;
  /** Transactions that were sent more than 10 ms after they were due. */
  readonly sentLate: number;
  readonly unanswered: number;
}

const PACE_MS = 3;
const MAX_APPENDS_IN_FLIGHT = 64;
const LATE_MS = 10;
/** Without a decision for so long after the last was sent, no more are waited for. */
const PATIENCE_MS = 60_000;
const READ_RECORDS = 5000;
const READ_WAIT_MS = 250;

export async function measureLatency(options: LatencyOptions): Promise<Latencies> {
  const { reader, topics, from, perSecond, seconds, warmUpSeconds } = options;
  const wanted = Math.round(perSecond * (warmUpSeconds + seconds));
  const latencies = new Float64Array(wanted).fill(Number.NaN);
  const starts = await reader.bounds(topics.decisions);
  const schedule = { startMs: performance.now(), perMs: perSecond / 1000 };
  let decided = 0;
  let decidedMs = 0;
  let over = false;
  const follow = async ({ partition, end }: { partition: number; end: number }) => {
    for (let offset = end; !over; ) {
      const records = await reader.read({ topic: topics.decisions, partition, offset }, READ_RECORDS, READ_WAIT_MS);
      const nowMs = performance.now();
      for (const { key } of records) {
        const index = placeOf(new TextDecoder().decode(key ?? undefined)) - from;
        if (!(index >= 0 && index < wanted) || !Number.isNaN(latencies[index])) continue;
        latencies[index] = nowMs - schedule.startMs - index / schedule.perMs;
        decided++;
        decidedMs = nowMs;
      }
      offset = (records.at(-1)?.offset ?? offset - 1) + 1;
    }
  };
  const followers = Promise.all(starts.map(follow));
  // Whatever it throws is thrown below.
  followers.catch(() => undefined);
  const sentLate = await Promise.race([send(options, wanted, schedule), followers.then(() => 0)]);
  const sentMs = performance.now();
  while (decided < wanted && performance.now() - Math.max(sentMs, decidedMs) < PATIENCE_MS) {
    await Promise.race([pause(READ_WAIT_MS), followers]);
  }
  over = true;
  await followers;
  const measured = latencies.subarray(Math.round(perSecond * warmUpSeconds));
  const milliseconds = measured.filter((value) => !Number.isNaN(value)).sort();
  return { milliseconds, sent: wanted, sentLate, unanswered: wanted - decided };
}

/** @returns how many were sent late */
async function send(
  { sender, topics, stream, from }: LatencyOptions,
  wanted: number,
  { startMs, perMs }: { readonly startMs: number; readonly perMs: number },
): Promise<number> {
  const inFlight = new Set<Promise<unknown>>();
  let late = 0;
  for (let next = 0; next < wanted; ) {
    const nowMs = performance.now() - startMs;
    const due = Math.min(wanted, Math.floor(nowMs * perMs) + 1);
    if (due > next) {
      const count = due - next;
      const records = Array.from({ length: count }, (_, index) =>
        stream.record(from + next + index, topics.transactions),
      );
      late += Math.max(0, Math.min(count, Math.ceil((nowMs - LATE_MS) * perMs) - next));
      next = due;
      const append = sender.append(records).finally(() => inFlight.delete(append));
      append.catch(() => undefined);
      inFlight.add(append);
    }
    if (inFlight.size >= MAX_APPENDS_IN_FLIGHT) await Promise.race(inFlight);
    else await pause(PACE_MS);
  }
  await Promise.all(inFlight);
  return late;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
