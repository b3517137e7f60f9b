// Many rows with one statement: each column travels as an array (UNNEST), so that a statement has as many parameters as columns.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';

/** Name, type of the database, and the value of a row; `jsonb` travels as text. */
export type BulkColumn<Row> = readonly [name: string, type: string, value: (row: Row) => unknown];

const ROWS_A_STATEMENT = 2_000;

/** The table is `kept` in what follows. @param after what follows the rows: `ON CONFLICT …`; nothing where left out */
export async function insertMany<Row>(
  tx: Kysely<Database>,
  table: string,
  rows: readonly Row[],
  columns: readonly BulkColumn<Row>[],
  after: RawBuilder<unknown> = sql``,
): Promise<void> {
  const names = sql.join(columns.map(([name]) => sql.ref(name)));
  for (const part of partsOf(rows)) {
    await sql`INSERT INTO ${sql.table(table)} AS kept (${names}) ${selectOf(part, columns)} ${after}`.execute(tx);
  }
}

/** Sets the columns but for the first, which is the key. @param also further assignments, as SQL */
export async function updateMany<Row>(
  tx: Kysely<Database>,
  table: string,
  rows: readonly Row[],
  columns: readonly BulkColumn<Row>[],
  also: RawBuilder<unknown>,
): Promise<void> {
  const [[key], ...rest] = columns;
  const sets = sql.join(rest.map(([name]) => sql`${sql.ref(name)} = many.${sql.ref(name)}`));
  for (const part of partsOf(rows)) {
    await sql`UPDATE ${sql.table(table)} SET ${sets}, ${also} FROM (${selectOf(part, columns)}) AS many
      WHERE ${sql.table(table)}.${sql.ref(key)} = many.${sql.ref(key)}`.execute(tx);
  }
}

function selectOf<Row>(rows: readonly Row[], columns: readonly BulkColumn<Row>[]): RawBuilder<unknown> {
  const names = sql.join(columns.map(([name]) => sql.ref(name)));
  const picked = sql.join(
    columns.map(([name, type]) =>
      type === 'jsonb' ? sql`${sql.ref(name)}::jsonb AS ${sql.ref(name)}` : sql.ref(name),
    ),
  );
  const arrays = sql.join(
    columns.map(([, type, value]) => sql`${rows.map(value)}::${sql.raw(type === 'jsonb' ? 'text' : type)}[]`),
  );
  return sql`SELECT ${picked} FROM unnest(${arrays}) AS row (${names})`;
}

function* partsOf<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let from = 0; from < rows.length; from += ROWS_A_STATEMENT) yield rows.slice(from, from + ROWS_A_STATEMENT);
}
