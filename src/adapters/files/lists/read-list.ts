// Finds out by its name and beginning what kind of list a file is, and reads it.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ListFormat } from '../../../domain/list-formats.ts';
import { InputError } from '../../../lib/errors.ts';
import type { ListFile } from '../../../ports.ts';
import { type ByteSource, openBytes, readStart } from '../byte-source.ts';
import { readListCsv } from './read-list-csv.ts';
import { readOfacCsv } from './read-ofac-csv.ts';
import { readXmlList } from './read-xml-list.ts';

export interface ReadListOptions {
  /** Recognised where it is null. */
  readonly format: ListFormat | null;
  readonly withWeakNames: boolean;
}

export interface ReadList extends ListFile {
  readonly format: ListFormat;
}

/** Entity number, name between quotes, kind: no other CSV begins so. */
const SDN_START = /^\d+,"[^"]+","?(?:-0- ?|individual|vessel|aircraft|entity)"?,/i;
const START_BYTES = 4096;

/** A file on disk. OFAC's alt.csv is taken from the same folder. */
export async function readListFile(path: string, options: ReadListOptions): Promise<ReadList> {
  return readList(await openBytes(path), options, async () => {
    const alt = join(dirname(path), 'alt.csv');
    const hasAlt = await stat(alt).then(
      (found) => found.isFile(),
      () => false,
    );
    return hasAlt ? openBytes(alt) : null;
  });
}

/** @param alt of OFAC's CSV: the file with the other names; null for none */
export async function readList(
  source: ByteSource,
  { format, withWeakNames }: ReadListOptions,
  alt: () => Promise<ByteSource | null>,
): Promise<ReadList> {
  const chosen = format ?? (await formatOf(source));
  if (chosen === 'xml') return { format: chosen, ...(await readXmlList(source, withWeakNames)) };
  if (chosen === 'csv') return { format: chosen, ...(await readListCsv(source)) };
  return { format: chosen, ...(await readOfacCsv(source, await alt())) };
}

async function formatOf(source: ByteSource): Promise<ListFormat> {
  const { path } = source;
  const start = (await readStart(source, START_BYTES))
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart();
  if (start.startsWith('<')) return 'xml';
  if (SDN_START.test(start)) return 'ofac-csv';
  if (/\.(?:csv|tsv|txt)(?:\.gz)?$/i.test(path)) return 'csv';
  throw new InputError(
    'LIST_FORMAT_UNKNOWN',
    `${path} is not known to be a list`,
    'Give a .csv, or an .xml of OFAC or the UN',
  );
}
