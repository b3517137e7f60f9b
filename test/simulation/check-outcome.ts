// What must hold at the end of every scenario, whatever struck on the way. The oracle is the simplest thing that could be
// right: one fold per partition over the stream as it stands in the log, without workers, batches or checkpoints.
import { InputError } from '../../src/lib/errors.ts';
import { REASONS } from '../../src/pipeline/explain-decision.ts';
import { CheckpointStore } from '../../src/pipeline/stream/checkpoint-store.ts';
import { originOf } from '../../src/pipeline/stream/dead-letter.ts';
import { LeftOutHistory, leftOutOf } from '../../src/pipeline/stream/left-out.ts';
import { outputsOf } from '../../src/pipeline/stream/outputs.ts';
import type { LiveVersion } from '../../src/pipeline/stream/partition-fold.ts';
import { kindOf } from '../../src/pipeline/stream/record-kinds.ts';
import type { KeyedStage } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import type { StreamFold } from '../../src/pipeline/stream/stream-fold.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/ports.ts';
import { BLOCK_BYTES, folderOf, type Outcome, STAGE_TOPICS, stagesOf, TOPICS } from './run-scenario.ts';
import { simulatedVersions } from './stream-parts.ts';
import { ITEM_HEADER } from './stream-records.ts';

const decoder = new TextDecoder();
const text = (bytes: Uint8Array | null) => (bytes === null ? null : decoder.decode(bytes));
const versions = simulatedVersions(async () => undefined);

/** @returns what is wrong, in words; empty where all is as it must be */
export async function checkOutcome(outcome: Outcome): Promise<string[]> {
  const wrong = [...outcome.wrong];
  if (wrong.length > 0) return wrong;
  const stages = stagesOf(outcome.scenario, versions);
  const topics = new Map<string, StreamRecord[][]>();
  for (const topic of [...Object.values(TOPICS), ...stages.map(({ input }) => input)]) {
    topics.set(topic, await readTopic(outcome, topic));
  }
  const passed: OutgoingRecord[] = [];
  for (const stage of stages) {
    for (const [partition, records] of topics.get(stage.input)!.entries()) {
      const leftOut = stage.setup.decides
        ? historyOf(topics.get(TOPICS['left-out'])![partition])
        : new LeftOutHistory();
      const clean = await cleanRun(stage, records, leftOut, partition);
      if (stage === stages[stages.length - 1]) checkDecisions(topics, partition, clean, wrong);
      passed.push(...clean.passed);
      await checkState(outcome, stage, partition, records, leftOut, clean, wrong);
    }
  }
  checkPassedOn(stages, topics, passed, wrong);
  checkExactlyOnce(topics.get(TOPICS.decisions)![0], wrong);
  checkFates(outcome, topics, topics.get(TOPICS['dead-letters'])![0], wrong);
  return wrong;
}

/** Decisions and alerts of the last stage's partition. */
function checkDecisions(
  topics: ReadonlyMap<string, readonly StreamRecord[][]>,
  partition: number,
  clean: CleanRun,
  wrong: string[],
): void {
  const [decisions] = topics.get(TOPICS.decisions)!;
  const [alerts] = topics.get(TOPICS.alerts)!;
  const same = (what: string, got: readonly string[], expected: readonly string[]) => {
    const at = expected.findIndex((value, index) => value !== got[index] && !isSameWithoutReasons(got[index], value));
    const first = at < 0 ? expected.length : at;
    if (got.length === expected.length && at < 0) return;
    wrong.push(
      `${what} of partition ${partition}: ${got.length} instead of ${expected.length}, the first that differs is ${first}: ` +
        `${got[first]?.slice(0, 400)} instead of ${expected[first]?.slice(0, 400)}`,
    );
  };
  const ofHere = (record: StreamRecord) => {
    const { at, stageAt = at } = JSON.parse(text(record.value)!);
    return stageAt?.partition === partition;
  };
  same('decisions', decisions.filter(ofHere).map(valueText), clean.outputsTo(TOPICS.decisions));
  const cleanAlerts = clean.outputsTo(TOPICS.alerts);
  const isGovernor = (value: string) => JSON.parse(value).kind === 'governor';
  same(
    'alerts',
    alerts.filter(ofHere).map(valueText),
    cleanAlerts.filter((value) => !isGovernor(value)),
  );
  const governors = alerts
    .map(valueText)
    .filter((value) => isGovernor(value) && JSON.parse(value).partition === partition);
  same("the governor's alerts", governors, cleanAlerts.filter(isGovernor));
}

/**
 * What lies between the stages is what undisturbed stages pass on from what lies before them, and nothing else; after a crash
 * once more, which they know.
 */
