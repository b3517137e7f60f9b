// Sentences on how this amount, or a recent total, compares with the past.
import {
  amountOf,
  type EntityFeature,
  type Finding,
  habitOf,
  longestWindow,
  neighbour,
  type Row,
  strengthOf,
} from './evidence.ts';
import { factor, money, type Texts } from './format.ts';
import { capitalised, entityWords, statistic } from './words.ts';

/** From here on "N times the average" is worth saying, and below `LOW` "far below". */
const HIGH = 1.5;
const LOW = 0.2;
const EXTREME_RATIO = 20;
const HIGH_DEVIATIONS = 2;
const MOST_DEVIATIONS = 50;
/** A total is worth saying at this multiple of the usual one. */
const HIGH_TOTAL = 2;

const MEAN = { es: 'promedio', en: 'average' };
const MEDIAN = { es: 'mediana', en: 'median' };
const TOTAL = { es: 'acumulado', en: 'total' };
const CODE = 'MONTO_FUERA_DE_PERFIL';

/** `ratio-to-mean`, `ratio-to-median`: this event is not in the window. */
export function ratioToHabit(feature: EntityFeature, row: Row): Finding | null {
  const amount = amountOf(row);
  return feature.value > 0 ? against(feature, row, amount, amount / feature.value) : null;
}

/** `mean`, `median` and `max` of amounts, this event included. */
export function amountAgainstLevel(feature: EntityFeature, row: Row): Finding | null {
  if (feature.definition.field !== null && feature.definition.field !== 'amount') return null;
  return against(feature, row, amountOf(row), feature.value) ?? risenLevel(feature, row);
}

function against(feature: EntityFeature, row: Row, amount: number, level: number): Finding | null {
  const ratio = amount / level;
  // Below one céntimo a level is a rounding artefact, and a ratio to it nonsense.
  if (!(level >= 1) || !(amount >= 1) || level > Number.MAX_SAFE_INTEGER) return null;
  if (ratio < HIGH && ratio > LOW) return null;
  const say = () => {
    const { definition, entity } = feature;
    const noun = definition.aggregate.endsWith('median') ? MEDIAN : MEAN;
    const level_ = statistic(noun, definition, entityWords(entity, row.transaction));
    const [now, usual] = [money(amount, row.currency), money(level, row.currency)];
    const [the, of] = noun === MEDIAN ? ['la', 'de la'] : ['el', 'del'];
    return ratio >= HIGH
      ? {
          es: `Monto ${factor(ratio)} veces ${the} ${level_.es} (${now} frente a ${usual})`,
          en: `Amount ${factor(ratio)} times ${level_.en} (${now} against ${usual})`,
        }
      : {
          es: `Monto muy por debajo ${of} ${level_.es} (${now} frente a ${usual})`,
          en: `Amount far below ${level_.en} (${now} against ${usual})`,
        };
  };
  const strength = ratio >= HIGH ? strengthOf(ratio, EXTREME_RATIO) : 0.6 * strengthOf(1 / ratio, EXTREME_RATIO);
  return { code: CODE, strength, say };
}

/** The level of a short window has risen above the one of the longest. */
function risenLevel({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const longer = longestWindow(row, definition);
  if (longer === null || !(longer.value >= 1)) return null;
  const ratio = value / longer.value;
  if (!(ratio >= HIGH)) return null;
  const say = () => {
    const noun = definition.aggregate === 'median' ? MEDIAN : MEAN;
    const words = entityWords(entity, row.transaction);
    const short = capitalised(statistic(noun, definition, words));
    const long = statistic(
      noun,
      { ...definition, windowMs: longer.windowMs },
      { ...words, of: NOBODY, owner: 'the', after: '' },
    );
    const [now, usual] = [money(value, row.currency), money(longer.value, row.currency)];
    return {
      es: `${short.es} en ${now}, frente a ${usual} (${long.es})`,
      en: `${short.en} at ${now}, against ${usual} (${long.en})`,
    };
  };
  return { code: CODE, strength: 0.8 * strengthOf(ratio, EXTREME_RATIO), say };
}

const NOBODY = { es: '', en: '' };

/** `ratio-to-max`, this event not in the window. */
export function ratioToMaximum({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const amount = amountOf(row);
  const previous = amount / value;
  if (!(value > 1) || !(previous >= 1) || money(amount, row.currency) === money(previous, row.currency)) return null;
  const say = () => {
    const highest = highestOf(definition, entity, row);
    const [now, before] = [money(amount, row.currency), money(previous, row.currency)];
    return {
      es: `El ${highest.es}: ${now}; el máximo anterior fue ${before}`,
      en: `${capitalised(highest).en}: ${now}; the previous maximum was ${before}`,
    };
  };
  return { code: CODE, strength: 0.9 * strengthOf(value * 1.2, EXTREME_RATIO), say };
}

function highestOf(definition: EntityFeature['definition'], entity: EntityFeature['entity'], row: Row): Texts {
  return statistic({ es: 'mayor monto', en: 'largest amount' }, definition, entityWords(entity, row.transaction));
}

/** `max`, this event included: worth saying only where this is the maximum of several. */
export function amountIsMaximum({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const amount = amountOf(row);
  const events = neighbour(row, definition, 'count', definition.windowMs);
  if (!(events >= 5) || !(amount > 0) || definition.delayMs > 0) return null;
  if (Math.fround(amount) !== Math.fround(value)) return null;
  const say = () => {
    const highest = highestOf(definition, entity, row);
    const now = money(amount, row.currency);
    return { es: `El ${highest.es}: ${now}`, en: `${capitalised(highest).en}: ${now}` };
  };
  return { code: CODE, strength: 0.4, say };
}

export function deviations({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const size = Math.abs(value);
  if (size < HIGH_DEVIATIONS || amountOf(row) <= 0) return null;
  const above = value > 0;
  const say = () => {
    const mean = statistic(MEAN, definition, entityWords(entity, row.transaction));
    const many = size > MOST_DEVIATIONS;
    const count = factor(Math.min(size, MOST_DEVIATIONS));
    const now = money(amountOf(row), row.currency);
    return {
      es: `Monto de ${now}, ${many ? 'más de ' : ''}${count} desviaciones por ${above ? 'encima' : 'debajo'} del ${mean.es}`,
      en: `Amount of ${now}, ${many ? 'more than ' : ''}${count} deviations ${above ? 'above' : 'below'} ${mean.en}`,
    };
  };
  return { code: CODE, strength: (above ? 0.7 : 0.4) * Math.min(1, size / 10), say };
}

export function total(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  const habit = habitOf(row, definition, value);
  if (habit === null || definition.windowMs === null || definition.field !== 'amount' || !(value > 0)) return null;
  const usual = habit.perMs * definition.windowMs;
  if (!(usual >= 1) || value < HIGH_TOTAL * usual) return null;
  const say = () => {
    const sum = capitalised(statistic(TOTAL, definition, entityWords(entity, row.transaction)));
    const [now, habitual] = [money(value, row.currency), money(usual, row.currency)];
    return { es: `${sum.es}: ${now}; lo habitual son ${habitual}`, en: `${sum.en}: ${now}; usually ${habitual}` };
  };
  return { code: CODE, strength: 0.8 * strengthOf(value / usual, EXTREME_RATIO), say };
}
