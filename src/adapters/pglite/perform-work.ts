// One transaction of the embedded database, as its work sees it.
import { RecordsUnavailableError } from '../../lib/errors.ts';
import type { SqlRun } from '../../ports.ts';
import { bytesOf, textOf } from './statement-text.ts';
import type { WorkerLink } from './worker-link.ts';

/**
 * Runs `work` between `begin` and `end` of the database's thread. Its statements run one after another, even where they are
 * asked for at once; after its end they are refused.
 *
 * @param idleMs after so long without a statement it is given up
 * @param count told of the bytes of each statement
 */
export async function performWork(
  link: WorkerLink,
  work: (run: SqlRun) => Promise<unknown>,
  idleMs: number,
  count: (bytes: number) => void,
): Promise<unknown> {
  const givenUp = Promise.withResolvers<never>();
  givenUp.promise.catch(() => undefined);
  let isOver: string | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let failure: { readonly error: unknown } | null = null;
  const timer = setTimeout(() => {
    isOver = `a transaction in which nothing happened for ${idleMs} ms was undone`;
    givenUp.reject(new RecordsUnavailableError(isOver));
  }, idleMs);

  const run: SqlRun = (statement) => {
    const asked = textOf(statement);
    count(bytesOf(asked));
    const answer = last.then(async () => {
      if (isOver !== null) throw new RecordsUnavailableError(isOver);
      timer.refresh();
      const rows = await link.ask({ kind: 'statement', ...asked });
      timer.refresh();
      return rows;
    });
    last = answer.catch((error: unknown) => {
      failure ??= { error };
    });
    return answer;
  };

  try {
    const result = await Promise.race([work(run), givenUp.promise]);
    await last;
    // PostgreSQL goes on with nothing after a statement that failed, whatever the work made of the error.
    if (failure !== null) throw (failure as { readonly error: unknown }).error;
    return result;
  } finally {
    clearTimeout(timer);
    isOver ??= 'the transaction is over';
    await last;
  }
}
