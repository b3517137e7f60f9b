// The statements of an archive in DuckDB's SQL: records of a file of JSON lines into Parquet, many files into few, rows out.
//
// DuckDB reads the JSON and writes the Parquet on its own threads, so that the program's thread only copies bytes. Files are
// compressed with zstd, in row groups small enough to fetch one row of; DuckDB keeps statistics of each column of a group
// and, for columns with few different values (action, rules), Bloom filters. The newest rows stand first, as they are asked
// for: once a page is full of them, the statistics tell that the row groups behind have nothing to add.
import { type Condition, type SqlValue, sqlOf } from './conditions.ts';
import type { OffsetRange } from './coverage.ts';
import { type ArchivedRow, type ArchivedTable, type ColumnShape, PLACE_COLUMNS, type RowPlace } from './table.ts';

/** A file and what of it counts. */
export interface SourceFile {
  readonly path: string;
  /** null for all. */
  readonly includes: readonly OffsetRange[] | null;
}

export interface RowSearch {
  readonly fromMs: number;
  /** Not included. */
  readonly untilMs: number;
  /** Only rows that come after it where the newest come first; null for the first ones. */
  readonly after: RowPlace | null;
  readonly conditions: readonly Condition[];
  readonly limit: number;
}

const ROW_GROUP_ROWS = 20_480;
const PARQUET = `FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}`;
/** A record of the log is at most 1 MiB; as text within text it may be six times as long. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const { recordedMs: TIME, partition: PARTITION, offset: OFFSET, unread: UNREAD } = PLACE_COLUMNS;
const NEWEST_FIRST = `"${TIME}" DESC, "${PARTITION}" DESC, "${OFFSET}" DESC`;

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * Of lines `{"p":partition,"o":offset,"t":time,"k":key,"d":{record},"u":text}`, without `d` or without `u`. Refused as a
 * whole where one record does not fit the columns.
 */
export function encode(table: ArchivedTable, lines: string, target: string): string {
  const { columns, idColumn } = table;
  const record = sqlTypeOf({ fields: columns });
  const types = { p: 'INTEGER', o: 'BIGINT', t: 'BIGINT', k: 'VARCHAR', d: record, u: 'VARCHAR' };
  const own = Object.keys(columns).map((name) =>
    name === idColumn ? `coalesce(d."${name}", k) AS "${name}"` : `d."${name}" AS "${name}"`,
  );
  const place = [`t AS "${TIME}"`, `p AS "${PARTITION}"`, `o AS "${OFFSET}"`, `u AS "${UNREAD}"`];
  return `COPY (SELECT ${[...place, ...own].join(', ')} FROM ${jsonLines(lines, types)} ORDER BY t DESC, p DESC, o DESC)
    TO ${quoted(target)} (${PARQUET})`;
}

function jsonLines(path: string, types: Readonly<Record<string, string>>): string {
  const columns = Object.entries(types).map(([name, type]) => `${name}: ${quoted(type)}`);
  return `read_json(${quoted(path)}, format='newline_delimited', columns={${columns.join(', ')}},
    maximum_object_size=${MAX_LINE_BYTES})`;
}

/** Into files `0.parquet`, `1.parquet` … of a new folder, the newest rows first. */
export function merge(table: ArchivedTable, files: readonly SourceFile[], folder: string, fileBytes: number): string {
  return `COPY (SELECT * FROM ${rowsOf(table, files)} ORDER BY ${NEWEST_FIRST}) TO ${quoted(folder)}
    (${PARQUET}, FILE_SIZE_BYTES ${fileBytes}, FILENAME_PATTERN '{i}')`;
}

/** rows, first and last time; nulls where there are none */
export function countRows(table: ArchivedTable, files: readonly SourceFile[]): string {
  return `SELECT count(*), min("${TIME}"), max("${TIME}") FROM ${rowsOf(table, files)}`;
}

/** One cell of bytes: of each row the first 8 bytes of its id's SHA-256 and 4 bytes of its number, sorted. */
export function indexIds({ idColumn }: ArchivedTable, path: string): string {
  return `SELECT unhex(coalesce(string_agg(h || printf('%08x', n), '' ORDER BY h, n), '')) FROM
    (SELECT sha256(coalesce("${idColumn}", ''))[1:16] AS h, file_row_number AS n
      FROM read_parquet(${quoted(path)}, file_row_number=true, hive_partitioning=false))`;
}

