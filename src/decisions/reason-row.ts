// The shape of a row in the tables of reasons, and the texts that several rows share.

/** code, analyst text (es, en), customer text (es, en), rule of docs/domain.md (R1–R18) or null. */
export type ReasonRow = readonly [
  code: string,
  es: string,
  en: string,
  customerEs: string,
  customerEn: string,
  regulation: string | null,
];

/** What a customer reads when the true reason must not be told (Ley 27693: no tipping-off) or says nothing to them. */
export const REVIEW_ES = 'Estamos revisando esta operación para proteger su cuenta.';
export const REVIEW_EN = 'We are reviewing this transaction to protect your account.';
export const DATA_ES = 'Hay un dato de la operación que debemos verificar.';
export const DATA_EN = 'One detail of the transaction must be checked.';
