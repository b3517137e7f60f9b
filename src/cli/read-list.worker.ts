// The thread in which the service reads files of lists that are sent to it.
import { parentPort } from 'node:worker_threads';
import { heldBytes } from '../adapters/files/byte-source.ts';
import { readList } from '../adapters/files/lists/read-list.ts';
import type { ListFileTask } from '../jobs/books/list-files.ts';
import { answerTasks } from '../jobs/threads/answer-tasks.ts';

/** How problems call it: whoever sent it knows its name. */
const NAME = 'the file';
/** Of a packed file's content. */
const MOST_BYTES = 256 * 1024 * 1024;

if (parentPort !== null) {
  answerTasks(parentPort, async ({ bytes, format, withWeakNames }: ListFileTask) => {
    const { buffer, byteOffset, length } = bytes;
    const source = heldBytes(NAME, Buffer.from(buffer, byteOffset, length), MOST_BYTES);
    const { rows, rejected, weakNames } = await readList(source, { format, withWeakNames }, async () => null);
    return { rows, rejected, weakNames };
  });
}
