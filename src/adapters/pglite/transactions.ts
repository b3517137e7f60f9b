// The database's side of transactions. Several may share one commit and one sync: the first begins PostgreSQL's
// transaction, the others are savepoints in it, and `commit` writes the redo of all of them, syncs it, and commits.
//
// Nothing is read in between, so nobody sees what is not durable yet.
import { assert } from '../../lib/assert.ts';
import { InputError } from '../../lib/errors.ts';
import type { SqlRows } from '../../ports.ts';
import type { Engine } from './engine.ts';
import type { StatementText } from './messages.ts';
import { bytesOf } from './statement-text.ts';
import { isWriting, volatilePart } from './statements.ts';

/** A statement of the redo log; running it again must change as many rows. */
export interface RedoStatement extends StatementText {
  readonly changed: number;
}

/** Makes statements durable before they are committed. */
export interface RedoSink {
  /** @returns what must be written in the same transaction, so that the next start knows what it has */
  append(statements: readonly RedoStatement[]): StatementText;
}

export interface Transactions {
  begin(): Promise<void>;
  run(statement: StatementText): Promise<SqlRows>;
  end(): Promise<void>;
  undo(): Promise<void>;
  commit(): Promise<void>;
}

/** After the redo was written the commit failed: only a new start can say what the database has. */
export class CommitFailedError extends Error {}

const plain = (text: string): StatementText => ({ text, parameters: [] });
const BEGIN = plain('BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE');

/** @param redo null where nothing is kept */
export function createTransactions(engine: Engine, redo: RedoSink | null, limitBytes: number): Transactions {
  /** Of those that have ended and are not committed. */
  let ended: RedoStatement[] = [];
  let members = 0;
  let isBegun = false;
  let current: RedoStatement[] = [];
  let currentBytes = 0;

  function reset(): void {
    ended = [];
    members = 0;
    isBegun = false;
  }

  return {
    async begin() {
      if (!isBegun) await engine.run(BEGIN);
      else {
        await engine.run(plain('SAVEPOINT member'));
        // What the end of another member checked at once may wait again.
        await engine.run(plain('SET CONSTRAINTS ALL DEFERRED'));
      }
      isBegun = true;
      current = [];
      currentBytes = 0;
    },
    async run(statement) {
      const writes = isWriting(statement.text);
      if (writes) {
        refuseVolatile(statement.text);
        currentBytes += bytesOf(statement);
        if (currentBytes > limitBytes) throw tooLarge(limitBytes);
      }
      const result = await engine.run(statement);
      if (writes) current.push({ ...statement, changed: result.changed });
      return result;
    },
    async end() {
      // A constraint that waits for the commit would fail after the redo is written, and fail the others with it.
      if (current.length > 0) await engine.run(plain('SET CONSTRAINTS ALL IMMEDIATE'));
      if (members > 0) await engine.run(plain('RELEASE SAVEPOINT member'));
      ended.push(...current);
      members++;
    },
    async undo() {
      if (members === 0) {
        await engine.run(plain('ROLLBACK'));
        reset();
        return;
      }
      await engine.run(plain('ROLLBACK TO SAVEPOINT member'));
      await engine.run(plain('RELEASE SAVEPOINT member'));
    },
    async commit() {
      if (!isBegun) return;
      assert(members > 0, 'a transaction is committed before it has ended');
      const statements = ended;
      reset();
      if (redo === null || statements.length === 0) {
        await engine.run(plain('COMMIT'));
        return;
      }
      let mark: StatementText;
      try {
        mark = redo.append(statements);
      } catch (error) {
        await engine.run(plain('ROLLBACK'));
        throw error;
      }
      try {
        await engine.run(mark);
        await engine.run(plain('COMMIT'));
      } catch (error) {
        throw new CommitFailedError(`the commit failed: ${(error as Error).message}`);
      }
    },
  };
}

function refuseVolatile(text: string): void {
  const part = volatilePart(text);
  assert(part === null, `"${part}" gives another value when the statement is run again: pass the value as a parameter`);
}

function tooLarge(limitBytes: number): InputError {
  return new InputError(
    'TRANSACTION_TOO_LARGE',
    `a transaction writes more than ${limitBytes} bytes`,
    'Write less at once; nothing of it was kept',
  );
}
