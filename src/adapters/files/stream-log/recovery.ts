// Opening a log that was closed, killed or cut off from power: brings the files to what the journal says, and tells.
//
// The journal's last entry counts only if all records that it makes visible are whole. What lies behind what counts was
// never acknowledged and is cut off. Whatever else does not fit is damage, not a crash, and the log is not opened.
import { type FileHandle, open, readdir, readFile, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { TopicSettings } from '../../../ports.ts';
import { partitionName } from '../../streams/consumer-group.ts';
import { damaged, endOfContent, readFully, syncFolder } from './durable-files.ts';
import {
  applyEntry,
  emptyState,
  type JournalEntry,
  type JournalState,
  type PartitionEnd,
  readJournal,
  startJournal,
} from './journal.ts';
import { createReadingGate, type Partition } from './partition.ts';
import { RecentWrites } from './recent-writes.ts';
import { decodeSegmentHeader, offsetOf, SEGMENT_HEADER_BYTES } from './record-format.ts';
import { emptyIndex, filesOf, type Segment, scanRecords, segmentPath } from './segment.ts';

/** What was cut off a file when a log was opened. */
export interface RecoveryReport {
  readonly file: string;
  readonly bytesCut: number;
  /** Records (entries, in the journal) of this file that are there still. */
  readonly recordsKept: number;
  readonly reason: string;
}

export interface RecoveredLog {
  readonly state: JournalState;
  readonly journal: { readonly path: string; readonly bytes: number };
  readonly partitions: Map<string, Partition>;
}

type Report = (report: RecoveryReport) => void;

const SEGMENT = /^(\d{20})\.log$/;
const NEVER_ACKNOWLEDGED = 'written when the process or the machine stopped, and never acknowledged';

export const topicsPath = (folder: string) => join(folder, 'topics.json');
export const partitionFolder = (folder: string, name: string) => join(folder, 'topics', name);

export async function recoverLog(
  folder: string,
  topics: readonly TopicSettings[],
  report: Report,
): Promise<RecoveredLog> {
  const { state, journal } = await recoverJournal(folder, report);
  const partitions = new Map<string, Partition>();
  for (const topic of topics) {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const name = partitionName({ topic: topic.name, partition });
      const end = state.ends.get(name);
      const path = partitionFolder(folder, name);
      const segments = await recoverSegments(path, end, report);
      const next = end?.next ?? 0;
      partitions.set(name, {
        topic: topic.name,
        partition,
        folder: path,
        segments,
        next,
        reading: createReadingGate(),
        cursors: new Map(),
        recent: new RecentWrites(),
      });
    }
  }
  return { state, journal, partitions };
}

export async function readTopics(folder: string): Promise<TopicSettings[]> {
  const path = topicsPath(folder);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return [];
  try {
    return (JSON.parse(text) as { topics: TopicSettings[] }).topics;
  } catch {
    throw damaged(path, 0, 'it is no JSON');
  }
}

async function recoverJournal(folder: string, report: Report) {
  if ((await readJournal(folder)) === null) {
    if ((await readTopics(folder)).length > 0)
      throw damaged(join(folder, 'journal'), 0, 'there are topics and no journal');
    await startJournal(folder);
  }
  const { path, entries, starts, bytes, writtenBytes, fileBytes } = (await readJournal(folder))!;
  const state = emptyState();
  for (const entry of entries.slice(0, -1)) applyEntry(state, entry);
  const last = entries.at(-1)!;
  // The first entry of a file repeats what was on the disk already.
  const missing = entries.length === 1 ? null : await missingPart(folder, state, last);
  if (missing === null) applyEntry(state, last);
  const kept = missing === null ? bytes : starts.at(-1)!;
  if (kept < fileBytes) await cut(path, kept);
  if (kept < writtenBytes) {
    const recordsKept = missing === null ? entries.length : entries.length - 1;
    const reason = missing === null ? NEVER_ACKNOWLEDGED : `the records of its last entry are not whole (${missing})`;
    report({ file: path, bytesCut: writtenBytes - kept, recordsKept, reason });
  }
  return { state, journal: { path, bytes: kept } };
}

