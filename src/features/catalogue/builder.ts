// Builds definitions with their ids and their meaning in both languages from the parts that they are made of.
import type { Aggregate, Bilingual, EntityKind, FeatureDefinition, Filter, Unit } from '../definition.ts';
import { DAY_MS, HOUR_MS } from '../limits.ts';

export type WindowName = '1h' | '1d' | '7d' | '14d' | '30d';

const WINDOW_MS: Readonly<Record<WindowName, number>> = {
  '1h': HOUR_MS,
  '1d': DAY_MS,
  '7d': 7 * DAY_MS,
  '14d': 14 * DAY_MS,
  '30d': 30 * DAY_MS,
};

const WINDOW_TEXT: Readonly<Record<WindowName, Bilingual>> = {
  '1h': { es: '1 hora', en: '1 hour' },
  '1d': { es: '24 horas', en: '24 hours' },
  '7d': { es: '7 días', en: '7 days' },
  '14d': { es: '14 días', en: '14 days' },
  '30d': { es: '30 días', en: '30 days' },
};

/** Labels of a terminal's or a place's transactions are used only this long after them, as the Handbook does. */
export const LABEL_DELAY_MS = 7 * DAY_MS;
/** Claims count from the moment they are known; a transaction of the last hour has none yet. */
export const CLAIM_DELAY_MS = HOUR_MS;
const DELAY_TEXT: Bilingual = { es: ', hasta hace 7 días', en: ', up to 7 days ago' };
const HABIT_TEXT: Bilingual = { es: ' (habituales)', en: ' (habitual)' };

export const OF_ENTITY: Readonly<Record<EntityKind, Bilingual>> = {
  payer: { es: 'del pagador', en: 'of the payer' },
  card: { es: 'de la tarjeta', en: 'of the card' },
  device: { es: 'del dispositivo', en: 'of the device' },
  payee: { es: 'del beneficiario', en: 'of the payee' },
  pair: { es: 'del pagador con esta contraparte', en: 'of the payer with this counterparty' },
  terminal: { es: 'del terminal o comercio', en: 'of the terminal or merchant' },
  place: { es: 'del lugar', en: 'of the place' },
};

const OPERATIONS_TEXT: Readonly<Record<Filter, Bilingual>> = {
  all: { es: 'operaciones', en: 'operations' },
  approved: { es: 'pagos aprobados', en: 'approved payments' },
  declined: { es: 'operaciones rechazadas', en: 'declined operations' },
  security: { es: 'eventos de seguridad', en: 'security events' },
  cash: { es: 'operaciones en efectivo', en: 'cash operations' },
  night: { es: 'operaciones de madrugada', en: 'night operations' },
  weekend: { es: 'operaciones de fin de semana', en: 'weekend operations' },
  'round-amount': { es: 'montos redondos', en: 'round amounts' },
  'near-threshold': { es: 'montos justo bajo un límite', en: 'amounts just below a limit' },
  'off-habit': { es: 'pagos fuera de hábito', en: 'off-habit payments' },
  habit: { es: 'pagos habituales', en: 'habitual payments' },
  'cross-border': { es: 'operaciones en el extranjero', en: 'operations abroad' },
};

const DISTINCT_TEXT: Readonly<Record<string, Bilingual>> = {
  payer: { es: 'pagadores', en: 'payers' },
  card: { es: 'tarjetas', en: 'cards' },
  device: { es: 'dispositivos', en: 'devices' },
  payee: { es: 'beneficiarios', en: 'payees' },
  counterparty: { es: 'contrapartes', en: 'counterparties' },
  terminal: { es: 'terminales', en: 'terminals' },
  place: { es: 'lugares', en: 'places' },
  ip: { es: 'direcciones IP', en: 'IP addresses' },
  mcc: { es: 'rubros', en: 'merchant categories' },
  country: { es: 'países', en: 'countries' },
  channel: { es: 'canales', en: 'channels' },
  currency: { es: 'monedas', en: 'currencies' },
};

