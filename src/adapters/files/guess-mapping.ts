// Recognises the columns of a file that comes without a mapping: a built-in mapping if its columns are there, else by
// the columns' names and by what the first rows hold. The guess is printed, and it is only ever a guess.
import { isValidPan } from '../../domain/pan.ts';
import { InputError } from '../../lib/errors.ts';
import { CLOCK_NAMES, COLUMN_NAMES, foldName } from './column-names.ts';
import { converterFor, Refusal } from './convert-value.ts';
import { timeFormatOf } from './guess-formats.ts';
import { builtInNames, loadMapping } from './load-mapping.ts';
import {
  DEFAULT_CURRENCY,
  DEFAULT_MISSING,
  DEFAULT_TIME_ZONE,
  type FieldMapping,
  type FieldName,
  type MappingFile,
  USUAL_LABEL_DELAY_DAYS,
} from './mapping-file.ts';
import { AmountParser } from './parse-amount.ts';
import { AMOUNT_FIELDS, COORDINATE_FIELDS, TIME_FIELDS } from './read-plan.ts';
import { listColumns } from './resolve-mapping.ts';
import type { RowSource } from './row-block.ts';

const LEAST_SHARE = 0.8;
/** A column in which more texts repeat is no id; duplicates themselves are refused later, row by row. */
const LEAST_UNIQUE_SHARE = 0.95;

export async function guessMapping(path: string, source: RowSource): Promise<MappingFile> {
  const builtIn = builtInNames()
    .map(loadMapping)
    .find((mapping) => hasItsColumns(mapping, source.columns));
  if (builtIn !== undefined) return builtIn;
  if (source.columns.every((name) => name === '' || /^[\d.,:/ +-]+$/.test(name))) {
    throw new InputError(
      'HEADER_MISSING',
      `The first line of ${path} is data, not the names of the columns`,
      'Add a line with the names',
    );
  }
  const sample = await source.sample();
  const guess = new Guess(source.columns, sample);
  guess.takeByName();
  guess.takeByContent();
  const lacking = (['eventTimeMs', 'amountMinor'] as const).filter((field) => !guess.fields.has(field));
  if (lacking.length > 0) throw cannotGuess(path, source.columns, lacking, sample.length);
  return {
    name: 'guessed',
    timeZone: DEFAULT_TIME_ZONE,
    currency: DEFAULT_CURRENCY,
    decimalMark: null,
    delimiter: null,
    encoding: source.encoding,
    labelDelayDays: USUAL_LABEL_DELAY_DAYS,
    catalogue: null,
    missing: DEFAULT_MISSING,
    trim: true,
    fields: guess.fields,
    constants: new Map(),
  };
}

function hasItsColumns(mapping: MappingFile, columns: readonly string[]): boolean {
  return [...mapping.fields.values()].every(({ column, optional }) => optional === true || columns.includes(column));
}

class Guess {
  readonly fields = new Map<FieldName, FieldMapping>();
  readonly #columns: readonly string[];
  readonly #folded: readonly string[];
  readonly #sample: readonly string[][];
  readonly #taken = new Set<number>();

  constructor(columns: readonly string[], sample: readonly string[][]) {
    this.#columns = columns;
    this.#folded = columns.map(foldName);
    this.#sample = sample;
  }

  takeByName(): void {
    for (const [field, names] of Object.entries(COLUMN_NAMES) as [FieldName, readonly string[]][]) {
      // The canonical name of a field, too, and names with its unit (`amount_pen`) are known.
      for (const name of [foldName(field), ...names]) {
        const index = this.#folded.indexOf(name);
        if (index >= 0 && !this.#taken.has(index) && this.#take(field, index)) break;
      }
    }
  }

  /** Times and amounts have a look of their own; nothing else is taken by content. */
  takeByContent(): void {
    for (let index = 0; index < this.#columns.length && !this.fields.has('eventTimeMs'); index++) {
      if (!this.#taken.has(index) && /[-/:T]/.test(this.#texts(index)[0] ?? '')) this.#take('eventTimeMs', index);
    }
    if (this.fields.has('amountMinor')) return;
    const decimals = this.#columns
      .map((_, index) => index)
      .filter(
        (index) =>
          !this.#taken.has(index) && share(this.#texts(index), (text) => /\d[.,]\d{2}$/.test(text)) >= LEAST_SHARE,
      );
    // Two columns that look like amounts are an open question, which the user must answer.
    if (decimals.length === 1) this.#take('amountMinor', decimals[0]);
  }

  #texts(index: number): string[] {
    return this.#sample.map((row) => row[index]).filter((text) => text !== '' && !DEFAULT_MISSING.has(text));
  }

  /** @returns false where the column's content does not fit the field */
  #take(field: FieldName, index: number): boolean {
    const texts = this.#texts(index);
    const mapping = this.#fit(field, index, texts);
    if (mapping === null) return false;
    this.fields.set(field, mapping);
    this.#taken.add(index);
    return true;
  }

