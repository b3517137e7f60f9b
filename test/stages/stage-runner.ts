// A keyed stream without a log: every record goes all its way before the next one comes, so that each entity's events are
// in the order of the stream. And the same stream as one fold, to compare with.
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { DEFAULT_GOVERNOR } from '../../src/decisions/governor.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import type { FoldResult } from '../../src/features/engine.ts';
import type { EngineLimits } from '../../src/features/limits.ts';
import { NO_RULES, rulesOverFeatures } from '../../src/jobs/rules/rules-over-features.ts';
import { partitionOfKey } from '../../src/lib/murmur2.ts';
import { createDecider, type FoldedBatch } from '../../src/pipeline/decide-transactions.ts';
import type { FoldOutput, LiveVersion } from '../../src/pipeline/stream/partition-fold.ts';
import { type KeyedStage, keyedStages } from '../../src/pipeline/stream/stages/keyed-stages.ts';
import { stageTopics } from '../../src/pipeline/stream/stages/stage-topics.ts';
import type { StreamFold } from '../../src/pipeline/stream/stream-fold.ts';
import { topicNames } from '../../src/pipeline/stream/topics.ts';
import { type PartitionSetup, partitionSetup, type VersionSource } from '../../src/pipeline/stream/versions.ts';
import type { OutgoingRecord, StreamRecord } from '../../src/ports.ts';

export const TOPICS = topicNames();
export const STAGE_TOPICS = stageTopics();

export interface Row {
  readonly features: Float64Array;
  readonly result: FoldResult;
}

export interface Run {
  /** By transaction id. */
  readonly rows: Map<string, Row>;
  readonly outputs: FoldOutput[];
  /** Records that were read, by topic. */
  readonly hops: Map<string, number>;
}

export function wholeSetup(
  definitions: readonly FeatureDefinition[],
  limits: Partial<EngineLimits> = {},
): PartitionSetup {
  return partitionSetup(
    definitions,
    limits,
    { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl },
    { governor: DEFAULT_GOVERNOR, wording: { referenceCurrency: 'PEN' }, maxIds: 8192 },
  );
}

/** Decides by no rules and tells what it was given. */
function recording(definitions: readonly FeatureDefinition[], rows: Map<string, Row>): LiveVersion {
  const policy = { thresholds: { reviewAtRisk: 1, holdAtRisk: 1 }, control: null, severest: null };
  const rules = rulesOverFeatures(NO_RULES, { definitions, scored: [] });
  const decider = createDecider({ rules, model: null, policy, overrides: [] }, definitions);
  const open = (batch: FoldedBatch) => {
    batch.transactions.forEach(({ id }, row) => {
      const features = batch.features.slice(row * batch.width, (row + 1) * batch.width);
      rows.set(id, { features, result: batch.results[row] });
    });
    return decider.open(batch);
  };
  return { decider: { ...decider, open }, model: null, rules: '', thresholds: null };
}

export function runWhole(setup: PartitionSetup, records: readonly OutgoingRecord[]): Run {
  const run: Run = { rows: new Map(), outputs: [], hops: new Map() };
  const version = recording(setup.definitions, run.rows);
  const fold = setup.createFold(setup.createEngine(), null, 0);
  records.forEach((record, offset) => {
    run.outputs.push(fold.take([asRead(record, offset)], version));
  });
  return run;
}

export interface Widths {
  /** Partitions of the stream, and of the topics between the stages. */
  readonly stream: number;
  readonly between: number;
}

export function runKeyed(setup: PartitionSetup, records: readonly OutgoingRecord[], widths: Widths): Run {
  const run: Run = { rows: new Map(), outputs: [], hops: new Map() };
  const version = recording(setup.definitions, run.rows);
  const stages = keyedStages(setup, NEVER, TOPICS, STAGE_TOPICS);
  const byTopic = new Map(stages.map((stage) => [stage.input, stage]));
  const folds = new Map<string, { readonly fold: StreamFold; next: number }>();
  const foldOf = ({ input, setup: own }: KeyedStage, partition: number) => {
    const name = `${input}/${partition}`;
    const found = folds.get(name) ?? { fold: own.createFold(own.createEngine(), null, partition), next: 0 };
    folds.set(name, found);
    return found;
  };
  for (const record of records) {
    const waiting = [record];
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const stage = byTopic.get(next.topic)!;
      const width = next.topic === TOPICS.transactions ? widths.stream : widths.between;
      const at = foldOf(stage, next.key === null ? 0 : partitionOfKey(next.key, width));
      const output = at.fold.take([asRead(next, at.next++)], version);
      run.hops.set(next.topic, (run.hops.get(next.topic) ?? 0) + 1);
      if (output.passed === undefined || output.refused.length > 0) run.outputs.push(output);
      waiting.push(...(output.passed ?? []));
    }
  }
  return run;
}

const NEVER: VersionSource = {
  initial: () => Promise.reject(new Error('nobody asks')),
  change: () => Promise.reject(new Error('nobody asks')),
};

function asRead({ key, value, headers, timestampMs }: OutgoingRecord, offset: number): StreamRecord {
  return { offset, key, value, headers, timestampMs: timestampMs ?? 0 };
}

/** Rows that are not the same bit for bit, in words. */
export function differences(definitions: readonly FeatureDefinition[], expected: Run, got: Run): string[] {
  const wrong: string[] = [];
  for (const [id, { features, result }] of expected.rows) {
    const other = got.rows.get(id);
    if (other === undefined) wrong.push(`${id} was not decided`);
    else if (other.result !== result) wrong.push(`${id} is ${other.result} instead of ${result}`);
    else {
      definitions.forEach((definition, column) => {
        if (Object.is(features[column], other.features[column])) return;
        wrong.push(`${id} has ${definition.id} ${other.features[column]} instead of ${features[column]}`);
      });
    }
  }
  for (const id of got.rows.keys()) if (!expected.rows.has(id)) wrong.push(`${id} was decided besides`);
  return wrong;
}
