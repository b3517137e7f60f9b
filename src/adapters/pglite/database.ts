// The database as its thread has it: opened, with its redo log and snapshots where it is kept in a folder.
import { rmSync } from 'node:fs';
import { imageOfEmpty } from './empty-image.ts';
import { createEngine, type Engine, openEngine } from './engine.ts';
import { writeFolderState } from './folder-state.ts';
import type { PgliteLimits, WorkerStart } from './messages.ts';
import { foldersIn, type RecordFolders, recover } from './recovery.ts';
import type { RedoLog } from './redo-log.ts';
import { readPosition, setPosition } from './replay.ts';
import { type Snapshot, writeSnapshot } from './snapshots.ts';
import { syncTree } from './sync-files.ts';
import { createTransactions, type RedoSink, type Transactions } from './transactions.ts';

export interface OpenDatabase {
  readonly engine: Engine;
  readonly transactions: Transactions;
  /** False where `tidy` has something to do. */
  isTidy(): boolean;
  /** What nobody does for us: PGlite has no background processes. */
  tidy(): Promise<void>;
  /** The database reported damage: the next start makes it again. */
  distrust(what: string): void;
  close(): Promise<void>;
}

/** Snapshots that are kept, with the redo behind the older one: one that cannot be read does not end everything. */
const SNAPSHOTS_KEPT = 2;

/** @param tell told in words what had to be mended */
export async function openDatabase(start: WorkerStart, tell: (text: string) => void): Promise<OpenDatabase> {
  return start.folder === null ? openInMemory(start) : openInFolder(start, foldersIn(start.folder), tell);
}

async function openInMemory({ cacheFolder, limits }: WorkerStart): Promise<OpenDatabase> {
  const engine = await createEngine(await openEngine({ dataFolder: null, image: await imageOfEmpty(cacheFolder) }));
  return {
    engine,
    transactions: createTransactions(engine, null, limits.transactionBytes),
    isTidy: () => true,
    tidy: () => Promise.resolve(),
    distrust: () => undefined,
    close: () => engine.close(),
  };
}

async function openInFolder(
  start: WorkerStart,
  folders: RecordFolders,
  tell: (text: string) => void,
): Promise<OpenDatabase> {
  const { engine, redo, snapshots, isAhead } = await recover(start, folders, tell);
  const keeper = createKeeper(engine, redo, folders, snapshots, start.limits, tell);
  if (isAhead) await keeper.takeOver();
  return {
    engine,
    transactions: createTransactions(engine, sinkOf(redo), start.limits.transactionBytes),
    isTidy: () => keeper.isTidy(),
    tidy: () => keeper.tidy(),
    distrust: (what) => writeFolderState(folders.root, { phase: 'damaged', what }),
    async close() {
      await keeper.beforeClose();
      await engine.close();
      redo.close();
      await syncTree(folders.data);
      writeFolderState(folders.root, { phase: 'closed', redoEnd: redo.end() });
    },
  };
}

function sinkOf(redo: RedoLog): RedoSink {
  return { append: (statements) => setPosition(redo.append(statements)) };
}

interface Keeper {
  isTidy(): boolean;
  tidy(): Promise<void>;
  /** The database has entries that the log has not: they are put into a snapshot, and the log begins behind it. */
  takeOver(): Promise<void>;
  beforeClose(): Promise<void>;
}

/** Keeps what a start has to do again short: checkpoints for PostgreSQL's log, snapshots for ours. */
function createKeeper(
  engine: Engine,
  redo: RedoLog,
  folders: RecordFolders,
  found: readonly Snapshot[],
  limits: PgliteLimits,
  tell: (text: string) => void,
): Keeper {
  let snapshots = found;
  /** Redo bytes since the last snapshot at which the next step is due. */
  let checkpointAt = limits.checkpointAfterBytes;
  let snapshotAt = snapshotDue();
  const since = () => redo.bytesSince((snapshots[0]?.entry ?? 0) + 1);
  const run = (text: string) => engine.run({ text, parameters: [] });

  function snapshotDue(): number {
    return Math.max(limits.snapshotAfterBytes, limits.snapshotAfterTimes * (snapshots[0]?.bytes ?? 0));
  }

  async function snapshot(entry: number): Promise<void> {
    await run('CHECKPOINT');
    const written = await writeSnapshot(folders.snapshots, folders.data, entry);
    const all = [written, ...snapshots.filter(({ path }) => path !== written.path)];
    snapshots = all.slice(0, SNAPSHOTS_KEPT);
    for (const { path } of all.slice(SNAPSHOTS_KEPT)) rmSync(path, { force: true });
    // Until there are two, everything can also be made again from nothing.
    if (snapshots.length === SNAPSHOTS_KEPT) redo.dropBefore(snapshots.at(-1)!.entry + 1);
    redo.startNewFile();
    snapshotAt = snapshotDue();
    checkpointAt = limits.checkpointAfterBytes;
  }

  return {
    isTidy: () => since() < Math.min(checkpointAt, snapshotAt),
    async tidy() {
      const bytes = since();
      try {
        // There is no autovacuum in a database of one process.
        await run('VACUUM (ANALYZE)');
        if (bytes >= snapshotAt) await snapshot(redo.next - 1);
        else await run('CHECKPOINT');
        checkpointAt = since() + limits.checkpointAfterBytes;
      } catch (error) {
        snapshotAt = bytes + limits.snapshotAfterBytes;
        checkpointAt = bytes + limits.checkpointAfterBytes;
        tell(`the records could not be tidied, and are tidied later: ${(error as Error).message}`);
      }
    },
    async takeOver() {
      const entry = await readPosition(engine);
      tell(`the database has entries up to ${entry}, the redo log ends before: a snapshot keeps them`);
      await snapshot(entry);
      redo.restartAt(entry + 1);
    },
    async beforeClose() {
      if (since() < limits.snapshotAtCloseBytes) return;
      await snapshot(redo.next - 1).catch((error: unknown) => {
        tell(`no snapshot was made at the end: ${(error as Error).message}`);
      });
    },
  };
}
