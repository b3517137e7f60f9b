// What may be attached to a case. The type is what the bytes are, never what the name says; what a browser would run is refused.

import { maskPansIn } from '../domain/mask.ts';
import { findPans } from '../domain/pan.ts';
import { InputError } from '../lib/errors.ts';
import { withoutControls } from './written-text.ts';

export const MOST_ATTACHMENT_BYTES = 10 * 1024 * 1024;
const MOST_NAME = 120;

export interface AttachmentKind {
  readonly type: string;
  readonly extension: string;
}

type Signature = readonly [offset: number, bytes: string];

const SIGNATURES: readonly (readonly [AttachmentKind, readonly Signature[]])[] = [
  [{ type: 'application/pdf', extension: 'pdf' }, [[0, '%PDF-']]],
  [{ type: 'image/png', extension: 'png' }, [[0, '\x89PNG\r\n\x1a\n']]],
  [{ type: 'image/jpeg', extension: 'jpg' }, [[0, '\xff\xd8\xff']]],
  [
    { type: 'image/webp', extension: 'webp' },
    [
      [0, 'RIFF'],
      [8, 'WEBP'],
    ],
  ],
  [
    { type: 'audio/wav', extension: 'wav' },
    [
      [0, 'RIFF'],
      [8, 'WAVE'],
    ],
  ],
  [{ type: 'audio/mpeg', extension: 'mp3' }, [[0, 'ID3']]],
  [{ type: 'audio/ogg', extension: 'ogg' }, [[0, 'OggS']]],
  [{ type: 'video/mp4', extension: 'mp4' }, [[4, 'ftypisom']]],
  [{ type: 'video/mp4', extension: 'mp4' }, [[4, 'ftypmp42']]],
];

const OFFICE = 'application/vnd.openxmlformats-officedocument';
const WORD: AttachmentKind = { type: `${OFFICE}.wordprocessingml.document`, extension: 'docx' };
const SHEET: AttachmentKind = { type: `${OFFICE}.spreadsheetml.sheet`, extension: 'xlsx' };
const TEXT: AttachmentKind = { type: 'text/plain', extension: 'txt' };

/** @throws InputError where it is too large, of a type that is not allowed, or a text with card numbers */
export function checkAttachment(bytes: Uint8Array): AttachmentKind {
  if (bytes.length === 0) throw new InputError('ATTACHMENT_EMPTY', 'The file is empty', 'Attach another one');
  if (bytes.length > MOST_ATTACHMENT_BYTES) {
    throw new InputError('ATTACHMENT_TOO_LARGE', `The file has ${bytes.length} bytes`, 'At most 10 MiB are kept');
  }
  const kind =
    SIGNATURES.find(([, marks]) => marks.every((mark) => hasAt(bytes, mark)))?.[0] ?? officeOf(bytes) ?? textOf(bytes);
  if (kind !== null) return kind;
  const allowed = 'PDF, PNG, JPEG, WebP, Word and Excel without macros, plain text, WAV, MP3, OGG and MP4';
  throw new InputError('ATTACHMENT_TYPE', 'The file is of a type that is not kept', `These are: ${allowed}`);
}

/** A name without path, that says what the bytes are: "..\\pago.exe" of a PDF → "pago.pdf". */
export function cleanFileName(name: string, kind: AttachmentKind): string {
  const last =
    withoutControls(name)
      .replace(/[\n\t]/g, ' ')
      .split(/[/\\]/)
      .at(-1) ?? '';
  const stem = maskPansIn(last.replace(/\.[^.]*$/, ''))
    .replace(/[<>:"|?*;%$`']/g, '')
    .replace(/^[.\s]+|[.\s]+$/g, '')
    .slice(0, MOST_NAME - 6)
    .trim();
  const isReserved = /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(stem);
  return `${stem === '' || isReserved ? 'archivo' : stem}.${kind.extension}`;
}

function hasAt(bytes: Uint8Array, [offset, text]: Signature): boolean {
  if (bytes.length < offset + text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[offset + at] !== text.charCodeAt(at)) return false;
  return true;
}

/** A ZIP that holds a document or a sheet, and no program. */
function officeOf(bytes: Uint8Array): AttachmentKind | null {
  if (!hasAt(bytes, [0, 'PK\x03\x04']) || !holds(bytes, '[Content_Types].xml') || holds(bytes, 'vbaProject'))
    return null;
  if (holds(bytes, 'word/document.xml')) return WORD;
  return holds(bytes, 'xl/workbook.xml') ? SHEET : null;
}

function holds(bytes: Uint8Array, text: string): boolean {
  const first = text.charCodeAt(0);
  for (let at = bytes.indexOf(first); at !== -1; at = bytes.indexOf(first, at + 1))
    if (hasAt(bytes, [at, text])) return true;
  return false;
}

function textOf(bytes: Uint8Array): AttachmentKind | null {
  const text = decoded(bytes);
  if (text === null || /[^\P{Cc}\t\r\n]/u.test(text)) return null;
  // Markup is what browsers run.
  if (/^\s*</.test(text) || /<(script|html|svg|iframe)\b/i.test(text)) return null;
  if (findPans(text).length === 0) return TEXT;
  throw new InputError('ATTACHMENT_HAS_CARDS', 'The text has card numbers', 'Mask them and attach it again');
}

function decoded(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
