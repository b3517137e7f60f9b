// Definitions for tests: one by one for golden sentences, and every sensible combination for properties.
import {
  AGGREGATES,
  type Aggregate,
  ENTITY_KINDS,
  type FeatureDefinition,
  FILTERS,
  type Unit,
} from '../../src/features/definition.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const WITHOUT_WINDOW: ReadonlySet<Aggregate> = new Set(['value', 'age', 'time-since-last', 'is-new', 'speed']);

const UNITS: Partial<Record<Aggregate, Unit>> = {
  sum: 'minor',
  mean: 'minor',
  std: 'minor',
  min: 'minor',
  max: 'minor',
  median: 'minor',
  'ratio-to-mean': 'ratio',
  'ratio-to-median': 'ratio',
  'ratio-to-max': 'ratio',
  'z-score': 'deviations',
  age: 'ms',
  'time-since-last': 'ms',
  'is-new': 'boolean',
  share: 'ratio',
  'hour-share': 'ratio',
  'hour-entropy': 'bits',
  speed: 'km/h',
  'pass-through': 'ratio',
  'fraud-rate': 'ratio',
  'fraud-rate-smoothed': 'ratio',
  'fraud-run-age': 'ms',
  'time-since-genuine': 'ms',
  'time-since-fraud': 'ms',
};

export function definition(
  entity: FeatureDefinition['entity'],
  aggregate: Aggregate,
  given: Partial<FeatureDefinition> = {},
): FeatureDefinition {
  const unit = UNITS[aggregate] ?? 'count';
  const field = unit === 'minor' || aggregate.startsWith('ratio-') || aggregate === 'z-score' ? 'amount' : null;
  const windowMs = WITHOUT_WINDOW.has(aggregate) ? null : 30 * DAY;
  const made = {
    entity,
    aggregate,
    field,
    windowMs,
    delayMs: 0,
    filter: 'all' as const,
    unit,
    missing: Number.NaN,
    ...given,
  };
  const id = `${entity}_${aggregate}_${made.field ?? 'any'}_${made.filter}_${made.windowMs ?? 0}_${made.delayMs}`;
  return { id, meaning: { es: 'dato de prueba', en: 'datum for the test' }, ...made };
}

export const AMOUNT = definition('transaction', 'value', {
  field: 'amount',
  unit: 'minor',
  id: 'amount',
  meaning: { es: 'monto', en: 'amount' },
});

const DISTINCT_FIELDS = [
  'payer',
  'card',
  'device',
  'payee',
  'terminal',
  'place',
  'ip',
  'mcc',
  'country',
  'channel',
  'currency',
];

/** Every entity, aggregate and filter, over a short and a long window, with and without a delay. */
export const EVERY_DEFINITION: readonly FeatureDefinition[] = [
  AMOUNT,
  ...['weekend', 'night', 'hour', 'log-amount', 'round-amount', 'near-threshold', 'cross-border', 'channel'].map(
    (field) =>
      definition('transaction', 'value', {
        field,
        unit: field === 'hour' ? 'hour' : field === 'channel' ? 'category' : 'boolean',
      }),
  ),
  ...ENTITY_KINDS.flatMap((entity) =>
    AGGREGATES.filter((aggregate) => aggregate !== 'value').flatMap((aggregate) =>
      FILTERS.flatMap((filter) => {
        if (aggregate === 'distinct') {
          return filter === 'all'
            ? DISTINCT_FIELDS.map((field) => definition(entity, aggregate, { field, windowMs: HOUR }))
            : [];
        }
        if (WITHOUT_WINDOW.has(aggregate)) return [definition(entity, aggregate, { filter })];
        return [HOUR, 30 * DAY].flatMap((windowMs) =>
          [0, 7 * DAY].map((delayMs) => definition(entity, aggregate, { filter, windowMs, delayMs })),
        );
      }),
    ),
  ),
];
