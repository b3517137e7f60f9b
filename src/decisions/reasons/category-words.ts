// What a category feature holds, in words: its number is a code that nobody can read. Data, and the look-up.
import type { Transaction } from '../../domain/transaction.ts';
import { alike, type Texts } from './format.ts';

type Words<Code extends string> = Readonly<Record<Code, readonly [es: string, en: string]>>;

const OPERATION_WORDS: Words<Transaction['operation']> = {
  purchase: ['compra', 'purchase'],
  transfer: ['transferencia', 'transfer'],
  'cash-withdrawal': ['retiro de efectivo', 'cash withdrawal'],
  'cash-deposit': ['depósito de efectivo', 'cash deposit'],
  'bill-payment': ['pago de servicios', 'bill payment'],
  'top-up': ['recarga', 'top-up'],
  payroll: ['pago de planilla', 'payroll'],
  remittance: ['remesa', 'remittance'],
  refund: ['devolución', 'refund'],
  reversal: ['extorno', 'reversal'],
  fee: ['comisión', 'fee'],
  tax: ['impuesto', 'tax'],
  'currency-exchange': ['cambio de moneda', 'currency exchange'],
  'loan-disbursement': ['desembolso de préstamo', 'loan disbursement'],
  'loan-payment': ['pago de préstamo', 'loan payment'],
  'sim-change': ['cambio de chip', 'SIM change'],
  'device-enrolment': ['registro de dispositivo', 'device enrolment'],
  'password-reset': ['cambio de clave', 'password reset'],
  'limit-change': ['cambio de límite', 'limit change'],
  'payee-added': ['beneficiario agregado', 'payee added'],
  'login-failed': ['ingreso fallido', 'failed log-in'],
  'balance-lookup': ['consulta de saldo', 'balance look-up'],
  'payment-claim': ['reclamo de un pago', 'payment claim'],
};

const RAIL_WORDS: Words<NonNullable<Transaction['rail']>> = {
  card: ['tarjeta', 'card'],
  yape: ['Yape', 'Yape'],
  plin: ['Plin', 'Plin'],
  'e-money': ['dinero electrónico', 'electronic money'],
  'cce-immediate': ['CCE inmediata', 'CCE, immediate'],
  'cce-deferred': ['CCE diferida', 'CCE, deferred'],
  lbtr: ['LBTR', 'LBTR'],
  internal: ['dentro de la entidad', 'within the institution'],
  cash: ['efectivo', 'cash'],
  swift: ['SWIFT', 'SWIFT'],
};

const CHANNEL_WORDS: Words<NonNullable<Transaction['channel']>> = {
  app: ['aplicación', 'app'],
  web: ['banca por internet', 'internet banking'],
  pos: ['POS', 'POS'],
  ecommerce: ['comercio electrónico', 'online shop'],
  atm: ['cajero automático', 'ATM'],
  agent: ['agente corresponsal', 'banking agent'],
  branch: ['oficina', 'branch'],
  batch: ['lote', 'batch'],
  ussd: ['USSD', 'USSD'],
};

const ENTRY_MODE_WORDS: Words<NonNullable<Transaction['entryMode']>> = {
  chip: ['chip', 'chip'],
  contactless: ['sin contacto', 'contactless'],
  stripe: ['banda magnética', 'magnetic stripe'],
  fallback: ['banda por falla del chip', 'stripe because the chip failed'],
  manual: ['digitada', 'typed in'],
  ecommerce: ['por internet', 'online'],
  'on-file': ['guardada por el comercio', 'kept on file'],
};

const STATUS_WORDS: Words<Transaction['status']> = {
  approved: ['aprobada', 'approved'],
  declined: ['rechazada', 'declined'],
  reversed: ['extornada', 'reversed'],
  attempted: ['intentada', 'attempted'],
};

/** Monday first, as the feature counts. */
const WEEKDAY_WORDS = [
  ['lunes', 'Monday'],
  ['martes', 'Tuesday'],
  ['miércoles', 'Wednesday'],
  ['jueves', 'Thursday'],
  ['viernes', 'Friday'],
  ['sábado', 'Saturday'],
  ['domingo', 'Sunday'],
] as const;

/** null where the transaction does not have the field, or nothing is known of it. */
export function categoryText(field: string | null, value: number, transaction: Transaction): Texts | null {
  const { operation, rail, channel, entryMode, status, mcc } = transaction;
  switch (field) {
    case 'operation':
      return textsOf(OPERATION_WORDS, operation);
    case 'rail':
      return textsOf(RAIL_WORDS, rail);
    case 'channel':
      return textsOf(CHANNEL_WORDS, channel);
    case 'entry-mode':
      return textsOf(ENTRY_MODE_WORDS, entryMode);
    case 'status':
      return textsOf(STATUS_WORDS, status);
    case 'mcc':
      return mcc === null ? null : alike(mcc);
    case 'weekday':
      return value in WEEKDAY_WORDS ? { es: WEEKDAY_WORDS[value][0], en: WEEKDAY_WORDS[value][1] } : null;
    default:
      return null;
  }
}

function textsOf<Code extends string>(words: Words<Code>, code: Code | null): Texts | null {
  return code === null ? null : { es: words[code][0], en: words[code][1] };
}
