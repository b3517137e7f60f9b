// DuckDB in memory, for statements over Parquet and JSON files on disk.
//
// Each statement runs on a thread of Node's pool and there on one core, so the event loop goes on; only so many run at once,
// because the pool has four threads, which the log's writes need, too. What does not fit the memory limit goes to a folder.
import { mkdir } from 'node:fs/promises';
import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { InputError } from '../../lib/errors.ts';
import type { ArchiveSql } from '../../ports/archive.ts';

export interface DuckDbOptions {
  /** For what does not fit memory; of this process alone, made where it is not there. */
  readonly spillFolder: string;
  /** Default 512 MB. */
  readonly memoryMegabytes?: number;
  /** Of the spill folder; default 20 GB. */
  readonly spillMegabytes?: number;
  /** Statements at once; others wait. Default 2. */
  readonly atOnce?: number;
  /** Of one statement; default 1. */
  readonly threads?: number;
}

/** Beyond that callers are refused: whoever asks so much should ask later. */
const MOST_WAITING = 1000;
/** How DuckDB's messages begin where a file, the disk or memory is the trouble rather than what was asked. */
const OF_THE_MACHINE = /^(IO|Out of Memory|Interrupt|Connection|INTERNAL|FATAL)\b/i;

/** Opened with the first statement: the library is large, and not every process reads an archive. */
export function openDuckDb(options: DuckDbOptions): ArchiveSql {
  const { atOnce = 2 } = options;
  const idle: DuckDBConnection[] = [];
  const waiting: ((connection: DuckDBConnection) => void)[] = [];
  let opening: Promise<DuckDBInstance> | null = null;
  let isClosed = false;

  async function open(): Promise<DuckDBInstance> {
    try {
      const instance = await openInstance(options);
      for (let n = 0; n < atOnce; n++) idle.push(await instance.connect());
      await idle[0].run('SET GLOBAL parquet_metadata_cache = true');
      return instance;
    } catch (error) {
      opening = null;
      throw error;
    }
  }

  async function take(): Promise<DuckDBConnection> {
    opening ??= open();
    await opening;
    const connection = idle.pop();
    if (connection !== undefined) return connection;
    if (waiting.length >= MOST_WAITING) {
      throw new InputError('ARCHIVE_BUSY', `${MOST_WAITING} statements wait for the archive`, 'Ask again later');
    }
    return await new Promise((resolve) => waiting.push(resolve));
  }

  function giveBack(connection: DuckDBConnection): void {
    const next = waiting.shift();
    if (next === undefined) idle.push(connection);
    else next(connection);
  }

  return {
    async run(text, parameters = []) {
      if (isClosed) throw new Error('the archive was closed');
      const connection = await take();
      try {
        const result = await connection.runAndReadAll(text, [...parameters]);
        return result.getRows().map((row) => row.map(plainCell));
      } catch (error) {
        throw explained(error as Error);
      } finally {
        giveBack(connection);
      }
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (opening === null) return;
      const instance = await opening;
      for (let n = 0; n < atOnce; n++) (await take()).closeSync();
      instance.closeSync();
    },
  };
}

async function openInstance({
  spillFolder,
  memoryMegabytes = 512,
  spillMegabytes = 20_000,
  threads = 1,
}: DuckDbOptions) {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  await mkdir(spillFolder, { recursive: true });
  return await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryMegabytes}MB`,
    temp_directory: spillFolder,
    max_temp_directory_size: `${spillMegabytes}MB`,
    // Nothing is fetched from elsewhere.
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    // Files that were read stay in memory as far as it goes; they never change under their names.
    enable_external_file_cache: 'true',
  });
}

/** Numbers, texts, bytes and null. */
function plainCell(cell: unknown): unknown {
  if (typeof cell === 'bigint') return Number(cell);
  if (typeof cell === 'object' && cell !== null && 'bytes' in cell) return cell.bytes;
  return cell;
}

function explained(error: Error): Error {
  const [message] = error.message.split('\n');
  if (OF_THE_MACHINE.test(error.message)) return new Error(message, { cause: error });
  return new InputError('SQL_REFUSED', message, 'The data does not fit the statement');
}
