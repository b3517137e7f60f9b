// `worker`: decides the transactions of a log as they come, until it is told to stop.

import { decodeControl, decodeLabel } from '../adapters/formats/stream-values.ts';
import { CATALOGUE_NAMES } from '../features/catalogue/choose.ts';
import { NO_RULES } from '../jobs/rules/rules-over-features.ts';
import { chooseStages, STAGE_CHOICES, type StageChoice } from '../jobs/stream/choose-stages.ts';
import { feedStream } from '../jobs/stream/feed-stream.ts';
import type { LiveLists } from '../jobs/stream/live-lists.ts';
import { streamSetup } from '../jobs/stream/stream-setup.ts';

import type { EvidencePacker, EvidenceWish } from '../pipeline/evidence/draft.ts';
import { modelHash } from '../pipeline/evidence/model-hash.ts';
import { DEFAULT_BATCH_SIZE } from '../pipeline/stream/batch-size.ts';
import { DEFAULT_DEGRADED_MODE } from '../pipeline/stream/degraded-mode.ts';
import type { WorkerSettings } from '../pipeline/stream/worker-options.ts';
import type { MasterKeys, ObjectStore, StreamLog } from '../ports.ts';
import { openRecordStore } from '../records/record-store.ts';
import { loadModel } from '../registry/model-store.ts';
import { openLiveLists } from '../roles/service/books.ts';
import { evidencePacker } from '../roles/service/evidence.ts';
import { openingDecoders } from '../roles/service/sealed-values.ts';
import { openSealing, ownSealing, type Sealing } from '../roles/service/sealing.ts';
import { followSignedHead, type SignedHead } from '../roles/service/signed-head.ts';
import { type RunningWorker, startWorker } from '../roles/worker.ts';
import { createLogger, LOG_LEVELS, type Logger, type LogLevel } from '../telemetry/logger.ts';
import { collectSeldom } from './collect-seldom.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsHere } from './detectors-here.ts';
import { FILE_OPTIONS, fileOpener } from './file-options.ts';
import { evaluatedRules, MODEL_OPTION, modelOf } from './live-rules.ts';
import { MASTER_KEYS_OPTION, openGivenMasters } from './master-keys.ts';
import { MODELS_OPTION } from './models.ts';
import { openObjectStore, openReadyObjectStore } from './object-store.ts';
import { createProgress } from './progress.ts';
import { FORMAT_OPTIONS, transactionDecoders } from './record-format-options.ts';
import { openRecordDatabase, RECORD_PLACE_OPTIONS } from './record-place.ts';
import { RULES_OPTION } from './rule-files.ts';
import { openStreamLog, prepareStageTopics, STREAM_LOG_OPTIONS, stageTopicsOf, topicsOf } from './stream-log.ts';
import { VERSION } from './version.ts';

export const workerCommand: Command = {
  ...OUTLINES.worker,
  options: {
    ...STREAM_LOG_OPTIONS,
    model: MODEL_OPTION,
    rules: RULES_OPTION,
    registry: MODELS_OPTION,
    checkpoints: {
      type: 'text',
      value: 'PLACE',
      help: 'where the state is kept: a folder, or s3://bucket/prefix',
      default: 'checkpoints',
    },
    'checkpoint-seconds': { type: 'number', help: 'the state is kept this often', default: 10, minimum: 1 },
    group: { type: 'text', help: 'workers of one group share the partitions', default: 'centinela' },
    stages: {
      type: 'text',
      help: "one: each partition by itself; keyed: every entity's transactions together; keyed where there are several partitions",
      choices: STAGE_CHOICES,
    },
    'take-over': {
      type: 'flag',
      help: 'keyed, where the group worked without stages and all its workers have stopped: goes on where they stood',
    },
    'budget-ms': {
      type: 'number',
      help: 'what a batch should take: batches are made to fit it, and what is slow is left out',
      default: DEFAULT_BATCH_SIZE.budgetMs,
      minimum: 1,
      maximum: 60_000,
    },
    'degraded-mode': {
      type: 'text',
      help: 'off: nothing is left out for want of time, and a detector that fails stops the worker',
      choices: ['on', 'off'],
      default: 'on',
    },
    ...FORMAT_OPTIONS,
    'ops-host': { type: 'text', help: 'where metrics and health are served', default: '127.0.0.1' },
    'ops-port': {
      type: 'number',
      help: '/metrics, /healthz and /readyz; 0 for any free port',
      default: 9464,
      minimum: 0,
      maximum: 65_535,
      whole: true,
    },
    from: {
      type: 'text',
      value: 'FILE',
      help: 'put the transactions of a file onto the stream, and stop when all are decided',
    },
    mapping: FILE_OPTIONS.mapping,
    'max-bad-share': FILE_OPTIONS['max-bad-share'],
    database: {
      ...RECORD_PLACE_OPTIONS.database,
      help: `with --master-keys: the records, where the keys lie under which the service seals transactions; ${RECORD_PLACE_OPTIONS.database.help}`,
    },
    'master-keys': {
      ...MASTER_KEYS_OPTION,
      help: `dead letters are sealed under these, and with --database sealed transactions opened: ${MASTER_KEYS_OPTION.help}`,
    },
    evidence: {
      type: 'text',
      help: 'of which decisions evidence is made, to make them again: alerts, all, or none; alerts where --objects is given (docs/audit.md)',
      choices: ['alerts', 'all', 'none'],
    },
    objects: {
      type: 'text',
      value: 'PLACE',
      help: 'for --evidence: where the service keeps its objects, a folder or s3://bucket/prefix; with --database and --master-keys',
    },
    'log-level': { type: 'text', help: 'what is logged', choices: LOG_LEVELS, default: 'info' },
  },
  async run(_, options, context) {
    if (options.from !== undefined && options.format !== 'json') {
      throw new UsageError('--from writes JSON onto the stream: leave --format out');
    }
    collectSeldom();
    const logger = createLogger(options['log-level'] as LogLevel, context.log);
    const evidence = evidenceOf(options);
    const masters = await openGivenMasters(options);
    const sealing = masters === null ? null : await sealingOf(masters, options, context, logger);
    try {
      if (evidence !== null && sealing === null) throw new UsageError(EVIDENCE_NEEDS);
      await work(options, context, { logger, masters, sealing, evidence });
    } finally {
      await sealing?.close();
    }
    logger.info('stopped');
  },
};

