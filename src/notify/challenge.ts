// "¿Fuiste tú?": the customer says whether a transaction is theirs, and the answer is a label in seconds.
//
// The link's token is HMAC-SHA-256(key, challenge's id): whoever has the records cannot make it, because they hold only its
// SHA-256, and it need not be kept until the message is sent. The id is random (128 bits). It answers once, until it expires,
// for one transaction, and says nothing of the customer.
//
// Nobody is asked about what may end in a report to the UIF: a question would be a warning (no tipping-off, Res. SBS 2660-2015;
// Ley 27693 art. 12). Words never say fraud or suspicion: the bank "wants to confirm".
import { createHash, createHmac } from 'node:crypto';
import { civilOf, limaDayNumber, limaMinuteOfDay } from '../domain/calendar.ts';
import { formatMoney } from '../domain/money.ts';
import { InputError } from '../lib/errors.ts';
import type { Bilingual } from './notification.ts';

export const CHALLENGE_REASONS = [
  'amount',
  'payee',
  'device',
  'place',
  'hour',
  'channel',
  'frequency',
  'security',
  'other',
] as const;
export type ChallengeReason = (typeof CHALLENGE_REASONS)[number];

export const ANSWERS = ['yes', 'no', 'later'] as const;
export type Answer = (typeof ANSWERS)[number];

export interface ChallengeDraft {
  readonly transactionId: string;
  /** The bank's own id, never a document. */
  readonly customerId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly eventTimeMs: number;
  /** Codes of the decision's reasons, the weightiest first. */
  readonly reasonCodes: readonly string[];
  /** F01–F20, E01–E15; null where it is of none. */
  readonly typology: string | null;
}

export interface ChallengeSettings {
  readonly validMs: number;
  /** So many questions to a customer in any stretch of so long. */
  readonly mostPerCustomer: number;
  readonly perMs: number;
  /** `later` so often; after that it stays open without asking more. */
  readonly mostLater: number;
}

export const DEFAULT_CHALLENGES: ChallengeSettings = {
  ...{ validMs: 24 * 3_600_000, mostPerCustomer: 3, perMs: 24 * 3_600_000, mostLater: 3 },
};

/** What an answer says of the transaction; the caller makes a label of it. */
export interface ChallengeOutcome {
  readonly challengeId: string;
  readonly transactionId: string;
  readonly customerId: string;
  /** `unknown`: not now, or never answered. */
  readonly verdict: 'genuine' | 'fraud' | 'unknown';
  readonly source: 'customer';
  /** false: whoever took the account over may be who said yes (a new device or chip was what was noticed). */
  readonly isReliable: boolean;
  readonly atMs: number;
}

/** Keys by name; the first makes new challenges, the others are kept until theirs have expired. */
export type ChallengeKeys = readonly { readonly name: string; readonly key: Uint8Array }[];

const LEAST_KEY_BYTES = 32;
const ID_BYTES = 16;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** Reasons that are asked about, by what they mean to a customer. */
const REASON_OF_CODE: Readonly<Record<string, ChallengeReason>> = {
  ...{ MONTO_FUERA_DE_PERFIL: 'amount', MONTO_REDONDO: 'amount', LIMITE_EXCEDIDO: 'amount' },
  ...{ BENEFICIARIO_NUEVO: 'payee', COMERCIO_NUEVO: 'payee', DISPOSITIVO_NUEVO: 'device' },
  ...{ PAIS_NUEVO: 'place', LUGAR_INUSUAL: 'place', DESPLAZAMIENTO_IMPOSIBLE: 'place' },
  ...{ HORA_INUSUAL: 'hour', CANAL_NUEVO: 'channel', FRECUENCIA_ALTA: 'frequency', PRUEBA_DE_TARJETAS: 'frequency' },
  ...{ CAMBIO_SIM: 'security', CAMBIO_DE_CREDENCIALES: 'security' },
};
/** Of money laundering, mules, extortion and insiders: no customer hears of them. */
const NEVER_ASKED_CODES: ReadonlySet<string> = new Set([
  ...['CERCA_DE_UMBRAL', 'FRACCIONAMIENTO', 'PASO_RAPIDO', 'ABANICO_ENTRADA', 'ABANICO_SALIDA', 'CICLO'],
  ...['CUENTA_NUEVA_O_DORMIDA', 'LEXICO_EXTORSION', 'TITULAR_NO_COINCIDE'],
]);
const NEVER_ASKED_TYPOLOGIES: ReadonlySet<string> = new Set(['F08', 'F09', 'F10', 'F11', 'F12', 'F15', 'F16', 'F18']);

