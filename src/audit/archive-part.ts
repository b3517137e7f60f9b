// A part of the archive: consecutive entries of one month as the very lines that were hashed, compressed, with a signed
// manifest, so that it can be verified years later with public keys alone and with any tool.
//
// Entries go to the month that the chain had reached, so that parts are consecutive though clocks differ a little.
import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isoDate, limaDayNumber } from '../domain/calendar.ts';
import type { ObjectStore } from '../ports.ts';
import type { ChainPoint } from './chain.ts';
import {
  ARCHIVE_FORMAT,
  type ArchivedFile,
  type ArchiveStatement,
  readStatement,
  type SignedText,
  type SigningKey,
  signStatement,
} from './signing.ts';

export const ARCHIVE_FOLDER = 'audit';
/** Of one part, in memory at once; an entry has at most 64 KiB, most have a few hundred bytes. */
export const MOST_PART_ENTRIES = 50_000;
export const MOST_PART_BYTES = 64 * 1024 * 1024;

const SEQUENCE_DIGITS = 12;

export interface ArchivePart {
  readonly statement: ArchiveStatement;
  readonly signed: SignedText;
  /** Under which the part's files are, without what they end in. */
  readonly key: string;
}

export interface PartContents {
  readonly month: string;
  /** The entry before the first. */
  readonly after: ChainPoint;
  readonly last: ChainPoint;
  readonly texts: readonly string[];
  readonly heads: readonly SignedText[];
}

/** In Lima: `2026-01`. */
export function monthOf(atMs: number): string {
  return isoDate(limaDayNumber(atMs)).slice(0, 'yyyy-mm'.length);
}

/** The manifest is written last: without one there is no part. */
export async function writePart(
  objects: ObjectStore,
  { month, after, last, texts, heads }: PartContents,
  key: SigningKey,
  { atMs, keepUntilMs }: { readonly atMs: number; readonly keepUntilMs: number },
): Promise<ArchivePart> {
  const firstSequence = after.sequence + 1;
  const name = `${padded(firstSequence)}-${padded(last.sequence)}`;
  const place = `${ARCHIVE_FOLDER}/${month}/${name}`;
  const put = async (file: string, lines: readonly string[]): Promise<ArchivedFile> => {
    const plain = Buffer.from(lines.map((line) => `${line}\n`).join(''));
    const bytes = new Uint8Array(gzipSync(plain));
    await objects.put(`${ARCHIVE_FOLDER}/${month}/${file}`, bytes);
    return { file, lines: lines.length, sha256: sha256(bytes), bytes: bytes.length, plainBytes: plain.length };
  };
  const signed = signStatement(key, {
    ...{ format: ARCHIVE_FORMAT, atMs, keyId: key.keyId, month, firstSequence, lastSequence: last.sequence },
    ...{ previous: after.hash, lastHash: last.hash, keepUntilMs },
    entries: await put(`${name}.ndjson.gz`, texts),
    heads: await put(`${name}.heads.ndjson.gz`, heads.map(headLine)),
  });
  await objects.put(`${place}.manifest.sig`, signed.signature);
  await objects.put(`${place}.manifest.json`, new TextEncoder().encode(signed.text));
  return { statement: readStatement(signed.text, ARCHIVE_FORMAT)!, signed, key: place };
}

/** All parts there are, in their order. @param onProblem of a manifest that cannot be read */
export async function listParts(objects: ObjectStore, onProblem: (what: string) => void): Promise<ArchivePart[]> {
  const keys = (await objects.list(`${ARCHIVE_FOLDER}/`)).filter((key) => key.endsWith(MANIFEST));
  const parts: ArchivePart[] = [];
  for (const manifest of keys) {
    const key = manifest.slice(0, -MANIFEST.length);
    const [text, signature] = await Promise.all([objects.get(manifest), objects.get(`${key}.manifest.sig`)]);
    const signed = { text: text === null ? '' : new TextDecoder().decode(text), signature: signature ?? NO_BYTES };
    const statement = readStatement(signed.text, ARCHIVE_FORMAT);
    // The bytes, too: a decoder puts others in the place of those that are no text.
    if (statement === null || text === null || !Buffer.from(signed.text).equals(text)) {
      onProblem(`${manifest} is no manifest any more`);
    } else parts.push({ statement, signed, key });
  }
  return parts.sort((a, b) => a.statement.firstSequence - b.statement.firstSequence);
}

const MANIFEST = '.manifest.json';
const NO_BYTES = new Uint8Array();

/** Lines of one of the part's files; null where it is missing or not what the manifest says, which is told. */
export async function readPartLines(
  objects: ObjectStore,
  { statement, key }: ArchivePart,
  which: 'entries' | 'heads',
  onProblem: (what: string) => void,
): Promise<readonly string[] | null> {
  const { file, sha256: expected, plainBytes, lines: count } = statement[which];
  // The name says where the file belongs; nothing is read from elsewhere.
  const path = `${key}${which === 'entries' ? '' : '.heads'}.ndjson.gz`;
  const bytes = path.endsWith(`/${file}`) ? await objects.get(path) : null;
  if (bytes === null || sha256(bytes) !== expected) {
    onProblem(`${path} is ${bytes === null ? 'missing' : 'not what was archived (its SHA-256 differs)'}`);
    return null;
  }
  if (plainBytes > MOST_PART_BYTES * 2) {
    onProblem(`${path} is larger than parts are`);
    return null;
  }
  const lines = linesOf(bytes, plainBytes);
  if (lines !== null && lines.length === count) return lines;
  onProblem(`${path} does not hold the ${count} lines that its manifest says`);
  return null;
}

export function readHeadLine(line: string): SignedText | null {
  try {
    const { text, signature } = JSON.parse(line) as { readonly text?: unknown; readonly signature?: unknown };
    if (typeof text !== 'string' || typeof signature !== 'string') return null;
    return { text, signature: new Uint8Array(Buffer.from(signature, 'base64')) };
  } catch {
    return null;
  }
}

function headLine({ text, signature }: SignedText): string {
  return JSON.stringify({ text, signature: Buffer.from(signature).toString('base64') });
}

function linesOf(bytes: Uint8Array, plainBytes: number): readonly string[] | null {
  try {
    const plain = gunzipSync(bytes, { maxOutputLength: plainBytes + 1 });
    if (plain.length !== plainBytes) return null;
    const lines = plain.toString('utf8').split('\n');
    return lines.pop() === '' ? lines : null;
  } catch {
    return null;
  }
}

function padded(sequence: number): string {
  return String(sequence).padStart(SEQUENCE_DIGITS, '0');
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
