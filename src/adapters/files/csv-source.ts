// A CSV file (packed or not) as blocks of rows.
import { InputError } from '../../lib/errors.ts';
import { type ByteSource, emptyFile, readStart } from './byte-source.ts';
import { CsvScanner } from './csv-scanner.ts';
import { checkText, skipByteOrderMark, sniffDialect } from './csv-sniff.ts';
import { RowBlock, type RowSource, type TextEncoding } from './row-block.ts';
import { decodeText } from './text-cache.ts';

export const MAX_ROW_BYTES = 1 << 20;
const BUFFER_BYTES = 2 * MAX_ROW_BYTES;
/** How much of the beginning is looked at to recognise the file. */
const SAMPLE_BYTES = 1 << 18;
const SAMPLE_ROWS = 1000;

export interface CsvHints {
  readonly delimiter: string | null;
  readonly encoding: TextEncoding;
}

export async function openCsv(source: ByteSource, hints: CsvHints): Promise<RowSource> {
  const { path } = source;
  const sample = await readStart(source, SAMPLE_BYTES);
  if (sample.length === 0) throw emptyFile(path);
  checkText(path, sample, hints.encoding);
  const begin = skipByteOrderMark(sample);
  const dialect = sniffDialect(sample.subarray(begin), hints.delimiter);
  const complete = sample.length < SAMPLE_BYTES;
  const header = readHeader(path, sample, begin, dialect, complete, hints.encoding);
  const { columns } = header;

  async function* blocks(): AsyncGenerator<RowBlock> {
    const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
    const block = new RowBlock(buffer, columns.length);
    const scanner = new CsvScanner(dialect, header.nextLine, MAX_ROW_BYTES);
    let toSkip = header.end;
    let filled = 0;
    for await (const chunk of source.chunks()) {
      let offset = Math.min(toSkip, chunk.length);
      toSkip -= offset;
      while (offset < chunk.length) {
        const taken = Math.min(chunk.length - offset, buffer.length - filled);
        chunk.copy(buffer, filled, offset, offset + taken);
        offset += taken;
        filled += taken;
        filled = yield* drain(scanner, block, filled, false);
      }
    }
    yield* drain(scanner, block, filled, true);
  }

  return {
    format: `CSV separated by ${describeDelimiter(dialect.delimiter)}${source.gzip ? ', gzip' : ''}`,
    columns,
    encoding: hints.encoding,
    sample: () => Promise.resolve(sampleRows(sample, header, dialect, complete, hints.encoding)),
    blocks,
    progress: () => Math.min(1, source.bytesRead() / source.bytesTotal),
  };
}

/** Yields what can be cut from the buffer and moves the rest to its front. @returns bytes that remain */
function* drain(scanner: CsvScanner, block: RowBlock, filled: number, final: boolean): Generator<RowBlock, number> {
  let position = 0;
  for (;;) {
    block.clear();
    const next = scanner.scan(block, position, filled, final);
    if (block.rows > 0) yield block;
    const stuck = next === position;
    position = next;
    if (position >= filled || (stuck && block.rows === 0) || !block.full) {
      if (final && position < filled && !stuck) continue;
      break;
    }
  }
  block.bytes.copyWithin(0, position, filled);
  return filled - position;
}

interface Header {
  readonly columns: readonly string[];
  /** where the first row begins */
  readonly end: number;
  readonly nextLine: number;
}

const MAX_COLUMNS = 2000;

function readHeader(
  path: string,
  sample: Buffer,
  begin: number,
  dialect: { delimiter: number; newline: number },
  complete: boolean,
  encoding: TextEncoding,
): Header {
  const block = new RowBlock(Buffer.from(sample), MAX_COLUMNS, 1);
  const scanner = new CsvScanner(dialect, 1, MAX_ROW_BYTES);
  const end = scanner.scan(block, begin, sample.length, complete);
  if (block.rows === 0) {
    if (complete) throw emptyFile(path);
    throw new InputError(
      'HEADER_INVALID',
      `${path} has no line break in its first ${SAMPLE_BYTES / 1024} kB`,
      'Is it a CSV file?',
    );
  }
  const columns: string[] = [];
  const count = Math.min(block.fieldCounts[0], MAX_COLUMNS);
  for (let i = 0; i < count; i++) {
    columns.push((decodeText(block.bytes, block.starts[i], block.ends[i], encoding) ?? '').trim());
  }
  const repeated = columns.find((name, i) => name !== '' && columns.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new InputError(
      'HEADER_INVALID',
      `${path} has two columns called '${repeated}'`,
      'Give each column its own name',
    );
  }
  return { columns, end: Math.min(end, sample.length), nextLine: scanner.line };
}

function sampleRows(
  sample: Buffer,
  header: Header,
  dialect: { delimiter: number; newline: number },
  complete: boolean,
  encoding: TextEncoding,
): string[][] {
  const columns = header.columns.length;
  const block = new RowBlock(Buffer.from(sample), columns, SAMPLE_ROWS);
  new CsvScanner(dialect, 1, MAX_ROW_BYTES).scan(block, header.end, sample.length, complete);
  const rows: string[][] = [];
  for (let row = 0; row < block.rows; row++) {
    if (block.faults[row] !== 0) continue;
    const cells: string[] = [];
    for (let i = row * columns; i < (row + 1) * columns; i++) {
      cells.push((decodeText(block.bytes, block.starts[i], block.ends[i], encoding) ?? '').trim());
    }
    rows.push(cells);
  }
  return rows;
}

function describeDelimiter(byte: number): string {
  return byte === 9 ? 'tabs' : `'${String.fromCharCode(byte)}'`;
}
