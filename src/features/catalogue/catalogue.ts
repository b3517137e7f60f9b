// The default catalogue, and how it is fitted to the fields that the data has.
//
// Amounts are compared over approved payments, so that a declined attempt or a look-up without money does not move a
// habit; counts are over all operations, because attempts are the signal. Windows are an hour, a day, a week, 30 days.
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../definition.ts';
import { feature, features, value } from './builder.ts';
import { hasInputs } from './inputs.ts';

const approved = { filter: 'approved' } as const;
const habit = { filter: 'habit' } as const;
const offHabit = { filter: 'off-habit' } as const;
const delayed = { delayed: true } as const;
const claimed = { claimed: true } as const;
const delayedHabit = { delayed: true, filter: 'habit' } as const;
const claimedRate = { claimed: true, smoothing: { prior: 0.01, weight: 10 } } as const;
const smoothed = { delayed: true, smoothing: { prior: 0.01, weight: 10 } } as const;

const ofTheEvent: readonly FeatureDefinition[] = [
  value('amount', 'minor', 'monto', 'amount'),
  value('log-amount', 'ratio', 'logaritmo del monto', 'logarithm of the amount'),
  value('negative-amount', 'boolean', 'monto negativo', 'negative amount'),
  value('hour', 'hour', 'hora del día', 'hour of the day'),
  value('weekday', 'category', 'día de la semana (lunes 0)', 'day of the week (Monday 0)'),
  value('weekend', 'boolean', 'sábado o domingo', 'Saturday or Sunday'),
  value('night', 'boolean', 'de madrugada (0 a 6 h)', 'at night (hours 0 to 6)'),
  value('holiday', 'boolean', 'feriado', 'public holiday'),
  value('payday', 'boolean', 'días de quincena o fin de mes', 'payday period'),
  value('bonus', 'boolean', 'días de gratificación', 'statutory bonus period'),
  value('sale-campaign', 'boolean', 'campaña de ventas en línea', 'online sales campaign'),
  value('round-amount', 'boolean', 'monto redondo', 'round amount'),
  value('near-threshold', 'boolean', 'monto justo bajo un límite', 'amount just below a limit'),
  value('off-habit', 'boolean', 'pago muy por encima del hábito del pagador', "payment far above the payer's habit"),
  value('security', 'boolean', 'evento de seguridad', 'security event'),
  value('cross-border', 'boolean', 'en el extranjero', 'abroad'),
  value('foreign-currency', 'boolean', 'en moneda extranjera', 'in a foreign currency'),
  value('operation', 'category', 'tipo de operación', 'kind of operation'),
  value('rail', 'category', 'sistema de pago', 'payment rail'),
  value('channel', 'category', 'canal', 'channel'),
  value('entry-mode', 'category', 'forma de lectura de la tarjeta', 'how the card was read'),
  value('status', 'category', 'estado de la operación', 'status of the operation'),
  value('mcc', 'category', 'rubro del comercio', 'merchant category'),
  value('auth-factors', 'count', 'factores de autenticación verificados', 'authentication factors verified'),
  value('concept-length', 'count', 'longitud del concepto', 'length of the concept text'),
  value(
    'extortion-word',
    'boolean',
    'palabra asociada a extorsión en el concepto',
    'word linked to extortion in the text',
  ),
  value('invalid-payee-account', 'boolean', 'CCI del beneficiario inválido', "payee's CCI is invalid"),
  value('invalid-payer-document', 'boolean', 'documento del pagador inválido', "payer's document is invalid"),
  value('invalid-payee-document', 'boolean', 'documento del beneficiario inválido', "payee's document is invalid"),
  value('missing-counterparty', 'boolean', 'sin contraparte', 'no counterparty'),
  value('ingest-lag', 'ms', 'demora entre la operación y su recepción', 'time from the event to its receipt'),
  value(
    'balance-share',
    'ratio',
    'proporción del saldo que toma el pago',
    'share of the balance that the payment takes',
  ),
];

const ofThePayer: readonly FeatureDefinition[] = [
  ...features('payer', 'count', ['1h', '1d', '7d', '30d']),
  ...features('payer', 'sum', ['1h', '1d', '7d', '30d'], approved),
  ...features('payer', 'mean', ['1d', '7d', '30d'], approved),
  feature('payer', 'std', '30d', approved),
  feature('payer', 'max', '30d', approved),
  ...features('payer', 'ratio-to-mean', ['7d', '30d'], approved),
  feature('payer', 'ratio-to-mean', '30d', habit),
  feature('payer', 'ratio-to-median', '30d', approved),
  ...features('payer', 'ratio-to-max', ['7d', '30d'], approved),
  ...features('payer', 'z-score', ['7d', '30d'], approved),
  feature('payer', 'z-score', '30d', habit),
  ...features('payer', 'count', ['1d', '7d', '30d'], offHabit),
  feature('payer', 'time-since-last', null, offHabit),
  ...features('payer', 'distinct', ['1h', '1d', '7d', '30d'], { field: 'counterparty' }),
  ...features('payer', 'distinct', ['1d', '7d'], { field: 'device' }),
  feature('payer', 'distinct', '30d', { field: 'currency' }),
  ...features('payer', 'count', ['1h', '1d'], { filter: 'declined' }),
  ...features('payer', 'count', ['1d', '7d'], { filter: 'security' }),
  feature('payer', 'time-since-last', null, { filter: 'security' }),
  ...features('payer', 'count', ['1d', '7d'], { filter: 'near-threshold' }),
  feature('payer', 'count', '1d', { filter: 'cash' }),
  feature('payer', 'count', '7d', { filter: 'cross-border' }),
  feature('payer', 'share', '30d', { filter: 'round-amount' }),
  feature('payer', 'share', '30d', { filter: 'night' }),
  feature('payer', 'hour-share', '30d'),
  ...features('payer', 'same-amount', ['1d', '7d']),
  feature('payer', 'time-since-last', null),
  feature('payer', 'age', null),
  feature('payer', 'is-new', null),
  feature('payer', 'speed', null),
  ...features('payer', 'pass-through', ['1d', '7d'], approved),
  feature('payer', 'fraud-count', '30d', claimed),
];

