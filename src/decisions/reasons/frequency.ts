// Sentences on how often: bursts against the habit, repeated amounts, many different counterparties, shares.
import { SECURITY_OPERATIONS } from '../../domain/transaction.ts';
import type { EntityKind, Filter } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
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
import { factor, integer, money, percent, type Texts, windowText } from './format.ts';
import { countedEvents, entityWords, eventNoun, upperFirst } from './words.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Codes of what a filter counts; the rest is frequency. */
const FILTER_CODES: Partial<Record<Filter, ReasonCode>> = {
  declined: 'RECHAZOS_PREVIOS',
  security: 'CAMBIO_DE_CREDENCIALES',
  'near-threshold': 'FRACCIONAMIENTO',
  'round-amount': 'MONTO_REDONDO',
  night: 'HORA_INUSUAL',
  'cross-border': 'PAIS_NUEVO',
};
/** Entities that are busy by nature: many events of theirs are no news by themselves. */
const BUSY: ReadonlySet<EntityKind> = new Set(['payee', 'terminal', 'place']);

function codeOf(filter: Filter, entity: EntityKind): ReasonCode {
  if (filter === 'off-habit') return BUSY.has(entity) ? 'RIESGO_DEL_TERMINAL' : 'MONTO_FUERA_DE_PERFIL';
  return FILTER_CODES[filter] ?? 'FRECUENCIA_ALTA';
}

const subjectIn = (feature: EntityFeature, row: Row): Texts => entityWords(feature.entity, row.transaction).of;

export function count(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  const { filter, windowMs, delayMs } = definition;
  // How busy an entity was before the delay says nothing of this event.
  if (windowMs === null || delayMs > 0) return null;
  if (filter === 'all' || filter === 'approved' || filter === 'cash')
    return burst(feature, row, windowMs) ?? onlyOne(feature);
  if (filter === 'habit' || filter === 'weekend') return null;
  // What went before this event is news: this event itself is told elsewhere.
  const least = itself(feature, row) ? 2 : 1;
  if (value < least || (BUSY.has(entity) && filter !== 'off-habit')) return burst(feature, row, windowMs);
  if (filter === 'off-habit' && BUSY.has(entity)) return offHabitAt(feature, row, windowMs);
  const strength = Math.min(1, 0.3 + value / 15);
  return { code: codeOf(filter, entity), strength, say: () => howMany(feature, row, windowMs) };
}

/** `12 rechazos del cliente en 24 h`. */
function howMany(feature: EntityFeature, row: Row, windowMs: number): Texts {
  const { definition, value } = feature;
  const events = countedEvents(value, definition.filter);
  const of = subjectIn(feature, row);
  const window = windowText(windowMs, definition.delayMs);
  return { es: `${events.es} ${of.es} ${window.es}`, en: `${events.en} ${of.en} ${window.en}` };
}

/** Payments of several customers that leave their habits at one terminal. */
function offHabitAt({ definition, entity, value }: EntityFeature, row: Row, windowMs: number): Finding {
  const say = () => {
    const who = entityWords(entity, row.transaction).subject;
    const where =
      entity === 'payee'
        ? { es: 'al mismo beneficiario', en: 'to the same payee' }
        : { es: `en ${who.es}`, en: `at ${who.en}` };
    const number = integer(value);
    const window = windowText(windowMs, definition.delayMs);
    return {
      es: `${number} pagos muy por encima del hábito de su cliente ${where.es} ${window.es}`,
      en: `${number} payments far above their customer's habit ${where.en} ${window.en}`,
    };
  };
  return { code: 'RIESGO_DEL_TERMINAL', strength: Math.min(1, 0.3 + value / 15), say };
}

/** Whether the count may hold this very event; whether a payment is off its habit, the row does not tell. */
function itself({ definition: { filter } }: EntityFeature, { transaction }: Row): boolean {
  if (filter === 'declined') return transaction.status === 'declined';
  if (filter === 'security') return SECURITY_OPERATIONS.has(transaction.operation);
  return true;
}

