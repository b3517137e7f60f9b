// OFAC's list of Specially Designated Nationals as it is published in CSV: sdn.csv, and alt.csv with the other names.
//
// Neither has a line of headings; `-0-` stands for nothing, and a last line of one control character for the end
// (https://ofac.treasury.gov/specially-designated-nationals-list-data-formats-data-schemas).
import type { ListFile, ListRow, RejectedListRow } from '../../../ports.ts';
import { allBytes, type ByteSource } from '../byte-source.ts';
import { CsvScanner } from '../csv-scanner.ts';
import { MAX_ROW_BYTES } from '../csv-source.ts';
import { ROW_FAULTS, RowBlock } from '../row-block.ts';
import { cellsOf } from './read-list-csv.ts';

const MAX_BYTES = 256_000_000;
const SDN_COLUMNS = 12;
const ALT_COLUMNS = 5;
const COMMA = 44;
const LF = 10;
const NOTHING = '-0-';
const END_OF_FILE = '\u001a';

/** @param alt where it is null the people and companies have no other names */
export async function readOfacCsv(source: ByteSource, alt: ByteSource | null): Promise<ListFile> {
  const { path } = source;
  const rejected: RejectedListRow[] = [];
  const programs = new Map<string, string>();
  const rows: ListRow[] = [];
  for (const { line, cells } of await recordsOf(source, SDN_COLUMNS, rejected)) {
    const [id, name, , program] = cells;
    const reason = `OFAC ${id}${program === '' ? '' : ` [${program}]`}`;
    programs.set(id, reason);
    if (name === '') rejected.push({ file: path, line, message: 'the name is empty' });
    else rows.push({ value: name, reason, fromMs: null, untilMs: null });
  }
  if (alt !== null) {
    for (const { line, cells } of await recordsOf(alt, ALT_COLUMNS, rejected)) {
      const [id, , kind, name] = cells;
      const reason = programs.get(id);
      if (reason === undefined) rejected.push({ file: alt.path, line, message: `${path} has no entry ${id}` });
      else if (name === '') rejected.push({ file: alt.path, line, message: 'the name is empty' });
      else rows.push({ value: name, reason: `${reason} ${kind}`, fromMs: null, untilMs: null });
    }
  }
  return { rows, rejected, weakNames: 0 };
}

async function recordsOf(
  source: ByteSource,
  columns: number,
  rejected: RejectedListRow[],
): Promise<{ readonly line: number; readonly cells: readonly string[] }[]> {
  const { path } = source;
  const bytes = await allBytes(source, MAX_BYTES);
  const block = new RowBlock(bytes, columns);
  const scanner = new CsvScanner({ delimiter: COMMA, newline: LF }, 1, MAX_ROW_BYTES);
  const records: { line: number; cells: string[] }[] = [];
  for (let position = 0; position < bytes.length; ) {
    block.clear();
    position = scanner.scan(block, position, bytes.length, true);
    for (let row = 0; row < block.rows; row++) {
      const line = block.lines[row];
      const cells = block.faults[row] === 0 ? cellsOf(block, row) : null;
      if (cells !== null) records.push({ line, cells: cells.map(cleaned) });
      else if (bytes.toString('latin1', block.rowStarts[row], block.rowEnds[row]).trim() !== END_OF_FILE) {
        const message = block.faults[row] === 0 ? 'ENCODING_INVALID' : ROW_FAULTS[block.faults[row]];
        rejected.push({ file: path, line, message });
      }
    }
    if (block.rows === 0) break;
  }
  return records;
}

function cleaned(cell: string): string {
  const text = cell.trim();
  return text === NOTHING ? '' : text;
}