const WORDS: Readonly<Record<ChallengeReason, Bilingual>> = {
  amount: {
    es: 'El monto es distinto de lo que usted suele operar.',
    en: 'The amount is different from your usual one.',
  },
  payee: { es: 'Es la primera vez que usted paga a este destino.', en: 'It is the first time you pay this recipient.' },
  device: { es: 'Se hizo desde un dispositivo nuevo.', en: 'It was made from a new device.' },
  place: { es: 'Se hizo en un lugar que no es el habitual.', en: 'It was made in a place that is not the usual one.' },
  hour: { es: 'Se hizo a una hora que no es la habitual.', en: 'It was made at an hour that is not the usual one.' },
  channel: { es: 'Es la primera vez que usted usa este canal.', en: 'It is the first time you use this channel.' },
  frequency: { es: 'Hay varias operaciones seguidas.', en: 'There are several transactions in a row.' },
  security: { es: 'Hubo un cambio reciente en sus datos de acceso.', en: 'Your access details changed recently.' },
  other: { es: 'Queremos confirmarla con usted.', en: 'We want to confirm it with you.' },
};

/** Whether the customer may be asked, and about what; null: no question about this. */
export function challengeReasonOf({
  reasonCodes,
  typology,
}: Pick<ChallengeDraft, 'reasonCodes' | 'typology'>): ChallengeReason | null {
  if (typology !== null && NEVER_ASKED_TYPOLOGIES.has(typology)) return null;
  if (reasonCodes.some((code) => NEVER_ASKED_CODES.has(code))) return null;
  const code = reasonCodes.find((each) => Object.hasOwn(REASON_OF_CODE, each));
  return code === undefined ? 'other' : REASON_OF_CODE[code];
}

/** What the customer reads: amount, time and what was noticed, and nothing that is anybody's. */
export function challengeWords(
  reason: ChallengeReason,
  { amountMinor, currency, eventTimeMs }: Pick<ChallengeDraft, 'amountMinor' | 'currency' | 'eventTimeMs'>,
): { readonly title: Bilingual; readonly text: Bilingual } {
  const money = formatMoney(amountMinor, currency);
  const { day, month } = civilOf(limaDayNumber(eventTimeMs));
  const minute = limaMinuteOfDay(eventTimeMs);
  const two = (value: number) => String(value).padStart(2, '0');
  const date = `${two(day)}/${two(month)}`;
  const time = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  const { es, en } = WORDS[reason];
  return {
    title: { es: '¿Fue usted quien hizo esta operación?', en: 'Did you make this transaction?' },
    text: {
      es: `Operación por ${money} del ${date} a las ${time}. ${es} Por su seguridad, confírmenos si la reconoce. No le pediremos claves ni códigos.`,
      en: `Transaction of ${money} on ${date} at ${time}. ${en} For your security, tell us whether you recognise it. We will not ask for passwords or codes.`,
    },
  };
}

/** @param randomBytes 16 of them, from a generator that nobody can foresee @throws InputError where a key is too short */
export function challengeId(keys: ChallengeKeys, randomBytes: Uint8Array): string {
  const [newest] = keys;
  if (newest === undefined || newest.key.length < LEAST_KEY_BYTES || !/^[a-z0-9]{1,20}$/.test(newest.name)) {
    throw new InputError(
      'CHALLENGE_KEY_INVALID',
      `The key of challenges is missing, shorter than ${LEAST_KEY_BYTES} bytes, or has a name other than letters and digits`,
      'Make one with: openssl rand -hex 32',
    );
  }
  if (randomBytes.length !== ID_BYTES) throw new RangeError(`a challenge's id is made of ${ID_BYTES} bytes`);
  return `${newest.name}.${Buffer.from(randomBytes).toString('base64url')}`;
}

/** What the link ends in; null where its key is not there any more. */
export function challengeToken(keys: ChallengeKeys, id: string): string | null {
  const key = keys.find(({ name }) => id.startsWith(`${name}.`));
  return key === undefined ? null : createHmac('sha256', key.key).update(`challenge/${id}`).digest('base64url');
}

/** Under what a token is found; null for what cannot be one. */
export function tokenHash(token: string): Uint8Array | null {
  return TOKEN.test(token) ? new Uint8Array(createHash('sha256').update(token).digest()) : null;
}

/** A no is believed; a yes is not where the way to the customer itself may have been taken. */
export function isReliable(reason: ChallengeReason, answer: Answer): boolean {
  return answer !== 'yes' || (reason !== 'device' && reason !== 'security');
}

export function verdictOf(answer: Answer): ChallengeOutcome['verdict'] {
  return answer === 'yes' ? 'genuine' : answer === 'no' ? 'fraud' : 'unknown';
}
