// The log that a command works with: segment files in a folder, or Kafka.
import { openFileLog } from '../adapters/files/stream-log/file-log.ts';
import { InputError } from '../lib/errors.ts';
import { type StageTopics, stageTopicSettings, stageTopics } from '../pipeline/stream/stages/stage-topics.ts';
import { type TopicNames, topicNames, topicSettings } from '../pipeline/stream/topics.ts';
import type { StreamLog } from '../ports.ts';
import type { Logger } from '../telemetry/logger.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { KAFKA_OPTIONS, kafkaLogOf } from './kafka-options.ts';

export const STREAM_LOG_OPTIONS = {
  log: {
    type: 'text',
    value: 'DIR',
    help: 'the embedded log: a folder of segment files; one process at a time',
  },
  'topic-prefix': { type: 'text', help: 'before the names of the topics', default: '' },
  partitions: {
    type: 'number',
    help: 'partitions of topics that the embedded log makes; one needs no stages, and one process gains nothing from more',
    default: 1,
    minimum: 1,
    maximum: 1024,
    whole: true,
  },
  instance: {
    type: 'text',
    value: 'NAME',
    help: 'Kafka: a name that this process keeps over restarts and no other has; what it left open is then ended at once',
  },
  ...KAFKA_OPTIONS,
} as const satisfies Record<string, OptionSpec>;

export function topicsOf(options: OptionValues): TopicNames {
  return topicNames(options['topic-prefix'] as string);
}

export function stageTopicsOf(options: OptionValues): StageTopics {
  return stageTopics(options['topic-prefix'] as string);
}

/**
 * Those between the stages, as the log's other topics: the embedded log gets them, Kafka must have them.
 *
 * @throws InputError where they are missing
 */
export async function prepareStageTopics(log: StreamLog, options: OptionValues, partitions: number): Promise<void> {
  const names = stageTopicsOf(options);
  if (options.log !== undefined) return await log.createTopics(stageTopicSettings(names, partitions, 1));
  const there = new Set((await log.topics()).map(({ name }) => name));
  const missing = Object.values(names).filter((name) => !there.has(name));
  if (missing.length > 0) throw topicsMissing(missing);
}

/**
 * The embedded log gets the topics that it lacks; on Kafka they are made by `topics apply`.
 *
 * @throws UsageError, InputError where topics are missing
 */
export async function openStreamLog(options: OptionValues, logger: Logger): Promise<StreamLog> {
  const folder = options.log as string | undefined;
  if (folder !== undefined && options.brokers !== undefined) {
    throw new UsageError('--log and --brokers are two different logs: give one of them');
  }
  if (folder === undefined) return openKafka(options);
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

async function openKafka(options: OptionValues): Promise<StreamLog> {
  const { instance } = options;
  const log = await kafkaLogOf(options, typeof instance === 'string' ? { instanceId: instance } : {});
  const there = new Set((await log.topics()).map(({ name }) => name));
  const missing = Object.values(topicsOf(options)).filter((name) => !there.has(name));
  if (missing.length === 0) return log;
  await log.close();
  throw topicsMissing(missing);
}

function topicsMissing(missing: readonly string[]): InputError {
  return new InputError(
    'TOPICS_MISSING',
    `On the brokers there is no ${missing.join(', ')}`,
    "Make them with 'centinela topics apply'",
  );
}
