// How the state of a partition is had again when it is taken over, and what may be wrong with what it is made from.
import { FencedError, InputError, StreamUnavailableError } from '../../lib/errors.ts';
import type { StreamLog, StreamPartition, StreamPosition } from '../../ports.ts';
import { LetterKeyError } from '../../privacy/sealed-letter.ts';
import type { CheckpointStore, RestoredFold } from './checkpoint-store.ts';
import { DetectorFailedError } from './detectors-asked.ts';
import { type LastRecord, lastRecordOf } from './fold-snapshot.ts';
import { LeftOutHistory, readLeftOut } from './left-out.ts';
import type { StreamFold } from './stream-fold.ts';
import { type PartitionSetup, VersionUnavailableError } from './versions.ts';

interface RestoreFrom {
  readonly log: StreamLog;
  readonly store: CheckpointStore;
  readonly setup: PartitionSetup;
  /** Its topic. */
  readonly leftOut: string;
  readonly observer: { troubled(code: string, message: string): void };
}

interface Restored {
  /** null where there is no checkpoint. */
  readonly restored: RestoredFold | null;
  readonly fold: StreamFold;
  /** Where reading begins. */
  readonly offset: number;
  /** What is to be left out from there on. */
  readonly leftOut: LeftOutHistory;
}

/** A record that is there is read at once; nothing is waited for that long. */
const MOST_READ_MS = 1000;

/**
 * @param committed where the group stands
 * @param bounds of the partition in the log
 * @throws StreamUnavailableError where the group stands beyond the stream's end, or log or store do not answer
 * @throws InputError where the checkpoints cannot be continued with this setup
 */
export async function restoreFold(
  committed: StreamPosition,
  { start, end }: { readonly start: number; readonly end: number },
  sources: RestoreFrom,
): Promise<Restored> {
  const { topic, partition } = committed;
  if (committed.offset > end) {
    throw new StreamUnavailableError(
      `the group stands at ${committed.offset} of partition ${partition} of '${topic}', which ends at ${end}: if the topic ` +
        'was made again or lost records, set the group back to where its records begin',
    );
  }
  const restored = await newestCheckpoint(committed, sources);
  const { setup, observer } = sources;
  const fold = setup.createFold(restored?.engine ?? setup.createEngine(), restored, partition);
  const from = restored?.offset ?? 0;
  if (from < start) {
    const lost = committed.offset < start ? `, and those from ${committed.offset} on were never decided` : '';
    observer.troubled(
      'STATE_PARTIAL',
      `the records of partition ${partition} from ${from} to ${start} are gone${lost}: what was learned from them is ` +
        'missing from the features until their windows have passed',
    );
  }
  const leftOut = setup.decides
    ? await readLeftOut(sources.log, { topic: sources.leftOut, partition })
    : new LeftOutHistory();
  leftOut.keepOnly(from, committed.offset);
  // Nothing is left to wait for where all up to the group's position is gone.
  return { restored, fold, offset: Math.max(from, Math.min(start, committed.offset)), leftOut };
}

/** @throws StreamUnavailableError where the store does not answer: without state one does not begin by accident */
async function newestCheckpoint(committed: StreamPosition, sources: RestoreFrom): Promise<RestoredFold | null> {
  const { store, setup } = sources;
  const { definitions, limits, fold, stage } = setup;
  const isOurs = (last: LastRecord) => isThere(last, committed, sources);
  try {
    return await store.restore(committed.offset, definitions, limits, fold.maxIds, isOurs, stage);
  } catch (error) {
    if (error instanceof InputError || isPassing(error)) throw error;
    throw new StreamUnavailableError(
      `the checkpoints of partition ${committed.partition} cannot be read: ${(error as Error).message}`,
    );
  }
}

/** A checkpoint of a topic that was deleted and made again fits no record of this one. */
async function isThere(
  last: LastRecord,
  { topic, partition }: StreamPartition,
  { log, observer }: RestoreFrom,
): Promise<boolean> {
  const [record] = await log.read({ topic, partition, offset: last.offset }, 1, MOST_READ_MS);
  // Retention may have taken it: then nothing speaks against it.
  if (record === undefined || record.offset !== last.offset || lastRecordOf(record).hash === last.hash) return true;
  observer.troubled(
    'CHECKPOINT_OTHER_STREAM',
    `a checkpoint of partition ${partition} at ${last.offset + 1} was made from other records and is left out`,
  );
  return false;
}

/** What may be otherwise when it is tried again. */
export function isPassing(error: unknown): error is Error & { readonly code: string } {
  return PASSING.some((kind) => error instanceof kind);
}

const PASSING = [FencedError, StreamUnavailableError, VersionUnavailableError, DetectorFailedError, LetterKeyError];
