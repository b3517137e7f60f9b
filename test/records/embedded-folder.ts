// A folder with the embedded database, as the drills use it: limits so small that everything happens within seconds.
import { openPglite, type PgliteOptions } from '../../src/adapters/pglite/open-pglite.ts';
import type { SqlDatabase } from '../../src/ports.ts';

export const SMALL_LIMITS = {
  redoSegmentBytes: 20_000,
  checkpointAfterBytes: 50_000,
  snapshotAfterBytes: 80_000,
  snapshotAfterTimes: 0,
  snapshotAtCloseBytes: 60_000,
} satisfies PgliteOptions['limits'];

export const CREATE =
  'CREATE TABLE IF NOT EXISTS numbers (n bigint PRIMARY KEY, half integer NOT NULL, filler text NOT NULL)';

export function openSmall(folder: string, onRecovery: (text: string) => void, limits = {}): Promise<SqlDatabase> {
  return openPglite({ folder, onRecovery, limits: { ...SMALL_LIMITS, ...limits } });
}

/** Two rows in two statements: a reader can tell whether a transaction is whole. */
export function writeNumber(database: SqlDatabase, n: number): Promise<void> {
  const filler = 'x'.repeat((n * 37) % 600);
  return database.transact(async (run) => {
    const text = 'INSERT INTO numbers (n, half, filler) VALUES ($1, $2, $3)';
    await run({ text, parameters: [2 * n, n, filler] });
    await run({ text, parameters: [2 * n + 1, n, filler] });
    // Something that changes again and again, as the records of cases do.
    await run({
      text: 'UPDATE numbers SET filler = $1 WHERE n = $2',
      parameters: [`${n}`, 2 * Math.floor(n / 10) * 10],
    });
  });
}

/** The numbers that are there. @throws Error where a transaction is not whole */
export async function numbersIn(database: SqlDatabase): Promise<number[]> {
  const { rows } = await database.run({
    text: 'SELECT half, count(*) AS rows FROM numbers GROUP BY half ORDER BY half',
    parameters: [],
  });
  const torn = rows.filter((row) => row.rows !== 2);
  if (torn.length > 0) throw new Error(`half a transaction: ${JSON.stringify(torn)}`);
  return rows.map(({ half }) => half as number);
}
