// Opens the data folder, or makes it again: from the newest snapshot that is whole, or from nothing, and the redo behind it.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../../lib/errors.ts';
import { imageOfEmpty } from './empty-image.ts';
import { createEngine, type Engine, openEngine } from './engine.ts';
import { bootOfMachine, type FolderState, readFolderState, whyNotTrusted, writeFolderState } from './folder-state.ts';
import type { WorkerStart } from './messages.ts';
import { openRedoLog, type RedoLog } from './redo-log.ts';
import { CREATE_POSITION, readPosition, replay } from './replay.ts';
import { listSnapshots, type Snapshot, unpackSnapshot } from './snapshots.ts';

export interface Recovered {
  readonly engine: Engine;
  readonly redo: RedoLog;
  /** Newest first. */
  readonly snapshots: readonly Snapshot[];
  /** The database has what the redo log lost: a snapshot is due at once. */
  readonly isAhead: boolean;
}

export interface RecordFolders {
  readonly root: string;
  readonly data: string;
  /** A data folder that could not be used, for those who want to know why; one at most. */
  readonly setAside: string;
  readonly redo: string;
  readonly snapshots: string;
}

export function foldersIn(root: string): RecordFolders {
  return {
    root,
    data: join(root, 'data'),
    setAside: join(root, 'data.set-aside'),
    redo: join(root, 'redo'),
    snapshots: join(root, 'snapshots'),
  };
}

/** Of the PGlite that is in package.json. */
const POSTGRES_VERSION = '18';

type Tell = (text: string) => void;

/** @throws InputError RECORDS_DAMAGED where something is missing that was acknowledged */
export async function recover(start: WorkerStart, folders: RecordFolders, tell: Tell): Promise<Recovered> {
  mkdirSync(folders.root, { recursive: true, mode: 0o700 });
  refuseOtherVersion(folders);
  const state = readFolderState(folders.root);
  const closedAt = state?.phase === 'closed' ? state.redoEnd : null;
  const redo = openRedoLog(folders.redo, start.limits.redoSegmentBytes, closedAt, tell);
  const snapshots = listSnapshots(folders.snapshots);
  const wasNeverMade = !existsSync(folders.data) || state?.phase === 'making';
  if (wasNeverMade && redo.next === 1 && snapshots.length === 0) {
    return { engine: await makeEmpty(start, folders, redo), redo, snapshots, isAhead: false };
  }
  const why = existsSync(folders.data) ? whyNotTrusted(state, bootOfMachine()) : 'it is missing';
  const opened = why === null ? await openAsItIs(folders, redo) : { why };
  if ('engine' in opened) return { ...opened, redo, snapshots };
  tell(`the data folder ${folders.data} is not used, because ${opened.why}`);
  setDataAside(folders, state);
  return { engine: await rebuild(start, folders, redo, snapshots, tell), redo, snapshots, isAhead: false };
}

/** Before anything is touched: a data folder of another PostgreSQL is not damaged, and cannot be read. */
function refuseOtherVersion(folders: RecordFolders): void {
  const path = join(folders.data, 'PG_VERSION');
  const version = existsSync(path) ? readFileSync(path, 'utf8').trim() : '';
  if (!/^\d+$/.test(version) || version === POSTGRES_VERSION) return;
  throw new InputError(
    'RECORDS_OTHER_VERSION',
    `the records in ${folders.root} are of PostgreSQL ${version}, and this program brings PostgreSQL ${POSTGRES_VERSION}`,
    'Make a backup with the version of the program that wrote them, and restore it into a new folder with this one',
  );
}

async function makeEmpty(start: WorkerStart, folders: RecordFolders, redo: RedoLog): Promise<Engine> {
  writeFolderState(folders.root, { phase: 'making' });
  rmSync(folders.data, { recursive: true, force: true });
  const engine = await openEmpty(start, folders);
  // The log has an entry from the beginning, so that one which was lost is not taken for one that nothing was written to.
  redo.append([]);
  await replay(engine, redo, 1);
  writeFolderState(folders.root, { phase: 'open', boot: bootOfMachine() });
  return engine;
}

