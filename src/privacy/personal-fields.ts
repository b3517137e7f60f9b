// Which fields of a transaction are about a person, and how each is treated. A test holds it against the schema: a new
// field has to be named here.
import type { Transaction } from '../domain/transaction.ts';
import type { PersonalIdKind } from './tokens.ts';

type Field = keyof Transaction;

/**
 * Sealed whole: names, documents, accounts, what was written, where somebody was. In the order in which they stand in the
 * envelope; new ones are added at the end.
 */
export const SEALED_FIELDS = [
  ...(['payerName', 'payerDocument', 'payerAccount', 'payeeName', 'payeeDocument', 'payeeAccount'] as const),
  ...(['ipAddress', 'concept', 'latitude', 'longitude'] as const),
] as const satisfies readonly Field[];

/**
 * Ids, mostly the bank's own codes, which stay: by them features are counted. One that is somebody's number itself is
 * replaced by its token, and sealed. In the order in which they stand in the envelope, after the fields above.
 */
export const ID_FIELDS = [
  ...(['payerId', 'payeeId', 'cardId', 'deviceId', 'terminalId', 'merchantId', 'externalId'] as const),
] as const satisfies readonly Field[];

export type IdField = (typeof ID_FIELDS)[number];

const PARTY: ReadonlySet<PersonalIdKind> = new Set(['pan', 'cci', 'ruc', 'cel', 'dni', 'mail']);
/** Terminals and references have eight and nine digits of their own, so there only what proves itself by check digits. */
const CODE: ReadonlySet<PersonalIdKind> = new Set(['pan', 'cci', 'mail']);

/** What an id may be, field by field. */
export const KINDS_OF: Readonly<Record<IdField, ReadonlySet<PersonalIdKind>>> = {
  ...{ payerId: PARTY, payeeId: PARTY, cardId: PARTY, deviceId: CODE, terminalId: CODE, externalId: CODE },
  merchantId: new Set(['pan', 'cci', 'ruc', 'cel', 'mail']),
};

/** Neither: what was done, when, how, for how much, and what was found out about it. */
export const OPEN_FIELDS = [
  ...(['id', 'eventTimeMs', 'ingestTimeMs', 'amountMinor', 'currency', 'operation', 'rail', 'channel', 'mcc'] as const),
  ...(['entryMode', 'ubigeo', 'country', 'authFactors', 'status', 'responseCode', 'balanceAfterMinor'] as const),
  ...(['isFraud', 'typology', 'labelTimeMs', 'authExemption'] as const),
] as const satisfies readonly Field[];
