// The canonical transaction: the one shape that every source is turned into and every later part reads.
//
// Fields are flat and always present (null where a source does not have them), so that objects keep one hidden class
// in the hot path and map one to one onto a table's columns. The JSON Schema and the TypeScript type come from the
// same definition.
import Type, { type Static } from 'typebox';

/** What was done. The `SECURITY_OPERATIONS` move no money (amount 0) but matter as context. */
export const OPERATIONS = [
  'purchase',
  'transfer',
  'cash-withdrawal',
  'cash-deposit',
  'bill-payment',
  'top-up',
  'payroll',
  'remittance',
  'refund',
  'reversal',
  'fee',
  'tax',
  'currency-exchange',
  'loan-disbursement',
  'loan-payment',
  'sim-change',
  'device-enrolment',
  'password-reset',
  'limit-change',
  'payee-added',
  'login-failed',
  'balance-lookup',
  'payment-claim',
] as const;

/** Operations without money: security events and look-ups (Res. SBS 504-2021 asks to watch them). */
export const SECURITY_OPERATIONS: ReadonlySet<string> = new Set([
  'sim-change',
  'device-enrolment',
  'password-reset',
  'limit-change',
  'payee-added',
  'login-failed',
  'balance-lookup',
]);

export const RAILS = [
  'card',
  'yape',
  'plin',
  'e-money',
  'cce-immediate',
  'cce-deferred',
  'lbtr',
  'internal',
  'cash',
  'swift',
] as const;

export const CHANNELS = ['app', 'web', 'pos', 'ecommerce', 'atm', 'agent', 'branch', 'batch', 'ussd'] as const;

/** How a card was read (ISO 8583 DE22, condensed). */
export const ENTRY_MODES = ['chip', 'contactless', 'stripe', 'fallback', 'manual', 'ecommerce', 'on-file'] as const;

export const AUTH_FACTORS = [
  'pin',
  'password',
  'otp-sms',
  'token',
  'biometric',
  'three-ds',
  'cvv',
  'signature',
] as const;

export const STATUSES = ['approved', 'declined', 'reversed', 'attempted'] as const;

const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);
const text = (maxLength: number, description: string) =>
  nullable(Type.String({ minLength: 1, maxLength, description }));
const oneOf = <const T extends readonly string[]>(values: T, description: string): Type.TEnum<[...T]> =>
  Type.Enum<[...T]>([...values] as [...T], { description });

