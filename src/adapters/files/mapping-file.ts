// A mapping as its YAML file says it: which column feeds which field, in which format.
import type { Transaction } from '../../domain/transaction.ts';
import type { TimeFormat } from './parse-time.ts';
import type { TextEncoding } from './row-block.ts';

export type FieldName = keyof Transaction;

export interface FieldMapping {
  readonly column: string;
  /** A second column with the clock time, where `column` has only the date. */
  readonly timeColumn?: string;
  /** Of a time; recognised from the first rows where it is not given. */
  readonly format?: TimeFormat;
  /** `minor`: the amount is already in minor units (céntimos). */
  readonly unit?: 'major' | 'minor';
  /** Texts of the column → values of the field; null: no value. */
  readonly values?: ReadonlyMap<string, string | null>;
  /** Replace the value by a token that keeps its last four characters (for card numbers). */
  readonly token?: boolean;
  /** The file may lack the column. */
  readonly optional?: boolean;
}

/** Days after which a label is taken as known where nobody says. */
export const USUAL_LABEL_DELAY_DAYS = 7;

export interface MappingFile {
  readonly name: string;
  /** Of times without offset; default America/Lima. */
  readonly timeZone: string;
  /** Where no column says it; default PEN. */
  readonly currency: string;
  /** Recognised from the first rows where it is null. */
  readonly decimalMark: '.' | ',' | null;
  /** Recognised where it is null. */
  readonly delimiter: string | null;
  readonly encoding: TextEncoding;
  /** Where no column says when a label became known. */
  readonly labelDelayDays: number | null;
  /** The feature catalogue that suits such data; null for the default one. */
  readonly catalogue: string | null;
  /** Texts that mean that there is no value; the empty text always does. */
  readonly missing: ReadonlySet<string>;
  /** Take blanks off both ends. */
  readonly trim: boolean;
  readonly fields: ReadonlyMap<FieldName, FieldMapping>;
  readonly constants: ReadonlyMap<FieldName, string>;
}

export const DEFAULT_MISSING: ReadonlySet<string> = new Set(['NULL', 'null', '\\N', 'NaN', 'nan', 'None', 'N/A', 'NA']);
export const DEFAULT_TIME_ZONE = 'America/Lima';
export const DEFAULT_CURRENCY = 'PEN';
