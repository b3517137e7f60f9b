// Features of the event alone, without history.
import type { Transaction } from '../domain/transaction.ts';
import type { FeatureDefinition } from './definition.ts';
import type { FoldEvent } from './event.ts';
import { flagOf } from './event-flags.ts';

/** Properties of an event that a feature with the aggregate 'value' may name as its field. */
type Reader = (tx: Transaction, event: FoldEvent) => number;

const flag =
  (bit: number): Reader =>
  (_, event) =>
    (event.flags & bit) !== 0 ? 1 : 0;

const READERS: Readonly<Record<string, Reader>> = {
  amount: (_, event) => event.amount,
  'log-amount': (_, event) => Math.log1p(Math.max(0, event.amount)),
  hour: (_, event) => event.hour,
  weekday: (_, event) => event.weekday,
  weekend: flag(flagOf('weekend')),
  night: flag(flagOf('night')),
};

export interface ValuePlan {
  readonly readers: readonly Reader[];
  readonly columns: Int32Array;
  readonly missing: Float64Array;
}

/** @throws RangeError naming a feature whose field is not known. */
export function compileValues(definitions: readonly FeatureDefinition[]): ValuePlan {
  const columns: number[] = [];
  const readers: Reader[] = [];
  definitions.forEach(({ id, entity, aggregate, field }, column) => {
    if (entity !== 'transaction') return;
    const reader = field === null ? undefined : READERS[field];
    if (aggregate !== 'value' || reader === undefined) {
      throw new RangeError(`feature ${id}: no such property of a transaction: ${String(field)}`);
    }
    columns.push(column);
    readers.push(reader);
  });
  return {
    readers,
    columns: Int32Array.from(columns),
    missing: Float64Array.from(columns, (column) => definitions[column].missing),
  };
}

/** Writes each value feature; NaN from a reader means missing. */
export function writeValues(
  plan: ValuePlan,
  tx: Transaction,
  event: FoldEvent,
  out: Float64Array,
  offset: number,
): void {
  for (let i = 0; i < plan.readers.length; i++) {
    const value = plan.readers[i](tx, event);
    out[offset + plan.columns[i]] = Number.isNaN(value) ? plan.missing[i] : value;
  }
}
