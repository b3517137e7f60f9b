// The redo log: what was written, on the disk before it is acknowledged. PGlite's own files are not synced, so after a
// power cut they are made again from a snapshot and the entries behind it.
//
// One entry is written and synced before the next begins, so a crash can leave the last one torn and no other: that one
// was never acknowledged and is cut off. Anything else that is not whole is damage, and told.
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../lib/errors.ts';
import {
  encodeRedoEntry,
  findRedoEntry,
  laterRedoEntry,
  REDO_HEADER,
  type RedoEntry,
  statementsOf,
} from './redo-format.ts';
import { cannotWriteRecords, syncFileOrFolder, writeAll } from './sync-files.ts';
import type { RedoStatement } from './transactions.ts';

/** An entry with where it lies, for messages. */
export interface ReadEntry extends RedoEntry {
  readonly path: string;
  readonly position: number;
}

export interface RedoLog {
  /** Of the oldest entry; one past the last where there is none. */
  readonly first: number;
  /** Of the entry that comes next. */
  readonly next: number;
  /** Of all entries since this number, roughly: whole files. */
  bytesSince(number: number): number;
  /** The file that is written to and where it ends; null before the first entry. */
  end(): RedoEnd | null;
  /** From this number on, in order. */
  read(from: number): Generator<ReadEntry>;
  /** Written and synced when it returns. @throws RecordsUnavailableError; then there is no such entry */
  append(statements: readonly RedoStatement[]): number;
  /** The next entry begins a file, so that those before it can be removed. */
  startNewFile(): void;
  /** Removes files that hold only entries before this one. */
  dropBefore(number: number): void;
  /** Nothing is there and the next entry has this number: where a snapshot says so. */
  restartAt(number: number): void;
  close(): void;
}

export interface RedoEnd {
  readonly file: string;
  readonly bytes: number;
}

interface Segment {
  readonly path: string;
  readonly file: string;
  readonly first: number;
  /** One past its last entry. */
  next: number;
  bytes: number;
}

const NAME = /^redo-(\d{16})\.log$/;

/**
 * @param closedAt where the log ended when it was closed in order; null where it was not
 * @param tell told in words what was cut off
 * @throws InputError RECORDS_DAMAGED with file and byte
 */
export function openRedoLog(
  folder: string,
  segmentBytes: number,
  closedAt: RedoEnd | null,
  tell: (text: string) => void,
): RedoLog {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  let segments = readSegments(folder, closedAt, tell);
  let next = segments.at(-1)?.next ?? 1;
  let handle: number | null = null;
  /** Set where a failed write could not be undone yet. */
  let isUnsound = false;
  let wantsNewFile = false;

  function openLast(): void {
    const last = segments.at(-1);
    if (handle === null && last !== undefined) handle = openSync(last.path, 'r+');
  }

  function closeHandle(): void {
    if (handle !== null) closeSync(handle);
    handle = null;
  }

  /** Cuts off what does not count. */
  function mend(): void {
    const last = segments.at(-1);
    closeHandle();
    const nextPath = pathOf(folder, next);
    if (last?.path !== nextPath && existsSync(nextPath)) {
      rmSync(nextPath);
      syncFileOrFolder(folder);
    }
    if (last !== undefined) {
      openLast();
      ftruncateSync(handle!, last.bytes);
      fsyncSync(handle!);
    }
    isUnsound = false;
  }

  function write(bytes: Buffer): Segment {
    const last = segments.at(-1);
    if (last !== undefined && !wantsNewFile && last.bytes + bytes.length <= segmentBytes) {
      openLast();
      writeAll(handle!, bytes, last.bytes);
      fdatasyncSync(handle!);
      return { ...last, bytes: last.bytes + bytes.length, next: next + 1 };
    }
    closeHandle();
    const segment = newSegment(folder, next);
    handle = openSync(segment.path, 'wx+', 0o600);
    writeAll(handle, Buffer.concat([REDO_HEADER, bytes]), 0);
    fsyncSync(handle);
    syncFileOrFolder(folder);
    wantsNewFile = false;
    return { ...segment, bytes: REDO_HEADER.length + bytes.length, next: next + 1 };
  }

  return {
    get first() {
      return segments[0]?.first ?? next;
    },
    get next() {
      return next;
    },
    bytesSince(number) {
      return segments.reduce((sum, segment) => (segment.next > number ? sum + segment.bytes : sum), 0);
    },
    end() {
      const last = segments.at(-1);
      return last === undefined ? null : { file: last.file, bytes: last.bytes };
    },
    *read(from) {
      for (const segment of segments) if (segment.next > from) yield* entriesOf(segment, from);
    },
    append(statements) {
      const path = segments.at(-1)?.path ?? folder;
      try {
        if (isUnsound) mend();
        const written = write(encodeRedoEntry({ number: next, statements }));
        segments = [...segments.filter(({ path }) => path !== written.path), written];
        return next++;
      } catch (error) {
        isUnsound = true;
        try {
          // Before anybody is told, so that what they are told is so; where that fails, the next call tries again.
          mend();
        } catch {}
        throw cannotWriteRecords(path, error);
      }
    },
    startNewFile() {
      wantsNewFile = true;
    },
    dropBefore(number) {
      // The last file stays: it is written to.
      const dropped = segments.slice(0, -1).filter((segment) => segment.next <= number);
      for (const { path } of dropped) rmSync(path);
      if (dropped.length > 0) syncFileOrFolder(folder);
      segments = segments.filter((segment) => !dropped.includes(segment));
    },
    restartAt(number) {
      closeHandle();
      for (const { path } of segments) rmSync(path);
      syncFileOrFolder(folder);
      segments = [];
      next = number;
    },
    close: closeHandle,
  };
}

