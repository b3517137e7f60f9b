// The event being folded, as numbers: computed once from the transaction and read by every entity's store.
import { isNearThreshold } from '../domain/limits.ts';
import { RAILS, SECURITY_OPERATIONS, type Transaction } from '../domain/transaction.ts';
import { hashPair, hashText } from '../lib/hash.ts';
import { FLAG_ALL, flagOf, labelBits } from './event-flags.ts';
import { DAY_MS, type EngineLimits, HOUR_MS, MINUTE_MS } from './limits.ts';

/** Entity kinds by number; `ip` has no features of its own but is counted as a distinct value. */
export const KINDS = ['payer', 'card', 'device', 'payee', 'pair', 'terminal', 'place', 'ip'] as const;
const PAYER = 0;
const CARD = 1;
const DEVICE = 2;
const PAYEE = 3;
const PAIR = 4;
const TERMINAL = 5;
const PLACE = 6;
const IP = 7;

const FLAG_APPROVED = flagOf('approved');
const FLAG_DECLINED = flagOf('declined');
const FLAG_SECURITY = flagOf('security');
const FLAG_CASH = flagOf('cash');
const FLAG_NIGHT = flagOf('night');
const FLAG_WEEKEND = flagOf('weekend');
const FLAG_ROUND = flagOf('round-amount');
const FLAG_NEAR_THRESHOLD = flagOf('near-threshold');
const FLAG_CROSS_BORDER = flagOf('cross-border');

const CASH_RAIL = RAILS[8];
/** The night as the Handbook has it: hours 0 to 6. */
const LAST_NIGHT_HOUR = 6;
/** 1970-01-01 was a Thursday; Monday is 0. */
const EPOCH_WEEKDAY = 3;
/** A round amount is a multiple of 100 whole units (soles, dollars). */
const ROUND_STEP_MINOR = 100_00;
/** Side of a place's cell where only coordinates are known: 0.05°, about 5.5 km. */
const CELLS_PER_DEGREE = 20;

export class FoldEvent {
  readonly limits: EngineLimits;
  readonly #utcOffsetMs: number;
  timeMs = 0;
  /** In minor units of the reference currency. */
  amount = 0;
  flags = 0;
  hour = 0;
  /** Monday 0 … Sunday 6. */
  weekday = 0;
  /** Days since 1970-01-01, local time. */
  day = 0;
  latitude = Number.NaN;
  longitude = Number.NaN;
  /** Small codes for distinct counts, 0 for none. */
  mcc = 0;
  country = 0;
  channel = 0;
  currency = 0;
  /** Its amount had to be converted. */
  isForeign = false;
  readonly present: Uint8Array = new Uint8Array(KINDS.length);
  readonly keyLow: Int32Array = new Int32Array(KINDS.length);
  readonly keyHigh: Int32Array = new Int32Array(KINDS.length);
  /** Slot of the event's entity of each kind, −1 for none. */
  readonly slots: Int32Array = new Int32Array(KINDS.length).fill(-1);
  /** 1 where the entity is new with this event. */
  readonly created: Uint8Array = new Uint8Array(KINDS.length);

  readonly #wantsThreshold: boolean;

  /** @param wantsThreshold whether any feature asks for amounts just below a threshold; the look-up is not free */
  constructor(limits: EngineLimits, wantsThreshold: boolean) {
    this.#wantsThreshold = wantsThreshold;
    this.limits = limits;
    this.#utcOffsetMs = limits.utcOffsetMinutes * MINUTE_MS;
  }

  hourAt(timeMs: number): number {
    const local = timeMs + this.#utcOffsetMs;
    return Math.floor((local - Math.floor(local / DAY_MS) * DAY_MS) / HOUR_MS);
  }