/** Clearly more than the longest window of the row lets expect. */
function burst(feature: EntityFeature, row: Row, windowMs: number): Finding | null {
  const { definition, entity, value } = feature;
  if (value < 3) return null;
  const code = codeOf(definition.filter, entity);
  const habit = habitOf(row, definition, value);
  if (habit === null) {
    // Without a past to compare with, only a plain burst of one customer speaks for itself.
    if (BUSY.has(entity) || windowMs > HOUR_MS || value < 5 || longestWindow(row, definition) !== null) return null;
    return { code, strength: Math.min(1, value / 30), say: () => howMany(feature, row, windowMs) };
  }
  const expected = habit.perMs * windowMs;
  // Beyond chance: three standard deviations of a Poisson count, and at least twice the expected.
  if (value < Math.max(2 * expected, expected + 3 * Math.sqrt(expected) + 2)) return null;
  const say = () => {
    const start = howMany(feature, row, windowMs);
    const usual = usualText(habit.perMs, windowMs);
    return { es: `${start.es}; ${usual.es}`, en: `${start.en}; ${usual.en}` };
  };
  return { code, strength: strengthOf(value / Math.max(expected, 0.2), 40), say };
}

/** `lo habitual son 2 al día`: in the shortest unit, not below the window, in which the number is at least one. */
function usualText(perMs: number, windowMs: number): Texts {
  const units = [
    { ms: HOUR_MS, es: 'por hora', en: 'an hour' },
    { ms: DAY_MS, es: 'al día', en: 'a day' },
    { ms: 7 * DAY_MS, es: 'a la semana', en: 'a week' },
    { ms: 30 * DAY_MS, es: 'al mes', en: 'a month' },
  ];
  const unit = units.find(({ ms }) => ms >= windowMs && perMs * ms >= 0.95);
  if (unit === undefined) return { es: 'lo habitual es menos de 1 al mes', en: 'usually less than 1 a month' };
  const number = factor(perMs * unit.ms);
  return {
    es: `lo habitual ${number === '1' ? 'es' : 'son'} ${number} ${unit.es}`,
    en: `usually ${number} ${unit.en}`,
  };
}

/** No other event than this one in a long window: a new or dormant customer, card or relation. */
function onlyOne({ definition, entity, value }: EntityFeature): Finding | null {
  const { windowMs, delayMs, filter } = definition;
  if (value !== 1 || windowMs === null || windowMs < 7 * DAY_MS || delayMs > 0 || filter !== 'all') return null;
  const text = ONLY_ONE[entity];
  if (text === undefined) return null;
  const say = () => {
    const window = windowText(windowMs, 0);
    return { es: `${text.es} ${window.es}`, en: `${text.en} ${window.en}` };
  };
  return { code: text.code, strength: 0.3, say };
}

const ONLY_ONE: Partial<Record<EntityKind, Texts & { readonly code: ReasonCode }>> = {
  payer: {
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Ninguna otra operación del cliente',
    en: 'No other transaction of the customer',
  },
  card: {
    code: 'CUENTA_NUEVA_O_DORMIDA',
    es: 'Ninguna otra operación de la tarjeta',
    en: 'No other transaction of the card',
  },
  device: {
    code: 'DISPOSITIVO_NUEVO',
    es: 'Ninguna otra operación desde este dispositivo',
    en: 'No other transaction from this device',
  },
  pair: {
    code: 'BENEFICIARIO_NUEVO',
    es: 'Ningún otro pago al mismo destino',
    en: 'No other payment to the same destination',
  },
};

