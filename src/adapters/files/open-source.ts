// Finds out by its name what kind of table a file is, and opens it.
import { InputError } from '../../lib/errors.ts';
import { openBytes } from './byte-source.ts';
import { openCsv } from './csv-source.ts';
import { openJson } from './json-source.ts';
import type { MappingFile } from './mapping-file.ts';
import { openParquet } from './parquet-source.ts';
import type { RowSource } from './row-block.ts';

const CSV: ReadonlySet<string> = new Set(['csv', 'tsv', 'txt']);
const JSON_LINES: ReadonlySet<string> = new Set(['ndjson', 'jsonl', 'json']);

export async function openSource(
  path: string,
  mapping: MappingFile | null,
  onProgress?: (bytesRead: number, bytesTotal: number) => void,
): Promise<RowSource> {
  const source = await openBytes(path, onProgress);
  const extension = /\.([a-z0-9]+)(?:\.gz)?$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  if (CSV.has(extension)) {
    return openCsv(source, { delimiter: mapping?.delimiter ?? null, encoding: mapping?.encoding ?? 'utf-8' });
  }
  if (JSON_LINES.has(extension)) return openJson(source, optionalColumns(mapping));
  if (extension === 'parquet' && !source.gzip) return openParquet(source);
  throw new InputError(
    'FORMAT_UNKNOWN',
    `The name of ${path} does not say what it is`,
    'Known endings: .csv, .tsv, .txt, .ndjson, .jsonl, .json (each also with .gz) and .parquet',
  );
}

function optionalColumns(mapping: MappingFile | null): string[] {
  const columns = [...(mapping?.fields.values() ?? [])].filter(({ optional }) => optional === true);
  return [...new Set(columns.map(({ column }) => column))];
}
