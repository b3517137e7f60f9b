// CCI (Código de Cuenta Interbancario): the 20-digit account number of Peru's interbank transfers.
//
// Structure `EEE OOO CCCCCCCCCCCC DD`: entity, office, account, two control digits. Each control digit is a Luhn-type
// digit modulo 10 with weights 1, 2 from left to right: the first over entity and office, the second over the account.
// The rule was checked against published CCIs of six entities (docs/domain.md); the clearing house's own text is not
// public. A valid CCI says nothing about who owns the account.
import { assert } from '../lib/assert.ts';
import { digitAt, isDigits } from './digits.ts';

const CCI_LENGTH = 20;
const BODY_LENGTH = 18;
const BRANCH_END = 6;
const CONTROL_OF_BRANCH = 18;
const CONTROL_OF_ACCOUNT = 19;

const BCP = '002';
const BCP_CURRENCY_INDEX = 15;
/** No office has this number: accounts made up for tests and simulations carry it. */
const MADE_UP_OFFICE = '999';

export interface Cci {
  /** 3 digits, see `entityOf` in entities.ts. */
  readonly entity: string;
  /** 3 digits. */
  readonly office: string;
  /** 12 digits. */
  readonly account: string;
  /** 2 digits. */
  readonly control: string;
  /** Currency that the account number itself tells (BCP only), else null. A hint: the layout is not official. */
  readonly currencyHint: 'PEN' | 'USD' | null;
}

function controlDigit(text: string, from: number, to: number): number {
  let sum = 0;
  for (let i = from, isDoubled = false; i < to; i++, isDoubled = !isDoubled) {
    const digit = digitAt(text, i);
    const product = isDoubled ? digit * 2 : digit;
    sum += product > 9 ? product - 9 : product;
  }
  return (10 - (sum % 10)) % 10;
}

/** The two control digits of an entity, office and account written together (18 digits). */
export function cciCheckDigits(first18: string): string {
  assert(isDigits(first18, BODY_LENGTH), 'the control digits of a CCI need its first 18 digits');
  return `${controlDigit(first18, 0, BRANCH_END)}${controlDigit(first18, BRANCH_END, BODY_LENGTH)}`;
}

/** A whole CCI from its first 18 digits. */
export function completeCci(first18: string): string {
  return first18 + cciCheckDigits(first18);
}

/** True if `text` is 20 digits without separators and both control digits are right. */
export function isValidCci(text: string): boolean {
  return (
    isDigits(text, CCI_LENGTH) &&
    controlDigit(text, 0, BRANCH_END) === digitAt(text, CONTROL_OF_BRANCH) &&
    controlDigit(text, BRANCH_END, BODY_LENGTH) === digitAt(text, CONTROL_OF_ACCOUNT)
  );
}

/** True if `text` has the shape of a CCI, 20 digits, whatever its control digits. */
export function looksLikeCci(text: string): boolean {
  return isDigits(text, CCI_LENGTH);
}

/**
 * The currency that a BCP account number tells, or null for other entities, other digits and made-up numbers.
 * @param cci 20 digits
 */
export function cciCurrencyHint(cci: string): 'PEN' | 'USD' | null {
  if (!cci.startsWith(BCP) || cci.startsWith(MADE_UP_OFFICE, BCP.length)) return null;
  const digit = digitAt(cci, BCP_CURRENCY_INDEX);
  if (digit === 0) return 'PEN';
  return digit === 1 ? 'USD' : null;
}

/** The parts of a valid CCI; spaces and hyphens between the digits are allowed. Null if it is not valid. */
export function parseCci(text: string): Cci | null {
  const digits = text.replace(/[\s-]/g, '');
  if (!isValidCci(digits)) return null;
  return {
    entity: digits.slice(0, 3),
    office: digits.slice(3, BRANCH_END),
    account: digits.slice(BRANCH_END, BODY_LENGTH),
    control: digits.slice(BODY_LENGTH),
    currencyHint: cciCurrencyHint(digits),
  };
}
