// The log that a command works with: segment files in a folder, or Kafka.
import { openFileLog } from '../adapters/files/stream-log/file-log.ts';
import { type TopicNames, topicNames, topicSettings } from '../pipeline/stream/topics.ts';
import type { StreamLog } from '../ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

export const STREAM_LOG_OPTIONS = {
  log: {
    type: 'text',
    value: 'DIR',
    help: 'the embedded log: a folder of segment files; one process at a time',
  },
  'topic-prefix': { type: 'text', help: 'before the names of the topics', default: '' },
  partitions: {
    type: 'number',
    help: 'partitions of topics that are made',
    default: 8,
    minimum: 1,
    maximum: 1024,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

export function topicsOf(options: OptionValues): TopicNames {
  return topicNames(options['topic-prefix'] as string);
}

/** Opened, with the topics that were missing made where that is the program's to do (the embedded log). */
export async function openStreamLog(options: OptionValues, logger: Logger): Promise<StreamLog> {
  const folder = options.log as string | undefined;
  if (folder === undefined) throw new UsageError('which log? Give --log DIR for the embedded one');
  const log = await openFileLog({
    folder,
    onRecovery: (report) => logger.warn(report, 'the log was cut to what is whole'),
    onMaintenanceError: (error) =>
      logger.warn({ message: String(error) }, 'retention and compaction will be tried again'),
  });
  const wanted = topicSettings(topicsOf(options), options.partitions as number, 1);
  const there = new Set((await log.topics()).map(({ name }) => name));
  await log.createTopics(wanted.filter(({ name }) => !there.has(name)));
  return log;
}
