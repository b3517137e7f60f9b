// The nouns and turns that the sentences are made of: entities, filters, windows, in both languages.

import type { Transaction } from '../../domain/transaction.ts';
import type { EntityKind, FeatureDefinition, Filter } from '../../features/definition.ts';
import { duration, integer, type Texts } from './format.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface EntityWords {
  /** `el cliente` / `the customer` */
  readonly subject: Texts;
  /** `del cliente` / `of the customer` */
  readonly of: Texts;
  /** Around an English noun: `the customer's` … `` */
  readonly owner: string;
  readonly after: string;
}

const WORDS: Readonly<Record<EntityKind, EntityWords>> = {
  payer: words('el cliente', 'del cliente', 'the customer'),
  card: words('la tarjeta', 'de la tarjeta', 'the card'),
  device: words('el dispositivo', 'del dispositivo', 'the device'),
  payee: words('el beneficiario', 'del beneficiario', 'the payee'),
  pair: {
    subject: { es: 'el cliente con este beneficiario', en: 'the customer with this payee' },
    of: { es: 'del cliente con este beneficiario', en: 'of the customer with this payee' },
    owner: "the customer's",
    after: ' with this payee',
  },
  terminal: words('el terminal', 'del terminal', 'the terminal'),
  place: words('el lugar', 'del lugar', 'the place'),
};

const PAIR_AT_MERCHANT: EntityWords = {
  subject: { es: 'el cliente en este comercio', en: 'the customer at this merchant' },
  of: { es: 'del cliente en este comercio', en: 'of the customer at this merchant' },
  owner: "the customer's",
  after: ' at this merchant',
};
const MERCHANT = words('el comercio', 'del comercio', 'the merchant');

function words(subject: string, of: string, english: string): EntityWords {
  return {
    subject: { es: subject, en: english },
    of: { es: of, en: `of ${english}` },
    owner: `${english}'s`,
    after: '',
  };
}

/** The words for an entity of this transaction: a pair without a payee is a customer at a merchant. */
export function entityWords(entity: EntityKind, transaction: Transaction): EntityWords {
  if (entity === 'pair' && transaction.payeeId === null) return PAIR_AT_MERCHANT;
  if (entity === 'terminal' && transaction.terminalId === null) return MERCHANT;
  return WORDS[entity];
}

/** What is said in place of every feature of an entity that the transaction does not name. */
export function absenceText(entity: EntityKind, transaction: Transaction): Texts {
  if (entity === 'pair') {
    return {
      es: 'la operación no indica a la vez cliente y destino',
      en: 'the transaction does not name both a customer and a destination',
    };
  }
  const { es, en } = entityWords(entity, transaction).subject;
  return { es: `la operación no indica ${es}`, en: `the transaction does not name ${en}` };
}

/** Whether the transaction names such an entity at all. */
export function hasEntity(entity: EntityKind, tx: Transaction): boolean {
  switch (entity) {
    case 'payer':
      return tx.payerId !== null;
    case 'card':
      return tx.cardId !== null;
    case 'device':
      return tx.deviceId !== null;
    case 'payee':
      return tx.payeeId !== null;
    case 'terminal':
      return tx.terminalId !== null || tx.merchantId !== null;
    case 'pair':
      return tx.payerId !== null && (tx.payeeId !== null || tx.terminalId !== null || tx.merchantId !== null);
    case 'place':
      return tx.ubigeo !== null || (tx.latitude !== null && tx.longitude !== null);
  }
}

interface EventNoun {
  readonly one: Texts;
  readonly many: Texts;
  /** After "of the transactions": `fueron rechazadas` / `were declined`; null where a share of it says nothing. */
  readonly predicate: Texts | null;
}