const ofTheCardAndDevice: readonly FeatureDefinition[] = [
  ...features('card', 'count', ['1h', '1d']),
  feature('card', 'sum', '1d', approved),
  feature('card', 'ratio-to-mean', '30d', approved),
  feature('card', 'count', '1h', { filter: 'declined' }),
  ...features('card', 'distinct', ['1h', '1d'], { field: 'terminal' }),
  feature('card', 'distinct', '1d', { field: 'country' }),
  feature('card', 'time-since-last', null),
  feature('card', 'is-new', null),
  feature('card', 'fraud-count', '30d', claimed),
  feature('card', 'speed', null),
  ...features('device', 'count', ['1h', '1d']),
  feature('device', 'sum', '1d', approved),
  feature('device', 'count', '1d', { filter: 'declined' }),
  ...features('device', 'distinct', ['1d', '7d'], { field: 'payer' }),
  feature('device', 'age', null),
  feature('device', 'is-new', null),
  feature('device', 'fraud-count', '30d', claimed),
];

const ofThePayee: readonly FeatureDefinition[] = [
  ...features('payee', 'count', ['1h', '1d', '7d']),
  ...features('payee', 'sum', ['1d', '7d'], approved),
  ...features('payee', 'distinct', ['1d', '7d', '30d'], { field: 'payer' }),
  feature('payee', 'distinct', '30d', { field: 'currency' }),
  feature('payee', 'ratio-to-mean', '30d', approved),
  ...features('payee', 'same-amount', ['1d', '7d']),
  ...features('payee', 'count', ['1d', '7d'], offHabit),
  feature('payee', 'count', '7d', { filter: 'near-threshold' }),
  feature('payee', 'time-since-last', null),
  feature('payee', 'age', null),
  feature('payee', 'is-new', null),
  ...features('payee', 'pass-through', ['1d', '7d'], approved),
  feature('payee', 'fraud-count', '30d', claimed),
  feature('payee', 'fraud-rate-smoothed', '30d', claimedRate),
];

const ofThePair: readonly FeatureDefinition[] = [
  ...features('pair', 'count', ['1d', '30d']),
  feature('pair', 'sum', '1d', approved),
  feature('pair', 'ratio-to-mean', '30d', approved),
  ...features('pair', 'same-amount', ['1d', '7d', '30d']),
  feature('pair', 'time-since-last', null),
  feature('pair', 'age', null),
  feature('pair', 'is-new', null),
  feature('pair', 'fraud-count', '30d', claimed),
];

const ofTheTerminalAndPlace: readonly FeatureDefinition[] = [
  ...features('terminal', 'count', ['1h', '1d', '7d']),
  feature('terminal', 'count', '1h', { filter: 'declined' }),
  feature('terminal', 'distinct', '1d', { field: 'payer' }),
  feature('terminal', 'ratio-to-mean', '30d', approved),
  feature('terminal', 'z-score', '30d', approved),
  ...features('terminal', 'count', ['1d', '7d'], offHabit),
  feature('terminal', 'share', '7d', { filter: 'round-amount' }),
  feature('terminal', 'is-new', null),
  ...features('terminal', 'count', ['1d', '7d', '30d'], delayed),
  ...features('terminal', 'fraud-count', ['1d', '7d', '30d'], delayed),
  ...features('terminal', 'fraud-rate', ['1d', '7d', '30d'], delayed),
  ...features('terminal', 'fraud-rate-smoothed', ['1d', '7d', '30d'], smoothed),
  feature('terminal', 'fraud-run-length', '30d', delayed),
  feature('terminal', 'fraud-run-age', '30d', delayed),
  feature('terminal', 'time-since-genuine', '30d', delayed),
  feature('terminal', 'time-since-fraud', '30d', delayed),
  ...features('terminal', 'fraud-rate', ['7d', '30d'], delayedHabit),
  feature('terminal', 'fraud-run-length', '30d', delayedHabit),
  feature('terminal', 'fraud-run-age', '30d', delayedHabit),
  feature('terminal', 'time-since-genuine', '30d', delayedHabit),
  feature('place', 'count', '1h'),
  feature('place', 'count', '1d', offHabit),
  feature('place', 'ratio-to-mean', '7d', approved),
  feature('place', 'fraud-rate-smoothed', '30d', smoothed),
];

/** Every feature, for any bank's data. */
export const defaultCatalogue: readonly FeatureDefinition[] = [
  ...ofTheEvent,
  ...ofThePayer,
  ...ofTheCardAndDevice,
  ...ofThePayee,
  ...ofThePair,
  ...ofTheTerminalAndPlace,
];

/** The features of a catalogue whose inputs are among the fields that the data has. */
export function catalogueFor(
  fieldsPresent: ReadonlySet<keyof Transaction>,
  from: readonly FeatureDefinition[] = defaultCatalogue,
): FeatureDefinition[] {
  return from.filter((definition) => hasInputs(definition, fieldsPresent));
}
