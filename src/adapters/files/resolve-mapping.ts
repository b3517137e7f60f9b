// A mapping file applied to the columns a file has: checks that they exist, recognises formats that were not given.
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import type { FieldSource, ResolvedMapping } from '../../ports.ts';
import { decimalMarkOf, timeFormatOf } from './guess-formats.ts';
import type { FieldMapping, FieldName, MappingFile } from './mapping-file.ts';
import { AMOUNT_FIELDS, type PlannedColumn, type ReadPlan, TIME_FIELDS } from './read-plan.ts';
import type { RowSource } from './row-block.ts';

const REQUIRED: readonly FieldName[] = ['eventTimeMs', 'amountMinor'];

export interface Resolution {
  readonly plan: ReadPlan;
  readonly mapping: ResolvedMapping;
}

export async function resolveMapping(
  path: string,
  source: RowSource,
  file: MappingFile,
  guessed: boolean,
): Promise<Resolution> {
  const sample = await source.sample();
  const { columns } = source;
  const readable = [...columns, ...(source.hiddenColumns ?? [])];
  const indexOf = (column: string) => readable.indexOf(column);
  const textsOf = (index: number) =>
    sample.map((row) => row[index]).filter((text) => text !== '' && !file.missing.has(text));
  const planned: PlannedColumn[] = [];
  for (const [field, mapping] of file.fields) {
    const index = indexOf(mapping.column);
    const timeIndex = mapping.timeColumn === undefined ? -1 : indexOf(mapping.timeColumn);
    if (index < 0 && mapping.optional === true) continue;
    if (index < 0) throw missingColumn(path, file, field, mapping.column, columns);
    if (timeIndex < 0 && mapping.timeColumn !== undefined) {
      throw missingColumn(path, file, field, mapping.timeColumn, columns);
    }
    const format = TIME_FIELDS.has(field) ? (mapping.format ?? timeFormatOf(textsOf(index))?.format ?? 'iso') : null;
    planned.push({ field, mapping, index, timeIndex, format });
  }
  for (const field of REQUIRED) {
    if (!planned.some((column) => column.field === field)) {
      throw new InputError(
        'MAPPING_INVALID',
        `The mapping ${file.name} feeds no ${field}`,
        `Add '${field}: COLUMN' under fields`,
      );
    }
  }
  const amounts = planned.filter(({ field, mapping }) => AMOUNT_FIELDS.has(field) && mapping.unit !== 'minor');
  const decimalMark = file.decimalMark ?? decimalMarkOf(amounts.flatMap(({ index }) => textsOf(index)));
  const plan: ReadPlan = { file, columns: planned, decimalMark };
  return { plan, mapping: describeResolved(source, plan, guessed) };
}

function missingColumn(
  path: string,
  file: MappingFile,
  field: string,
  column: string,
  columns: readonly string[],
): InputError {
  const alike = columns.find((name) => name.toLowerCase() === column.toLowerCase());
  return new InputError(
    'COLUMN_MISSING',
    `${path} has no column '${column}', which the mapping ${file.name} wants for ${field}; it has ${listColumns(columns)}`,
    alike === undefined ? 'Correct the mapping or the file' : `Did you mean '${alike}'? Names are case-sensitive`,
  );
}

export function listColumns(columns: readonly string[]): string {
  const shown = columns.slice(0, 40).map((name) => (name === '' ? "''" : name));
  return columns.length > shown.length
    ? `${shown.join(', ')} and ${columns.length - shown.length} more`
    : shown.join(', ');
}

function describeResolved(source: RowSource, plan: ReadPlan, guessed: boolean): ResolvedMapping {
  const { file, columns } = plan;
  const fields = new Map<keyof Transaction, FieldSource>();
  const used = new Set<string>();
  for (const { field, mapping, index, format } of columns) {
    if (index >= source.columns.length) continue;
    used.add(mapping.column);
    if (mapping.timeColumn !== undefined) used.add(mapping.timeColumn);
    fields.set(field, { kind: 'column', column: mapping.column, detail: detailOf(plan, field, mapping, format) });
  }
  if (!fields.has('id')) fields.set('id', { kind: 'row-number' });
  if (!fields.has('currency')) fields.set('currency', { kind: 'constant', value: file.currency });
  for (const [field, value] of file.constants) if (!fields.has(field)) fields.set(field, { kind: 'constant', value });
  if (file.labelDelayDays !== null && fields.has('isFraud') && !fields.has('labelTimeMs')) {
    fields.set('labelTimeMs', { kind: 'derived', detail: `the time plus ${file.labelDelayDays} days` });
  }
  const unusedColumns = source.columns.filter((column) => !used.has(column));
  return {
    name: file.name,
    guessed,
    fields,
    unusedColumns,
    timeZone: file.timeZone,
    labelDelayDays: file.labelDelayDays,
    catalogue: file.catalogue,
    describe: () => [
      `${source.format}, ${source.columns.length} columns`,
      ...[...fields].map(([field, from]) => `${field} ← ${describeSource(from)}`),
      ...(unusedColumns.length > 0 ? [`not used: ${listColumns(unusedColumns)}`] : []),
    ],
  };
}

function detailOf(plan: ReadPlan, field: FieldName, mapping: FieldMapping, format: string | null): string {
  if (format?.startsWith('epoch')) return format;
  if (format !== null) {
    const clock = mapping.timeColumn === undefined ? '' : `with ${mapping.timeColumn}, `;
    return `${clock}${format}, ${plan.file.timeZone} where no offset is written`;
  }
  if (mapping.token === true) return 'replaced by a token';
  if (!AMOUNT_FIELDS.has(field)) return '';
  return mapping.unit === 'minor' ? 'minor units' : `decimal mark '${plan.decimalMark}'`;
}

function describeSource(source: FieldSource): string {
  switch (source.kind) {
    case 'column':
      return source.detail === '' ? source.column : `${source.column} (${source.detail})`;
    case 'constant':
      return `always ${source.value}`;
    case 'row-number':
      return 'the number of the row';
    case 'derived':
      return source.detail;
  }
}