/** @returns the file that lacks something of what the entry makes visible; null where everything is there */
async function missingPart(folder: string, before: JournalState, entry: JournalEntry): Promise<string | null> {
  for (const [name, end] of Object.entries(entry.ends)) {
    const known = before.ends.get(name);
    const path = segmentPath(partitionFolder(folder, name), end.base);
    const from = known?.base === end.base ? known.bytes : SEGMENT_HEADER_BYTES;
    if (!(await isWhole(path, from, known?.next ?? 0, end))) return path;
  }
  return null;
}

async function isWhole(path: string, from: number, first: number, end: PartitionEnd): Promise<boolean> {
  const handle = await open(path, 'r').catch(() => null);
  if (handle === null) return false;
  try {
    if (from === SEGMENT_HEADER_BYTES && (await headerOf(handle))?.base !== end.base) return false;
    let next = first;
    const reached = await scanRecords(handle, from, end.bytes, (bytes, at) => {
      if (offsetOf(bytes, at) === next) next++;
    });
    return reached === end.bytes && next === end.next;
  } finally {
    await handle.close();
  }
}

async function headerOf(handle: FileHandle) {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  await readFully(handle, bytes, 0);
  return decodeSegmentHeader(bytes);
}

async function recoverSegments(folder: string, end: PartitionEnd | undefined, report: Report): Promise<Segment[]> {
  const names = (await readdir(folder).catch(() => [])).sort();
  for (const name of names.filter((file) => file.endsWith('.tmp'))) await rm(join(folder, name));
  const segments: Segment[] = [];
  let coveredTo = 0;
  for (const name of names) {
    const base = Number(SEGMENT.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(base)) continue;
    const path = join(folder, name);
    if (end === undefined || base > end.base) {
      await removeLeftover(path, report);
    } else if (base < coveredTo) {
      // Compaction put its records into an earlier file, and was stopped before it removed this one.
      for (const file of filesOf({ path, base, coveredTo: 0, bytes: 0, index: null })) await rm(file, { force: true });
    } else {
      const segment = await openSegment(path, base, base === end.base ? end : null, report);
      coveredTo = segment.coveredTo;
      segments.push(segment);
    }
  }
  if (end !== undefined && segments.at(-1)?.base !== end.base) {
    throw damaged(segmentPath(folder, end.base), 0, 'the file is missing');
  }
  return segments;
}

async function openSegment(path: string, base: number, end: PartitionEnd | null, report: Report): Promise<Segment> {
  const handle = await open(path, 'r+');
  try {
    const { size } = await handle.stat();
    const header = await headerOf(handle);
    if (header?.base !== base) throw damaged(path, 0, 'its header does not fit');
    const bytes = end?.bytes ?? size;
    if (size < bytes) throw damaged(path, size, `it ends there, and ${bytes} bytes were acknowledged`);
    if (size > bytes) {
      const written = await endOfContent(handle, bytes, size);
      await handle.truncate(bytes);
      await handle.sync();
      if (written > bytes) {
        report({ file: path, bytesCut: written - bytes, recordsKept: end!.next - base, reason: NEVER_ACKNOWLEDGED });
      }
    }
    return { path, base, coveredTo: header.coveredTo, bytes, index: end === null ? null : emptyIndex(bytes) };
  } finally {
    await handle.close();
  }
}

async function removeLeftover(path: string, report: Report): Promise<void> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat().finally(() => handle.close());
  await rm(path);
  await syncFolder(dirname(path));
  // One that was made and not yet written to held nothing.
  if (size === 0) return;
  report({ file: path, bytesCut: size, recordsKept: 0, reason: `${basename(path)} was new; ${NEVER_ACKNOWLEDGED}` });
}

async function cut(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    await handle.truncate(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
