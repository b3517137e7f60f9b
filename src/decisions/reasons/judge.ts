// For each feature: is its value out of the ordinary, and in which words; and the plain words where it is not.
import type { Aggregate, FeatureDefinition } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
import { amountAgainstLevel, amountIsMaximum, deviations, ratioToHabit, ratioToMaximum, total } from './amounts.ts';
import { categoryText } from './category-words.ts';
import { clockOf, hourShare, speed } from './event.ts';
import { amountOf, type EntityFeature, type Finding, type Row, statisticOf } from './evidence.ts';
import { alike, duration, factor, integer, money, percent, type Texts } from './format.ts';
import { count, distinct, passThrough, sameAmount, share } from './frequency.ts';
import {
  codeOfFrauds,
  fraudCount,
  fraudRate,
  fraudRun,
  fraudRunAge,
  timeSinceFraud,
  timeSinceGenuine,
} from './labels.ts';
import { age, isNew, timeSinceLast, withoutHistory } from './novelty.ts';
import { property } from './properties.ts';
import { absenceText, hasEntity } from './words.ts';

type Judge = (feature: EntityFeature, row: Row) => Finding | null;

const ORDINARY: Judge = () => null;

const JUDGES: Readonly<Record<Aggregate, Judge>> = {
  value: ORDINARY,
  count,
  sum: total,
  mean: amountAgainstLevel,
  median: amountAgainstLevel,
  max: amountIsMaximum,
  min: ORDINARY,
  std: ORDINARY,
  distinct,
  'ratio-to-mean': ratioToHabit,
  'ratio-to-median': ratioToHabit,
  'ratio-to-max': ratioToMaximum,
  'z-score': deviations,
  age,
  'time-since-last': timeSinceLast,
  'is-new': isNew,
  share,
  'hour-share': hourShare,
  'hour-entropy': ORDINARY,
  speed,
  'pass-through': passThrough,
  'same-amount': sameAmount,
  'fraud-count': fraudCount,
  'fraud-rate': fraudRate,
  'fraud-rate-smoothed': fraudRate,
  'fraud-run-length': fraudRun,
  'fraud-run-age': fraudRunAge,
  'time-since-genuine': timeSinceGenuine,
  'time-since-fraud': timeSinceFraud,
};

/** What the feature says where its value is out of the ordinary; null where it looks ordinary. */
export function judge(definition: FeatureDefinition, value: number, row: Row): Finding | null {
  const { entity } = definition;
  if (entity === 'transaction') return property(definition.field, value, row);
  if (!hasEntity(entity, row.transaction)) return null;
  if (Number.isNaN(value)) return withoutHistory({ definition, entity }, row);
  if (!isSayable(value)) return null;
  return JUDGES[definition.aggregate]({ definition, entity, value }, row);
}

/** Larger numbers are no quantity of this world, and no longer exact. */
function isSayable(value: number): boolean {
  return Math.abs(value) <= Number.MAX_SAFE_INTEGER;
}

const AMOUNT_AGGREGATES: ReadonlySet<Aggregate> = new Set([
  'sum',
  'mean',
  'median',
  'min',
  'max',
  'std',
  'ratio-to-mean',
  'ratio-to-median',
  'ratio-to-max',
  'z-score',
]);

/** The reason to which an ordinary-looking feature lends its weight, if another feature gives that reason. */
export function kinOf(definition: FeatureDefinition): ReasonCode | null {
  const { entity, aggregate, field, filter, delayMs } = definition;
  if (entity === 'transaction') {
    if (field === 'amount' || field === 'log-amount') return 'MONTO_FUERA_DE_PERFIL';
    return field === 'hour' || field === 'night' ? 'HORA_INUSUAL' : null;
  }
  if (aggregate.startsWith('fraud-') || aggregate.endsWith('-fraud') || aggregate.endsWith('-genuine')) {
    return codeOfFrauds(entity);
  }
  if (delayMs > 0) return null;
  if (AMOUNT_AGGREGATES.has(aggregate)) return 'MONTO_FUERA_DE_PERFIL';
  if (aggregate === 'hour-share' || aggregate === 'hour-entropy') return 'HORA_INUSUAL';
  return aggregate === 'count' && filter === 'all' && entity !== 'pair' ? 'FRECUENCIA_ALTA' : null;
}

/** The plain statement of a feature, neither high nor low: `monto promedio del cliente en 30 d: S/ 52.00`. */
export function plainText(definition: FeatureDefinition, value: number, row: Row): Texts {
  const { entity, meaning } = definition;
  if (entity !== 'transaction' && !hasEntity(entity, row.transaction)) return absenceText(entity, row.transaction);
  const said = valueText(definition, value, row);
  if (said === null) return { es: tidy(meaning.es), en: tidy(meaning.en) };
  return { es: `${tidy(meaning.es)}: ${said.es}`, en: `${tidy(meaning.en)}: ${said.en}` };
}

/** Features with the same key say one thing: a statistic over several windows, or anything of an entity that is not named. */
export function factOf(definition: FeatureDefinition, { transaction }: Row): string {
  const { entity } = definition;
  return entity !== 'transaction' && !hasEntity(entity, transaction) ? entity : statisticOf(definition);
}

function tidy(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[.:;]$/, '');
}

function valueText(definition: FeatureDefinition, value: number, row: Row): Texts | null {
  const { entity, field, unit } = definition;
  if (field === 'amount' && entity === 'transaction') return alike(money(amountOf(row), row.currency));
  if (Number.isNaN(value)) {
    return entity === 'transaction'
      ? { es: 'sin dato en la operación', en: 'not given in the transaction' }
      : { es: 'sin historial previo', en: 'no previous history' };
  }
  if (!isSayable(value)) return null;
  switch (unit) {
    case 'count':
      return alike(integer(value));
    case 'minor':
      return alike(money(value, row.currency));
    case 'ratio':
      return ratioText(definition, value);
    case 'deviations':
      return alike(`${value < 0 ? '-' : ''}${factor(Math.abs(value))}`);
    case 'ms':
      return value < 0 ? null : duration(value);
    case 'km/h':
      return alike(`${integer(value)} km/h`);
    case 'boolean':
      return value === 0 ? { es: 'no', en: 'no' } : { es: 'sí', en: 'yes' };
    case 'hour':
      return alike(clockOf(row));
    case 'bits':
      return alike(`${factor(Math.max(0, value))} bits`);
    case 'category':
      return categoryText(field, value, row.transaction);
  }
}

const SHARES: ReadonlySet<Aggregate> = new Set([
  'share',
  'hour-share',
  'fraud-rate',
  'fraud-rate-smoothed',
  'pass-through',
]);

function ratioText({ aggregate }: FeatureDefinition, value: number): Texts | null {
  if (value < 0) return null;
  if (SHARES.has(aggregate)) return percent(value);
  return alike(value > 0 && value < 0.1 ? '< 0.1' : factor(value));
}