export function sameAmount(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  const { windowMs, delayMs } = definition;
  if (windowMs === null || amountOf(row) <= 0) return null;
  // A shop sells the same thing to many people.
  const least = entity === 'terminal' || entity === 'place' ? 10 : entity === 'payee' ? 4 : 2;
  if (value < least) return null;
  const amount = money(amountOf(row), row.currency);
  const window = windowText(windowMs, delayMs);
  const duplicate = windowMs <= 10 * MINUTE_MS && !BUSY.has(entity);
  return {
    code: duplicate ? 'DUPLICADO' : 'MONTO_REPETIDO',
    strength: Math.min(1, (duplicate ? 0.5 : 0.2) + value / 20),
    say: () => {
      const of = subjectIn(feature, row);
      return {
        es: `${integer(value)} operaciones ${of.es} por el mismo monto (${amount}) ${window.es}`,
        en: `${integer(value)} transactions ${of.en} for the same amount (${amount}) ${window.en}`,
      };
    },
  };
}

/** How a distinct count is said: `{count} {things}` with what was done. */
interface DistinctTexts {
  readonly code: ReasonCode;
  readonly es: (count: string) => string;
  readonly en: (count: string) => string;
}

const THINGS: Readonly<Record<string, Texts>> = {
  payer: { es: 'clientes distintos', en: 'different customers' },
  card: { es: 'tarjetas distintas', en: 'different cards' },
  device: { es: 'dispositivos distintos', en: 'different devices' },
  payee: { es: 'beneficiarios distintos', en: 'different payees' },
  pair: { es: 'destinos distintos', en: 'different destinations' },
  counterparty: { es: 'destinos distintos', en: 'different destinations' },
  terminal: { es: 'terminales distintos', en: 'different terminals' },
  place: { es: 'lugares distintos', en: 'different places' },
  ip: { es: 'direcciones IP distintas', en: 'different IP addresses' },
  mcc: { es: 'rubros distintos', en: 'different merchant categories' },
  country: { es: 'países distintos', en: 'different countries' },
  channel: { es: 'canales distintos', en: 'different channels' },
  currency: { es: 'monedas distintas', en: 'different currencies' },
};

const DISTINCT_CODES: Readonly<Record<string, ReasonCode>> = {
  'payer/payee': 'ABANICO_SALIDA',
  'payer/pair': 'ABANICO_SALIDA',
  'payer/counterparty': 'ABANICO_SALIDA',
  'payee/payer': 'ABANICO_ENTRADA',
  'payee/card': 'PRUEBA_DE_TARJETAS',
  'terminal/payer': 'PRUEBA_DE_TARJETAS',
  'terminal/card': 'PRUEBA_DE_TARJETAS',
  'device/card': 'PRUEBA_DE_TARJETAS',
  'device/payer': 'DISPOSITIVO_NUEVO',
  'payer/device': 'DISPOSITIVO_NUEVO',
  'card/device': 'DISPOSITIVO_NUEVO',
  'payer/ip': 'DISPOSITIVO_NUEVO',
  'payer/channel': 'CANAL_NUEVO',
  'payer/mcc': 'COMERCIO_NUEVO',
  'card/mcc': 'COMERCIO_NUEVO',
  'payer/country': 'PAIS_NUEVO',
  'card/country': 'PAIS_NUEVO',
  'payer/place': 'LUGAR_INUSUAL',
  'card/place': 'LUGAR_INUSUAL',
  'payer/terminal': 'FRECUENCIA_ALTA',
  'card/terminal': 'FRECUENCIA_ALTA',
};

export function distinct(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  const { field, windowMs, delayMs } = definition;
  if (field === null || windowMs === null || THINGS[field] === undefined) return null;
  if (!(BUSY.has(entity) ? manyForBusy(feature, row, windowMs) : value >= manyFor(entity, field, windowMs)))
    return null;
  const texts = distinctTexts(feature, row, field);
  return {
    code: texts.code,
    strength: Math.min(1, 0.3 + value / 30),
    say: () => {
      const window = windowText(windowMs, delayMs);
      const number = integer(value);
      return {
        es: upperFirst(`${texts.es(number)} ${window.es}`),
        en: upperFirst(`${texts.en(number)} ${window.en}`),
      };
    },
  };
}

