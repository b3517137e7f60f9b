// Finds out by its name and beginning what kind of list a file is, and reads it.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError } from '../../../lib/errors.ts';
import type { ListFile } from '../../../ports.ts';
import { openBytes, readStart } from '../byte-source.ts';
import { readListCsv } from './read-list-csv.ts';
import { readOfacCsv } from './read-ofac-csv.ts';
import { readXmlList } from './read-xml-list.ts';

export const LIST_FORMATS = ['csv', 'ofac-csv', 'xml'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];

export interface ReadListOptions {
  /** Recognised where it is null. */
  readonly format: ListFormat | null;
  readonly withWeakNames: boolean;
}

/** Entity number, name between quotes, kind: no other CSV begins so. */
const SDN_START = /^\d+,"[^"]+","?(?:-0- ?|individual|vessel|aircraft|entity)"?,/i;
const START_BYTES = 4096;

/** @returns what was read, and the format it was read in. OFAC's alt.csv is taken from the same folder. */
export async function readList(
  path: string,
  { format, withWeakNames }: ReadListOptions,
): Promise<ListFile & { readonly format: ListFormat }> {
  const chosen = format ?? (await formatOf(path));
  if (chosen === 'xml') return { format: chosen, ...(await readXmlList(path, withWeakNames)) };
  if (chosen === 'csv') return { format: chosen, ...(await readListCsv(path)) };
  const alt = join(dirname(path), 'alt.csv');
  const hasAlt = await stat(alt).then(
    (found) => found.isFile(),
    () => false,
  );
  return { format: chosen, ...(await readOfacCsv(path, hasAlt ? alt : null)) };
}

async function formatOf(path: string): Promise<ListFormat> {
  const start = (await readStart(await openBytes(path), START_BYTES))
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
