// Which fields of a transaction a feature needs, so that a catalogue can be fitted to the data at hand.
import type { Transaction } from '../../domain/transaction.ts';
import type { EntityKind, FeatureDefinition, Filter } from '../definition.ts';

type Field = keyof Transaction;
/** All of the groups are needed; any field of a group will do. */
type Needs = readonly (readonly Field[])[];

const TERMINAL: readonly Field[] = ['terminalId', 'merchantId'];

const OF_ENTITY: Readonly<Record<EntityKind | 'transaction' | 'ip', Needs>> = {
  transaction: [],
  payer: [['payerId']],
  card: [['cardId']],
  device: [['deviceId']],
  payee: [['payeeId']],
  pair: [['payerId'], ['payeeId', ...TERMINAL]],
  terminal: [TERMINAL],
  place: [['ubigeo', 'latitude']],
  ip: [['ipAddress']],
};

const OF_FILTER: Readonly<Partial<Record<Filter, Needs>>> = {
  declined: [['status']],
  security: [['operation']],
  cash: [['operation', 'rail']],
  'near-threshold': [['rail', 'operation']],
  'off-habit': [['payerId']],
  habit: [['payerId']],
  'cross-border': [['country']],
};

/** Properties of the event alone; what is not listed needs only the time and the amount. */
const OF_VALUE: Readonly<Record<string, Needs>> = {
  'near-threshold': [['rail', 'operation']],
  'off-habit': [['payerId']],
  security: [['operation']],
  'cross-border': [['country']],
  'foreign-currency': [['currency']],
  operation: [['operation']],
  rail: [['rail']],
  channel: [['channel']],
  'entry-mode': [['entryMode']],
  status: [['status']],
  mcc: [['mcc']],
  'auth-factors': [['authFactors']],
  'concept-length': [['concept']],
  'extortion-word': [['concept']],
  'invalid-payee-account': [['payeeAccount']],
  'invalid-payer-document': [['payerDocument']],
  'invalid-payee-document': [['payeeDocument']],
  'missing-counterparty': [['payeeId', ...TERMINAL]],
  'ingest-lag': [['ingestTimeMs']],
  'balance-share': [['balanceAfterMinor']],
};

const OF_DISTINCT: Readonly<Record<string, Needs>> = {
  counterparty: [['payeeId', ...TERMINAL]],
  mcc: [['mcc']],
  country: [['country']],
  channel: [['channel']],
  currency: [['currency']],
};

function needsOf(definition: FeatureDefinition): Needs {
  const { entity, aggregate, field, filter } = definition;
  const needs = [...OF_ENTITY[entity], ...(OF_FILTER[filter] ?? [])];
  if (aggregate === 'speed') needs.push(['latitude'], ['longitude']);
  if (aggregate === 'pass-through') needs.push(['payerId'], ['payeeId']);
  if (aggregate === 'value' && field !== null) needs.push(...(OF_VALUE[field] ?? []));
  if (aggregate === 'distinct' && field !== null) {
    needs.push(...(OF_DISTINCT[field] ?? OF_ENTITY[field as EntityKind] ?? []));
  }
  if (aggregate.startsWith('fraud-') || aggregate === 'time-since-genuine' || aggregate === 'time-since-fraud') {
    needs.push(['isFraud']);
  }
  return needs;
}

/** Whether the data has what the feature needs. */
export function hasInputs(definition: FeatureDefinition, fieldsPresent: ReadonlySet<Field>): boolean {
  return needsOf(definition).every((group) => group.some((field) => fieldsPresent.has(field)));
}
