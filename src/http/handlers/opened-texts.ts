// Rows whose texts lie sealed, as they were written.
import type { TextSealing } from '../../privacy/sealed-text.ts';
import { type WrittenField, writtenPlace } from '../../records/alerts/written-places.ts';

/** @param rowId under which they were sealed */
export function openedTexts<Row extends object>(
  texts: TextSealing,
  row: Row,
  rowId: string,
  fields: Readonly<Partial<Record<keyof Row & string, WrittenField>>>,
): Row {
  const opened = { ...row } as Record<string, unknown>;
  for (const [name, field] of Object.entries(fields) as [string, WrittenField][]) {
    const kept = opened[name];
    if (typeof kept === 'string') opened[name] = texts.open(kept, writtenPlace(field, rowId));
  }
  return opened as Row;
}
