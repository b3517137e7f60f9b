// Files of lists that come over HTTP, read in a thread of their own: a sanctions list of thirty megabytes takes seconds.
import type { ListFormat } from '../../domain/list-formats.ts';
import { InputError } from '../../lib/errors.ts';
import type { ListFile } from '../../ports.ts';
import { TaskThread } from '../threads/task-thread.ts';

/** To the thread. */
export interface ListFileTask extends ListFileWish {
  readonly bytes: Uint8Array;
}

export interface ListFileWish {
  readonly format: ListFormat;
  /** Take names that the publisher calls weak, too. */
  readonly withWeakNames: boolean;
}

export interface RunningListFiles {
  /** @throws InputError of the file, or of what may be read here */
  read(bytes: Uint8Array, wish: ListFileWish): Promise<ListFile>;
  stop(): Promise<void>;
}

/** Rows of one file over HTTP. */
const MOST_ROWS = 100_000;
const MOST_WAITING = 4;
const DEADLINE_MS = 60_000;
const MEMORY_MB = 1024;

/** @param module answers `ListFileTask` with a `ListFile` */
export function startListFiles(module: URL): RunningListFiles {
  const thread = new TaskThread<ListFileTask, ListFile>({
    ...{ entry: { module, data: null }, mostWaiting: MOST_WAITING, deadlineMs: DEADLINE_MS, memoryMb: MEMORY_MB },
    full: () =>
      new InputError('LIST_FILES_FULL', `${MOST_WAITING} files of lists wait already`, 'Try again in a minute'),
    tooMuch: () =>
      new InputError(
        'LIST_FILE_LIMIT',
        `Reading the file took more than ${DEADLINE_MS / 1000} seconds, or more than ${MEMORY_MB} MB`,
        'Split it, or import it on the command line',
      ),
  });
  return {
    async read(bytes, wish) {
      const own = new Uint8Array(bytes);
      const file = await thread.perform({ ...wish, bytes: own }, [own.buffer]);
      const { rows, rejected } = file;
      if (rows.length === 0) {
        const first = rejected[0] === undefined ? '' : ` (line ${rejected[0].line}: ${rejected[0].message})`;
        throw new InputError('LIST_EMPTY', `The file has no row that can be used${first}`, 'Nothing was imported');
      }
      if (rows.length <= MOST_ROWS) return file;
      throw new InputError(
        'LIST_TOO_LONG',
        `The file has ${rows.length} rows, and ${MOST_ROWS} are taken at once`,
        'Split it, or import it on the command line',
      );
    },
    stop: () => thread.stop(),
  };
}