/** What an aggregate says of `{ops}` (which operations) `{of}` (whose). */
const AGGREGATE_TEXT: Readonly<Partial<Record<Aggregate, readonly [Unit, string, string]>>> = {
  count: ['count', '{ops} {of}', '{ops} {of}'],
  sum: ['minor', 'suma de {ops} {of}', 'sum of {ops} {of}'],
  mean: ['minor', 'monto promedio de {ops} {of}', 'mean amount of {ops} {of}'],
  std: ['minor', 'dispersión del monto de {ops} {of}', 'spread of the amount of {ops} {of}'],
  max: ['minor', 'mayor monto de {ops} {of}', 'greatest amount of {ops} {of}'],
  min: ['minor', 'menor monto de {ops} {of}', 'least amount of {ops} {of}'],
  median: ['minor', 'mediana del monto de {ops} {of}', 'median amount of {ops} {of}'],
  distinct: ['count', '{values} distintos {of}', 'different {values} {of}'],
  'ratio-to-mean': ['ratio', 'veces el promedio de {ops} {of}', 'times the mean of {ops} {of}'],
  'ratio-to-median': ['ratio', 'veces la mediana de {ops} {of}', 'times the median of {ops} {of}'],
  'ratio-to-max': ['ratio', 'veces el mayor de {ops} {of}', 'times the greatest of {ops} {of}'],
  'z-score': ['deviations', 'desviaciones del promedio de {ops} {of}', 'deviations from the mean of {ops} {of}'],
  share: ['ratio', 'proporción de {ops} {of}', 'share of {ops} {of}'],
  'hour-share': ['ratio', 'proporción de {ops} {of} a esta hora', 'share of {ops} {of} at this hour'],
  'hour-entropy': ['bits', 'variedad de horas de {ops} {of}', 'variety of hours of {ops} {of}'],
  'pass-through': ['ratio', 'dinero que sale ÷ que entra {of}', 'money out ÷ money in {of}'],
  'same-amount': ['count', '{ops} {of} con este mismo monto', '{ops} {of} with this very amount'],
  age: ['ms', 'antigüedad {of}', 'age {of}'],
  'time-since-last': ['ms', 'tiempo desde la última de {ops} {of}', 'time since the last of {ops} {of}'],
  'is-new': ['boolean', 'primera operación {of}', 'first operation {of}'],
  speed: ['km/h', 'velocidad desde el último lugar {of}', 'speed since the last place {of}'],
  'fraud-count': ['count', 'fraudes conocidos {of}', 'known frauds {of}'],
  'fraud-rate': ['ratio', 'tasa de fraude {of}', 'fraud rate {of}'],
  'fraud-rate-smoothed': ['ratio', 'tasa de fraude suavizada {of}', 'smoothed fraud rate {of}'],
  'fraud-run-length': ['count', 'fraudes seguidos {of}', 'frauds in a row {of}'],
  'fraud-run-age': [
    'ms',
    'tiempo desde el inicio de los fraudes seguidos {of}',
    'time since the run of frauds began {of}',
  ],
  'time-since-genuine': [
    'ms',
    'tiempo desde la última operación legítima {of}',
    'time since the last genuine operation {of}',
  ],
  'time-since-fraud': ['ms', 'tiempo desde el último fraude {of}', 'time since the last fraud {of}'],
};

const CLAIM_TEXT: Readonly<Partial<Record<Aggregate, readonly [Unit, string, string]>>> = {
  'fraud-count': ['count', 'fraudes reclamados {of}', 'claimed frauds {of}'],
  'fraud-rate-smoothed': ['ratio', 'tasa suavizada de fraudes reclamados {of}', 'smoothed rate of claimed frauds {of}'],
};

export interface Parts {
  readonly filter?: Filter;
  readonly field?: string;
  readonly delayed?: boolean;
  /** Labels as soon as they are known; names and texts speak of claims. */
  readonly claimed?: boolean;
  readonly smoothing?: { readonly prior: number; readonly weight: number };
}

const snake = (text: string) => text.replaceAll('-', '_');

function nameOf(aggregate: Aggregate, { filter = 'all', field, delayed = false, claimed = false }: Parts): string {
  if (claimed) return snake(aggregate).replace('fraud', 'claim');
  const amount = ['sum', 'mean', 'std', 'max', 'min', 'median'].includes(aggregate) ? 'amount_' : '';
  const which = filter === 'all' || filter === 'approved' ? '' : `${snake(filter)}_`;
  const what = aggregate === 'distinct' ? `distinct_${field}` : `${amount}${snake(aggregate)}`;
  return `${which}${what}${delayed && aggregate === 'count' ? '_delayed' : ''}`;
}

function meaningOf(
  language: 'es' | 'en',
  entity: EntityKind,
  aggregate: Aggregate,
  window: WindowName | null,
  parts: Parts,
) {
  const [, es, en] = (parts.claimed === true ? CLAIM_TEXT : AGGREGATE_TEXT)[aggregate]!;
  const said = (language === 'es' ? es : en)
    .replace('{ops}', OPERATIONS_TEXT[parts.filter ?? 'all'][language])
    .replace('{values}', DISTINCT_TEXT[parts.field ?? '']?.[language] ?? '')
    .replace('{of}', OF_ENTITY[entity][language]);
  const within = window === null ? '' : `${language === 'es' ? ' en ' : ' in '}${WINDOW_TEXT[window][language]}`;
  const among = parts.delayed === true && parts.filter === 'habit' ? HABIT_TEXT[language] : '';
  return `${said}${within}${parts.delayed === true ? DELAY_TEXT[language] : ''}${among}`;
}

/** One definition; without history it is missing (NaN). */
export function feature(
  entity: EntityKind,
  aggregate: Aggregate,
  window: WindowName | null,
  parts: Parts = {},
): FeatureDefinition {
  const { filter = 'all', field = null, delayed = false, claimed = false, smoothing } = parts;
  return {
    id: `${entity}_${nameOf(aggregate, parts)}${window === null ? '' : `_${window}`}`,
    entity,
    aggregate,
    field,
    windowMs: window === null ? null : WINDOW_MS[window],
    delayMs: delayed ? LABEL_DELAY_MS : claimed ? CLAIM_DELAY_MS : 0,
    filter,
    ...(smoothing === undefined ? {} : { smoothing }),
    unit: AGGREGATE_TEXT[aggregate]![0],
    missing: Number.NaN,
    meaning: {
      es: meaningOf('es', entity, aggregate, window, parts),
      en: meaningOf('en', entity, aggregate, window, parts),
    },
  };
}

/** The same feature for several windows. */
export function features(
  entity: EntityKind,
  aggregate: Aggregate,
  windows: readonly WindowName[],
  parts: Parts = {},
): FeatureDefinition[] {
  return windows.map((window) => feature(entity, aggregate, window, parts));
}

/** A property of the event alone. */
export function value(id: string, unit: Unit, es: string, en: string): FeatureDefinition {
  return {
    id: snake(id),
    entity: 'transaction',
    aggregate: 'value',
    field: id,
    windowMs: null,
    delayMs: 0,
    filter: 'all',
    unit,
    missing: Number.NaN,
    meaning: { es, en },
  };
}