  read(tx: Transaction): void {
    const local = tx.eventTimeMs + this.#utcOffsetMs;
    const day = Math.floor(local / DAY_MS);
    const weekday = (day + EPOCH_WEEKDAY) % 7;
    this.timeMs = tx.eventTimeMs;
    this.day = day;
    this.hour = Math.floor((local - day * DAY_MS) / HOUR_MS);
    this.weekday = weekday < 0 ? weekday + 7 : weekday;
    const rate = this.limits.exchangeRates[tx.currency];
    this.amount = rate === undefined ? tx.amountMinor : Math.round(tx.amountMinor * rate);
    this.latitude = tx.latitude ?? Number.NaN;
    this.longitude = tx.longitude ?? Number.NaN;
    this.mcc = tx.mcc === null ? 0 : Number(tx.mcc) + 1;
    this.country = tx.country === null ? 0 : lettersCode(tx.country);
    this.channel = tx.channel === null ? 0 : lettersCode(tx.channel);
    this.currency = lettersCode(tx.currency);
    this.isForeign = rate !== undefined;
    this.flags = this.#flagsOf(tx);
    this.#readKeys(tx);
  }

  #flagsOf(tx: Transaction): number {
    const security = SECURITY_OPERATIONS.has(tx.operation);
    let flags = FLAG_ALL;
    if (security) flags |= FLAG_SECURITY;
    else if (tx.status === 'approved') flags |= FLAG_APPROVED;
    if (tx.status === 'declined') flags |= FLAG_DECLINED;
    if (tx.rail === CASH_RAIL || tx.operation === 'cash-withdrawal' || tx.operation === 'cash-deposit') {
      flags |= FLAG_CASH;
    }
    if (this.hour <= LAST_NIGHT_HOUR) flags |= FLAG_NIGHT;
    if (this.weekday >= 5) flags |= FLAG_WEEKEND;
    if (tx.amountMinor >= ROUND_STEP_MINOR && tx.amountMinor % ROUND_STEP_MINOR === 0) flags |= FLAG_ROUND;
    if (this.#wantsThreshold && isNearThreshold(tx.amountMinor, tx.currency, tx.rail, this.day, tx.channel)) {
      flags |= FLAG_NEAR_THRESHOLD;
    }
    if (tx.country !== null && tx.country !== this.limits.homeCountry) flags |= FLAG_CROSS_BORDER;
    return flags;
  }

  #readKeys(tx: Transaction): void {
    this.#readKey(PAYER, tx.payerId);
    this.#readKey(CARD, tx.cardId);
    this.#readKey(DEVICE, tx.deviceId);
    this.#readKey(PAYEE, tx.payeeId);
    this.#readKey(TERMINAL, tx.terminalId ?? tx.merchantId);
    this.#readKey(IP, tx.ipAddress);
    this.#readPair();
    this.#readPlace(tx);
  }

  #readKey(kind: number, id: string | null): void {
    if (id === null) {
      this.present[kind] = 0;
      return;
    }
    this.present[kind] = 1;
    hashText(id, this.keyLow, this.keyHigh, kind);
  }

  /** Payer and payee, or payer and terminal where there is no payee. */
  #readPair(): void {
    const { present, keyLow, keyHigh } = this;
    const other = present[PAYEE] === 1 ? PAYEE : TERMINAL;
    present[PAIR] = present[PAYER] & present[other];
    if (present[PAIR] === 0) return;
    hashPair(keyLow[PAYER], keyHigh[PAYER], keyLow[other], keyHigh[other], keyLow, keyHigh, PAIR);
  }

  #readPlace(tx: Transaction): void {
    if (tx.ubigeo !== null) {
      this.#readKey(PLACE, tx.ubigeo);
    } else if (tx.latitude !== null && tx.longitude !== null) {
      this.present[PLACE] = 1;
      this.keyLow[PLACE] = placeCell(tx.latitude);
      this.keyHigh[PLACE] = placeCell(tx.longitude);
    } else {
      this.present[PLACE] = 0;
    }
  }
}

/** Number of the row or column of cells that a coordinate falls into. */
export function placeCell(degrees: number): number {
  return Math.round(degrees * CELLS_PER_DEGREE) | 0;
}

/** The label as flag bits of an event with these flags, where it is known no later than `delayMs` after the event. */
export function labelFlags(tx: Transaction, flags: number, delayMs: number): number {
  if (tx.isFraud === null) return 0;
  if (tx.labelTimeMs !== null && tx.labelTimeMs > tx.eventTimeMs + delayMs) return 0;
  return labelBits(tx.isFraud, flags);
}

/** A small non-zero code of a short text of a closed list. */
function lettersCode(text: string): number {
  let code = 7;
  for (let i = 0; i < text.length; i++) code = (Math.imul(code, 31) + text.charCodeAt(i)) | 0;
  return code >>> 0;
}
