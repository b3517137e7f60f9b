// Decodes one column of a block after the other into typed arrays or arrays of texts. Column by column, each loop sees
// one kind of value, which is what makes it fast.
import { exponentOf } from '../../domain/money.ts';
import { converterFor, Refusal, type TextValue } from './convert-value.ts';
import type { FieldName, MappingFile } from './mapping-file.ts';
import { AmountParser, parseDecimal, parseInteger } from './parse-amount.ts';
import { TimeParser } from './parse-time.ts';
import type { PlannedColumn, ReadPlan } from './read-plan.ts';
import { AMOUNT_FIELDS, COORDINATE_FIELDS, TIME_FIELDS } from './read-plan.ts';
import { faultNumber, MAX_BLOCK_ROWS, type RowBlock, type TextEncoding } from './row-block.ts';
import { decodeText, TextCache } from './text-cache.ts';
import type { TimeZone } from './time-zone.ts';

/** Told of each field that cannot be taken; marks its row so that later columns skip it. */
export type Refuse = (row: number, column: number, field: string, reason: string, message: string) => void;

export interface ColumnDecoder {
  readonly field: FieldName;
  decode(block: RowBlock, refuse: Refuse): void;
}

export interface NumberDecoder extends ColumnDecoder {
  /** One per row of the block; NaN is missing. */
  readonly numbers: Float64Array;
}

export interface TextDecoderOfColumn extends ColumnDecoder {
  readonly values: TextValue[];
}

export const FIELD_FAULT = faultNumber('FIELD');
const EARLIEST_MS = Date.UTC(1970, 0, 1);
const LATEST_MS = Date.UTC(2200, 0, 1);

const isBlank = (byte: number) => byte === 32 || byte === 9;

/** Start and end of a cell without blanks around it, in two numbers that are reused. */
class Cell {
  start = 0;
  end = 0;
  readonly #trim: boolean;
  constructor(trim: boolean) {
    this.#trim = trim;
  }
  set(block: RowBlock, index: number): void {
    let start = block.starts[index];
    let end = block.ends[index];
    if (this.#trim) {
      while (start < end && isBlank(block.bytes[start])) start += 1;
      while (start < end && isBlank(block.bytes[end - 1])) end -= 1;
    }
    this.start = start;
    this.end = end;
  }
}

export interface TimeDecoder extends NumberDecoder {
  readonly parser: TimeParser;
}

export interface AmountDecoder extends NumberDecoder {
  readonly parser: AmountParser;
}

export function timeDecoder(planned: PlannedColumn, file: MappingFile, zone: TimeZone): TimeDecoder {
  const { field, index, timeIndex, format } = planned;
  const parser = new TimeParser(format ?? 'iso', zone);
  const numbers = new Float64Array(MAX_BLOCK_ROWS);
  const cell = new Cell(true);
  const clock = new Cell(true);
  const required = field === 'eventTimeMs';
  const column = planned.mapping.column;
  return {
    field,
    numbers,
    parser,
    decode(block, refuse) {
      const { bytes, columns, faults, rows } = block;
      for (let row = 0; row < rows; row++) {
        numbers[row] = Number.NaN;
        if (faults[row] !== 0) continue;
        cell.set(block, row * columns + index);
        let timeMs = Number.NaN;
        if (cell.start !== cell.end) {
          if (timeIndex < 0) timeMs = parser.parse(bytes, cell.start, cell.end);
          else {
            clock.set(block, row * columns + timeIndex);
            timeMs = parser.parseParts(bytes, cell.start, cell.end, clock.start, clock.end);
          }
        }
        if (timeMs >= EARLIEST_MS && timeMs < LATEST_MS) numbers[row] = timeMs;
        else if (required || !isMissing(bytes, cell, file)) {
          refuse(row, index, column, 'TIME_INVALID', timeMessage(cell, timeMs, format ?? 'iso'));
        }
      }
    },
  };
}

function timeMessage(cell: Cell, timeMs: number, format: string): string {
  if (cell.start === cell.end) return 'the time is empty';
  return Number.isNaN(timeMs) ? `not a time in the format ${format}` : 'the time lies before 1970 or after 2200';
}

export interface CurrencyOfRow {
  at(row: number): string;
}

