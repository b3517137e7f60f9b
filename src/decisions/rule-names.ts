// What rules may speak of: the transaction's fields, the features of a catalogue, the scores of a model, data-quality findings.
//
// Fields are called as in the canonical transaction (`payeeId`), features by their id (`payer_count_1h`). Money is in
// soles: features are kept in céntimos and divided here.
import { CHANNELS, ENTRY_MODES, OPERATIONS, RAILS, STATUSES, type Transaction } from '../domain/transaction.ts';
import type { FeatureDefinition, Unit } from '../features/definition.ts';
import type {
  BooleanName,
  NumberName,
  RuleList,
  RuleName,
  RuleVocabulary,
  TextName,
  TextsName,
} from '../rules/names.ts';
import type { RuleUnit } from '../rules/node.ts';
import { QUALITY_CODES } from './data-quality.ts';

/** One transaction as rules see it; the same object may be filled anew for every transaction. */
export interface RuleInput {
  transaction: Transaction;
  /** Features of several transactions; this one's begin at `offset`, in the order of the definitions. */
  features: Float64Array | Float32Array;
  offset: number;
  /** The model's own risk in [0, 1], NaN without a model. */
  risk: number;
  /** One per detector, in the order of the vocabulary's detectors. */
  scores: Float64Array | Float32Array;
  /** Codes of `QUALITY_CODES`. */
  findings: readonly string[];
  /** One per rule, 1 where it has fired; filled while rules are evaluated. */
  fired: Uint8Array;
}

/** The model's risk in conditions, and what its detectors' scores begin with. */
export const RISK_NAME = 'risk';
export const SCORE_PREFIX = 'score_';

const FIELD_COST = 1;
const FEATURE_COST = 1;
const SCORE_COST = 2;
const MINOR_PER_UNIT = 100;
const DAYS_OF_WEEK = 7;

export function createRuleVocabulary(
  definitions: readonly FeatureDefinition[],
  detectors: readonly string[],
  lists: ReadonlyMap<string, RuleList<RuleInput>> = new Map(),
): RuleVocabulary<RuleInput> {
  const features = definitions
    .map((definition, column) => featureName(definition, column))
    .filter((name) => name !== null);
  const scores = detectors.map((detector, index) => scoreName(detector, index));
  const all: RuleName<RuleInput>[] = [...fieldNames(), ...scores, riskName, findingsName];
  const names = new Map(all.map((name) => [name.name, name]));
  for (const feature of features) if (!names.has(feature.name)) names.set(feature.name, feature);
  return { names, lists, fired: ({ fired }, rule) => fired[rule] === 1 };
}

/** Detectors' names have hyphens, which in a condition are minus signs. */
export function scoreNameOf(detector: string): string {
  return `${SCORE_PREFIX}${detector.replace(/[^\p{L}\p{N}]+/gu, '_')}`;
}

const text = (field: keyof Transaction, es: string, en: string, values?: readonly string[]): TextName<RuleInput> => ({
  ...{ name: field, cost: FIELD_COST, meaning: { es, en }, type: { kind: 'text' }, ...(values && { values }) },
  read: ({ transaction }) => transaction[field] as string | null,
});

function fieldNames(): RuleName<RuleInput>[] {
  return [
    text('id', 'identificador de la operación', 'id of the transaction'),
    {
      ...{ name: 'originalAmount', cost: FIELD_COST, type: { kind: 'number', unit: 'money' } },
      meaning: { es: 'monto en su propia moneda', en: 'amount in its own currency' },
      read: ({ transaction }) => transaction.amountMinor / MINOR_PER_UNIT,
    },
    {
      ...{ name: 'balanceAfter', cost: FIELD_COST, type: { kind: 'number', unit: 'money' } },
      meaning: { es: 'saldo del ordenante después', en: "payer's balance afterwards" },
      read: ({ transaction: { balanceAfterMinor } }) =>
        balanceAfterMinor === null ? Number.NaN : balanceAfterMinor / MINOR_PER_UNIT,
    },
    text('currency', 'moneda', 'currency'),
    text('operation', 'tipo de operación', 'kind of operation', OPERATIONS),
    text('rail', 'sistema de pago', 'payment system', RAILS),
    text('channel', 'canal', 'channel', CHANNELS),
    text('status', 'estado', 'status', STATUSES),
    text('entryMode', 'cómo se leyó la tarjeta', 'how the card was read', ENTRY_MODES),
    text('mcc', 'rubro del comercio', 'merchant category'),
    text('payerId', 'ordenante', 'payer'),
    text('payerName', 'nombre del ordenante', 'name of the payer'),
    text('payerDocument', 'documento del ordenante', 'document of the payer'),
    text('payerAccount', 'cuenta del ordenante', 'account of the payer'),
    text('payeeId', 'beneficiario', 'payee'),
    text('payeeName', 'nombre del beneficiario', 'name of the payee'),
    text('payeeDocument', 'documento del beneficiario', 'document of the payee'),
    text('payeeAccount', 'cuenta del beneficiario', 'account of the payee'),
    text('cardId', 'tarjeta', 'card'),
    text('deviceId', 'dispositivo', 'device'),
    text('ipAddress', 'dirección IP', 'IP address'),
    text('terminalId', 'terminal', 'terminal'),
    text('merchantId', 'comercio', 'merchant'),
    text('ubigeo', 'ubigeo', 'ubigeo'),
    text('country', 'país', 'country'),
    text('concept', 'concepto', 'concept'),
    text('responseCode', 'código de respuesta', 'response code'),
    text('externalId', 'referencia externa', 'external reference'),
    text('authExemption', 'exención de autenticación reforzada', 'exemption from strong authentication'),
    coordinate('latitude', 'latitud'),
    coordinate('longitude', 'longitud'),
    {
      ...{ name: 'authFactors', cost: FIELD_COST, type: { kind: 'texts' } },
      meaning: { es: 'factores de autenticación verificados', en: 'authentication factors that were verified' },
      read: ({ transaction }) => transaction.authFactors,
    },
  ];
}

