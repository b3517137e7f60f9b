// Finds out by its name what kind of table a file is, and opens it.
import { InputError } from '../../lib/errors.ts';
import { openBytes } from './byte-source.ts';
import { openCsv } from './csv-source.ts';
import type { MappingFile } from './mapping-file.ts';
import type { RowSource } from './row-block.ts';

const CSV = new Set(['csv', 'tsv', 'txt']);

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
  throw new InputError(
    'FORMAT_UNKNOWN',
    `The name of ${path} does not say what it is`,
    'Known endings: .csv, .tsv, .txt, .ndjson, .jsonl, .json (each also with .gz) and .parquet',
  );
}
