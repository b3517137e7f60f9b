// Master keys in a file that only its owner may read (0600): made on the first start, kept outside of what is backed up with
// the data. One key a line in Base64, the current one first.
import { randomUUID, randomBytes as systemRandomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../../lib/errors.ts';
import { LocalMasterKeys } from './local-master-keys.ts';
import { readKeys } from './variable-master-keys.ts';

const HEADER = '# Master keys of Centinela, the current one first. Who has these reads everything: keep copies apart.';
const KEY_BYTES = 32;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;
const MOST_FILE_BYTES = 4096;

export interface KeyFileOptions {
  /** Where there is no file it is made; otherwise that is an error: a lost key must not be replaced by a new one. */
  readonly mayCreate: boolean;
  readonly randomBytes?: (bytes: number) => Uint8Array;
}

/** @throws InputError KEY_FILE_MISSING, KEY_FILE_OPEN_TO_OTHERS, KEY_FILE_FOREIGN, KEY_FILE_UNREADABLE, MASTER_KEY_INVALID */
export async function openKeyFile(path: string, options: KeyFileOptions): Promise<LocalMasterKeys> {
  const { mayCreate, randomBytes = systemRandomBytes } = options;
  const lines = (await readLines(path)) ?? (mayCreate ? await createFile(path, randomBytes) : null);
  if (lines !== null) return new LocalMasterKeys('file', readKeys(lines, path));
  throw new InputError(
    'KEY_FILE_MISSING',
    `There is no file of master keys at ${path}, though there is data that needs it`,
    'Put the copy of the file back; without it what is sealed cannot be read',
  );
}

/** Puts a new key before the others, all or nothing. The program is started anew to use it. */
export async function addKeyToFile(path: string, randomBytes = systemRandomBytes): Promise<void> {
  const lines = await readExisting(path);
  await replaceFile(path, [newLine(randomBytes), ...lines]);
}

/** Takes a retired key out. @param masterId `file:…`; never the current one */
export async function removeKeyFromFile(path: string, masterId: string): Promise<void> {
  const lines = await readExisting(path);
  const kept = lines.filter((line) => new LocalMasterKeys('file', readKeys([line], path)).currentId !== masterId);
  if (kept.length === lines.length || kept[0] !== lines[0]) {
    throw new InputError(
      'MASTER_KEY_KEPT',
      `${masterId} is ${kept.length === lines.length ? 'not in' : 'the current key of'} ${path}`,
      'Only an older key that is there can be taken out',
    );
  }
  await replaceFile(path, kept);
}

async function readExisting(path: string): Promise<readonly string[]> {
  const lines = await readLines(path);
  if (lines !== null) return lines;
  throw new InputError('KEY_FILE_MISSING', `There is no file of master keys at ${path}`, 'Name the right file');
}

/** null where there is none. */
async function readLines(path: string): Promise<string[] | null> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw new InputError('KEY_FILE_UNREADABLE', `${path} cannot be opened (${code})`, 'It must be a file of its own');
  }
  try {
    const { mode, uid, size } = await file.stat();
    // Asked of what was opened, not of the path: nobody changes it in between. Windows has no such modes.
    if (process.platform !== 'win32') checkOwner(path, mode, uid);
    if (size > MOST_FILE_BYTES)
      throw new InputError('MASTER_KEY_INVALID', `${path} is too large`, 'Name the right file');
    const lines = (await file.readFile('utf8')).split('\n').map((line) => line.trim());
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  } finally {
    await file.close();
  }
}

function checkOwner(path: string, mode: number, uid: number): void {
  if ((mode & OTHERS) !== 0) {
    const octal = (mode & 0o777).toString(8).padStart(4, '0');
    throw new InputError(
      'KEY_FILE_OPEN_TO_OTHERS',
      `${path} has mode ${octal}`,
      `Only its owner may: chmod 600 ${path}`,
    );
  }
  const own = process.getuid?.();
  if (own !== undefined && uid !== own && own !== 0) {
    throw new InputError('KEY_FILE_FOREIGN', `${path} belongs to another user`, 'It must belong to who runs Centinela');
  }
}

/** Of two that start at the same time one makes the file and the other reads it. */
async function createFile(path: string, randomBytes: (bytes: number) => Uint8Array): Promise<readonly string[]> {
  const lines = [newLine(randomBytes)];
  const draft = await writeDraft(path, lines);
  try {
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return await readExisting(path);
  } finally {
    await rm(draft, { force: true });
  }
  await syncFolder(path);
  return lines;
}

async function replaceFile(path: string, lines: readonly string[]): Promise<void> {
  await rename(await writeDraft(path, lines), path);
  await syncFolder(path);
}

async function writeDraft(path: string, lines: readonly string[]): Promise<string> {
  const draft = `${path}.${randomUUID()}.new`;
  const file = await open(draft, 'wx', OWNER_ONLY);
  try {
    await file.writeFile(`${[HEADER, ...lines].join('\n')}\n`);
    await file.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return draft;
}

/** The name of a new file is durable once its folder is. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path), constants.O_RDONLY);
  await folder.sync().finally(() => folder.close());
}

function newLine(randomBytes: (bytes: number) => Uint8Array): string {
  return Buffer.from(randomBytes(KEY_BYTES)).toString('base64');
}
