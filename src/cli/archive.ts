// `archive`: keeps decisions in Parquet files by day, and finds them there again.
import { parseLimaDay } from '../domain/calendar.ts';
import { type Archiver, DEFAULT_ARCHIVER } from '../jobs/archive/archiver.ts';
import { compactDay } from '../jobs/archive/compact.ts';
import type { ArchivedDecision } from '../jobs/archive/decisions-table.ts';
import { DEFAULT_MAINTENANCE, maintainArchive } from '../jobs/archive/maintain.ts';
import { InputError } from '../lib/errors.ts';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { ARCHIVE_PLACE_OPTIONS, archivePlaceOf, type OpenArchive, openArchive } from './archive-place.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { openStreamLog, STREAM_LOG_OPTIONS, topicsOf } from './stream-log.ts';

type Action = (
  archive: OpenArchive,
  wanted: string | undefined,
  options: OptionValues,
  context: CommandContext,
) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { run, compact, find };
const DAYS_PER_YEAR = 365.25;
const MAINTENANCE_EVERY_MS = 10 * 60_000;
const TELL_EVERY_MS = 60_000;

export const archiveCommand: Command = {
  ...OUTLINES.archive,
  options: {
    ...ARCHIVE_PLACE_OPTIONS,
    ...STREAM_LOG_OPTIONS,
    group: { type: 'text', help: 'run: archivers of one group share the partitions', default: 'centinela-archive' },
    once: { type: 'flag', help: 'run: archives what the log has now, and ends' },
    'part-rows': {
      type: 'number',
      help: 'run: a file is closed with so many decisions',
      default: DEFAULT_ARCHIVER.partRows,
      minimum: 1,
      maximum: 1_000_000,
      whole: true,
    },
    'part-seconds': {
      type: 'number',
      help: 'run: or when its first one has waited so long',
      default: DEFAULT_ARCHIVER.partAgeMs / 1000,
      minimum: 1,
      maximum: 86_400,
    },
    maintenance: {
      type: 'text',
      help: 'run: whether it also compacts days that are over and removes those that are too old',
      choices: ['on', 'off'],
      default: 'on',
    },
    'keep-years': {
      type: 'number',
      help: 'days are removed after so long; those under a legal hold (decisions/holds.json) are not',
      default: 10,
      minimum: 1,
      maximum: 100,
    },
    day: { type: 'text', value: 'DAY', help: 'find: the day on which it was probably decided (2026-01-31, Lima)' },
    'log-level': { type: 'text', help: 'what is logged', choices: LOG_LEVELS, default: 'info' },
  },
  async run([action = 'run', wanted], options, context) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new UsageError(`archive: there is no '${action}'; there are ${Object.keys(ACTIONS).join(', ')}`);
    }
    const archive = await openArchive(archivePlaceOf(options));
    try {
      await ACTIONS[action](archive, wanted, options, context);
    } finally {
      await archive.close();
    }
  },
};

async function run(archive: OpenArchive, _: string | undefined, options: OptionValues, context: CommandContext) {
  const logger = createLogger(options['log-level'] as LogLevel, context.log);
  const log = await openStreamLog(options, logger);
  const archiver = archive.archiverOf(log, topicsOf(options).decisions, {
    group: options.group as string,
    settings: {
      partRows: options['part-rows'] as number,
      partAgeMs: (options['part-seconds'] as number) * 1000,
    },
    observer: {
      written: (file) => logger.debug(file, 'a part is in the archive'),
      troubled: ({ message }) => logger.warn({ message }, 'it will be tried again'),
    },
  });
  try {
    await (options.once === true ? archiver.runOnce() : follow(archive, archiver, options, context, logger));
  } finally {
    await log.close();
  }
  const { rows, parts, bytes } = archiver.counts;
  if (options.json === true) context.out(`${JSON.stringify({ ...archiver.counts, ...archiver.gauges() })}\n`);
  else context.out(`${rows} decisions archived in ${parts} files, ${bytes} bytes.\n`);
}

