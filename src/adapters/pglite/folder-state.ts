// What is known of the data folder: `state.json`, synced before the folder is opened and after it was closed.
//
// PGlite does not sync its files. As long as the machine runs, the operating system has what was written, even by a
// program that was killed, and PostgreSQL's own recovery does the rest. Over a power cut any part of it may be missing,
// and PostgreSQL need not notice. So a folder that was open when the machine stopped is not looked at.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RedoEnd } from './redo-log.ts';
import { replaceFileNow } from './sync-files.ts';

export type FolderState =
  /** It is being made: what is there is a part. */
  | { readonly phase: 'making' }
  /** Open, or it was when the program ended; since which start of the machine, empty where that cannot be told. */
  | { readonly phase: 'open'; readonly boot: string }
  /** Closed, and all of it synced. */
  | { readonly phase: 'closed'; readonly redoEnd: RedoEnd | null }
  /** The database reported that it is damaged. */
  | { readonly phase: 'damaged'; readonly what: string };

const pathOf = (folder: string) => join(folder, 'state.json');

/** null where there is none, or it cannot be read: then nothing is known. */
export function readFolderState(folder: string): FolderState | null {
  try {
    const state = JSON.parse(readFileSync(pathOf(folder), 'utf8')) as FolderState;
    return ['making', 'open', 'closed', 'damaged'].includes(state.phase) ? state : null;
  } catch {
    return null;
  }
}

export function writeFolderState(folder: string, state: FolderState): void {
  replaceFileNow(pathOf(folder), JSON.stringify(state));
}

/** Which start of the machine this is; empty where the system does not say. */
export function bootOfMachine(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** @returns why the data folder cannot be used, in a clause; null where it can */
export function whyNotTrusted(state: FolderState | null, boot: string): string | null {
  switch (state?.phase) {
    case 'closed':
      return null;
    case 'open':
      return boot !== '' && state.boot === boot ? null : 'the machine stopped while it was open';
    case 'damaged':
      return `the database reported damage (${state.what})`;
    case 'making':
      return 'it was not made to its end';
    default:
      return 'nothing is known of it (state.json is missing)';
  }
}
