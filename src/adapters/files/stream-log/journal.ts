// The journal: what of the segments counts, and where groups stand. One entry for each group commit.
//
// An entry is written and synced at the same time as the records that it makes visible; it counts if they are all there.
// Only the last entry can be in doubt, because the next one is begun when everything of the last is on the disk.
//
// entry: u32 length of the text, u32 CRC-32C of the text, JSON text. The first entry of a file says everything.
import { type FileHandle, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { crc32c } from '../../../lib/crc32c.ts';
import { damaged, OPEN_THERE, readFully, replaceFile, syncFolder, writeDurably } from './durable-files.ts';
import { createRoomAhead, type RoomLimits } from './room-ahead.ts';

/** Where a partition ends: the last segment, how much of it counts, and the offset that comes next. */
export interface PartitionEnd {
  readonly base: number;
  readonly bytes: number;
  readonly next: number;
}

export interface JournalEntry {
  /** Rises by one with each entry. */
  readonly sequence: number;
  /** By name of the partition (`transactions-3`). */
  readonly ends: Readonly<Record<string, PartitionEnd>>;
  /** group → name of the partition → offset */
  readonly groups: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The sum of all entries. */
export interface JournalState {
  sequence: number;
  readonly ends: Map<string, PartitionEnd>;
  readonly groups: Map<string, Map<string, number>>;
}

export interface Journal {
  readonly path: string;
  /** Bytes of entries that count. */
  readonly bytes: number;
  /** Writes behind the last entry and syncs; counts only once `accept` is called. */
  write(entry: JournalEntry): Promise<void>;
  accept(): void;
  /** Cuts off what was written and not accepted; also undoes half a `roll`. */
  repair(): Promise<void>;
  /** Begins a new file with the whole state in one entry, and removes the old one. */
  roll(state: JournalState): Promise<void>;
  close(): Promise<void>;
}

export interface ReadJournal {
  readonly path: string;
  readonly entries: readonly JournalEntry[];
  /** Where each entry begins. */
  readonly starts: readonly number[];
  /** End of the last whole entry, of what was written, and of the file with the room ahead. */
  readonly bytes: number;
  readonly writtenBytes: number;
  readonly fileBytes: number;
}

const PREFIX_BYTES = 8;
/** Far above what 10,000 partitions and as many positions need. */
const MAX_ENTRY_BYTES = 64 * 1_048_576;
const NAME = /^journal-(\d{10})$/;

export function emptyState(): JournalState {
  return { sequence: 0, ends: new Map(), groups: new Map() };
}

export function applyEntry(state: JournalState, entry: JournalEntry): void {
  state.sequence = entry.sequence;
  for (const [name, end] of Object.entries(entry.ends)) state.ends.set(name, end);
  for (const [group, offsets] of Object.entries(entry.groups)) {
    const known = state.groups.get(group) ?? new Map<string, number>();
    for (const [name, offset] of Object.entries(offsets)) known.set(name, offset);
    state.groups.set(group, known);
  }
}

function wholeState(state: JournalState): JournalEntry {
  return {
    sequence: state.sequence,
    ends: Object.fromEntries(state.ends),
    groups: Object.fromEntries([...state.groups].map(([group, offsets]) => [group, Object.fromEntries(offsets)])),
  };
}

function encodeEntry(entry: JournalEntry): Buffer {
  const text = Buffer.from(JSON.stringify(entry));
  const bytes = Buffer.allocUnsafe(PREFIX_BYTES + text.length);
  bytes.writeUInt32LE(text.length, 0);
  bytes.writeUInt32LE(crc32c(text), 4);
  text.copy(bytes, PREFIX_BYTES);
  return bytes;
}

/** null where no whole entry begins there */
function decodeEntry(bytes: Buffer, at: number): { entry: JournalEntry; end: number } | null {
  if (at + PREFIX_BYTES > bytes.length) return null;
  const length = bytes.readUInt32LE(at);
  const end = at + PREFIX_BYTES + length;
  if (length === 0 || length > MAX_ENTRY_BYTES || end > bytes.length) return null;
  if (crc32c(bytes, at + PREFIX_BYTES, end) !== bytes.readUInt32LE(at + 4)) return null;
  return { entry: JSON.parse(bytes.toString('utf8', at + PREFIX_BYTES, end)) as JournalEntry, end };
}

const pathOf = (folder: string, number: number) => join(folder, `journal-${String(number).padStart(10, '0')}`);

/** @throws InputError STREAM_DAMAGED where an entry is bad and whole ones follow: a crash cannot do that */
export async function readJournal(folder: string): Promise<ReadJournal | null> {
  const names = (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  const newest = names.at(-1);
  if (newest === undefined) return null;
  const path = join(folder, newest);
  const bytes = await readWhole(path);
  const entries: JournalEntry[] = [];
  const starts: number[] = [];
  let end = 0;
  for (let found = decodeEntry(bytes, 0); found !== null; found = decodeEntry(bytes, end)) {
    const last = entries.at(-1);
    if (last !== undefined && found.entry.sequence !== last.sequence + 1) break;
    entries.push(found.entry);
    starts.push(end);
    end = found.end;
  }
  if (entries.length === 0) throw damaged(path, 0, 'its first entry is not whole');
  const later = laterEntry(bytes, end);
  if (later !== null) throw damaged(path, end, `the entry there is not whole, and whole ones follow at byte ${later}`);
  // Left over where the power went between the new file's first entry and the removal of the old file.
  for (const name of names.slice(0, -1)) await rm(join(folder, name));
  const writtenBytes = Math.max(end, 1 + bytes.findLastIndex((byte) => byte !== 0));
  return { path, entries, starts, bytes: end, writtenBytes, fileBytes: bytes.length };
}

function laterEntry(bytes: Buffer, from: number): number | null {
  // Every entry's text begins like this, eight bytes behind the entry itself.
  for (let at = bytes.indexOf('{"sequence":', from + 1); at >= 0; at = bytes.indexOf('{"sequence":', at + 1)) {
    const start = at - PREFIX_BYTES;
    if (start > from && decodeEntry(bytes, start) !== null) return start;
  }
  return null;
}

async function readWhole(path: string): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe((await handle.stat()).size);
    return bytes.subarray(0, await readFully(handle, bytes, 0));
  } finally {
    await handle.close();
  }
}

/** The journal of a log that has none yet. */
export async function startJournal(folder: string): Promise<void> {
  await replaceFile(pathOf(folder, 1), encodeEntry(wholeState(emptyState())));
}

/** @param bytes those that count; what lies behind was cut off already */
export async function openJournal(
  folder: string,
  path: string,
  bytes: number,
  limits: { readonly journalBytes: number; readonly room: RoomLimits },
): Promise<Journal> {
  let current = path;
  let accepted = bytes;
  let written = bytes;
  let handle: FileHandle = await open(path, OPEN_THERE);
  const roomIn = (file: FileHandle) => createRoomAhead((act) => act(file), limits.room, limits.journalBytes);
  let room = roomIn(handle);
  const nextPath = () => pathOf(folder, Number(NAME.exec(basename(current))![1]) + 1);
  return {
    get path() {
      return current;
    },
    get bytes() {
      return accepted;
    },
    async write(entry) {
      const encoded = encodeEntry(entry);
      written = accepted + encoded.length;
      await room.before(written);
      await writeDurably(handle, encoded, accepted);
    },
    accept() {
      accepted = written;
      room.after(accepted);
    },
    async repair() {
      // A file that was to take this one's place, and did not quite, must not be found by the next start.
      await rm(nextPath(), { force: true });
      await syncFolder(folder);
      await room.close(accepted);
      await handle.truncate(accepted);
      await handle.sync();
    },
    async roll(state) {
      const encoded = encodeEntry(wholeState(state));
      const next = nextPath();
      await replaceFile(next, encoded);
      const old = { path: current, handle, room, bytes: accepted };
      handle = await open(next, OPEN_THERE);
      room = roomIn(handle);
      current = next;
      accepted = encoded.length;
      written = accepted;
      await old.room.close(old.bytes);
      await old.handle.close();
      await rm(old.path, { force: true });
    },
    async close() {
      await room.close(written).catch(() => undefined);
      await handle.close();
    },
  };
}
