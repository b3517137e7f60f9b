// A Parquet file as blocks of rows, read by DuckDB in chunks; every column is taken as its text.
import { InputError } from '../../lib/errors.ts';
import { type ByteSource, firstBytes } from './byte-source.ts';
import type { RowBlock, RowSource } from './row-block.ts';
import { TextBlock } from './text-block.ts';

const SAMPLE_ROWS = 1000;
const MAX_CELL_CHARACTERS = 4096;

export async function openParquet(source: ByteSource): Promise<RowSource> {
  const { path } = source;
  if (!(await firstBytes(path, 4)).equals(Buffer.from('PAR1'))) {
    throw new InputError(
      'PARQUET_INVALID',
      `${path} ends in .parquet but is not a Parquet file`,
      'Check how it was made',
    );
  }
  const file = `read_parquet('${path.replaceAll("'", "''")}')`;
  const { columns, query, rowsTotal, sample } = await withConnection(path, async (connection) => {
    const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${file}`)).getRows();
    const selected = described.map(([name, type]) => asText(String(name), String(type))).join(', ');
    const select = `SELECT ${selected} FROM ${file}`;
    const [[total]] = (await connection.runAndReadAll(`SELECT count(*) FROM ${file}`)).getRows();
    const first = (await connection.runAndReadAll(`${select} LIMIT ${SAMPLE_ROWS}`)).getRows();
    return {
      columns: described.map(([name]) => String(name)),
      query: select,
      rowsTotal: Number(total),
      sample: first.map((cells) => cells.map((cell) => (cell === null ? '' : String(cell)))),
    };
  });
  let rowsRead = 0;

  async function* blocks(): AsyncGenerator<RowBlock> {
    rowsRead = 0;
    const { connection, close } = await connect(path);
    try {
      const result = await connection.stream(query);
      const target = new TextBlock(columns.length);
      for (
        let chunk = await result.fetchChunk();
        chunk !== null && chunk.rowCount > 0;
        chunk = await result.fetchChunk()
      ) {
        const values = chunk.getColumns() as (string | null)[][];
        for (let row = 0; row < chunk.rowCount; row++) {
          let characters = 0;
          for (const column of values) characters += column[row]?.length ?? 0;
          if (!target.hasRoom(characters)) {
            yield target.block;
            target.clear();
          }
          rowsRead += 1;
          target.beginRow();
          for (let i = 0; i < values.length; i++) {
            const text = values[i][row];
            if (text !== null) target.set(i, text);
          }
          target.endRow(rowsRead);
        }
      }
      if (target.block.rows > 0) yield target.block;
    } catch (error) {
      throw explain(path, error);
    } finally {
      close();
    }
  }

  return {
    format: 'Parquet',
    columns,
    encoding: 'utf-8',
    sample: () => Promise.resolve(sample),
    blocks,
    progress: () => (rowsTotal === 0 ? 1 : rowsRead / rowsTotal),
  };
}

/** The column's text, cut so that a cell never exceeds a block; lists are joined with '|'. */
function asText(name: string, type: string): string {
  const column = `"${name.replaceAll('"', '""')}"`;
  const text = type.endsWith('[]') ? `array_to_string(${column}, '|')` : `CAST(${column} AS VARCHAR)`;
  return `substring(${text}, 1, ${MAX_CELL_CHARACTERS}) AS ${column}`;
}

async function connect(path: string) {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    // Times with an offset come out in UTC and say so.
    await connection.run("SET TimeZone = 'UTC'");
    const close = () => {
      connection.closeSync();
      instance.closeSync();
    };
    return { connection, close };
  } catch (error) {
    instance.closeSync();
    throw explain(path, error);
  }
}

type Connection = Awaited<ReturnType<typeof connect>>['connection'];

async function withConnection<T>(path: string, use: (connection: Connection) => Promise<T>): Promise<T> {
  const { connection, close } = await connect(path);
  try {
    return await use(connection);
  } catch (error) {
    throw explain(path, error);
  } finally {
    close();
  }
}

function explain(path: string, error: unknown): InputError {
  const reason = (error instanceof Error ? error.message : String(error)).split('\n')[0];
  return new InputError(
    'PARQUET_INVALID',
    `${path} cannot be read as Parquet (${reason})`,
    'Copy it again or check how it was made',
  );
}
