// Runs redo entries again. PostgreSQL's commit is shared by many entries; one that changes tables is committed alone, as
// it was the first time.
import { type Engine, SqlFailureError } from './engine.ts';
import { damaged, type ReadEntry, type RedoLog } from './redo-log.ts';
import type { RedoStatement } from './transactions.ts';

const ENTRIES_PER_COMMIT = 200;
const DEFINES = /^\s*(?:create|alter|drop|truncate)\b/i;

/** What has been applied is remembered where no backup of the program's own tables looks. */
export const CREATE_POSITION = [
  'CREATE SCHEMA redo',
  'CREATE TABLE redo.redo_position (one integer PRIMARY KEY CHECK (one = 1), entry bigint NOT NULL)',
  'INSERT INTO redo.redo_position VALUES (1, 0)',
];

export function setPosition(entry: number) {
  return { text: 'UPDATE redo.redo_position SET entry = $1', parameters: [String(entry)] };
}

export async function readPosition(engine: Engine): Promise<number> {
  const { rows } = await engine.run({ text: 'SELECT entry FROM redo.redo_position', parameters: [] });
  return rows[0]!.entry as number;
}

/**
 * @param from number of the first entry that the database does not have
 * @returns how many entries were run
 * @throws InputError RECORDS_DAMAGED where one does not do what it did the first time
 */
export async function replay(engine: Engine, redo: RedoLog, from: number): Promise<number> {
  let open = 0;
  let last = from - 1;
  const commit = async () => {
    if (open === 0) return;
    await engine.run(setPosition(last));
    await engine.run({ text: 'COMMIT', parameters: [] });
    open = 0;
  };
  for (const entry of redo.read(from)) {
    const isAlone = entry.statements.some(({ text }) => DEFINES.test(text));
    if (isAlone) await commit();
    if (open === 0) await engine.run({ text: 'BEGIN READ WRITE', parameters: [] });
    for (const statement of entry.statements) await again(engine, statement, entry);
    open++;
    last = entry.number;
    if (isAlone || open >= ENTRIES_PER_COMMIT) await commit();
  }
  await commit();
  return last - from + 1;
}

async function again(engine: Engine, statement: RedoStatement, { path, position, number }: ReadEntry): Promise<void> {
  const fail = (what: string) => damaged(path, position, `entry ${number} does not do again what it did: ${what}`);
  const { changed } = await engine.run(statement).catch((error: unknown) => {
    throw error instanceof SqlFailureError ? fail(`${error.message} (${error.failure.code})`) : error;
  });
  if (changed !== statement.changed) throw fail(`it changed ${statement.changed} rows and now ${changed}`);
}
