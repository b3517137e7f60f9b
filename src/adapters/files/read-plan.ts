// A mapping applied to one file: which column index is decoded how. It holds no state of a reading.
import type { FieldMapping, FieldName, MappingFile } from './mapping-file.ts';
import type { TimeFormat } from './parse-time.ts';

export interface PlannedColumn {
  readonly field: FieldName;
  readonly mapping: FieldMapping;
  readonly index: number;
  /** −1 where the clock time is not in a column of its own */
  readonly timeIndex: number;
  /** null for fields that are not times */
  readonly format: TimeFormat | null;
}

export interface ReadPlan {
  readonly file: MappingFile;
  readonly columns: readonly PlannedColumn[];
  readonly decimalMark: '.' | ',';
}

export const TIME_FIELDS: ReadonlySet<FieldName> = new Set(['eventTimeMs', 'ingestTimeMs', 'labelTimeMs']);
export const AMOUNT_FIELDS: ReadonlySet<FieldName> = new Set(['amountMinor', 'balanceAfterMinor']);
export const COORDINATE_FIELDS: ReadonlySet<FieldName> = new Set(['latitude', 'longitude']);