/** Rows as JSON, newest first. */
export function searchRows(
  table: ArchivedTable,
  files: readonly SourceFile[],
  { fromMs, untilMs, after, conditions, limit }: RowSearch,
  parameters: SqlValue[],
): string {
  const wanted = conditions.map((condition) => sqlOf(condition, parameters));
  const place = [`"${TIME}" >= ${whole(fromMs)}`, `"${TIME}" < ${whole(untilMs)}`];
  if (after !== null) {
    const [time, partition, offset] = [after.recordedMs, after.partition, after.offset].map(whole);
    // The first alone tells which row groups need not be read.
    place.push(`"${TIME}" <= ${time}`);
    place.push(`("${TIME}", "${PARTITION}", "${OFFSET}") < (${time}, ${partition}, ${offset})`);
  }
  return `SELECT to_json(x)::VARCHAR FROM ${rowsOf(table, files)} x
    WHERE ${[...place, ...wanted].join(' AND ')} ORDER BY ${NEWEST_FIRST} LIMIT ${whole(limit)}`;
}

/** Rows as JSON, of those that have the id. */
export function rowsAt(
  table: ArchivedTable,
  { path, includes }: SourceFile,
  numbers: readonly number[],
  parameters: SqlValue[],
  id: string,
): string {
  parameters.push(id);
  const source = `read_parquet(${quoted(path)}, file_row_number=true, hive_partitioning=false)`;
  const row = `file_row_number IN (${numbers.map(whole).join(', ')})`;
  return `SELECT to_json(x)::VARCHAR FROM (${expected(table)} UNION ALL BY NAME
      SELECT * EXCLUDE (file_row_number) FROM ${source} WHERE ${[row, ...within(includes)].join(' AND ')}) x
    WHERE "${table.idColumn}" = $${parameters.length} ORDER BY ${NEWEST_FIRST}`;
}

/** The row that stands at an offset, as JSON. */
export function rowOfOffset(table: ArchivedTable, path: string, partition: number, offset: number): string {
  return `SELECT to_json(x)::VARCHAR FROM ${rowsOf(table, [{ path, includes: null }])} x
    WHERE "${PARTITION}" = ${whole(partition)} AND "${OFFSET}" = ${whole(offset)} LIMIT 1`;
}

/** What `to_json` gave. */
export function readRow({ columns }: ArchivedTable, json: string): ArchivedRow {
  const read = JSON.parse(json) as Record<string, unknown>;
  return {
    recordedMs: read[TIME] as number,
    partition: read[PARTITION] as number,
    offset: read[OFFSET] as number,
    unread: read[UNREAD] as string | null,
    values: Object.fromEntries(Object.keys(columns).map((name) => [name, read[name] ?? null])),
  };
}

function rowsOf(table: ArchivedTable, files: readonly SourceFile[]): string {
  const whole = files.filter(({ includes }) => includes === null);
  const parts = files.filter(({ includes }) => includes !== null);
  const sources = [
    expected(table),
    ...(whole.length > 0 ? [`SELECT * FROM ${parquet(whole)}`] : []),
    ...parts.map((part) => `SELECT * FROM ${parquet([part])} WHERE ${within(part.includes).join(' AND ')}`),
  ];
  return `(${sources.join(' UNION ALL BY NAME ')})`;
}

function parquet(files: readonly SourceFile[]): string {
  const paths = files.map(({ path }) => quoted(path)).join(', ');
  return `read_parquet([${paths}], union_by_name=true, hive_partitioning=false)`;
}

/** No rows, but all columns: files written before a column was added have none of it. */
function expected({ columns }: ArchivedTable): string {
  const place = [`0::BIGINT AS "${TIME}"`, `0::INTEGER AS "${PARTITION}"`, `0::BIGINT AS "${OFFSET}"`];
  const own = Object.entries(columns).map(([name, shape]) => `NULL::${sqlTypeOf(shape)} AS "${name}"`);
  return `SELECT ${[...place, `NULL::VARCHAR AS "${UNREAD}"`, ...own].join(', ')} WHERE false`;
}

function within(includes: SourceFile['includes']): string[] {
  if (includes === null) return [];
  return [`(${includes.map(({ from, to }) => `"${OFFSET}" BETWEEN ${whole(from)} AND ${whole(to)}`).join(' OR ')})`];
}

const SIMPLE = { text: 'VARCHAR', integer: 'BIGINT', number: 'DOUBLE' } as const;

export function sqlTypeOf(shape: ColumnShape): string {
  if (typeof shape === 'string') return SIMPLE[shape];
  if ('listOf' in shape) return `${sqlTypeOf(shape.listOf)}[]`;
  const fields = Object.entries(shape.fields).map(([name, field]) => `"${name}" ${sqlTypeOf(field)}`);
  return `STRUCT(${fields.join(', ')})`;
}

/** Numbers that stand in a statement are whole; ends of time that are none become the last ones there are. */
function whole(value: number): string {
  const most = Number.MAX_SAFE_INTEGER;
  return BigInt(Math.trunc(Math.min(Math.max(value, -most), most))).toString();
}