export function amountDecoder(planned: PlannedColumn, plan: ReadPlan, currencies: CurrencyOfRow): AmountDecoder {
  const { field, index, mapping } = planned;
  const parser = new AmountParser(plan.decimalMark);
  const numbers = new Float64Array(MAX_BLOCK_ROWS);
  const cell = new Cell(true);
  const required = field === 'amountMinor';
  const inMinorUnits = mapping.unit === 'minor';
  return {
    field,
    numbers,
    parser,
    decode(block, refuse) {
      const { bytes, columns, faults, rows } = block;
      let currency = '';
      let exponent = 2;
      for (let row = 0; row < rows; row++) {
        numbers[row] = Number.NaN;
        if (faults[row] !== 0) continue;
        cell.set(block, row * columns + index);
        if (cell.start === cell.end) {
          if (required) refuse(row, index, mapping.column, 'AMOUNT_INVALID', 'the amount is empty');
          continue;
        }
        const rowCurrency = currencies.at(row);
        if (rowCurrency !== currency) {
          currency = rowCurrency;
          exponent = exponentOf(currency);
        }
        const amount = inMinorUnits
          ? parseInteger(bytes, cell.start, cell.end)
          : parser.parse(bytes, cell.start, cell.end, exponent);
        if (Number.isNaN(amount)) {
          if (required || !isMissing(bytes, cell, plan.file)) {
            refuse(
              row,
              index,
              mapping.column,
              'AMOUNT_INVALID',
              `not an amount with decimal mark '${plan.decimalMark}'`,
            );
          }
        } else if (!inMinorUnits && parser.currency !== null && parser.currency !== currency) {
          const message = `the amount says ${parser.currency} but the row's currency is ${currency}`;
          refuse(row, index, mapping.column, 'CURRENCY_INVALID', message);
        } else numbers[row] = amount;
      }
    },
  };
}

export function coordinateDecoder(planned: PlannedColumn, plan: ReadPlan): NumberDecoder {
  const { field, index, mapping } = planned;
  const numbers = new Float64Array(MAX_BLOCK_ROWS);
  const cell = new Cell(true);
  const limit = field === 'latitude' ? 90 : 180;
  return {
    field,
    numbers,
    decode(block, refuse) {
      const { bytes, columns, faults, rows } = block;
      for (let row = 0; row < rows; row++) {
        numbers[row] = Number.NaN;
        if (faults[row] !== 0) continue;
        cell.set(block, row * columns + index);
        if (cell.start === cell.end) continue;
        const value = parseDecimal(bytes, cell.start, cell.end, plan.decimalMark);
        if (value >= -limit && value <= limit) numbers[row] = value;
        else if (!isMissing(bytes, cell, plan.file)) {
          refuse(row, index, mapping.column, 'FIELD_INVALID', `${field} must be degrees from −${limit} to ${limit}`);
        }
      }
    },
  };
}

export function textDecoder(planned: PlannedColumn, file: MappingFile, encoding: TextEncoding): TextDecoderOfColumn {
  const { field, index, mapping } = planned;
  const { missing } = file;
  const convert = converterFor(field, mapping);
  const cache = new TextCache<TextValue | Refusal>(
    encoding,
    (text) => (missing.has(text) ? null : convert(text)),
    field !== 'id',
  );
  const values = new Array<TextValue>(MAX_BLOCK_ROWS).fill(null);
  const cell = new Cell(file.trim);
  return {
    field,
    values,
    decode(block, refuse) {
      const { bytes, columns, faults, rows } = block;
      for (let row = 0; row < rows; row++) {
        values[row] = null;
        if (faults[row] !== 0) continue;
        cell.set(block, row * columns + index);
        if (cell.start === cell.end) continue;
        const value = cache.get(bytes, cell.start, cell.end);
        if (value instanceof Refusal) refuse(row, index, mapping.column, value.reason, value.message);
        else if (value === null && decodeText(bytes, cell.start, cell.end, encoding) === null) {
          refuse(row, index, mapping.column, 'ENCODING_INVALID', `not valid ${encoding} text`);
        } else values[row] = value;
      }
    },
  };
}

function isMissing(bytes: Buffer, cell: Cell, file: MappingFile): boolean {
  return cell.start === cell.end || file.missing.has(bytes.toString('latin1', cell.start, cell.end));
}

export function kindOf(field: FieldName): 'time' | 'amount' | 'coordinate' | 'text' {
  if (TIME_FIELDS.has(field)) return 'time';
  if (AMOUNT_FIELDS.has(field)) return 'amount';
  return COORDINATE_FIELDS.has(field) ? 'coordinate' : 'text';
}
