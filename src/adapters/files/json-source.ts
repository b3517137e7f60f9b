// NDJSON, or a JSON array of objects, as blocks of rows. Nested objects become columns with dotted names.
import { isUtf8 } from 'node:buffer';
import { InputError } from '../../lib/errors.ts';
import { type ByteSource, emptyFile, readStart } from './byte-source.ts';
import { checkText, skipByteOrderMark } from './csv-sniff.ts';
import { type JsonPiece, splitArray, splitLines } from './json-split.ts';
import type { RowBlock, RowSource } from './row-block.ts';
import { TextBlock } from './text-block.ts';

const MAX_ROW_BYTES = 1 << 20;
const SAMPLE_BYTES = 1 << 18;
const SAMPLE_ROWS = 1000;
const MAX_DEPTH = 4;
const MAX_COLUMNS = 2000;

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/** @param wanted columns that the mapping names: read even if the first rows lack them */
export async function openJson(source: ByteSource, wanted: readonly string[]): Promise<RowSource> {
  const sample = await readStart(source, SAMPLE_BYTES);
  if (sample.length === 0) throw emptyFile(source.path);
  checkText(source.path, sample, 'utf-8');
  const begin = skipByteOrderMark(sample);
  const isArray = /^\s*\[/.test(sample.toString('latin1', begin, begin + 64));
  const pieces = () => (isArray ? splitArray : splitLines)(afterMark(source.chunks(), begin), MAX_ROW_BYTES);
  const objects = await readSample(source, pieces());
  const found = new Set<string>();
  for (const object of objects) for (const key of Object.keys(object)) found.add(key);
  const columns = [...found].slice(0, MAX_COLUMNS);
  const known = new Set(columns);
  // Optional columns of the mapping that come later in the file must not be lost; missing ones are seen as empty.
  const hidden = wanted.filter((column) => !known.has(column));
  const indexes = new Map([...columns, ...hidden].map((column, index) => [column, index]));

  async function* blocks(): AsyncGenerator<RowBlock> {
    const target = new TextBlock(indexes.size);
    for await (const piece of pieces()) {
      if (!target.hasRoom(piece.bytes.length)) {
        yield target.block;
        target.clear();
      }
      addPiece(target, piece, indexes);
    }
    if (target.block.rows > 0) yield target.block;
  }

  return {
    format: `${isArray ? 'JSON array' : 'NDJSON'}${source.gzip ? ', gzip' : ''}`,
    columns,
    hiddenColumns: hidden,
    encoding: 'utf-8',
    sample: () => Promise.resolve(objects.map((object) => [...indexes.keys()].map((column) => object[column] ?? ''))),
    blocks,
    progress: () => Math.min(1, source.bytesRead() / source.bytesTotal),
  };
}

async function* afterMark(chunks: AsyncIterable<Buffer>, skipped: number): AsyncGenerator<Buffer> {
  let toSkip = skipped;
  for await (const chunk of chunks) {
    const offset = Math.min(toSkip, chunk.length);
    toSkip -= offset;
    if (offset < chunk.length) yield offset === 0 ? chunk : chunk.subarray(offset);
  }
}

async function readSample(source: ByteSource, pieces: AsyncIterable<JsonPiece>): Promise<Record<string, string>[]> {
  const objects: Record<string, string>[] = [];
  let seen = 0;
  for await (const piece of pieces) {
    if (seen === SAMPLE_ROWS) break;
    seen += 1;
    const object = parsePiece(piece);
    if (typeof object === 'string') continue;
    const texts: Record<string, string> = {};
    visitLeaves(object, '', 1, (name, text) => {
      texts[name] = text;
    });
    objects.push(texts);
  }
  if (objects.length > 0) return objects;
  if (seen === 0) throw new InputError('NO_ROWS', `${source.path} holds no objects`, 'Give a file with transactions');
  throw new InputError(
    'JSON_INVALID',
    `${source.path} holds no JSON objects: the first ${seen} values are something else or broken`,
    'Give one object per line (NDJSON), or one array of objects',
  );
}

function addPiece(target: TextBlock, piece: JsonPiece, indexes: ReadonlyMap<string, number>): void {
  const object = parsePiece(piece);
  if (typeof object === 'string') {
    target.addFault(piece.line, object, piece.bytes);
    return;
  }
  target.beginRow();
  visitLeaves(object, '', 1, (name, text) => {
    const index = text === '' ? undefined : indexes.get(name);
    if (index !== undefined) target.set(index, text);
  });
  target.endRow(piece.line);
}

function parsePiece(piece: JsonPiece): { [key: string]: Json } | 'LINE_TOO_LONG' | 'JSON_INVALID' | 'ENCODING_INVALID' {
  if (piece.tooLong) return 'LINE_TOO_LONG';
  if (piece.cut) return 'JSON_INVALID';
  if (!isUtf8(piece.bytes)) return 'ENCODING_INVALID';
  try {
    const text = piece.bytes.toString('utf8');
    const value = LONG_NUMBER.test(text) ? parseKeepingNumbers(text) : (JSON.parse(text) as Json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : 'JSON_INVALID';
  } catch {
    return 'JSON_INVALID';
  }
}

/** A number so large that a double may not hold its last digits or cents: an id, say. It is kept as it is written. */
const LONG_NUMBER = /[:,[]\s*-?\d{14}/;

function parseKeepingNumbers(text: string): Json {
  const keep = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && context?.source !== undefined ? context.source : value;
  return JSON.parse(text, keep as (key: string, value: unknown) => unknown) as Json;
}

/** Tells of each leaf its dotted name and its text; that of null is empty. */
function visitLeaves(
  object: { [key: string]: Json },
  prefix: string,
  depth: number,
  visit: (name: string, text: string) => void,
): void {
  for (const key of Object.keys(object)) {
    const value = object[key];
    const name = prefix === '' ? key : prefix + key;
    if (value === null) visit(name, '');
    else if (typeof value === 'string') visit(name, value);
    else if (typeof value !== 'object') visit(name, String(value));
    else if (Array.isArray(value)) {
      const plain = value.every((item) => typeof item !== 'object');
      visit(name, plain ? value.join('|') : JSON.stringify(value));
    } else if (depth < MAX_DEPTH) visitLeaves(value, `${name}.`, depth + 1, visit);
    else visit(name, JSON.stringify(value));
  }
}
