// `topics`: makes the topics of Centinela on a Kafka cluster, or lists what is there.
import { STAGE_HOLDS, stageTopicSettings, stageTopics } from '../pipeline/stream/stages/stage-topics.ts';
import { STAGE_NAMES } from '../pipeline/stream/stages/topology.ts';
import { DEFAULT_PARTITIONS, TOPIC_PLANS, TOPIC_ROLES, topicNames, topicSettings } from '../pipeline/stream/topics.ts';
import type { StreamLog, TopicSettings } from '../ports.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { KAFKA_OPTIONS, kafkaLogOf } from './kafka-options.ts';
import { plainTable } from './plain-table.ts';

type Action = (log: StreamLog, options: OptionValues, context: CommandContext) => Promise<void>;

const ACTIONS: Readonly<Record<string, Action>> = { apply, list };
const DAY_MS = 86_400_000;
const COLUMNS = [
  { title: 'topic' },
  { title: 'partitions', right: true },
  { title: 'copies', right: true },
  { title: 'kept' },
  { title: 'holds' },
];

export const topicsCommand: Command = {
  ...OUTLINES.topics,
  options: {
    ...KAFKA_OPTIONS,
    partitions: {
      type: 'number',
      help: `apply: partitions of all but control, which has one`,
      default: DEFAULT_PARTITIONS,
      minimum: 1,
      maximum: 10_000,
      whole: true,
    },
    replicas: {
      type: 'number',
      help: 'apply: copies on different brokers; 3 in production',
      default: 1,
      minimum: 1,
      maximum: 100,
      whole: true,
    },
    'topic-prefix': { type: 'text', help: 'before each name, for several installations on one cluster', default: '' },
  },
  async run([action], options, context) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new UsageError(`topics: there is no '${action}'; there are ${Object.keys(ACTIONS).join(', ')}`);
    }
    const log = await kafkaLogOf(options);
    try {
      await ACTIONS[action](log, options, context);
    } finally {
      await log.close();
    }
  },
};

/** What is there already is left as it is; where it differs from the plan that is said. */
async function apply(log: StreamLog, options: OptionValues, { out, log: tell }: CommandContext): Promise<void> {
  const prefix = String(options['topic-prefix']);
  const numbers = [Number(options.partitions), Number(options.replicas)] as const;
  const planned = [
    ...topicSettings(topicNames(prefix), ...numbers),
    ...stageTopicSettings(stageTopics(prefix), ...numbers),
  ];
  const before = new Map((await log.topics()).map((topic) => [topic.name, topic]));
  await log.createTopics(planned);
  const created = planned.filter(({ name }) => !before.has(name)).map(({ name }) => name);
  const differing = planned.flatMap((topic) => differences(topic, before.get(topic.name)));
  for (const line of differing) tell(`${line}; left as it is\n`);
  if (options.json === true) out(`${JSON.stringify({ created, differing, topics: planned })}\n`);
  else out(created.length === 0 ? 'All topics are there.\n' : `Made ${created.join(', ')}.\n`);
}

async function list(log: StreamLog, options: OptionValues, { out }: CommandContext): Promise<void> {
  const prefix = String(options['topic-prefix']);
  const topics = (await log.topics())
    .filter(({ name }) => name.startsWith(prefix))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (options.json === true) {
    out(`${JSON.stringify({ topics })}\n`);
    return;
  }
  const between = stageTopics(prefix);
  const holds = new Map([
    ...TOPIC_ROLES.map((role) => [`${prefix}${role}`, TOPIC_PLANS[role].holds] as const),
    ...STAGE_NAMES.map((stage) => [between[stage], STAGE_HOLDS[stage]] as const),
  ]);
  const rows = topics.map((topic) => [
    topic.name,
    String(topic.partitions),
    String(topic.replicas),
    kept(topic),
    holds.get(topic.name) ?? '',
  ]);
  out(plainTable(COLUMNS, rows));
}

function kept({ retentionMs, compacted }: TopicSettings): string {
  const age = retentionMs === null ? 'for ever' : `${Math.round(retentionMs / DAY_MS)} d`;
  return compacted ? `newest of a key, ${age}` : age;
}

function differences(wanted: TopicSettings, there: TopicSettings | undefined): string[] {
  if (there === undefined) return [];
  return (['partitions', 'replicas', 'retentionMs', 'compacted'] as const)
    .filter((key) => wanted[key] !== there[key])
    .map((key) => `${wanted.name} has ${key} ${there[key]}, not ${wanted[key]}`);
}
