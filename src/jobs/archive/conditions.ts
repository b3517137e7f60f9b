// What rows of an archive are searched for: the same condition as SQL over files and as a test of one record in memory.
import type { ArchivedRow } from './table.ts';

export type Condition =
  | { readonly column: string; readonly is: 'at-least' | 'at-most' | 'below'; readonly value: number }
  | { readonly column: string; readonly is: 'one-of'; readonly values: readonly string[] }
  /** A list has the text, or the text and a version: `night` finds `night` and `night@3`, `night@3` only that. */
  | { readonly column: string; readonly is: 'with-version-of'; readonly value: string };

export type SqlValue = string | number;

/** A condition in DuckDB's SQL. Missing values meet no condition. */
export function sqlOf(condition: Condition, parameters: SqlValue[]): string {
  const column = `"${condition.column}"`;
  const bound = (value: SqlValue) => {
    parameters.push(value);
    return `$${parameters.length}`;
  };
  switch (condition.is) {
    case 'at-least':
      return `${column} >= ${bound(condition.value)}`;
    case 'at-most':
      return `${column} <= ${bound(condition.value)}`;
    case 'below':
      return `${column} < ${bound(condition.value)}`;
    case 'one-of':
      return condition.values.length === 0 ? 'false' : `${column} IN (${condition.values.map(bound).join(', ')})`;
    case 'with-version-of': {
      const [exact, start] = [bound(condition.value), bound(`${condition.value}@`)];
      return `len(list_filter(${column}, lambda x: x = ${exact} OR starts_with(x, ${start}))) > 0`;
    }
  }
}

export function meets(values: ArchivedRow['values'], conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => meetsOne(values[condition.column], condition));
}

function meetsOne(value: unknown, condition: Condition): boolean {
  switch (condition.is) {
    case 'at-least':
      return typeof value === 'number' && value >= condition.value;
    case 'at-most':
      return typeof value === 'number' && value <= condition.value;
    case 'below':
      return typeof value === 'number' && value < condition.value;
    case 'one-of':
      return typeof value === 'string' && condition.values.includes(value);
    case 'with-version-of': {
      const isFound = (one: unknown) =>
        typeof one === 'string' && (one === condition.value || one.startsWith(`${condition.value}@`));
      return Array.isArray(value) && value.some(isFound);
    }
  }
}
