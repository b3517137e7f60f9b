// Compiles feature definitions into SQL windows for DuckDB: the independent oracle of the engine.
//
// A window is `RANGE BETWEEN INTERVAL W PRECEDING AND CURRENT ROW` over the event time, with a table's row for every event.
// SQL takes both ends in: (t − W, t] becomes W − 1 ms preceding. Events with one time are peers in SQL: each sees all.
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { FeatureDefinition } from '../../src/features/definition.ts';

const ENTITY_COLUMN: Readonly<Record<string, string>> = {
  payer: 'payer',
  card: 'card',
  device: 'device',
  payee: 'payee',
  terminal: 'terminal',
};

const FILTER_SQL: Readonly<Record<string, string>> = {
  all: 'true',
  approved: "(status = 'approved' AND NOT security)",
  declined: "(status = 'declined')",
  security: 'security',
  'cross-border': "(country <> 'PE')",
};

export async function connect(): Promise<DuckDBConnection> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  return instance.connect();
}

/** @param own false: the event itself (and its peers in time) is outside the window */
function frame(name: string, { windowMs, delayMs }: FeatureDefinition): string {
  const from = delayMs + windowMs! - 1;
  const until = delayMs === 0 ? 'CURRENT ROW' : `INTERVAL '${delayMs / 1000} seconds' PRECEDING`;
  return `(PARTITION BY ${name} ORDER BY happened RANGE BETWEEN INTERVAL '${from / 1000} seconds' PRECEDING AND ${until})`;
}

function aggregateSql(definition: FeatureDefinition): string {
  const { entity, aggregate, filter, field, smoothing } = definition;
  const over = frame(ENTITY_COLUMN[entity]!, definition);
  const where = `FILTER (WHERE ${FILTER_SQL[filter]})`;
  switch (aggregate) {
    case 'count':
      return `count(*) ${where} OVER ${over}`;
    case 'sum':
      return `coalesce(sum(amount) ${where} OVER ${over}, 0)`;
    case 'mean':
      return `avg(amount) ${where} OVER ${over}`;
    case 'std':
      return `stddev_samp(amount) ${where} OVER ${over}`;
    case 'min':
      return `min(amount) ${where} OVER ${over}`;
    case 'max':
      return `max(amount) ${where} OVER ${over}`;
    case 'distinct':
      return `count(DISTINCT ${ENTITY_COLUMN[field!] ?? field}) OVER ${over}`;
    case 'share':
      return `(count(*) ${where} OVER ${over})::DOUBLE / count(*) OVER ${over}`;
    case 'fraud-count':
      return `count(*) FILTER (WHERE fraud) OVER ${over}`;
    case 'fraud-rate':
      return `(count(*) FILTER (WHERE fraud) OVER ${over})::DOUBLE / nullif(count(*) OVER ${over}, 0)`;
    case 'fraud-rate-smoothed':
      return (
        `((count(*) FILTER (WHERE fraud) OVER ${over}) + ${smoothing!.prior * smoothing!.weight}) / ` +
        `((count(*) OVER ${over}) + ${smoothing!.weight})`
      );
    case 'value':
      return VALUE_SQL[field!]!;
    default:
      throw new Error(`the oracle has no SQL for ${aggregate}`);
  }
}

/** `happened` is a timestamp in local time. */
const VALUE_SQL: Readonly<Record<string, string>> = {
  amount: 'amount',
  weekend: '(isodow(happened) >= 6)::INTEGER',
  night: '(hour(happened) <= 6)::INTEGER',
  hour: 'hour(happened)',
};

/**
 * Rows of the features in the order of `row`, NaN for NULL.
 * The table `events` has row, happened (TIMESTAMP), amount, status, security, fraud, country and the entity columns.
 */
export async function featuresBySql(
  connection: DuckDBConnection,
  definitions: readonly FeatureDefinition[],
): Promise<Float64Array[]> {
  const columns = definitions.map((definition, i) => {
    const sql = aggregateSql(definition);
    const entity = ENTITY_COLUMN[definition.entity];
    const value = entity === undefined ? sql : `CASE WHEN ${entity} IS NULL THEN NULL ELSE ${sql} END`;
    return `(${value})::DOUBLE AS f${i}`;
  });
  const result = await connection.runAndReadAll(`SELECT ${columns.join(', ')} FROM events ORDER BY row`);
  return result
    .getColumns()
    .map((column) => Float64Array.from(column, (value) => (value === null ? Number.NaN : Number(value))));
}