function checkPassedOn(
  stages: readonly KeyedStage[],
  topics: ReadonlyMap<string, readonly StreamRecord[][]>,
  passed: readonly OutgoingRecord[],
  wrong: string[],
): void {
  const told = (topic: string, { key, value }: Pick<StreamRecord, 'key' | 'value'>) =>
    `${topic} ${text(key)} ${Buffer.from(value ?? []).toString('base64')}`;
  const expected = passed.map((record) => told(record.topic, record)).sort();
  const between = stages
    .slice(1)
    .flatMap(({ input }) => topics.get(input)!.flatMap((records) => records.map((record) => ({ input, record }))))
    .filter(({ record }) => kindOf(record) !== 'control');
  const got = [...new Set(between.map(({ input, record }) => told(input, record)))].sort();
  if (JSON.stringify(got) === JSON.stringify(expected)) return;
  const at = expected.findIndex((value, index) => value !== got[index]);
  wrong.push(`${got.length} records lie between the stages instead of ${expected.length}; differs: ${expected[at]}`);
}

const valueText = ({ value }: { readonly value: Uint8Array | null }) => text(value) ?? 'null';

interface CleanRun {
  readonly fold: StreamFold;
  readonly passed: readonly OutgoingRecord[];
  outputsTo(topic: string): string[];
}

async function cleanRun(
  stage: KeyedStage,
  records: readonly StreamRecord[],
  leftOut: LeftOutHistory,
  partition: number,
): Promise<CleanRun> {
  const { setup } = stage;
  const fold = setup.createFold(setup.createEngine(), null, partition);
  const outputs: OutgoingRecord[] = [];
  const initial = await stage.versions.initial(setup.definitions);
  await foldAll(stage, fold, initial, records, leftOut, partition, outputs);
  const between: readonly string[] = Object.values(STAGE_TOPICS);
  return {
    fold,
    passed: outputs.filter(({ topic }) => between.includes(topic)),
    outputsTo: (topic) => outputs.filter((each) => each.topic === topic).map(valueText),
  };
}

function historyOf(records: readonly StreamRecord[]): LeftOutHistory {
  const history = new LeftOutHistory();
  for (const record of records) {
    const entry = leftOutOf(record);
    if (entry !== null) history.add(entry);
  }
  return history;
}

/** Where a detector could not say why, one decision's reasons are missing, and it says so: nothing else may differ. */
function isSameWithoutReasons(got: string | undefined, expected: string): boolean {
  if (got === undefined) return false;
  const parsed = JSON.parse(got) as { degraded?: string[] };
  if (parsed.degraded?.includes(REASONS) !== true) return false;
  const rest = (value: { degraded?: string[] }) =>
    JSON.stringify({ ...value, reasons: null, degraded: value.degraded?.filter((part) => part !== REASONS) });
  return rest(parsed) === rest(JSON.parse(expected));
}

