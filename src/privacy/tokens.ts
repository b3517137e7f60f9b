// Tokens: what stands for a customer, a card, a document where the thing itself must not be. HMAC-SHA-256 under a pepper that
// is itself wrapped by a master key, so that nobody without it can try all DNIs or card numbers (PCI DSS 4.0.1, 3.5.1.1: keyed
// hashes). One number has one token however it is written, as long as the bank lives: the pepper is never changed, only
// wrapped anew. Tokens are 128 bits in letters alone, so that none looks like a number of somebody.
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { isValidCci } from '../domain/cci.ts';
import { isOneCharacterRepeated } from '../domain/digits.ts';
import { parseDni } from '../domain/dni.ts';
import { findPans } from '../domain/pan.ts';
import { parseMobile } from '../domain/phone.ts';
import { isValidRuc } from '../domain/ruc.ts';
import { assert } from '../lib/assert.ts';
import { RecentMap } from './recent-map.ts';

/** `cli_` and 32 letters: a customer, or whoever else has a key of their own. */
export type SubjectToken = string;

/** What an id may be by itself. */
export const PERSONAL_ID_KINDS = ['pan', 'cci', 'ruc', 'cel', 'dni', 'mail'] as const;
export type PersonalIdKind = (typeof PERSONAL_ID_KINDS)[number];

export interface PersonalId {
  readonly kind: PersonalIdKind;
  /** However it was written. */
  readonly canonical: string;
}

const ALL: ReadonlySet<PersonalIdKind> = new Set(PERSONAL_ID_KINDS);
const PEPPER_BYTES = 32;
const MOST_REMEMBERED = 100_000;
const LETTERS = 'abcdefghijklmnop';
const TOKEN_BYTES = 16;
const SHORTEST = 5;
const COMPANY = '20';
const MAIL = /^[^\s@]{1,64}@[^\s@.]{1,63}(?:\.[^\s@.]{1,63}){1,8}$/;
const SEPARATORS = /[\s-]/g;
const ADDRESS_TOKEN = /^ip_[a-p]{32}$/;
/** As URL writes an IPv4 address that comes as an IPv6 one. */
const MAPPED = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/;

/**
 * What an id is, where it is the number of a card, an account, a person's tax number, a mobile, a document or an address of
 * mail; null where it is none. Eight digits count as a DNI, so customer codes of eight digits do, too: leave `dni` out then.
 * Zeros and the like are left as they are, for they are nobody's and data quality finds them. A company's RUC is public.
 */
export function personalId(id: string, kinds: ReadonlySet<PersonalIdKind> = ALL): PersonalId | null {
  if (id.length < SHORTEST || !mayBePersonal(id)) return null;
  const found = id.includes('@') ? mailOf(id) : numberOf(id);
  return found !== null && kinds.has(found.kind) ? found : null;
}

export class Tokens {
  readonly #pepper: KeyObject;
  readonly #kinds: ReadonlySet<PersonalIdKind>;
  readonly #subjects = new RecentMap<string, SubjectToken>(MOST_REMEMBERED);
  readonly #publicIds = new RecentMap<string, string>(MOST_REMEMBERED);
  readonly #addresses = new RecentMap<string, string>(MOST_REMEMBERED);

  /** @param pepper 32 bytes; they are copied and overwritten with zeros */
  constructor(pepper: Uint8Array, kinds: ReadonlySet<PersonalIdKind> = ALL) {
    assert(pepper.length === PEPPER_BYTES, 'the pepper has 32 bytes');
    this.#pepper = createSecretKey(pepper);
    this.#kinds = kinds;
    pepper.fill(0);
  }

  /** The customer of an id, in clear or as `publicId` made it: both give the same. */
  subject(id: string): SubjectToken {
    const known = this.#subjects.get(id);
    if (known !== undefined) return known;
    const token = `cli_${this.#hash('subject', this.publicId(id))}`;
    this.#subjects.set(id, token);
    return token;
  }

  /**
   * The id as it may be kept and shown: itself where it is the bank's own, `dni_…` where it is somebody's number (of a card
   * the last four digits stay: `pan_…_1234`, PCI DSS 3.4.1).
   *
   * @param kinds those that the field may hold
   */
  publicId(id: string, kinds: ReadonlySet<PersonalIdKind> = this.#kinds): string {
    if (id.length < SHORTEST || !mayBePersonal(id)) return id;
    const isUsual = kinds === this.#kinds;
    const known = isUsual ? this.#publicIds.get(id) : undefined;
    if (known !== undefined) return known;
    const personal = personalId(id, kinds);
    const made = personal === null || !this.#kinds.has(personal.kind) ? id : this.#tokenOf(personal);
    if (isUsual) this.#publicIds.set(id, made);
    return made;
  }

  /** An address of the internet as `ip_…`, one for all ways of writing it; what is a token already stays. */
  address(address: string): string {
    if (ADDRESS_TOKEN.test(address)) return address;
    const known = this.#addresses.get(address);
    if (known !== undefined) return known;
    const token = `ip_${this.#hash('ip', canonicalAddress(address))}`;
    this.#addresses.set(address, token);
    return token;
  }

  #tokenOf({ kind, canonical }: PersonalId): string {
    const token = `${kind}_${this.#hash(kind, canonical)}`;
    return kind === 'pan' ? `${token}_${canonical.slice(-4)}` : token;
  }

  #hash(kind: string, text: string): string {
    const bytes = createHmac('sha256', this.#pepper).update(`${kind}\0${text}`).digest();
    let letters = '';
    for (let i = 0; i < TOKEN_BYTES; i++) letters += LETTERS[bytes[i] >> 4] + LETTERS[bytes[i] & 15];
    return letters;
  }
}

/** Quick: it begins like a number, or has the sign of an address. Own codes mostly begin with a letter. */
function mayBePersonal(id: string): boolean {
  const first = id.charCodeAt(0);
  const isNumberLike = (first >= 48 && first <= 57) || first === 43 || first === 40;
  return isNumberLike || id.includes('@');
}

function mailOf(id: string): PersonalId | null {
  return MAIL.test(id) ? { kind: 'mail', canonical: id.toLowerCase() } : null;
}

function numberOf(id: string): PersonalId | null {
  const digits = id.replace(SEPARATORS, '');
  const [pan] = digits.length >= 13 ? findPans(digits) : [];
  if (pan?.digits.length === digits.length) return { kind: 'pan', canonical: digits };
  if (isValidCci(digits)) return { kind: 'cci', canonical: digits };
  if (isValidRuc(digits)) return digits.startsWith(COMPANY) ? null : { kind: 'ruc', canonical: digits };
  const mobile = parseMobile(id);
  if (mobile !== null) return { kind: 'cel', canonical: mobile };
  const dni = parseDni(id);
  return dni === null || isOneCharacterRepeated(dni) ? null : { kind: 'dni', canonical: dni };
}

/** What is no address stands for itself. */
function canonicalAddress(text: string): string {
  const [address] = text.trim().toLowerCase().split('%');
  if (!isIPv6(address)) return address;
  const { hostname } = new URL(`http://[${address}]`);
  const [, high, low] = MAPPED.exec(hostname) ?? [];
  if (high === undefined) return hostname;
  return [high, low].flatMap((half) => [Number.parseInt(half, 16) >> 8, Number.parseInt(half, 16) & 255]).join('.');
}