function coordinate(name: 'latitude' | 'longitude', es: string): NumberName<RuleInput> {
  return {
    ...{
      name,
      cost: FIELD_COST,
      meaning: { es, en: name },
      type: { kind: 'number', unit: 'plain' },
      low: -180,
      high: 180,
    },
    read: ({ transaction }) => transaction[name] ?? Number.NaN,
  };
}

const riskName: NumberName<RuleInput> = {
  ...{ name: RISK_NAME, cost: SCORE_COST, type: { kind: 'number', unit: 'ratio' }, low: 0, high: 1 },
  meaning: { es: 'riesgo del modelo, 0 a 1', en: "the model's risk, 0 to 1" },
  read: ({ risk }) => risk,
};

const findingsName: TextsName<RuleInput> = {
  ...{ name: 'findings', cost: FIELD_COST, type: { kind: 'texts' }, values: QUALITY_CODES },
  meaning: { es: 'hallazgos de calidad de datos', en: 'data-quality findings' },
  read: ({ findings }) => findings,
};

function scoreName(detector: string, index: number): NumberName<RuleInput> {
  return {
    ...{ name: scoreNameOf(detector), cost: SCORE_COST, type: { kind: 'number', unit: 'ratio' }, low: 0, high: 1 },
    meaning: { es: `puntaje de ${detector}`, en: `score of ${detector}` },
    read: ({ scores }) => scores[index],
  };
}

const UNIT_OF: Readonly<Record<Exclude<Unit, 'boolean' | 'category'>, RuleUnit>> = {
  count: 'count',
  minor: 'money',
  ratio: 'ratio',
  deviations: 'deviations',
  ms: 'duration',
  'km/h': 'speed',
  hour: 'hour',
  bits: 'plain',
};

/** null for codes of categories, which are there as fields with their words. */
function featureName({ id, unit, aggregate, meaning }: FeatureDefinition, column: number): RuleName<RuleInput> | null {
  const common = { name: id, cost: FEATURE_COST, meaning };
  if (unit === 'boolean') {
    const name: BooleanName<RuleInput> = {
      ...{ ...common, type: { kind: 'boolean' } },
      read: ({ features, offset }) => {
        const value = features[offset + column];
        return Number.isNaN(value) ? null : value !== 0;
      },
    };
    return name;
  }
  if (id === 'weekday') {
    const type = { kind: 'number', unit: 'plain' } as const;
    return {
      ...common,
      type,
      low: 0,
      high: DAYS_OF_WEEK - 1,
      whole: true,
      read: ({ features, offset }) => features[offset + column],
    };
  }
  if (unit === 'category') return null;
  const type = { kind: 'number', unit: UNIT_OF[unit] } as const;
  if (unit === 'minor') {
    return { ...common, type, read: ({ features, offset }) => features[offset + column] / MINOR_PER_UNIT };
  }
  const read = ({ features, offset }: RuleInput) => features[offset + column];
  if (unit === 'hour') return { ...common, type, low: 0, high: 23, whole: true, read };
  if (unit === 'count') return { ...common, type, low: 0, whole: true, read };
  const isShare = aggregate === 'share' || aggregate === 'hour-share' || aggregate === 'fraud-rate';
  if (isShare) return { ...common, type, low: 0, high: 1, read };
  return unit === 'ms' || unit === 'km/h' ? { ...common, type, low: 0, read } : { ...common, type, read };
}
