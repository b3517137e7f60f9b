// Whether a stream is folded partition by partition as a whole, or by keyed stages; and that a group does not mix the two.
//
// Mixed, some transactions would be decided twice, with features that each half counts by itself. The positions of the
// groups tell: with stages each stage has a group of its own, whose name comes from the group's.
import { InputError } from '../../lib/errors.ts';
import { groupOfStage, type KeyedStage, keyedStages } from '../../pipeline/stream/stages/keyed-stages.ts';
import type { StageTopics } from '../../pipeline/stream/stages/stage-topics.ts';
import type { TopicNames } from '../../pipeline/stream/topics.ts';
import type { PartitionSetup, VersionSource } from '../../pipeline/stream/versions.ts';
import type { StreamLog, StreamPosition } from '../../ports.ts';

export const STAGE_CHOICES = ['one', 'keyed'] as const;
export type StageChoice = (typeof STAGE_CHOICES)[number];

export interface StagesRequest {
  readonly log: StreamLog;
  readonly topics: TopicNames;
  readonly between: StageTopics;
  readonly group: string;
  /** null: keyed stages where there is more than one partition. */
  readonly wanted: StageChoice | null;
  /** The group worked without stages and has stopped: what it decided is learned from and not decided again. */
  readonly takesOver: boolean;
  readonly setup: PartitionSetup;
  readonly versions: VersionSource;
  /** Makes the topics between the stages, or says that they are missing. */
  readonly prepareTopics: (partitions: number) => Promise<void>;
}

/**
 * @returns null where each partition is folded as a whole
 * @throws InputError STAGES_MIXED where the group has worked the other way; STAGES_TAKEN where the topics between the stages
 *   are another group's
 */
export async function chooseStages(request: StagesRequest): Promise<readonly KeyedStage[] | null> {
  const { log, topics, between, group, takesOver, setup, versions } = request;
  // Whether they have begun, what a worker that died left open does not change: it is not waited for.
  const wholePositions = await log.groupPositions(group, topics.transactions, false);
  const keyed = groupOfStage(group, 'transactions');
  const doors = [topics.transactions, topics.labels, topics.control];
  const keyedPositions = (await Promise.all(doors.map((topic) => log.groupPositions(keyed, topic, false)))).flat();
  const wanted = request.wanted ?? (wholePositions.length > 1 ? 'keyed' : 'one');
  if (wanted === 'one') {
    if (hasBegun(keyedPositions)) throw mixed(group, 'by keyed stages', KEYED_ALREADY);
    return null;
  }
  if (hasBegun(wholePositions) && !hasBegun(keyedPositions) && !takesOver) {
    throw mixed(group, 'without stages', WHOLE_ALREADY);
  }
  await request.prepareTopics(wholePositions.length);
  if (!hasBegun(keyedPositions)) await checkNobodysElse(request);
  const decidedPositions = await log.groupPositions(group, topics.transactions, true);
  const decidedBefore = new Map(decidedPositions.map(({ partition, offset }) => [partition, offset]));
  return keyedStages(setup, versions, topics, between, decidedBefore);
}

const KEYED_ALREADY = 'Start with --stages keyed, or with another --group, which decides the stream from its beginning';
const WHOLE_ALREADY =
  'Start with --stages one; or stop all workers of the group and start with --stages keyed --take-over, which goes on where they stood';

/** What a group passes on is committed with its positions: a group without positions has passed nothing on. */
async function checkNobodysElse({ log, between, group }: StagesRequest): Promise<void> {
  for (const topic of Object.values(between)) {
    if ((await log.bounds(topic)).every(({ end }) => end === 0)) continue;
    throw new InputError(
      'STAGES_TAKEN',
      `Topic '${topic}' holds transactions on their way that group '${group}' has not passed on: they are another group's`,
      'Give the group that began them, or a --topic-prefix of its own to each group',
    );
  }
}

function hasBegun(positions: readonly StreamPosition[]): boolean {
  return positions.some(({ offset }) => offset > 0);
}

function mixed(group: string, how: string, hint: string): InputError {
  return new InputError(
    'STAGES_MIXED',
    `Group '${group}' works ${how}: a group that works both ways decides transactions twice`,
    hint,
  );
}
