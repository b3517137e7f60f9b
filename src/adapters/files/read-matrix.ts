// A table of numbers with its labels, for benchmarks: CSV (packed or not) with a line of names, the last column y.
import { InputError } from '../../lib/errors.ts';
import { GrowableColumn } from '../../lib/growable-column.ts';
import { emptyFile, openBytes } from './byte-source.ts';

export interface LabelledTable {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Row-major, `rows * columns.length`; NaN where a cell is empty. */
  readonly values: Float32Array;
  /** 1 anomaly, 0 normal. */
  readonly labels: Uint8Array;
}

/** Numbers held at once: 400 MB. */
const MAX_CELLS = 100_000_000;
const LABEL = 'y';

/** @throws InputError where the file is not such a table: missing, empty, cut off, not numbers, no labels. */
export async function readLabelledTable(path: string): Promise<LabelledTable> {
  let header: string[] | null = null;
  const values = new GrowableColumn((length) => new Float32Array(length));
  const labels = new GrowableColumn((length) => new Uint8Array(length));
  let line = 0;
  for await (const text of linesOf(path)) {
    line += 1;
    if (text === '') continue;
    if (header === null) {
      header = headerOf(path, text);
      continue;
    }
    const words = text.split(',');
    if (words.length !== header.length) throw wrongWidth(path, line, words.length, header.length);
    if (values.length + words.length > MAX_CELLS) throw tooLarge(path);
    for (let column = 0; column < words.length - 1; column++) {
      values.push(numberIn(path, line, header[column], words[column]));
    }
    labels.push(labelIn(path, line, words[words.length - 1]));
  }
  if (header === null) throw emptyFile(path);
  if (labels.length === 0) {
    throw new InputError('FILE_NO_ROWS', `${path} has names of columns but no rows`, 'Check how it was made');
  }
  return {
    columns: header.slice(0, -1),
    rows: labels.length,
    values: values.view(),
    labels: labels.view(),
  };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const source = await openBytes(path);
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of source.chunks()) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const text of lines) yield text.trimEnd();
  }
  if (rest.trimEnd() !== '') yield rest.trimEnd();
}

function headerOf(path: string, text: string): string[] {
  const names = text.split(',').map((name) => name.trim().replace(/^"(.*)"$/, '$1'));
  if (names[names.length - 1] !== LABEL || names.length < 2) {
    throw new InputError(
      'COLUMN_MISSING',
      `${path} has no labels: its last column is '${names[names.length - 1]}'`,
      `The columns must be numbers and the last one must be called ${LABEL}, 1 for an anomaly and 0 otherwise`,
    );
  }
  return names;
}

function numberIn(path: string, line: number, column: string, word: string): number {
  const text = word.trim();
  if (text === '') return Number.NaN;
  const value = Number(text);
  if (Number.isNaN(value) && text.toLowerCase() !== 'nan') {
    throw new InputError(
      'NOT_A_NUMBER',
      `${path}, line ${line}, column ${column}: '${text.slice(0, 40)}' is not a number`,
      'Every column must be numbers; an empty cell is a missing value',
    );
  }
  return value;
}

function labelIn(path: string, line: number, word: string): number {
  const value = word.trim() === '' ? Number.NaN : Number(word);
  if (value !== 0 && value !== 1) {
    throw new InputError(
      'LABEL_INVALID',
      `${path}, line ${line}: the label is '${word.trim().slice(0, 40)}'`,
      `Column ${LABEL} must be 1 for an anomaly and 0 otherwise`,
    );
  }
  return value;
}

function wrongWidth(path: string, line: number, found: number, expected: number): InputError {
  return new InputError(
    'COLUMN_COUNT',
    `${path}, line ${line} has ${found} columns where the first line names ${expected}`,
    'Separate them by commas, with a point in decimals',
  );
}

function tooLarge(path: string): InputError {
  return new InputError(
    'FILE_TOO_LARGE',
    `${path} holds more than ${MAX_CELLS.toLocaleString('en-US')} numbers`,
    'The protocol uses 10,000 rows of a set: give a sample of it',
  );
}
