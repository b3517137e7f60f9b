// The fifteen inputs of the Fraud Detection Handbook (Le Borgne et al., chapter 3, "Baseline feature transformation").
import type { EntityKind, FeatureDefinition } from '../definition.ts';
import { DAY_MS } from '../limits.ts';

const WINDOWS_DAYS = [1, 7, 30] as const;
/** Labels arrive a week after their transaction. */
const LABEL_DELAY_MS = 7 * DAY_MS;

const common = { windowMs: null, delayMs: 0, filter: 'all', missing: 0 } as const;

const values: readonly FeatureDefinition[] = [
  {
    ...common,
    id: 'amount',
    entity: 'transaction',
    aggregate: 'value',
    field: 'amount',
    unit: 'minor',
    meaning: { es: 'monto', en: 'amount' },
  },
  {
    ...common,
    id: 'weekend',
    entity: 'transaction',
    aggregate: 'value',
    field: 'weekend',
    unit: 'boolean',
    meaning: { es: 'sábado o domingo', en: 'Saturday or Sunday' },
  },
  {
    ...common,
    id: 'night',
    entity: 'transaction',
    aggregate: 'value',
    field: 'night',
    unit: 'boolean',
    meaning: { es: 'de noche (0 a 6 h)', en: 'at night (hours 0 to 6)' },
  },
];

function payerFeatures(days: number): FeatureDefinition[] {
  const shared = { ...common, entity: 'payer' as EntityKind, windowMs: days * DAY_MS };
  return [
    {
      ...shared,
      id: `payer_count_${days}d`,
      aggregate: 'count',
      field: null,
      unit: 'count',
      meaning: { es: `operaciones del pagador en ${days} d`, en: `payer's transactions in ${days} d` },
    },
    {
      ...shared,
      id: `payer_amount_mean_${days}d`,
      aggregate: 'mean',
      field: 'amount',
      unit: 'minor',
      meaning: { es: `monto promedio del pagador en ${days} d`, en: `payer's mean amount in ${days} d` },
    },
  ];
}

function terminalFeatures(days: number): FeatureDefinition[] {
  const shared = {
    ...common,
    entity: 'terminal' as EntityKind,
    windowMs: days * DAY_MS,
    delayMs: LABEL_DELAY_MS,
    field: null,
  };
  return [
    {
      ...shared,
      id: `terminal_count_delayed_${days}d`,
      aggregate: 'count',
      unit: 'count',
      meaning: {
        es: `operaciones del terminal en ${days} d, hasta hace 7 d`,
        en: `terminal's transactions in ${days} d, up to 7 d ago`,
      },
    },
    {
      ...shared,
      id: `terminal_fraud_rate_${days}d`,
      aggregate: 'fraud-rate',
      unit: 'ratio',
      meaning: {
        es: `tasa de fraude del terminal en ${days} d, hasta hace 7 d`,
        en: `terminal's fraud rate in ${days} d, up to 7 d ago`,
      },
    },
  ];
}

/** Amount, weekend, night; payer's count and mean amount; terminal's delayed count and fraud rate; for 1, 7 and 30 days. */
export const handbookCatalogue: readonly FeatureDefinition[] = [
  ...values,
  ...WINDOWS_DAYS.flatMap(payerFeatures),
  ...WINDOWS_DAYS.flatMap(terminalFeatures),
];