export const TransactionSchema = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 64, description: 'unique in its source; a repeated id is a duplicate' }),
    eventTimeMs: Type.Integer({ description: 'when it happened, milliseconds since 1970-01-01T00:00:00Z' }),
    ingestTimeMs: nullable(Type.Integer({ description: 'when the bank received it, milliseconds UTC' })),
    amountMinor: Type.Integer({
      minimum: -Number.MAX_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'amount in minor units of the currency (céntimos); negative only where a sign is reversed',
    }),
    currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217 alphabetic code' }),
    operation: oneOf(OPERATIONS, 'what was done'),
    rail: nullable(oneOf(RAILS, 'the payment system it went through')),
    channel: nullable(oneOf(CHANNELS, 'where the payer did it')),
    payerId: text(64, 'who pays: customer or account id (ordenante)'),
    payerName: text(140, 'name of the payer'),
    payerDocument: text(16, 'DNI, RUC, CE or passport of the payer'),
    payerAccount: text(34, 'account of the payer, CCI where known'),
    payeeId: text(64, 'who is paid: account, wallet or merchant id (beneficiario)'),
    payeeName: text(140, 'name of the payee'),
    payeeDocument: text(16, 'DNI, RUC, CE or passport of the payee'),
    payeeAccount: text(34, 'account of the payee, CCI where known'),
    cardId: text(64, 'token of the card; never a PAN in clear'),
    deviceId: text(64, 'fingerprint of the device'),
    ipAddress: text(45, 'IPv4 or IPv6 address'),
    terminalId: text(64, 'POS, ATM, agent or shop terminal'),
    merchantId: text(64, 'merchant (establecimiento afiliado)'),
    mcc: nullable(Type.String({ pattern: '^[0-9]{4}$', description: 'merchant category code, ISO 18245' })),
    entryMode: nullable(oneOf(ENTRY_MODES, 'how the card was read')),
    ubigeo: nullable(Type.String({ pattern: '^[0-9]{6}$', description: 'place in Peru, INEI coding DDPPDD' })),
    latitude: nullable(Type.Number({ minimum: -90, maximum: 90 })),
    longitude: nullable(Type.Number({ minimum: -180, maximum: 180 })),
    country: nullable(Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2' })),
    concept: text(280, 'free text written by the payer (concepto, glosa)'),
    authFactors: Type.Array(oneOf(AUTH_FACTORS, 'a factor that was verified'), { maxItems: 8 }),
    status: oneOf(STATUSES, 'declined and attempted operations count too (Res. SBS 2660-2015)'),
    responseCode: text(8, 'ISO 8583 DE39 or ISO 20022 reason code'),
    externalId: text(64, 'EndToEndId, RRN or STAN: the same one twice is a duplicate posting'),
    balanceAfterMinor: nullable(Type.Integer({ description: "payer's balance afterwards, minor units" })),
    isFraud: nullable(Type.Boolean({ description: 'label: true fraud or error, false genuine, null unknown' })),
    typology: text(32, 'what kind of fraud (F01–F20) or error (E01–E15) the label names; never a feature'),
    labelTimeMs: nullable(Type.Integer({ description: 'when the label became known, milliseconds UTC' })),
    // Last: stored formats count fields from the front.
    authExemption: text(
      32,
      'why no second factor was asked for, as the bank names it: trusted-payee, same-holder, low-risk (Res. SBS 504-2021)',
    ),
  },
  { $id: 'https://centinela.dev/schemas/transaction.json', additionalProperties: false },
);

export type Transaction = Static<typeof TransactionSchema>;

/** The fields a transaction cannot do without. */
export type RequiredFields = Pick<Transaction, 'id' | 'eventTimeMs' | 'amountMinor' | 'currency'>;

/** Makes a transaction with every field present and in one order; what is not given is null. */
export function createTransaction(given: RequiredFields & Partial<Transaction>): Transaction {
  return {
    id: given.id,
    eventTimeMs: given.eventTimeMs,
    ingestTimeMs: given.ingestTimeMs ?? null,
    amountMinor: given.amountMinor,
    currency: given.currency,
    operation: given.operation ?? 'purchase',
    rail: given.rail ?? null,
    channel: given.channel ?? null,
    payerId: given.payerId ?? null,
    payerName: given.payerName ?? null,
    payerDocument: given.payerDocument ?? null,
    payerAccount: given.payerAccount ?? null,
    payeeId: given.payeeId ?? null,
    payeeName: given.payeeName ?? null,
    payeeDocument: given.payeeDocument ?? null,
    payeeAccount: given.payeeAccount ?? null,
    cardId: given.cardId ?? null,
    deviceId: given.deviceId ?? null,
    ipAddress: given.ipAddress ?? null,
    terminalId: given.terminalId ?? null,
    merchantId: given.merchantId ?? null,
    mcc: given.mcc ?? null,
    entryMode: given.entryMode ?? null,
    ubigeo: given.ubigeo ?? null,
    latitude: given.latitude ?? null,
    longitude: given.longitude ?? null,
    country: given.country ?? null,
    concept: given.concept ?? null,
    authFactors: given.authFactors ?? [],
    status: given.status ?? 'approved',
    responseCode: given.responseCode ?? null,
    externalId: given.externalId ?? null,
    balanceAfterMinor: given.balanceAfterMinor ?? null,
    isFraud: given.isFraud ?? null,
    typology: given.typology ?? null,
    labelTimeMs: given.labelTimeMs ?? null,
    authExemption: given.authExemption ?? null,
  };
}
