// How long each class of record is kept. Banks change it by configuration; what is here is the default.
//
// Records against money laundering: ten years for financial entities; the number is from general knowledge of the sector and
// the general rule of 2016 says five for the register of operations of other sectors: the compliance officer confirms it.
// Audit logs: twelve months at least, three at hand (PCI DSS 4.0.1, 10.5.1); here as long as what they prove.

/** When the time begins to run. */
export type RetentionStart = 'created' | 'closed' | 'relation-ended';

export interface RetentionClass {
  readonly id: RetentionClassId;
  readonly es: string;
  readonly en: string;
  /** Calendar months in Lima. */
  readonly months: number;
  readonly from: RetentionStart;
  /** May not be set lower than this; 0: as short as the bank likes. */
  readonly leastMonths: number;
  /** Whether a legal hold on a subject in it keeps it. Without personal data there is nothing to hold. */
  readonly isHeld: boolean;
  readonly basis: string;
}

const TEN_YEARS = 120;
const AML =
  'Res. SBS 2660-2015 (records against money laundering: 10 years, to be confirmed; 5 in the rule of other sectors)';
const OWN = "the bank's own choice: nothing asks for longer (Ley 29733: no longer than the purpose needs)";

export const RETENTION_CLASS_IDS = [
  ...(['transactions', 'decisions', 'evidence', 'alerts', 'cases', 'attachments', 'labels', 'lists'] as const),
  ...(['audit', 'erasures', 'legal-holds', 'models', 'rules', 'dead-letters', 'notifications', 'exports'] as const),
  ...(['sessions', 'idempotency', 'logs'] as const),
] as const;

export type RetentionClassId = (typeof RETENTION_CLASS_IDS)[number];

export const RETENTION_CLASSES: Readonly<Record<RetentionClassId, RetentionClass>> = byId([
  aml('transactions', 'transacciones', 'transactions', 'created'),
  aml('decisions', 'decisiones', 'decisions', 'created'),
  aml('evidence', 'evidencia de las decisiones', 'evidence of decisions', 'created'),
  aml('alerts', 'alertas', 'alerts', 'closed'),
  aml('cases', 'casos', 'cases', 'closed'),
  aml('attachments', 'archivos adjuntos', 'attachments', 'closed'),
  aml('labels', 'etiquetas', 'labels', 'created'),
  aml('lists', 'listas', 'lists', 'closed'),
  {
    ...{ id: 'audit', es: 'auditoría', en: 'audit', months: TEN_YEARS, from: 'created', leastMonths: 12, isHeld: true },
    basis: 'PCI DSS 4.0.1, 10.5.1 (12 months); kept as long as what it proves',
  },
  aml('erasures', 'supresiones', 'erasures', 'closed'),
  aml('legal-holds', 'retenciones legales', 'legal holds', 'closed'),
  {
    ...{ id: 'models', es: 'modelos', en: 'models', months: TEN_YEARS, from: 'closed', leastMonths: 0, isHeld: false },
    basis: 'Res. SBS 53-2023 (model risk): decisions are made again with them',
  },
  {
    ...{ id: 'rules', es: 'reglas', en: 'rules', months: TEN_YEARS, from: 'closed', leastMonths: 0, isHeld: false },
    basis: 'decisions are made again with them',
  },
  own('dead-letters', 'registros rechazados', 'dead letters', 3, true),
  own('notifications', 'avisos', 'notifications', 12, false),
  own('exports', 'exportaciones para el titular', "exports for the data's subject", 1, false),
  own('sessions', 'sesiones', 'sessions', 1, false),
  own('idempotency', 'claves de idempotencia', 'idempotency keys', 1, false),
  {
    ...{
      id: 'logs',
      es: 'registros técnicos',
      en: 'logs',
      months: 12,
      from: 'created',
      leastMonths: 12,
      isHeld: false,
    },
    basis: 'PCI DSS 4.0.1, 10.5.1 (12 months, 3 at hand)',
  },
]);

function aml(id: RetentionClassId, es: string, en: string, from: RetentionStart): RetentionClass {
  return { id, es, en, months: TEN_YEARS, from, leastMonths: 60, isHeld: true, basis: AML };
}

function own(id: RetentionClassId, es: string, en: string, months: number, isHeld: boolean): RetentionClass {
  return { id, es, en, months, from: 'created', leastMonths: 0, isHeld, basis: OWN };
}

function byId(classes: readonly RetentionClass[]): Readonly<Record<RetentionClassId, RetentionClass>> {
  return Object.fromEntries(classes.map((each) => [each.id, each])) as Record<RetentionClassId, RetentionClass>;
}
