// A list that a team keeps as CSV: one column with the values, and where there are any, why, from when and until when.
import { parseLimaDay } from '../../../domain/calendar.ts';
import { InputError } from '../../../lib/errors.ts';
import { plainText } from '../../../lib/plain-text.ts';
import type { ListFile, ListRow, RejectedListRow } from '../../../ports.ts';
import type { ByteSource } from '../byte-source.ts';
import { openCsv } from '../csv-source.ts';
import { ROW_FAULTS, type RowBlock } from '../row-block.ts';
import { decodeText } from '../text-cache.ts';

export const MAX_LIST_ROWS = 2_000_000;
const MAX_VALUE = 500;
const MS_PER_DAY = 86_400_000;

/** Folded to lower case without accents and marks, the likeliest first. */
const COLUMNS = {
  value: [
    ...['value', 'valor', 'name', 'nombre', 'nombrecompleto', 'nombreyapellidos', 'apellidosynombres', 'razonsocial'],
    ...['account', 'cuenta', 'cci', 'document', 'documento', 'dni', 'ruc', 'device', 'dispositivo', 'card', 'tarjeta'],
    ...['phone', 'celular', 'telefono', 'ip', 'iban', 'id', 'entity', 'entidad', 'merchant', 'comercio'],
  ],
  reason: ['reason', 'motivo', 'razon', 'causa', 'detalle', 'comentario', 'notes', 'cargo'],
  from: ['from', 'desde', 'start', 'inicio', 'fechainicio', 'vigenciadesde'],
  until: ['until', 'hasta', 'expiry', 'expires', 'vence', 'vencimiento', 'fin', 'fechafin', 'vigenciahasta'],
} as const;

export async function readListCsv(bytes: ByteSource): Promise<ListFile> {
  const { path } = bytes;
  const source = await openCsv(bytes, { delimiter: null, encoding: 'utf-8' });
  const columns = source.columns.map((name) => plainText(name).replace(/[^\p{L}\p{N}]/gu, ''));
  const columnOf = (names: readonly string[]) => {
    const found = names.map((name) => columns.indexOf(name)).find((index) => index >= 0);
    return found ?? (names === COLUMNS.value && columns.length === 1 ? 0 : -1);
  };
  const value = columnOf(COLUMNS.value);
  if (value < 0) {
    throw new InputError(
      'LIST_COLUMN_MISSING',
      `${path}: no column holds the values, among ${source.columns.join(', ')}`,
      "Call it 'valor' or 'nombre'; 'motivo', 'desde' and 'hasta' are read too",
    );
  }
  const rest = { reason: columnOf(COLUMNS.reason), from: columnOf(COLUMNS.from), until: columnOf(COLUMNS.until) };
  const noDay = (column: number) => `column '${source.columns[column]}' holds no day: write YYYY-MM-DD`;
  const rows: ListRow[] = [];
  const rejected: RejectedListRow[] = [];
  const firstLines = new Map<string, number>();
  for await (const block of source.blocks()) {
    for (let row = 0; row < block.rows; row++) {
      const line = block.lines[row];
      const read = readRow(block, row, value, rest, noDay);
      const first = typeof read === 'string' ? undefined : firstLines.get(read.value);
      if (typeof read === 'string') rejected.push({ file: path, line, message: read });
      else if (first !== undefined)
        rejected.push({ file: path, line, message: `the same value stands in line ${first} already` });
      else {
        firstLines.set(read.value, line);
        rows.push(read);
      }
    }
    if (rows.length > MAX_LIST_ROWS) {
      throw new InputError(
        'LIST_TOO_LONG',
        `${path} has more than ${MAX_LIST_ROWS} rows`,
        'Split it into several lists',
      );
    }
  }
  return { rows, rejected, weakNames: 0 };
}

/** @returns what is wrong with the row, as a text without its values: they are somebody's, and the text may be kept */
function readRow(
  block: RowBlock,
  row: number,
  valueColumn: number,
  { reason, from, until }: Readonly<Record<'reason' | 'from' | 'until', number>>,
  noDay: (column: number) => string,
): ListRow | string {
  if (block.faults[row] !== 0) return ROW_FAULTS[block.faults[row]];
  const cells = cellsOf(block, row);
  if (cells === null) return 'ENCODING_INVALID';
  const value = cells[valueColumn].trim();
  if (value === '') return 'the value is empty';
  if (value.length > MAX_VALUE) return `the value has ${value.length} characters, the limit is ${MAX_VALUE}`;
  const dayOf = (column: number) => {
    const text = column < 0 ? '' : cells[column].trim();
    return text === '' ? null : (parseLimaDay(text) ?? Number.NaN);
  };
  const fromMs = dayOf(from);
  const lastDayMs = dayOf(until);
  if (Number.isNaN(fromMs)) return noDay(from);
  if (Number.isNaN(lastDayMs)) return noDay(until);
  // The last day counts whole.
  const untilMs = lastDayMs === null ? null : lastDayMs + MS_PER_DAY;
  if (fromMs !== null && untilMs !== null && untilMs <= fromMs) return 'it ends before it begins';
  return { value, reason: (reason < 0 ? '' : cells[reason].trim()) || null, fromMs, untilMs };
}

/** null where a cell is not UTF-8 */
export function cellsOf(block: RowBlock, row: number): string[] | null {
  const cells: string[] = [];
  for (let i = row * block.columns; i < (row + 1) * block.columns; i++) {
    const text = decodeText(block.bytes, block.starts[i], block.ends[i], 'utf-8');
    if (text === null) return null;
    cells.push(text);
  }
  return cells;
}
