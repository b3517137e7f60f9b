// The file of a backup: lines of JSON, gzip. It holds the program's own tables as texts of PostgreSQL, so that it can be
// restored into either database, whatever made it.
//
//   {"format":"centinela-records","version":1,"engine":…,"atMs":…,"migrations":[{"id":…,"hash":…},…]}
//   {"table":"alerts","columns":[{"name":"id","type":"text"},…]}
//   ["…",null,…]                        a row, a text for each column
//   {"rows":2}                          the end of the table
//   {"tables":12,"sha256":"…"}          the end: of all lines before, with their line ends
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { InputError } from '../lib/errors.ts';
import type { AppliedMigrations } from './migrate.ts';

export interface BackupHeader {
  readonly engine: string;
  readonly atMs: number;
  readonly migrations: AppliedMigrations;
}

export interface BackupTable {
  readonly table: string;
  readonly columns: readonly BackupColumn[];
}

export interface BackupColumn {
  readonly name: string;
  /** As PostgreSQL calls it: `bigint`, `text[]`. */
  readonly type: string;
}

export type BackupRow = readonly (string | null)[];

export type BackupItem =
  | { readonly kind: 'header'; readonly header: BackupHeader }
  | { readonly kind: 'table'; readonly table: BackupTable }
  | { readonly kind: 'row'; readonly row: BackupRow }
  | { readonly kind: 'table-end'; readonly rows: number };

export interface BackupSums {
  readonly tables: number;
  readonly rows: number;
}

const FORMAT = 'centinela-records';
const VERSION = 1;
const MAX_LINE = 268_435_456;

/** The file is there whole or not at all. */
export async function writeBackupFile(path: string, items: AsyncIterable<BackupItem>): Promise<BackupSums> {
  const temporary = `${path}.tmp`;
  let sums: BackupSums = { tables: 0, rows: 0 };
  async function* lines() {
    const hash = createHash('sha256');
    for await (const item of items) {
      const line = `${JSON.stringify(lineOf(item))}\n`;
      hash.update(line);
      if (item.kind === 'table-end') sums = { tables: sums.tables + 1, rows: sums.rows + item.rows };
      yield line;
    }
    yield `${JSON.stringify({ tables: sums.tables, sha256: hash.digest('hex') })}\n`;
  }
  try {
    await pipeline(Readable.from(lines()), createGzip(), createWriteStream(temporary, { mode: 0o600, flush: true }));
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  return sums;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  // Windows cannot sync a folder, and does not need to.
  await handle.sync().catch(() => undefined);
  await handle.close();
}

function lineOf(item: BackupItem): unknown {
  switch (item.kind) {
    case 'header':
      return { format: FORMAT, version: VERSION, ...item.header };
    case 'table':
      return item.table;
    case 'row':
      return item.row;
    case 'table-end':
      return { rows: item.rows };
  }
}

/**
 * Its items in order. The sum is known at the end, so a reader that must not act on half a backup reads it twice.
 *
 * @throws InputError BACKUP_DAMAGED with the line
 */
export async function* readBackupFile(path: string): AsyncGenerator<BackupItem> {
  const hash = createHash('sha256');
  let number = 0;
  let rows = 0;
  let tables = 0;
  let end: string | null = null;
  for await (const line of linesOf(path)) {
    number++;
    if (end !== null) throw damaged(path, number, 'there are lines behind its end');
    const value = parse(path, number, line);
    if (number === 1) yield { kind: 'header', header: headerOf(path, value) };
    else if (Array.isArray(value)) {
      rows++;
      yield { kind: 'row', row: value as BackupRow };
    } else if ('table' in value) {
      yield { kind: 'table', table: value as unknown as BackupTable };
    } else if ('sha256' in value) {
      if (value.sha256 !== hash.digest('hex')) throw damaged(path, number, 'its lines are not those that were written');
      if (value.tables !== tables) throw damaged(path, number, `it holds ${tables} tables and says ${value.tables}`);
      end = line;
      continue;
    } else {
      if (value.rows !== rows) throw damaged(path, number, `the table has ${rows} rows and says ${value.rows}`);
      yield { kind: 'table-end', rows };
      tables++;
      rows = 0;
    }
    hash.update(`${line}\n`);
  }
  if (end === null) throw damaged(path, number + 1, 'its end is missing');
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const text = createGunzip();
  file.once('error', (error) => text.destroy(error));
  let held = '';
  try {
    for await (const chunk of file.pipe(text).setEncoding('utf8')) {
      const lines = (held + chunk).split('\n');
      held = lines.pop()!;
      // One row: PostgreSQL itself takes no value of a gigabyte.
      if (held.length > MAX_LINE) throw damaged(path, 1, 'a line of it has no end');
      yield* lines;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new InputError('BACKUP_MISSING', `there is no backup ${path}`, 'Check the path');
    throw damaged(path, 1, `it cannot be unpacked (${message})`);
  } finally {
    file.destroy();
    text.destroy();
  }
  if (held !== '') yield held;
}

function parse(path: string, number: number, line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw damaged(path, number, 'the line is no JSON');
}

function headerOf(path: string, value: Record<string, unknown>): BackupHeader {
  if (value.format !== FORMAT) throw damaged(path, 1, 'it is no backup of the records');
  if (value.version !== VERSION) {
    throw new InputError(
      'BACKUP_TOO_NEW',
      `the backup ${path} has version ${value.version} of its format`,
      `This program reads version ${VERSION}: restore with the version that made it, or a newer one`,
    );
  }
  return value as unknown as BackupHeader;
}

function damaged(path: string, line: number, what: string): InputError {
  return new InputError(
    'BACKUP_DAMAGED',
    `the backup ${path} is damaged at line ${line}: ${what}`,
    'Use another copy; nothing was restored',
  );
}