  #fit(field: FieldName, index: number, texts: readonly string[]): FieldMapping | null {
    const column = this.#columns[index];
    if (TIME_FIELDS.has(field)) return this.#fitTime(field, index, texts);
    if (AMOUNT_FIELDS.has(field)) {
      if (foldName(column).endsWith('minor')) return { column, unit: 'minor' };
      return areAmounts(texts) ? { column } : null;
    }
    if (COORDINATE_FIELDS.has(field))
      return share(texts, (text) => Math.abs(Number(text)) <= 180) >= LEAST_SHARE ? { column } : null;
    if (field === 'id') return new Set(texts).size >= Math.floor(texts.length * LEAST_UNIQUE_SHARE) ? { column } : null;
    const cards = share(texts, (text) => isValidPan(text.replace(/[ -]/g, ''))) >= LEAST_SHARE && texts.length > 0;
    const mapping: FieldMapping = cards ? { column, token: true } : { column };
    const convert = converterFor(field, mapping);
    // A code that is not known would cost its row, so a column with any is left unused.
    return share(texts, (text) => !(convert(text) instanceof Refusal)) === 1 ? mapping : null;
  }

  #fitTime(field: FieldName, index: number, texts: readonly string[]): FieldMapping | null {
    const column = this.#columns[index];
    const guess = timeFormatOf(texts);
    if (guess === null) return null;
    const dateOnly = !guess.format.startsWith('epoch') && texts.every((text) => !/\d[T ]\d/.test(text));
    const clock = dateOnly && field === 'eventTimeMs' ? this.#clockColumn(index) : -1;
    if (clock < 0) return { column, format: guess.format };
    this.#taken.add(clock);
    return { column, timeColumn: this.#columns[clock], format: guess.format };
  }

  #clockColumn(dateIndex: number): number {
    return this.#folded.findIndex(
      (name, index) =>
        index !== dateIndex &&
        CLOCK_NAMES.includes(name) &&
        share(this.#texts(index), (text) => /^\d{1,2}:\d{2}/.test(text)) >= LEAST_SHARE,
    );
  }
}

function areAmounts(texts: readonly string[]): boolean {
  const parsers = [new AmountParser('.'), new AmountParser(',')];
  return parsers.some(
    (parser) =>
      share(texts, (text) => {
        const bytes = Buffer.from(text);
        return !Number.isNaN(parser.parse(bytes, 0, bytes.length, 2));
      }) >= LEAST_SHARE,
  );
}

/** Share of the texts that pass; 1 where there are none, because nothing speaks against. */
function share(texts: readonly string[], passes: (text: string) => boolean): number {
  return texts.length === 0 ? 1 : texts.filter(passes).length / texts.length;
}

function cannotGuess(
  path: string,
  columns: readonly string[],
  lacking: readonly ('eventTimeMs' | 'amountMinor')[],
  sampled: number,
): InputError {
  const what = lacking.map((field) => (field === 'eventTimeMs' ? 'the time' : 'the amount')).join(' and ');
  if (sampled === 0) {
    return new InputError('NO_ROWS', `${path} has the names of columns but no rows`, 'Give a file with transactions');
  }
  const example = lacking.map((field) => `${field}: COLUMN`).join(', ');
  return new InputError(
    'COLUMNS_UNKNOWN',
    `${what} could not be recognised among the columns of ${path}: ${listColumns(columns)}`,
    `Write a file mapping.yaml with the line 'fields: { ${example} }' (COLUMN as in the file) and give --mapping mapping.yaml`,
  );
}
