// Sentences on what has not been seen before, or not for long.
import type { EntityKind, Filter } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
import type { EntityFeature, Finding, Row } from './evidence.ts';
import { duration, type Texts } from './format.ts';
import { entityWords, eventNoun, upperFirst } from './words.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** In the first days of the data everything is new. */
const LEAST_PAST_MS = 3 * DAY_MS;

interface CodedTexts extends Texts {
  readonly code: ReasonCode;
}

const FIRST: Readonly<Record<EntityKind, CodedTexts>> = {
  payer: {
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Primera operación registrada del cliente',
    en: 'First recorded transaction of the customer',
  },
  card: {
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Primera operación registrada con esta tarjeta',
    en: 'First recorded transaction with this card',
  },
  device: {
    code: 'DISPOSITIVO_NUEVO',
    es: 'Primera operación desde este dispositivo',
    en: 'First transaction from this device',
  },
  payee: {
    code: 'BENEFICIARIO_NUEVO',
    es: 'Nadie había pagado antes a este beneficiario',
    en: 'Nobody had paid this payee before',
  },
  pair: {
    code: 'BENEFICIARIO_NUEVO',
    es: 'Primera vez que paga a este beneficiario',
    en: 'First payment to this payee',
  },
  terminal: {
    code: 'COMERCIO_NUEVO',
    es: 'Primera operación registrada en este terminal',
    en: 'First recorded transaction at this terminal',
  },
  place: {
    code: 'LUGAR_INUSUAL',
    es: 'Primera operación registrada en este lugar',
    en: 'First recorded transaction in this place',
  },
};
const FIRST_AT_MERCHANT: CodedTexts = {
  code: 'COMERCIO_NUEVO',
  es: 'Primera vez que compra en este comercio',
  en: 'First purchase at this merchant',
};

export function first({ entity }: Pick<EntityFeature, 'entity'>, row: Row): Finding {
  const texts = entity === 'pair' && row.transaction.payeeId === null ? FIRST_AT_MERCHANT : FIRST[entity];
  const strength = entity === 'place' || entity === 'terminal' ? 0.4 : 0.7;
  return { code: texts.code, strength, say: () => texts };
}

export function isNew(feature: EntityFeature, row: Row): Finding | null {
  return feature.value === 1 && row.dataPastMs >= LEAST_PAST_MS ? first(feature, row) : null;
}

/** Younger than this is worth saying, days. */
const YOUNG_DAYS: Readonly<Record<EntityKind, number>> = {
  payer: 30,
  card: 30,
  device: 7,
  payee: 30,
  pair: 2,
  terminal: 7,
  place: 0,
};

export function age(feature: EntityFeature, row: Row): Finding | null {
  const { entity, value } = feature;
  if (value < 0 || value >= YOUNG_DAYS[entity] * DAY_MS) return null;
  if (value < MINUTE_MS) return value === 0 ? first(feature, row) : null;
  // Everything begins where the data begins: that is no youth.
  if (value > row.dataPastMs - 2 * DAY_MS) return null;
  const { code } = first(feature, row);
  const since = duration(value);
  const strength = 0.6 * (1 - value / (YOUNG_DAYS[entity] * DAY_MS)) + 0.05;
  if (entity === 'pair') {
    const where =
      row.transaction.payeeId === null
        ? { es: 'en este comercio', en: 'at this merchant' }
        : { es: 'a este beneficiario', en: 'to this payee' };
    return {
      code,
      strength,
      say: () => ({
        es: `El primer pago ${where.es} fue hace ${since.es}`,
        en: `The first payment ${where.en} was ${since.en} ago`,
      }),
    };
  }
  return {
    code,
    strength,
    say: () => {
      const words = entityWords(entity, row.transaction);
      return {
        es: `El historial ${words.of.es} empieza hace solo ${since.es}`,
        en: `The history ${words.of.en} starts only ${since.en} ago`,
      };
    },
  };
}

export function timeSinceLast(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  if (!(value >= 0)) return null;
  if (EARLIER[definition.filter] !== undefined) return lately(feature, row);
  if (definition.filter !== 'all' && definition.filter !== 'approved') return null;
  const of = entityWords(entity, row.transaction).of;
  const since = duration(value);
  if (value >= 30 * DAY_MS && entity !== 'place') {
    const { code } = entity === 'pair' ? first(feature, row) : FIRST.payer;
    return {
      code,
      strength: Math.min(1, 0.2 + value / (180 * DAY_MS)),
      say: () => ({
        es: `Sin operaciones ${of.es} desde hace ${since.es}`,
        en: `No transactions ${of.en} for ${since.en}`,
      }),
    };
  }
  if (value > 10 * MINUTE_MS || !['payer', 'card', 'device', 'pair'].includes(entity)) return null;
  const strength = 0.4 - (0.3 * value) / (10 * MINUTE_MS);
  if (value < 1000) {
    return {
      code: 'FRECUENCIA_ALTA',
      strength,
      say: () => ({
        es: `Otra operación ${of.es} en el mismo segundo`,
        en: `Another transaction ${of.en} in the same second`,
      }),
    };
  }
  return {
    code: 'FRECUENCIA_ALTA',
    strength,
    say: () => ({
      es: `Otra operación ${of.es} hace ${since.es}`,
      en: `Another transaction ${of.en} ${since.en} ago`,
    }),
  };
}

interface Earlier {
  readonly code: ReasonCode;
  readonly limitMs: number;
}

/** What is worth saying for how long after it. */
const EARLIER: Partial<Record<Filter, Earlier>> = {
  declined: { code: 'RECHAZOS_PREVIOS', limitMs: DAY_MS },
  security: { code: 'CAMBIO_DE_CREDENCIALES', limitMs: 3 * DAY_MS },
  'off-habit': { code: 'MONTO_FUERA_DE_PERFIL', limitMs: 3 * DAY_MS },
};

/** A decline, a security event or an uncommon payment not long before. */
function lately({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const earlier = EARLIER[definition.filter];
  if (earlier === undefined || value > earlier.limitMs) return null;
  if (entity === 'terminal' || entity === 'place' || entity === 'payee') return null;
  return {
    code: earlier.code,
    strength: 0.3 + 0.5 * (1 - value / earlier.limitMs),
    say: () => {
      const since = duration(value);
      const what = eventNoun(definition.filter).one;
      const of = entityWords(entity, row.transaction).of;
      return {
        es: `${upperFirst(what.es)} ${of.es} hace ${since.es}`,
        en: `${upperFirst(what.en)} ${of.en} ${since.en} ago`,
      };
    },
  };
}

/** The value is missing although the transaction names the entity: it has no past that the feature could use. */
export function withoutHistory(
  { definition, entity }: Pick<EntityFeature, 'definition' | 'entity'>,
  row: Row,
): Finding | null {
  if (definition.filter !== 'all' && definition.filter !== 'approved' && definition.filter !== 'habit') return null;
  if (row.dataPastMs < LEAST_PAST_MS) return null;
  if (definition.delayMs > 0 || !['payer', 'card', 'device', 'pair'].includes(entity)) return null;
  if (definition.aggregate === 'speed' || definition.aggregate === 'pass-through') return null;
  const { code } = first({ entity }, row);
  const of = entityWords(entity, row.transaction).of;
  const window = definition.windowMs === null ? null : duration(definition.windowMs);
  return {
    code,
    strength: 0.3,
    say: () => ({
      es: `Sin historial previo ${of.es}${window === null ? '' : ` en ${window.es}`}`,
      en: `No previous history ${of.en}${window === null ? '' : ` in ${window.en}`}`,
    }),
  };
}
