// How fast the simulator makes transactions, writing them not included: one million rows of 10,000 customers.
import { createSimulator } from '../src/simulate/simulator.ts';

const CUSTOMERS = 10_000;
const DAYS = 58;

/** Rows, seconds and rows per second of one run, and the largest resident memory seen, MB (10^6 bytes). */
export async function benchSimulate(): Promise<Record<string, number>> {
  const started = performance.now();
  const simulator = createSimulator({ customers: CUSTOMERS, days: DAYS, seed: 1 });
  let peakBytes = 0;
  let batches = 0;
  for (const _batch of simulator.batches()) {
    if (batches++ % 16 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }
  const seconds = (performance.now() - started) / 1000;
  const { rows } = simulator.summary();
  return { rows, seconds, rowsPerSecond: Math.round(rows / seconds), peakMemoryMb: Math.round(peakBytes / 1e6) };
}