const fileOf = (first: number) => `redo-${String(first).padStart(16, '0')}.log`;
const pathOf = (folder: string, first: number) => join(folder, fileOf(first));

function newSegment(folder: string, first: number): Segment {
  return { path: pathOf(folder, first), file: fileOf(first), first, next: first, bytes: 0 };
}

function readSegments(folder: string, closedAt: RedoEnd | null, tell: (text: string) => void): Segment[] {
  const files = readdirSync(folder)
    .filter((name) => NAME.test(name))
    .sort();
  const segments: Segment[] = [];
  for (const [index, file] of files.entries()) {
    const first = Number(NAME.exec(file)![1]);
    const before = segments.at(-1);
    if (before !== undefined && before.next !== first) {
      throw damaged(before.path, before.bytes, `entries ${before.next} to ${first - 1} are missing`);
    }
    const isLast = index === files.length - 1;
    const segment = readSegment(newSegment(folder, first), isLast, closedAt?.file === file ? closedAt.bytes : 0, tell);
    if (segment !== null) segments.push(segment);
  }
  const last = segments.at(-1);
  if (closedAt !== null && closedAt.file !== last?.file) {
    throw damaged(join(folder, closedAt.file), 0, 'it is missing, and the log ended there when it was closed');
  }
  return segments;
}

/** @returns null where the file was begun and never held an entry; it is removed */
function readSegment(
  segment: Segment,
  isLast: boolean,
  closedBytes: number,
  tell: (text: string) => void,
): Segment | null {
  const { path } = segment;
  const bytes = readFileSync(path);
  const hasHeader = REDO_HEADER.equals(bytes.subarray(0, REDO_HEADER.length));
  let end = hasHeader ? REDO_HEADER.length : 0;
  let next = segment.first;
  for (let found = findRedoEntry(bytes, end); hasHeader && found !== null; found = findRedoEntry(bytes, end)) {
    if (found.number !== next) throw damaged(path, end, `entry ${found.number} is there instead of entry ${next}`);
    next++;
    end = found.end;
  }
  if (end < bytes.length || end < closedBytes) checkTear(path, bytes, end, isLast, closedBytes);
  if (next === segment.first) {
    if (!isLast) throw damaged(path, 0, 'it has no entry, and others follow');
    rmSync(path);
    tell(`removed ${path}: its first entry was being written when the program ended, and was not acknowledged`);
    return null;
  }
  if (end < bytes.length) {
    truncateSync(path, end);
    syncFileOrFolder(path);
    tell(
      `cut ${bytes.length - end} bytes off ${path} from byte ${end} on: ` +
        'they were being written when the program ended, and were not acknowledged',
    );
  }
  return { ...segment, next, bytes: end };
}

/** A crash tears the last entry of the last file, unless the log was closed behind it. */
function checkTear(path: string, bytes: Buffer, end: number, isLast: boolean, closedBytes: number): void {
  if (end < closedBytes) throw damaged(path, end, 'the entry there is not whole, and was when the log was closed');
  if (!isLast) throw damaged(path, end, 'the entry there is not whole, and another file follows');
  const later = laterRedoEntry(bytes, end);
  if (later !== null) throw damaged(path, end, `the entry there is not whole, and whole ones follow at byte ${later}`);
}

function* entriesOf({ path, bytes: limit }: Segment, from: number): Generator<ReadEntry> {
  if (statSync(path).size < limit) throw damaged(path, statSync(path).size, 'the file became shorter');
  const bytes = readFileSync(path);
  for (let at = REDO_HEADER.length; at < limit; ) {
    const found = findRedoEntry(bytes, at);
    if (found === null) throw damaged(path, at, 'the entry there is not whole any more');
    if (found.number >= from) {
      yield { number: found.number, statements: statementsOf(bytes, at, found.end), path, position: at };
    }
    at = found.end;
  }
}

/** @param what is wrong, in a clause */
export function damaged(path: string, position: number, what: string): InputError {
  return new InputError(
    'RECORDS_DAMAGED',
    `${path} is damaged at byte ${position}: ${what}`,
    'Check the disk, and put the file back from a copy or restore a backup of the records; nothing is skipped',
  );
}