interface WorkParts {
  readonly logger: Logger;
  readonly masters: MasterKeys | null;
  readonly sealing: WorkerSealing | null;
  readonly evidence: WantedEvidence | null;
}

async function work(options: OptionValues, context: CommandContext, parts: WorkParts): Promise<void> {
  const { logger, masters, sealing, evidence } = parts;
  const known = detectorsHere();
  const registry = openObjectStore(options.registry as string);
  const given = (await evaluatedRules(options.rules, options, context, known)) ?? NO_RULES;
  const model = await modelOf(options.model, options);
  const lists = sealing === null || options.rules === 'none' ? null : listsOf(registry, sealing);
  const clear = { ...transactionDecoders(options), label: decodeLabel, control: decodeControl };
  const { setup, versions } = streamSetup({
    ...{ model, rules: { ...given, lists: (await lists?.newest()) ?? given.lists } },
    ...{ catalogue: model === null ? CATALOGUE_NAMES[0] : null },
    decoders: sealing === null ? clear : openingDecoders(sealing.codec, sealing.keys, clear),
    loadModel: (id) => loadModel(registry, id, known),
    ...(lists !== null && { loadLists: (at) => lists.at(at) }),
    ...(evidence !== null && { evidence: evidence.of }),
  });
  const log = await openStreamLog(options, logger);
  try {
    const [topics, group] = [topicsOf(options), options.group as string];
    const stages = await chooseStages({
      ...{ log, topics, between: stageTopicsOf(options), group, setup, versions },
      ...{ wanted: (options.stages as StageChoice | undefined) ?? null, takesOver: options['take-over'] === true },
      prepareTopics: (partitions) => prepareStageTopics(log, options, partitions),
    });
    logger.info({ stages: stages?.map(({ name }) => name) ?? 'one' }, 'works by these stages');
    const worker = await startWorker({
      ...{ log, topics, setup, versions, stages, logger },
      checkpoints: await openReadyObjectStore(options.checkpoints as string),
      masters,
      ...(sealing !== null && { addressToken: (address) => sealing.tokens.address(address) }),
      ...(evidence !== null && { evidence: await packerOf(evidence.objects, sealing!, registry) }),
      settings: {
        ...latencySettings(options['budget-ms'] as number, options['degraded-mode'] === 'on'),
        group,
        checkpointEveryMs: (options['checkpoint-seconds'] as number) * 1000,
      },
      ops: { host: options['ops-host'] as string, port: options['ops-port'] as number },
    });
    const stop = () => {
      logger.info('stopping after the batch at hand');
      worker.stop();
    };
    process.once('SIGTERM', stop).once('SIGINT', stop);
    if (typeof options.from === 'string') {
      const rows = await feedFrom(options.from, options, context, log);
      await drained(worker, log, stages?.map(({ input }) => input) ?? [topics.transactions]);
      logger.info({ rows }, 'the file is on the stream, and all of it is decided');
      worker.stop();
    }
    await worker.done;
    process.off('SIGTERM', stop).off('SIGINT', stop);
  } finally {
    await log.close();
  }
}