/** Until the process is told to stop. */
async function follow(
  archive: OpenArchive,
  archiver: Archiver,
  options: OptionValues,
  { nowMs }: CommandContext,
  logger: Logger,
): Promise<void> {
  const stop = () => {
    logger.info('stopping once what is held is written');
    archiver.stop();
  };
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const telling = setInterval(
    () => logger.info({ ...archiver.counts, ...archiver.gauges() }, 'archived'),
    TELL_EVERY_MS,
  );
  const settled = new Map<string, string>();
  let round: Promise<void> | null = null;
  const maintain = () => {
    round ??= maintainArchive(archive.tools, { ...wishOf(options, nowMs()), counts: archiver.counts }, settled)
      .then(({ compacted, removedDays }) => {
        if (compacted.length + removedDays.length > 0) logger.info({ compacted, removedDays }, 'maintained');
      })
      .catch(({ message }: Error) => logger.warn({ message }, 'maintenance will be tried again'))
      .finally(() => {
        round = null;
      });
  };
  const maintaining = options.maintenance === 'on' ? setInterval(maintain, MAINTENANCE_EVERY_MS) : undefined;
  if (maintaining !== undefined) maintain();
  try {
    await archiver.run();
  } finally {
    clearInterval(telling);
    clearInterval(maintaining);
    process.off('SIGTERM', stop).off('SIGINT', stop);
    await round;
  }
}

/** Without a day all days that are due, and retention. */
async function compact(
  archive: OpenArchive,
  day: string | undefined,
  options: OptionValues,
  { out, nowMs }: CommandContext,
): Promise<void> {
  if (day !== undefined && parseLimaDay(day) === null) {
    throw new UsageError(`archive compact: '${day}' is no day such as 2026-01-31`);
  }
  const one = day === undefined ? null : await compactDay(archive.tools, day, 'all');
  const done =
    day === undefined
      ? await maintainArchive(archive.tools, wishOf(options, nowMs()))
      : { compacted: one === null ? [] : [one], removedDays: [] };
  if (options.json === true) {
    out(`${JSON.stringify(done)}\n`);
    return;
  }
  for (const { day: of, rows, filesBefore, filesAfter, bytes } of done.compacted) {
    out(`${of}: ${rows} decisions, ${filesBefore} files are ${filesAfter} now, ${bytes} bytes written.\n`);
  }
  for (const removed of done.removedDays) out(`${removed}: removed, it has been kept long enough.\n`);
  if (done.compacted.length + done.removedDays.length === 0) out('There is nothing to do.\n');
}

async function find(
  archive: OpenArchive,
  id: string | undefined,
  options: OptionValues,
  { out }: CommandContext,
): Promise<void> {
  if (id === undefined) throw new UsageError('archive find: name the id of a transaction');
  const dayHint = options.day as string | undefined;
  const found = await archive.decisionsOf(null).findDecision(id, dayHint === undefined ? {} : { dayHint });
  if (found === null) {
    throw new InputError(
      'DECISION_UNKNOWN',
      `The archive has no decision of ${id}`,
      'Look at the id; one of the last minutes may be in the log only',
    );
  }
  out(options.json === true ? `${JSON.stringify(found)}\n` : told(found));
}

function told({ id, decidedMs, decision, unread }: ArchivedDecision): string {
  const head = `${id}, decided at ${new Date(decidedMs).toISOString()}`;
  if (decision === null) return `${head}, as it stands in the log:\n${unread}\n`;
  const { action, intended, by, risk, rules, reasons } = decision;
  return [
    `${head}: ${action}${intended === action ? '' : ` (${intended} without the control group or the governor)`} by ${by}`,
    `risk ${risk ?? 'not known'}; rules ${rules.length === 0 ? 'none' : rules.join(', ')}`,
    ...reasons.map(({ code, es }) => `  ${code}  ${es}`),
    '',
  ].join('\n');
}

function wishOf(options: OptionValues, nowMs: number) {
  const keepDays = Math.ceil((options['keep-years'] as number) * DAYS_PER_YEAR);
  return { nowMs, settings: { ...DEFAULT_MAINTENANCE, keepDays } };
}
