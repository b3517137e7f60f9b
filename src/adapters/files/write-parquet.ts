// Parquet by DuckDB. Rows are gathered in a temporary database file beside the target, so that memory stays bounded,
// and copied from there in one go.
import { rm } from 'node:fs/promises';
import type { ColumnType, TableColumn } from '../../ports.ts';
import type { TableSink } from './write-table.ts';

/** DuckDB's vectors hold 2048 rows. */
const CHUNK_ROWS = 2048;
const MEMORY_LIMIT = '512MB';

const WRITTEN: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  boolean: 'BOOLEAN',
};

export async function openParquetSink(temporary: string, columns: readonly TableColumn[]): Promise<TableSink> {
  const { BOOLEAN, DOUBLE, DuckDBDataChunk, DuckDBInstance, VARCHAR } = await import('@duckdb/node-api');
  const databasePath = `${temporary}.duckdb`;
  const removeDatabase = async () => {
    for (const path of [databasePath, `${databasePath}.wal`]) await rm(path, { force: true });
    await rm(`${databasePath}.tmp`, { force: true, recursive: true });
  };
  await removeDatabase();
  const instance = await DuckDBInstance.create(databasePath, { threads: '1', memory_limit: MEMORY_LIMIT });
  const connection = await instance.connect();
  // Whole numbers are gathered as doubles (exact to 2^53) and become BIGINT in the file.
  const gathered = { text: VARCHAR, integer: DOUBLE, number: DOUBLE, boolean: BOOLEAN };
  const types = columns.map(({ type }) => gathered[type]);
  await connection.run(`CREATE TABLE gathered (${columns.map((_, i) => `c${i} ${types[i]}`).join(', ')})`);
  const appender = await connection.createAppender('gathered');
  const release = async () => {
    connection.closeSync();
    instance.closeSync();
    await removeDatabase();
  };
  return {
    write(rows) {
      for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
        const part = rows.slice(from, from + CHUNK_ROWS);
        const chunk = DuckDBDataChunk.create(types);
        chunk.setColumns(
          columns.map((_, i) =>
            part.map((row) => (typeof row[i] === 'number' && Number.isNaN(row[i]) ? null : row[i])),
          ),
        );
        appender.appendDataChunk(chunk);
      }
      appender.flushSync();
      return Promise.resolve();
    },
    async finish() {
      appender.closeSync();
      const selected = columns.map(({ name, type }, i) => `c${i}::${WRITTEN[type]} AS ${quoteName(name)}`).join(', ');
      const target = temporary.replaceAll("'", "''");
      await connection.run(`COPY (SELECT ${selected} FROM gathered) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`);
      await release();
    },
    async discard() {
      await release();
    },
  };
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
