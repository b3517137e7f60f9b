// Records into the bytes of a Parquet file and of its index of ids.
//
// Whether all records fit the columns is found out by trying: that costs nothing where they do. Where one does not, all are
// read here one by one, and those that do not fit are kept as their text.
import { assert } from '../../lib/assert.ts';
import { InputError } from '../../lib/errors.ts';
import type { ArchiveTools } from './archive-files.ts';
import { type HeldPart, type HeldRecord, type ReadRecord, readHeld, textOfHeld, valueOfHeld } from './held-records.ts';
import { encode, indexIds } from './parquet-sql.ts';
import type { ArchivedTable } from './table.ts';

export interface EncodedPart {
  readonly data: Uint8Array;
  readonly ids: Uint8Array;
  /** Some records did not fit the columns: they are there as text. */
  readonly hasUnread: boolean;
}

const CHUNK_BYTES = 128 * 1024;
const REFUSED = 'SQL_REFUSED';
const LINES = 'records.ndjson';
const TARGET = 'part.parquet';

/** @param records at least one */
export async function encodePart(
  { sql, scratch }: ArchiveTools,
  table: ArchivedTable,
  { partition, isPlain }: Pick<HeldPart, 'partition' | 'isPlain'>,
  records: readonly HeldRecord[],
): Promise<EncodedPart> {
  const folder = await scratch.folder();
  const lines = folder.path(LINES);
  const target = folder.path(TARGET);
  const tries = async (lineOf: (record: HeldRecord) => Line) => {
    await folder.write(LINES, chunksOf(records, lineOf));
    return await isTaken(sql, encode(table, lines, target), records.length);
  };
  try {
    const fits = isPlain && (await tries((record) => plainLine(partition, record)));
    const isWritten =
      fits ||
      (await tries((record) => readLine(partition, record, readHeld(table, record)))) ||
      (await tries((record) => readLine(partition, record, { fields: null, text: textOfHeld(record) })));
    assert(isWritten, `records of partition ${partition} are refused even as text`);
    const ids = await idsOf(sql, table, target);
    return { data: await folder.read(TARGET), ids, hasUnread: !fits };
  } finally {
    await folder.remove();
  }
}

/** The index of a file's ids. */
export async function idsOf(sql: ArchiveTools['sql'], table: ArchivedTable, path: string): Promise<Uint8Array> {
  const [[bytes]] = await sql.run(indexIds(table, path));
  return bytes as Uint8Array;
}

async function isTaken(sql: ArchiveTools['sql'], statement: string, rows: number): Promise<boolean> {
  try {
    const [[count]] = await sql.run(statement);
    return Number(count) === rows;
  } catch (error) {
    if (error instanceof InputError && error.code === REFUSED) return false;
    throw error;
  }
}

type Line = readonly (string | Uint8Array)[];

/** The record's bytes as they are. */
function plainLine(partition: number, record: HeldRecord): Line {
  const { offset, recordedMs, key } = record;
  return [
    `{"p":${partition},"o":${offset},"t":${recordedMs},"k":${JSON.stringify(key)},"d":`,
    valueOfHeld(record),
    '}\n',
  ];
}

function readLine(partition: number, { offset, recordedMs, key }: HeldRecord, { fields, text }: ReadRecord): Line {
  return [`${JSON.stringify({ p: partition, o: offset, t: recordedMs, k: key, d: fields, u: text })}\n`];
}

function* chunksOf(records: readonly HeldRecord[], lineOf: (record: HeldRecord) => Line): Generator<Uint8Array> {
  let pieces: Buffer[] = [];
  let bytes = 0;
  for (const record of records) {
    for (const piece of lineOf(record)) {
      const encoded =
        typeof piece === 'string' ? Buffer.from(piece) : Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      pieces.push(encoded);
      bytes += encoded.length;
    }
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(pieces, bytes);
    [pieces, bytes] = [[], 0];
  }
  if (bytes > 0) yield Buffer.concat(pieces, bytes);
}
