// `simulate`: labelled Peruvian transactions into a file.
import { createTransactionWriter } from '../adapters/files/write-transactions.ts';
import { createSimulator } from '../simulate/simulator.ts';
import { type Command, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { createProgress } from './progress.ts';

export const simulateCommand: Command = {
  ...OUTLINES.simulate,
  options: {
    customers: {
      type: 'number',
      help: 'how many customers',
      default: 2000,
      minimum: 10,
      maximum: 10_000_000,
      whole: true,
    },
    days: { type: 'number', help: 'how many days', default: 60, minimum: 1, maximum: 3650, whole: true },
    seed: {
      type: 'number',
      help: 'the same seed gives the same file',
      default: 1,
      minimum: 0,
      maximum: 4_294_967_295,
      whole: true,
    },
    start: { type: 'text', value: 'YYYY-MM-DD', help: 'first day, Lima time', default: '2026-01-05' },
    out: { type: 'text', value: 'FILE', help: 'the file to write', required: true },
  },
  async run(_positional, options, { out, log, terminal, nowMs }) {
    const started = nowMs();
    const progress = createProgress(log, terminal, nowMs);
    const days = options.days as number;
    checkDay(options.start as string);
    const simulator = createSimulator({
      customers: options.customers as number,
      days,
      seed: options.seed as number,
      startDate: options.start as string,
    });
    const path = options.out as string;
    const writer = await createTransactionWriter(path);
    try {
      let firstMs: number | null = null;
      for (const batch of simulator.batches()) {
        await writer.write(batch);
        firstMs ??= batch[0]?.eventTimeMs ?? null;
        const last = batch.at(-1)?.eventTimeMs ?? 0;
        progress.show('simulating', firstMs === null ? 0 : (last - firstMs) / (days * 86_400_000));
      }
      await writer.close();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    const { rows, frauds, errors, hardNegatives, byTypology } = simulator.summary();
    if (options.json === true) {
      out(`${JSON.stringify({ rows, frauds, errors, hardNegatives, byTypology, seconds })}\n`);
      return;
    }
    out(
      `${rows.toLocaleString('en-US')} transactions in ${seconds.toFixed(1)} s → ${path}\n` +
        `${frauds.toLocaleString('en-US')} frauds, ${errors.toLocaleString('en-US')} operational errors, ` +
        `${hardNegatives.toLocaleString('en-US')} genuine look-alikes\n` +
        `Next: npx centinela detect ${path}\n`,
    );
  },
};

/** A real day of the calendar: 2026-02-30 is none. */
function checkDay(day: string): void {
  const time = Date.parse(`${day}T00:00:00Z`);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== day) {
    throw new UsageError(`--start must be a day such as 2026-01-05; '${day}' is not`);
  }
}
