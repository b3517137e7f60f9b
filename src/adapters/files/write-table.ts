// Writes a table of any length to a file whose format its ending says. Rows stream through; the file gets its name only
// when it is whole, so nothing half-written is ever found under it.
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../lib/errors.ts';
import type { Cell, TableColumn, TableWriter } from '../../ports.ts';
import { openParquetSink } from './write-parquet.ts';
import { type Encoder, openTextSink } from './write-text.ts';

/** Where rows go before the file has its name. */
export interface TableSink {
  write(rows: readonly (readonly Cell[])[]): Promise<void>;
  /** Everything is on disk afterwards. */
  finish(): Promise<void>;
  /** Lets go of the file without finishing it. */
  discard(): Promise<void>;
}

/**
 * @param path ends in .csv, .ndjson, .jsonl or .json (each also with .gz) or in .parquet; its folder is made
 * @throws InputError FORMAT_UNKNOWN, OUTPUT_FORBIDDEN
 */
export async function createTableWriter(path: string, columns: readonly TableColumn[]): Promise<TableWriter> {
  const temporary = `${path}.${process.pid}.tmp`;
  const openSink = sinkFor(path, columns);
  await prepareFolder(path);
  const sink = await openSink(temporary);
  let rows = 0;
  let open = true;
  const discard = async () => {
    if (!open) return;
    open = false;
    await sink.discard();
    await rm(temporary, { force: true });
  };
  return {
    async write(added) {
      try {
        await sink.write(added);
      } catch (error) {
        await discard();
        throw error;
      }
      rows += added.length;
    },
    async close() {
      try {
        await sink.finish();
        await rename(temporary, path);
      } catch (error) {
        await discard();
        throw error;
      }
      open = false;
      return { rows, bytes: (await stat(path)).size };
    },
    abort: discard,
  };
}

function sinkFor(path: string, columns: readonly TableColumn[]): (temporary: string) => Promise<TableSink> {
  const ending = /\.(csv|ndjson|jsonl|json|parquet)(\.gz)?$/i.exec(path);
  const format = ending?.[1]?.toLowerCase();
  const gzip = ending?.[2] !== undefined;
  if (format === 'parquet' && !gzip) return (temporary) => openParquetSink(temporary, columns);
  const encoder = format === undefined ? undefined : ENCODERS[format]?.(columns);
  if (encoder === undefined) {
    throw new InputError(
      'FORMAT_UNKNOWN',
      `The name of ${path} does not say what to write`,
      'Known endings: .csv, .ndjson, .jsonl, .json (each also with .gz) and .parquet',
    );
  }
  return (temporary) => openTextSink(temporary, encoder, gzip);
}

async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw new InputError(
      'OUTPUT_FORBIDDEN',
      `${dirname(path)} cannot be made (${(error as Error).message})`,
      'Choose another place',
    );
  }
  const existing = await stat(path).catch(() => null);
  if (existing?.isDirectory()) {
    throw new InputError('OUTPUT_FORBIDDEN', `${path} is a folder`, 'Give the name of a file');
  }
}

const ENCODERS: Readonly<Record<string, (columns: readonly TableColumn[]) => Encoder>> = {
  csv: csvEncoder,
  ndjson: (columns) => jsonEncoder(columns, '', '\n', ''),
  jsonl: (columns) => jsonEncoder(columns, '', '\n', ''),
  json: (columns) => jsonEncoder(columns, '[\n', ',\n', '\n]\n'),
};

function csvEncoder(columns: readonly TableColumn[]): Encoder {
  return {
    head: `${columns.map(({ name }) => csvText(name)).join(',')}\n`,
    encode(rows) {
      let text = '';
      for (const row of rows) {
        for (let i = 0; i < row.length; i++) {
          const cell = row[i];
          if (i > 0) text += ',';
          if (typeof cell === 'string') text += csvText(cell);
          else if (cell !== null && !Number.isNaN(cell)) text += cell;
        }
        text += '\n';
      }
      return text;
    },
    tail: () => '',
  };
}

/** Characters that make a text need quotes; blanks at the ends would be lost by readers that trim. */
const NEEDS_QUOTES = /[",;\t\n\r]|^\s|\s$/;

function csvText(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function jsonEncoder(columns: readonly TableColumn[], head: string, between: string, end: string): Encoder {
  const keys = columns.map(({ name }) => `${JSON.stringify(name)}:`);
  let empty = true;
  const isArray = head !== '';
  return {
    head,
    encode(rows) {
      let text = '';
      for (const row of rows) {
        if (isArray && !empty) text += between;
        empty = false;
        text += '{';
        for (let i = 0; i < row.length; i++) {
          const cell = row[i];
          if (i > 0) text += ',';
          text += keys[i];
          text +=
            typeof cell === 'string'
              ? JSON.stringify(cell)
              : typeof cell === 'number' && !Number.isFinite(cell)
                ? 'null'
                : cell;
        }
        text += isArray ? '}' : `}${between}`;
      }
      return text;
    },
    tail: () => end,
  };
}
