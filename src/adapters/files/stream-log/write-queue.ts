// Group commit: what is asked for while the disk is busy is written together with one sync for all, and is told together.
//
// All records of a group commit and its journal entry are written and synced at the same time; they count when all of it
// is on the disk (journal.ts). A failing write undoes the whole group commit, and the next one begins by mending the files.
import { type FileHandle, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StreamUnavailableError } from '../../../lib/errors.ts';
import type { OutgoingRecord, StreamPosition } from '../../../ports.ts';
import { partitionName } from '../../streams/consumer-group.ts';
import { fenced } from '../../streams/group-consumer.ts';
import { cannotWrite, OPEN_NEW, OPEN_THERE, syncFolder, writeDurably } from './durable-files.ts';
import type { HandlePool } from './handle-pool.ts';
import { applyEntry, type Journal, type JournalEntry, type JournalState, type PartitionEnd } from './journal.ts';
import type { Partition } from './partition.ts';
import { encodedBytes, encodeRecord, encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './record-format.ts';
import { createRoomAhead, NO_ROOM, type RoomAhead, type RoomLimits } from './room-ahead.ts';
import { addToIndex, emptyIndex, type Segment, saveIndex, segmentPath } from './segment.ts';

export interface WriteRequest {
  readonly records: readonly OutgoingRecord[];
  /** A partition for each record. */
  readonly partitions: readonly Partition[];
  /** null: no group's positions move. */
  readonly group: string | null;
  readonly positions: readonly StreamPosition[];
  /** Asked when the group commit begins. */
  readonly allowed: () => boolean;
  /** Begins a new segment in these, so that what is in the last one can be removed. */
  readonly roll: readonly Partition[];
}

export interface WriteQueue {
  /** Returns when the records are durable. */
  write(request: WriteRequest): Promise<StreamPosition[]>;
  /** Returns when what was asked for until now is decided. */
  settle(): Promise<void>;
  /** Why nothing can be written at the moment; null while all is well. */
  readonly problem: string | null;
  close(): Promise<void>;
}

export interface WriteLimits {
  readonly segmentBytes: number;
  readonly journalBytes: number;
  /** Of all requests that wait; beyond it they are turned away. */
  readonly queuedBytes: number;
  /** Of one group commit; a larger request is written alone. */
  readonly groupBytes: number;
  readonly room: RoomLimits;
}

interface Waiting extends WriteRequest {
  readonly bytes: number;
  readonly resolve: (positions: StreamPosition[]) => void;
  readonly reject: (error: unknown) => void;
}

/** What a group commit adds to one partition. */
interface Addition {
  readonly partition: Partition;
  readonly records: { readonly record: OutgoingRecord; readonly bytes: number }[];
  bytes: number;
  roll: boolean;
}

/** An addition as it is to lie on the disk. */
interface Prepared {
  readonly partition: Partition;
  /** Where it goes: the last segment or a new one. */
  readonly segment: Segment;
  readonly isNew: boolean;
  readonly content: Buffer;
  readonly position: number;
  readonly next: number;
  /** offset, position and time of each record, one after another */
  readonly places: readonly number[];
}

/** Of segments with room ahead: what it takes on the disk is bounded. */
const MOST_ROOMS = 64;

export function createWriteQueue(
  journal: Journal,
  state: JournalState,
  pool: HandlePool,
  limits: WriteLimits,
  now: () => number,
  written: () => void,
): WriteQueue {
  let queue: Waiting[] = [];
  let queuedBytes = 0;
  let isRunning = false;
  /** How many writes were asked for, and of how many it is known what became of them: in their order. */
  let [asked, decided] = [0, 0];
  let settling: { readonly asked: number; readonly resolve: () => void }[] = [];
  /** Indexes of closed segments. */
  const saving = new Set<Promise<unknown>>();
  let problem: string | null = null;
  let closed = false;
  const rooms = new Map<Segment, RoomAhead>();
  /** What a failed group commit touched, to be mended. */
  let broken: readonly Prepared[] | null = null;

  function write(request: WriteRequest): Promise<StreamPosition[]> {
    if (closed) return Promise.reject(new StreamUnavailableError('the log was closed'));
    let bytes = 0;
    for (const record of request.records) bytes += encodedBytes(record);
    if (queuedBytes > 0 && queuedBytes + bytes > limits.queuedBytes) {
      const message = `${queuedBytes} bytes wait to be written, at most ${limits.queuedBytes} may: the disk is slower than what comes in`;
      return Promise.reject(new StreamUnavailableError(message));
    }
    queuedBytes += bytes;
    const { promise, resolve, reject } = Promise.withResolvers<StreamPosition[]>();
    queue.push({ ...request, bytes, resolve, reject });
    asked++;
    if (!isRunning) void run();
    return promise;
  }

  async function run(): Promise<void> {
    isRunning = true;
    // Whatever else is asked for in this turn of the event loop shares the sync.
    await Promise.resolve();
    while (queue.length > 0) {
      const taken = take();
      await groupCommit(taken);
      decided += taken.length;
      for (const each of settling) if (each.asked <= decided) each.resolve();
      settling = settling.filter((each) => each.asked > decided);
    }
    isRunning = false;
  }

  function take(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const waiting of queue) {
      if (count > 0 && bytes + waiting.bytes > limits.groupBytes) break;
      bytes += waiting.bytes;
      count++;
    }
    const taken = queue.slice(0, count);
    queue = queue.slice(count);
    return taken;
  }

  async function groupCommit(taken: readonly Waiting[]): Promise<void> {
    for (const { bytes } of taken) queuedBytes -= bytes;
    let prepared: Prepared[] = [];
    let accepted: readonly Waiting[] = [];
    let isSound = false;
    try {
      await mend();
      isSound = true;
      if (journal.bytes > limits.journalBytes) await rollJournal();
      accepted = taken.filter((waiting) => {
        const allowed = waiting.allowed();
        if (!allowed) waiting.reject(fenced(waiting.group ?? '', waiting.positions));
        return allowed;
      });
      if (accepted.length === 0) return;
      const { additions, positions } = assign(accepted);
      prepared = additions.map((addition) => prepare(addition, limits.segmentBytes, now()));
      await closeRooms(prepared);
      await writeAll(prepared, accepted);
      problem = null;
      written();
      for (const [index, waiting] of accepted.entries()) waiting.resolve(positions[index]!);
    } catch (error) {
      if (isSound) broken = prepared;
      problem = (error as Error).message;
      // Before anybody is told, so that what they are told is so; where that fails, the next group commit tries again.
      await mend().catch(() => undefined);
      for (const waiting of accepted.length > 0 ? accepted : taken) waiting.reject(error);
    }
  }

  async function rollJournal(): Promise<void> {
    try {
      await journal.roll(state);
    } catch (error) {
      throw cannotWrite(journal.path, error);
    }
  }

  async function writeAll(prepared: readonly Prepared[], accepted: readonly Waiting[]): Promise<void> {
    const entry = entryOf(state.sequence + 1, prepared, accepted);
    const inJournal = journal.write(entry).catch((error: unknown) => {
      throw cannotWrite(journal.path, error);
    });
    const inSegments = prepared.map((part) =>
      writePart(part, pool, rooms.get(part.segment) ?? NO_ROOM).catch((error: unknown) => {
        throw cannotWrite(part.segment.path, error);
      }),
    );
    // All of them must have ended before anything can be mended.
    const results = await Promise.allSettled([...inSegments, inJournal]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    journal.accept();
    applyEntry(state, entry);
    for (const part of prepared) {
      const closed = accept(part);
      if (closed !== null) keepIndex(closed);
      roomOf(part.segment).after(part.segment.bytes);
    }
  }

  function roomOf(segment: Segment): RoomAhead {
    const found = rooms.get(segment);
    if (found !== undefined) return found;
    if (segment.bytes < limits.room.fromBytes || rooms.size >= MOST_ROOMS) return NO_ROOM;
    const use = (act: (handle: FileHandle) => Promise<void>) => pool.use(segment.path, act);
    const room = createRoomAhead(use, limits.room, limits.segmentBytes);
    rooms.set(segment, room);
    return room;
  }

  /** A segment that another one follows ends where its records do. */
  async function closeRooms(prepared: readonly Prepared[]): Promise<void> {
    for (const { partition, isNew } of prepared) {
      const last = partition.segments.at(-1);
      if (!isNew || last === undefined) continue;
      try {
        await rooms.get(last)?.close(last.bytes);
      } catch (error) {
        throw cannotWrite(last.path, error);
      }
      rooms.delete(last);
    }
  }

  /** Beside the group commits: an index that could not be written is made anew when it is missed. */
  function keepIndex(closed: Segment): void {
    const { index } = closed;
    closed.index = null;
    if (index?.from !== SEGMENT_HEADER_BYTES) return;
    const saved = saveIndex(closed, index).catch(() => undefined);
    saving.add(saved);
    void saved.then(() => saving.delete(saved));
  }

  /** Brings the files back to what counts; until that succeeds nothing is written. */
  async function mend(): Promise<void> {
    if (broken === null) return;
    let path = journal.path;
    try {
      // First the journal: an entry that does not count must not be found when the records are gone or replaced.
      await journal.repair();
      for (const { segment, isNew, partition } of broken) {
        path = segment.path;
        if (isNew) {
          await pool.drop(path);
          await rm(path, { force: true });
          await syncFolder(partition.folder);
        } else {
          await rooms.get(segment)?.close(segment.bytes);
          await pool.use(path, async (handle) => {
            await handle.truncate(segment.bytes);
            await handle.sync();
          });
        }
      }
      broken = null;
    } catch (error) {
      throw cannotWrite(path, error);
    }
  }

  const settle = async () => {
    const reached = new Promise<void>((resolve) => {
      if (asked === decided) resolve();
      else settling.push({ asked, resolve });
    });
    await Promise.all([reached, ...saving]);
  };

  return {
    write,
    settle,
    get problem() {
      return problem;
    },
    async close() {
      closed = true;
      await settle();
      try {
        await mend();
        for (const [segment, room] of rooms) await room.close(segment.bytes);
        // One more entry: it tells the next start that everything before it was on the disk.
        await journal.write(entryOf(state.sequence + 1, [], []));
      } catch {
        // The last group commit is looked at again when the log is opened; nothing is lost.
      }
      await journal.close();
    },
  };
}

/** Gives offsets in the order of the requests and gathers the records by partition. */
function assign(accepted: readonly Waiting[]) {
  const additions = new Map<Partition, Addition>();
  const nextOf = new Map<Partition, number>();
  const additionTo = (partition: Partition) => {
    const found = additions.get(partition) ?? { partition, records: [], bytes: 0, roll: false };
    additions.set(partition, found);
    return found;
  };
  const positions = accepted.map(({ records, partitions, roll }) => {
    for (const partition of roll) additionTo(partition).roll = true;
    return records.map((record, index): StreamPosition => {
      const at = partitions[index]!;
      const addition = additionTo(at);
      const bytes = encodedBytes(record);
      addition.records.push({ record, bytes });
      addition.bytes += bytes;
      const offset = nextOf.get(at) ?? at.next;
      nextOf.set(at, offset + 1);
      return { topic: at.topic, partition: at.partition, offset };
    });
  });
  return { additions: [...additions.values()], positions };
}

function prepare({ partition, records, bytes, roll }: Addition, segmentBytes: number, nowMs: number): Prepared {
  const last = partition.segments.at(-1);
  const hasRecords = last !== undefined && partition.next > last.base;
  const isFull = hasRecords && (roll || last.bytes + bytes > segmentBytes);
  const isNew = last === undefined || isFull;
  const segment = isNew ? newSegment(partition) : last;
  const headerBytes = isNew ? SEGMENT_HEADER_BYTES : 0;
  const position = isNew ? 0 : segment.bytes;
  const content = Buffer.allocUnsafe(headerBytes + bytes);
  if (isNew) encodeSegmentHeader(segment).copy(content);
  const places: number[] = [];
  let next = partition.next;
  let at = headerBytes;
  for (const { record } of records) {
    const timestampMs = record.timestampMs ?? nowMs;
    places.push(next, position + at, timestampMs);
    at = encodeRecord(content, at, record, next, timestampMs);
    next++;
  }
  return { partition, segment, isNew, content, position, next, places };
}

function newSegment({ folder, next }: Partition): Segment {
  const path = segmentPath(folder, next);
  return { path, base: next, coveredTo: 0, bytes: 0, index: emptyIndex(SEGMENT_HEADER_BYTES) };
}

function entryOf(sequence: number, prepared: readonly Prepared[], accepted: readonly Waiting[]): JournalEntry {
  const ends: Record<string, PartitionEnd> = {};
  for (const { partition, segment, content, position, next } of prepared) {
    ends[partitionName(partition)] = { base: segment.base, bytes: position + content.length, next };
  }
  // Without a prototype: a group may have any name.
  const groups: Record<string, Record<string, number>> = Object.create(null);
  for (const { group, positions } of accepted) {
    if (group === null) continue;
    groups[group] ??= {};
    for (const at of positions) groups[group][partitionName(at)] = at.offset;
  }
  return { sequence, ends, groups };
}

async function writePart(
  { segment, isNew, content, position }: Prepared,
  pool: HandlePool,
  room: RoomAhead,
): Promise<void> {
  await room.before(position + content.length);
  const write = (handle: FileHandle) => writeDurably(handle, content, position);
  await pool.use(segment.path, write, isNew ? OPEN_NEW : OPEN_THERE);
  if (isNew) await syncFolder(dirname(segment.path));
}

/** @returns the segment that was closed, if one was */
function accept({ partition, segment, isNew, content, position, next, places }: Prepared): Segment | null {
  segment.bytes = position + content.length;
  const starts: number[] = [];
  for (let at = 1; at < places.length; at += 3) starts.push(places[at]! - position);
  partition.recent.add(partition.next, content, starts);
  for (let at = 0; at < places.length; at += 3) {
    addToIndex(segment.index!, places[at]!, places[at + 1]!, places[at + 2]!);
  }
  partition.next = next;
  if (!isNew) return null;
  const closed = partition.segments.at(-1) ?? null;
  partition.segments = [...partition.segments, segment];
  return closed;
}
