// Sentences on confirmed frauds of the past, as known after the label delay.
import type { EntityKind } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
import type { EntityFeature, Finding, Row } from './evidence.ts';
import { duration, integer, percent, windowText } from './format.ts';
import { entityWords, upperFirst } from './words.ts';

const DAY_MS = 86_400_000;

const RISK_OF_PLACE: ReadonlySet<EntityKind> = new Set(['terminal', 'payee', 'place']);

/** A customer's own confirmed frauds have no code of their own: they depart from the customer's profile. */
export function codeOfFrauds(entity: EntityKind): ReasonCode {
  return RISK_OF_PLACE.has(entity) ? 'RIESGO_DEL_TERMINAL' : 'COMBINACION_INUSUAL';
}

export function fraudCount({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  if (value < 1 || definition.windowMs === null) return null;
  const who = upperFirst(entityWords(entity, row.transaction).subject.es);
  const whoEn = upperFirst(entityWords(entity, row.transaction).subject.en);
  const window = windowText(definition.windowMs, definition.delayMs);
  const one = Math.round(value) === 1;
  return {
    code: codeOfFrauds(entity),
    strength: Math.min(1, 0.5 + value / 20),
    say: () => ({
      es: `${who} tuvo ${integer(value)} ${one ? 'fraude confirmado' : 'fraudes confirmados'} ${window.es}`,
      en: `${whoEn} had ${integer(value)} confirmed ${one ? 'fraud' : 'frauds'} ${window.en}`,
    }),
  };
}

/** `fraud-rate` and `fraud-rate-smoothed`. */
export function fraudRate({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const estimated = definition.aggregate === 'fraud-rate-smoothed';
  if (definition.windowMs === null || value < (estimated ? 0.02 : 0.01) || value > 1) return null;
  const of = entityWords(entity, row.transaction).of;
  const window = windowText(definition.windowMs, definition.delayMs);
  const part = percent(value);
  const strength = Math.min(1, (estimated ? 0.3 : 0.45) + value);
  if (estimated) {
    return {
      code: codeOfFrauds(entity),
      strength,
      say: () => ({
        es: `Tasa de fraude estimada ${of.es}: ${part.es} (${window.es})`,
        en: `Estimated fraud rate ${of.en}: ${part.en} (${window.en})`,
      }),
    };
  }
  return {
    code: codeOfFrauds(entity),
    strength,
    say: () => ({
      es: `El ${part.es} de las operaciones ${of.es} ${window.es} fue fraude confirmado`,
      en: `${part.en} of the transactions ${of.en} ${window.en} were confirmed fraud`,
    }),
  };
}

export function fraudRun({ entity, value }: EntityFeature, row: Row): Finding | null {
  if (value < 1) return null;
  const of = entityWords(entity, row.transaction).of;
  const one = Math.round(value) === 1;
  return {
    code: codeOfFrauds(entity),
    strength: Math.min(1, 0.4 + value / 8),
    say: () => {
      const count = integer(value);
      return {
        es: one
          ? `La última operación ${of.es} con resultado conocido fue fraude`
          : `Las últimas ${count} operaciones ${of.es} con resultado conocido fueron fraude`,
        en: one
          ? `The last transaction ${of.en} with a known outcome was fraud`
          : `The last ${count} transactions ${of.en} with a known outcome were fraud`,
      };
    },
  };
}

export function fraudRunAge({ entity, value }: EntityFeature, row: Row): Finding | null {
  if (!(value > 0)) return null;
  return {
    code: codeOfFrauds(entity),
    strength: 0.4,
    say: () => {
      const of = entityWords(entity, row.transaction).of;
      const since = duration(value);
      return {
        es: `Racha de fraudes confirmados ${of.es} desde hace ${since.es}`,
        en: `Run of confirmed frauds ${of.en} for ${since.en}`,
      };
    },
  };
}

export function timeSinceFraud({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  if (!(value > 0) || value > definition.delayMs + 60 * DAY_MS) return null;
  return {
    code: codeOfFrauds(entity),
    strength: 0.45,
    say: () => {
      const of = entityWords(entity, row.transaction).of;
      const since = duration(value);
      return {
        es: `Último fraude confirmado ${of.es} hace ${since.es}`,
        en: `Last confirmed fraud ${of.en} ${since.en} ago`,
      };
    },
  };
}

/** Longer than the delay explains. */
export function timeSinceGenuine({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  if (!(value > definition.delayMs + 5 * DAY_MS)) return null;
  return {
    code: codeOfFrauds(entity),
    strength: 0.25,
    say: () => {
      const of = entityWords(entity, row.transaction).of;
      const since = duration(value);
      return {
        es: `Ninguna operación legítima confirmada ${of.es} desde hace ${since.es}`,
        en: `No transaction ${of.en} confirmed as genuine for ${since.en}`,
      };
    },
  };
}