/** Few countries or devices are already many; counterparties take more. */
function manyFor(entity: EntityKind, field: string, windowMs: number): number {
  if (field === 'country' || field === 'currency') return windowMs <= DAY_MS ? 2 : 3;
  if (entity === 'device' && field === 'payer') return 2;
  if (field === 'device') return windowMs <= 7 * DAY_MS ? 3 : 4;
  if (windowMs <= HOUR_MS) return 3;
  return windowMs <= DAY_MS ? 6 : 15;
}

/** For a shop or a payee, many within a short window of those of the long one. */
function manyForBusy(feature: EntityFeature, row: Row, windowMs: number): boolean {
  const longer = longestWindow(row, feature.definition);
  if (feature.value < 5) return false;
  return longer === null
    ? windowMs <= HOUR_MS && feature.value >= 10
    : 7 * windowMs <= longer.windowMs && feature.value >= 0.4 * longer.value;
}

const WHERE: ReadonlySet<string> = new Set(['terminal', 'place', 'country']);

function distinctTexts({ entity }: EntityFeature, row: Row, field: string): DistinctTexts {
  const code = DISTINCT_CODES[`${entity}/${field}`] ?? 'FRECUENCIA_ALTA';
  const things = THINGS[field];
  const who = entityWords(entity, row.transaction).subject;
  if (field === 'payee' || field === 'pair' || field === 'counterparty') {
    return { code, es: (n) => `${who.es} pagó a ${n} ${things.es}`, en: (n) => `${who.en} paid ${n} ${things.en}` };
  }
  if (field === 'payer' && entity === 'payee') {
    return {
      code,
      es: (n) => `${who.es} recibió de ${n} ordenantes distintos`,
      en: (n) => `${who.en} received from ${n} different payers`,
    };
  }
  if (field === 'payer' || field === 'card') {
    return {
      code,
      es: (n) => `${n} ${things.es} operaron en ${who.es}`,
      en: (n) => `${n} ${things.en} operated at ${who.en}`,
    };
  }
  const [es, en] = WHERE.has(field) ? ['en', field === 'terminal' ? 'at' : 'in'] : ['con', 'with'];
  return {
    code,
    es: (n) => `${who.es} operó ${es} ${n} ${things.es}`,
    en: (n) => `${who.en} operated ${en} ${n} ${things.en}`,
  };
}

export function share(feature: EntityFeature, row: Row): Finding | null {
  const { definition, entity, value } = feature;
  const { filter, windowMs, delayMs } = definition;
  const { predicate } = eventNoun(filter);
  if (predicate === null || windowMs === null || value < 0.3 || value > 1) return null;
  // A share of one or two events is an accident. The events of the window are its `all` count.
  const events = neighbour(row, { ...definition, filter: 'all' }, 'count', windowMs);
  if (events < 4) return null;
  return {
    code: codeOf(filter, entity),
    strength: Math.min(1, value),
    say: () => {
      const of = subjectIn(feature, row);
      const window = windowText(windowMs, delayMs);
      const part = percent(value);
      return {
        es: `El ${part.es} de las operaciones ${of.es} ${window.es} ${predicate.es}`,
        en: `${part.en} of the transactions ${of.en} ${window.en} ${predicate.en}`,
      };
    },
  };
}

/** Money out ÷ money in. */
export function passThrough({ definition, entity, value }: EntityFeature, row: Row): Finding | null {
  const { windowMs, delayMs } = definition;
  if (windowMs === null || value < 0.7 || value > 1.3) return null;
  return {
    code: 'PASO_RAPIDO',
    strength: windowMs <= DAY_MS ? 0.9 : 0.5,
    say: () => {
      const part = percent(value);
      const window = windowText(windowMs, delayMs);
      const who = entityWords(entity, row.transaction).subject;
      return {
        es: `${upperFirst(who.es)} reenvió el ${part.es} de lo recibido ${window.es}`,
        en: `${upperFirst(who.en)} sent on ${part.en} of the money received ${window.en}`,
      };
    },
  };
}