async function openEmpty(start: WorkerStart, folders: RecordFolders): Promise<Engine> {
  const image = await imageOfEmpty(start.cacheFolder);
  const engine = await createEngine(await openEngine({ dataFolder: folders.data, image }));
  // PGlite leaves it open to everybody.
  chmodSync(folders.data, 0o700);
  const run = (text: string) => engine.run({ text, parameters: [] });
  await run('BEGIN READ WRITE');
  for (const text of CREATE_POSITION) await run(text);
  await run('COMMIT');
  return engine;
}

type Opened = { readonly engine: Engine; readonly isAhead: boolean } | { readonly why: string };

async function openAsItIs(folders: RecordFolders, redo: RedoLog): Promise<Opened> {
  writeFolderState(folders.root, { phase: 'open', boot: bootOfMachine() });
  let engine: Engine | null = null;
  try {
    engine = await createEngine(await openEngine({ dataFolder: folders.data, image: null }));
    const position = await readPosition(engine);
    if (position >= redo.next) return { engine, isAhead: true };
    if (position + 1 >= redo.first) {
      await replay(engine, redo, position + 1);
      return { engine, isAhead: false };
    }
    await engine.close();
    return { why: `it ends with entry ${position}, and the redo log begins with entry ${redo.first}` };
  } catch (error) {
    await engine?.close().catch(() => undefined);
    return { why: `it does not open: ${(error as Error).message}` };
  }
}

function setDataAside(folders: RecordFolders, state: FolderState | null): void {
  if (existsSync(folders.data) && state?.phase !== 'making') {
    rmSync(folders.setAside, { recursive: true, force: true });
    renameSync(folders.data, folders.setAside);
  }
  writeFolderState(folders.root, { phase: 'making' });
}

async function rebuild(
  start: WorkerStart,
  folders: RecordFolders,
  redo: RedoLog,
  snapshots: readonly Snapshot[],
  tell: Tell,
): Promise<Engine> {
  const failures: string[] = [];
  for (const snapshot of [...snapshots, null]) {
    const name = snapshot === null ? 'an empty database' : snapshot.path;
    const missing = whyNotFrom(snapshot, redo);
    if (missing !== null) {
      failures.push(`${name}: ${missing}`);
      continue;
    }
    rmSync(folders.data, { recursive: true, force: true });
    try {
      const { engine, entries } = await rebuildFrom(snapshot, start, folders, redo);
      for (const failure of failures) tell(`not made again from ${failure}`);
      writeFolderState(folders.root, { phase: 'open', boot: bootOfMachine() });
      tell(`the data folder was made again from ${name} and ${entries} entries of the redo log; nothing is missing`);
      return engine;
    } catch (error) {
      failures.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new InputError(
    'RECORDS_DAMAGED',
    `the records in ${folders.root} cannot be made again from ${failures.join('; from ')}`,
    'Put the files back from a copy, or restore a backup of the records into a new folder',
  );
}

/** null where a start from there is possible: the redo behind it is there without a gap. */
function whyNotFrom(snapshot: Snapshot | null, redo: RedoLog): string | null {
  if (snapshot === null && redo.next === 1) return 'there is no redo log';
  const from = (snapshot?.entry ?? 0) + 1;
  return redo.first > from && redo.next > from ? `the redo log begins with entry ${redo.first}, not ${from}` : null;
}

async function rebuildFrom(snapshot: Snapshot | null, start: WorkerStart, folders: RecordFolders, redo: RedoLog) {
  if (snapshot !== null) await unpackSnapshot(snapshot, folders.data);
  const engine =
    snapshot === null
      ? await openEmpty(start, folders)
      : await createEngine(await openEngine({ dataFolder: folders.data, image: null }));
  try {
    const position = await readPosition(engine);
    // What a log ended with that is older than the snapshot is in the snapshot.
    if (redo.next <= position) redo.restartAt(position + 1);
    return { engine, entries: await replay(engine, redo, position + 1) };
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}