interface WorkerSealing extends Omit<Sealing, 'close'> {
  readonly signedHead: SignedHead['current'];
  close(): Promise<void>;
}

interface WantedEvidence {
  readonly of: EvidenceWish;
  /** Of the service: the rules that packs name are kept there, and the packs by whoever follows their topic. */
  readonly objects: string;
}

/** null where none is made. @throws UsageError */
function evidenceOf({ evidence, objects }: OptionValues): WantedEvidence | null {
  const of = evidence ?? (objects === undefined ? 'none' : 'alerts');
  if (of === 'none') return null;
  if (typeof objects !== 'string') {
    throw new UsageError('--evidence: where does the service keep its objects? Give --objects PLACE');
  }
  return { of: of as EvidenceWish, objects };
}

/** As the service keeps them, and changes them over the stream. */
function listsOf(registry: ObjectStore, sealing: WorkerSealing): LiveLists {
  return openLiveLists({ store: registry }, { ...ownSealing(sealing, Date.now), tokens: sealing.tokens });
}

const EVIDENCE_NEEDS =
  "--evidence needs --database URL and --master-keys PLACES: the transaction in it is sealed under its customer's key";

/** @throws InputError, StoreUnavailableError */
async function packerOf(objects: string, sealing: WorkerSealing, registry: ObjectStore): Promise<EvidencePacker> {
  return evidencePacker({
    ...{ sealing, objects: await openReadyObjectStore(objects), program: VERSION },
    ...{ modelHash: (id) => modelHash(registry, id), signedHead: sealing.signedHead },
  });
}

/**
 * Opens what the service has sealed; null where no records are named: then what is sealed is a dead letter.
 *
 * @throws UsageError, InputError, KeysUnavailableError
 */
async function sealingOf(
  masters: MasterKeys,
  options: OptionValues,
  context: CommandContext,
  logger: Logger,
): Promise<WorkerSealing | null> {
  const database = await openRecordDatabase({ database: options.database }, context);
  if (database === null) return null;
  const records = await openRecordStore(database);
  const onTrouble = ({ message }: Error) => logger.warn({ message }, 'keys will be looked at again');
  const sealing = await openSealing({ records, masters, nowMs: Date.now, onTrouble });
  const head = await followSignedHead(records, onTrouble);
  return {
    ...{ codec: sealing.codec, keys: sealing.keys, tokens: sealing.tokens, signedHead: head.current },
    async close() {
      head.close();
      sealing.close();
      await records.close();
    },
  };
}

function latencySettings(budgetMs: number, isOn: boolean): Pick<WorkerSettings, 'batchSize' | 'degradedMode'> {
  return {
    batchSize: { ...DEFAULT_BATCH_SIZE, budgetMs },
    degradedMode: isOn ? { ...DEFAULT_DEGRADED_MODE, budgetMs, budgetRecords: DEFAULT_BATCH_SIZE.fewest } : null,
  };
}

async function feedFrom(path: string, options: OptionValues, context: CommandContext, log: StreamLog): Promise<number> {
  const reader = await fileOpener(path, options, context, null)();
  const progress = createProgress(context.log, context.terminal, context.nowMs);
  const rows = await feedStream(reader, log, topicsOf(options).transactions, (share) =>
    progress.show('feeding', share),
  );
  progress.done();
  return rows;
}

const LOOK_AGAIN_MS = 50;
/** A transaction of the log shows a moment after it was committed: so often in a row nothing may be left. */
const LOOKS = 5;

/** Once the worker is done with everything in these topics: what it has passed on lies in a later one. */
async function drained(worker: RunningWorker, log: StreamLog, topics: readonly string[]): Promise<void> {
  let isOver = false;
  const over = worker.done.finally(() => {
    isOver = true;
  });
  for (let looks = 0; !isOver; ) {
    looks = (await isNothingLeft(worker, log, topics)) ? looks + 1 : 0;
    if (looks === LOOKS) return;
    await Promise.race([over, new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS))]);
  }
}

async function isNothingLeft(worker: RunningWorker, log: StreamLog, topics: readonly string[]): Promise<boolean> {
  // First what is done, then where the topics end: between the two only records that are not done can have come.
  const done = new Map(worker.positions().map(({ topic, partition, offset }) => [`${topic}/${partition}`, offset]));
  for (const topic of topics) {
    for (const { partition, end } of await log.bounds(topic)) {
      const offset = done.get(`${topic}/${partition}`);
      if (offset === undefined) return false;
      // The last offsets may be no records: Kafka marks where transactions end.
      if (offset < end && (await log.read({ topic, partition, offset }, 1, 0)).length > 0) return false;
    }
  }
  return true;
}