async function foldAll(
  stage: KeyedStage,
  fold: StreamFold,
  initial: LiveVersion,
  records: readonly StreamRecord[],
  leftOut: LeftOutHistory,
  partition: number,
  outputs: OutgoingRecord[],
): Promise<void> {
  let version = initial;
  for (let rest = records; rest.length > 0; ) {
    const [{ offset }] = rest;
    const until = leftOut.nextChange(offset);
    const run = rest.filter((record) => record.offset < until);
    const output = fold.take(run, version, { leftOut: leftOut.at(offset) });
    outputs.push(...(output.passed ?? []));
    outputs.push(...outputsOf(output, { topic: stage.input, partition }, TOPICS));
    rest = rest.slice(output.taken);
    if (output.change === null) continue;
    try {
      version = await stage.versions.change(version, output.change, stage.setup.definitions);
      fold.keep(output.change);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
}

/** The newest checkpoint, and the records after it where there is none of the end: the same bits as the clean run's. */
async function checkState(
  { store }: Outcome,
  stage: KeyedStage,
  partition: number,
  records: readonly StreamRecord[],
  leftOut: LeftOutHistory,
  clean: CleanRun,
  wrong: string[],
): Promise<void> {
  const end = records.length;
  const { setup } = stage;
  const checkpoints = new CheckpointStore(store, folderOf(stage.input, partition), {
    ...{ blockBytes: BLOCK_BYTES, pause: async () => undefined, writer: 'check' },
  });
  const { definitions, limits } = setup;
  const isOurs = async () => true;
  const restored = await checkpoints.restore(end, definitions, limits, setup.fold.maxIds, isOurs, setup.stage);
  const newEnd = endOfNew(stage, records);
  if ((restored?.offset ?? 0) < newEnd && !store.wasDamaged) {
    wrong.push(`the last checkpoint of ${stage.input}/${partition} is at ${restored?.offset}, not at ${newEnd}`);
  }
  if (restored === null) return;
  const fold = setup.createFold(restored.engine, restored, partition);
  const initial = await stage.versions.initial(definitions);
  const { change } = restored.head;
  const version = change === null ? initial : await stage.versions.change(initial, change, definitions);
  await foldAll(stage, fold, version, records.slice(restored.offset), leftOut, partition, []);
  const differ = [
    ...(isSame(fold.engine.checkpoint(), clean.fold.engine.checkpoint()) ? [] : ['features']),
    ...(idsOf(fold) === idsOf(clean.fold) ? [] : ['ids']),
    ...(JSON.stringify(fold.head()) === JSON.stringify(clean.fold.head()) ? [] : ['head']),
  ];
  if (differ.length === 0) return;
  wrong.push(`the state of ${stage.input}/${partition} (from ${restored.offset}) differs in ${differ.join(', ')}`);
}

/**
 * One past the last record that brings something. Between stages one who was held for dead may still pass on, when all have
 * stopped, what another has passed on for him.
 */
function endOfNew({ name }: KeyedStage, records: readonly StreamRecord[]): number {
  if (name === 'transactions') return records.length;
  const seen = new Set<string>();
  return records.reduce((end, record, offset) => {
    const told = `${kindOf(record)} ${text(record.key)} ${Buffer.from(record.value ?? []).toString('base64')}`;
    if (kindOf(record) !== 'control' && seen.has(told)) return end;
    seen.add(told);
    return offset + 1;
  }, 0);
}

function idsOf(fold: StreamFold): string {
  return fold.seen
    .generations()
    .map(
      ({ chunks, entries }) =>
        `${entries} ${chunks.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength).toString('base64')).join()}`,
    )
    .join();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function checkExactlyOnce(decisions: readonly StreamRecord[], wrong: string[]): void {
  const seen = new Set<string>();
  for (const { value } of decisions) {
    const { id } = JSON.parse(text(value)!) as { id: string };
    if (seen.has(id)) wrong.push(`${id} was decided twice`);
    seen.add(id);
  }
}

/** What each item was sent for is what became of it, however often it is in its topic. */
function checkFates(
  { items, scenario }: Outcome,
  topics: ReadonlyMap<string, readonly StreamRecord[][]>,
  letters: readonly StreamRecord[],
  wrong: string[],
): void {
  const lettersFrom = new Map<string, number>();
  for (const letter of letters) {
    const { from } = originOf(letter);
    const at = from === null ? 'nowhere' : `${from.topic}/${from.partition}/${from.offset}`;
    lettersFrom.set(at, (lettersFrom.get(at) ?? 0) + 1);
  }
  const isKeyed = scenario.stages === 'keyed';
  const inStream = new Map<number, number>();
  // Changes go to the stage that decides; what stages pass on of the rest bears no number.
  const streams = [TOPICS.transactions, ...(isKeyed ? [STAGE_TOPICS.terminals] : [])];
  for (const record of streams.flatMap((topic) => topics.get(topic)!.flat())) {
    inStream.set(itemOf(record), (inStream.get(itemOf(record)) ?? 0) + 1);
  }
  const decided = new Set<string>();
  for (const record of topics.get(TOPICS.decisions)!.flat()) decided.add(JSON.parse(text(record.value)!).id);
  let expectedLetters = 0;
  for (const topic of [TOPICS.transactions, TOPICS.labels, TOPICS.control]) {
    const isStream = topic === TOPICS.transactions;
    const times = new Map<number, number>();
    const refused = new Map<number, number>();
    for (const [partition, records] of topics.get(topic)!.entries()) {
      for (const record of records) {
        const number = itemOf(record);
        const { what, record: sent } = items[number];
        // Among the transactions keyed stages take no change.
        const fate = isKeyed && what === 'rules by hand' ? 'refused' : items[number].fate;
        if (sent.topic !== topic) continue;
        times.set(number, (times.get(number) ?? 0) + 1);
        const at = `${topic}/${partition}/${record.offset}`;
        const got = lettersFrom.get(at) ?? 0;
        const isEither = fate === 'either' && scenario.faults.has('missing-models');
        const expected = isEither ? Math.min(1, got) : fate === 'refused' ? 1 : 0;
        expectedLetters += expected;
        refused.set(number, (refused.get(number) ?? 0) + expected);
        if (got !== expected) wrong.push(`${at} (${what}) has ${got} dead letters instead of ${expected}`);
        if (fate === 'decided' && !decided.has(JSON.parse(text(record.value)!).id)) wrong.push(`${at} was not decided`);
      }
    }
    if (isStream) continue;
    for (const [number, count] of times) {
      const { what } = items[number];
      const expected = (count - refused.get(number)!) * (topic === TOPICS.control ? scenario.partitions : 1);
      const got = inStream.get(number) ?? 0;
      if (got !== expected) {
        wrong.push(`${what} (item ${number}) is ${got} times in the stream instead of ${expected}`);
      }
    }
    for (const [number, { record, what }] of items.entries()) {
      if (record.topic === topic && !times.has(number)) wrong.push(`${what} (item ${number}) was never written`);
    }
  }
  if (letters.length !== expectedLetters) wrong.push(`${letters.length} dead letters instead of ${expectedLetters}`);
}

function itemOf({ headers }: StreamRecord): number {
  const header = headers.find(({ name }) => name === ITEM_HEADER);
  return header === undefined ? -1 : Number(text(header.value));
}

async function readTopic({ log }: Outcome, topic: string): Promise<StreamRecord[][]> {
  const bounds = await log.bounds(topic);
  return await Promise.all(
    bounds.map(async ({ partition }) => [...(await log.read({ topic, partition, offset: 0 }, 1_000_000, 0))]),
  );
}
