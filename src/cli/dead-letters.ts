// `dead-letters`: what could not be processed, by reason, and sending it again once the cause is gone.

import { parseLimaDay } from '../domain/calendar.ts';
import {
  type DeadLetterReason,
  listDeadLetters,
  type ReplayedReason,
  replayDeadLetters,
} from '../jobs/stream/dead-letters.ts';
import { LetterOpener } from '../privacy/sealed-letter.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type Command, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { LETTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { plainTable } from './plain-table.ts';
import { openStreamLog, STREAM_LOG_OPTIONS, topicsOf } from './stream-log.ts';

const LIST_COLUMNS = [
  { title: 'reason' },
  { title: 'letters', right: true },
  { title: 'first' },
  { title: 'last' },
  { title: 'the newest' },
];
const REPLAY_COLUMNS = [
  { title: 'reason' },
  { title: 'sent again', right: true },
  { title: 'passed over', right: true },
  { title: 'gone', right: true },
  { title: 'without origin', right: true },
  { title: 'broken', right: true },
];

export const deadLettersCommand: Command = {
  ...OUTLINES.deadLetters,
  options: {
    ...STREAM_LOG_OPTIONS,
    ...LETTER_KEYS_OPTION,
    reason: { type: 'text', value: 'CODE', help: 'of this reason only' },
    since: { type: 'text', value: 'DAY', help: 'written on this day or later (2026-01-31, Lima)' },
    group: { type: 'text', help: "the workers' group; beside it is kept what was sent again", default: 'centinela' },
  },
  async run([action], options, { out, log: tell }) {
    if (action !== 'list' && action !== 'replay') {
      throw new UsageError(`dead-letters: there is no '${action}'; there are list, replay`);
    }
    const wish = { reason: (options.reason as string | undefined) ?? null, sinceMs: sinceOf(options) };
    const log = await openStreamLog(options, createLogger('warn', tell));
    try {
      if (action === 'list') {
        const reasons = await listDeadLetters(log, topicsOf(options), wish);
        out(options.json === true ? `${JSON.stringify({ reasons })}\n` : listed(reasons));
      } else {
        const masters = await openGivenMasters(options);
        const opener = masters === null ? null : new LetterOpener(masters);
        const group = options.group as string;
        const replayed = await replayDeadLetters(log, topicsOf(options), group, wish, opener);
        out(options.json === true ? `${JSON.stringify({ replayed })}\n` : told(replayed));
      }
    } finally {
      await log.close();
    }
  },
};

function sinceOf({ since }: OptionValues): number | null {
  if (since === undefined) return null;
  const dayMs = parseLimaDay(since as string);
  if (dayMs === null) throw new UsageError(`dead-letters: --since must be a day such as 2026-01-31; '${since}' is not`);
  return dayMs;
}

function listed(reasons: readonly DeadLetterReason[]): string {
  if (reasons.length === 0) return 'There are no dead letters.\n';
  return plainTable(
    LIST_COLUMNS,
    reasons.map(({ reason, letters, firstMs, lastMs, examples }) => [
      ...[reason, String(letters), instant(firstMs), instant(lastMs), examples[0]?.message ?? ''],
    ]),
  );
}

function told(replayed: readonly ReplayedReason[]): string {
  if (replayed.length === 0) return 'There is nothing to send again.\n';
  return plainTable(
    REPLAY_COLUMNS,
    replayed.map(({ reason, sent, passed, gone, homeless, broken }) => [
      ...[reason, ...[sent, passed, gone, homeless, broken].map(String)],
    ]),
  );
}

function instant(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ');
}