const EVENTS: Readonly<Record<Filter, EventNoun>> = {
  all: noun('operación', 'operaciones', 'transaction', 'transactions'),
  approved: noun('operación aprobada', 'operaciones aprobadas', 'approved transaction', 'approved transactions'),
  declined: noun('rechazo', 'rechazos', 'decline', 'declines', 'fueron rechazadas', 'were declined'),
  security: noun(
    'evento de seguridad',
    'eventos de seguridad',
    'security event',
    'security events',
    'fueron eventos de seguridad',
    'were security events',
  ),
  cash: noun(
    'operación en efectivo',
    'operaciones en efectivo',
    'cash transaction',
    'cash transactions',
    'fueron en efectivo',
    'were in cash',
  ),
  night: noun(
    'operación de madrugada',
    'operaciones de madrugada',
    'night-time transaction',
    'night-time transactions',
    'fueron de madrugada',
    'were at night',
  ),
  weekend: noun(
    'operación en fin de semana',
    'operaciones en fin de semana',
    'weekend transaction',
    'weekend transactions',
  ),
  'round-amount': noun(
    'operación de monto redondo',
    'operaciones de monto redondo',
    'round-amount transaction',
    'round-amount transactions',
    'fueron por montos redondos',
    'were for round amounts',
  ),
  'near-threshold': noun(
    'operación justo debajo de un umbral',
    'operaciones justo debajo de un umbral',
    'transaction just below a threshold',
    'transactions just below a threshold',
    'quedaron justo debajo de un umbral',
    'were just below a threshold',
  ),
  'off-habit': noun(
    'pago muy por encima de lo habitual',
    'pagos muy por encima de lo habitual',
    'payment far above the habitual',
    'payments far above the habitual',
    'estuvieron muy por encima de lo habitual',
    'were far above the habitual',
  ),
  habit: noun('operación habitual', 'operaciones habituales', 'habitual transaction', 'habitual transactions'),
  'cross-border': noun(
    'operación en el extranjero',
    'operaciones en el extranjero',
    'cross-border transaction',
    'cross-border transactions',
    'fueron en el extranjero',
    'were abroad',
  ),
};

function noun(one: string, many: string, oneEn: string, manyEn: string, es?: string, en?: string): EventNoun {
  return {
    one: { es: one, en: oneEn },
    many: { es: many, en: manyEn },
    predicate: es === undefined || en === undefined ? null : { es, en },
  };
}

export function eventNoun(filter: Filter): EventNoun {
  return EVENTS[filter];
}

/** `12 operaciones` / `12 transactions`, `1 rechazo` / `1 decline`. */
export function countedEvents(count: number, filter: Filter): Texts {
  const { one, many } = EVENTS[filter];
  const form = Math.round(count) === 1 ? one : many;
  return { es: `${integer(count)} ${form.es}`, en: `${integer(count)} ${form.en}` };
}

/** `de 30 días` / `30-day`: the length of a window before or after a noun. */
export function windowLength(windowMs: number): Texts {
  const { es } = duration(windowMs);
  const [length, unit] =
    windowMs >= 2 * DAY_MS
      ? [windowMs / DAY_MS, 'day']
      : windowMs >= HOUR_MS
        ? [windowMs / HOUR_MS, 'hour']
        : windowMs >= MINUTE_MS
          ? [windowMs / MINUTE_MS, 'minute']
          : [windowMs / 1000, 'second'];
  return { es: `de ${es}`, en: `${integer(length)}-${unit}` };
}

/** `promedio de 30 días del cliente` / `the customer's 30-day average`, with the window moved back where it is delayed. */
export function statistic(
  noun: Texts,
  definition: Pick<FeatureDefinition, 'windowMs' | 'delayMs' | 'filter'>,
  entity: EntityWords,
): Texts {
  const { windowMs, delayMs, filter } = definition;
  const habitual = filter === 'habit';
  const over = habitual || filter === 'all' || filter === 'approved' ? null : EVENTS[filter].many;
  const length = windowMs === null ? { es: '', en: '' } : windowLength(windowMs);
  const moved = delayMs > 0 ? duration(delayMs) : null;
  const es = [
    noun.es,
    habitual ? 'habitual' : '',
    length.es,
    entity.of.es,
    over === null ? '' : `en ${over.es}`,
    moved === null ? '' : `(hasta hace ${moved.es})`,
  ];
  const en = [
    entity.owner,
    length.en,
    habitual ? 'habitual' : '',
    `${noun.en}${entity.after}`,
    over === null ? '' : `over ${over.en}`,
    moved === null ? '' : `(up to ${moved.en} ago)`,
  ];
  return { es: es.filter(Boolean).join(' '), en: en.filter(Boolean).join(' ') };
}

export function capitalised(texts: Texts): Texts {
  return { es: upperFirst(texts.es), en: upperFirst(texts.en) };
}

export function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
