// The people: who they are, where they live, what they earn, whom they know.
//
// One column per attribute (typed arrays where they are numbers), so memory is linear in the number of customers and a
// day's loop reads flat arrays. Each person is drawn from a stream of their own: one customer more changes no other.
import { completeCci } from '../domain/cci.ts';
import { exactExp } from '../lib/exact-math.ts';
import type { Prng } from '../lib/prng.ts';
import { FEMALE_NAMES, MALE_NAMES, SURNAMES } from './names.ts';
import { departmentOf, PLACES } from './places.ts';
import { createWeightTable, drawChance, drawFrom, drawInteger, drawWeighted, hexToken } from './sampling.ts';

export const SEGMENT = { dependent: 0, independent: 1, owner: 2, student: 3, pensioner: 4 } as const;
export const WALLET = { none: 0, yape: 1, plin: 2 } as const;

export const CONTACTS_PER_PERSON = 10;

/** Share of customers per segment: an assumption, in the order of SEGMENT. */
const SEGMENT_WEIGHTS = [42, 27, 8, 13, 10];
/** Median monthly income in soles and its log-deviation, in the order of SEGMENT. */
const INCOME_MEDIAN = [2300, 1800, 4200, 700, 1250];
const INCOME_SIGMA = [0.5, 0.5, 0.6, 0.35, 0.4];

/** Entities of the CCI with an assumed share of accounts. */
const BANKS: readonly (readonly [code: string, share: number])[] = [
  ['002', 36],
  ['003', 15],
  ['011', 16],
  ['009', 9],
  ['018', 9],
  ['038', 2],
  ['049', 3],
  ['803', 4],
  ['808', 3],
  ['801', 3],
];
const BANK_TABLE = createWeightTable(BANKS.map(([, share]) => share));
const BCP = 0;
const PLIN_BANKS: ReadonlySet<number> = new Set([1, 2, 3]);

export const PLACE_TABLE = createWeightTable(PLACES.map((place) => place.weight));
const SEGMENT_TABLE = createWeightTable(SEGMENT_WEIGHTS);

export interface Population {
  readonly size: number;
  readonly id: string[];
  readonly name: string[];
  readonly document: string[];
  /** CCI with office 999, so that no real account is named. */
  readonly account: string[];
  /** Changes when the person gets a new phone. */
  readonly device: string[];
  readonly debitCard: string[];
  /** Empty where the person has no credit card. */
  readonly creditCard: string[];
  readonly homeAddress: string[];
  readonly place: Uint8Array;
  readonly workPlace: Uint8Array;
  readonly segment: Uint8Array;
  readonly age: Uint8Array;
  readonly bank: Uint8Array;
  readonly wallet: Uint8Array;
  /** Soles a month. */
  readonly income: Float64Array;
  /** Relative size of what this person pays, mean about 1. */
  readonly spending: Float64Array;
  /** Relative number of operations, mean about 1. */
  readonly activity: Float64Array;
  /** Shift of the person's day, ms. */
  readonly chronotypeMs: Int32Array;
  /** Céntimos in the main account. */
  readonly balance: Float64Array;
  /** CONTACTS_PER_PERSON person numbers each, the first are paid most. */
  readonly contacts: Int32Array;
  /** People by department, for choosing someone near. */
  readonly byDepartment: readonly Int32Array[];
}

/** An account number that no bank uses: office 999 and a running number. */
export function syntheticCci(bank: number, serial: number): string {
  return completeCci(`${BANKS[bank]![0]}999${String(serial).padStart(12, '0')}`);
}

/** Shared address space of mobile carriers (RFC 6598): it names no real host. */
export function mobileAddress(value: number): string {
  return `100.${64 + ((value >>> 16) & 63)}.${(value >>> 8) & 255}.${1 + (value % 254)}`;
}

/** Benchmark address space (RFC 2544), used for fixed lines. */
function fixedAddress(value: number): string {
  return `198.${18 + ((value >>> 16) & 1)}.${(value >>> 8) & 255}.${1 + (value % 254)}`;
}

export function deviceToken(a: number, b: number): string {
  return `d-${hexToken(a, b)}`;
}

export function cardToken(a: number, b: number): string {
  return `c-${hexToken(a, b)}`;
}

function drawAge(prng: Prng, segment: number): number {
  if (segment === SEGMENT.student) return drawInteger(prng, 18, 26);
  if (segment === SEGMENT.pensioner) return drawInteger(prng, 60, 86);
  return Math.min(drawInteger(prng, 19, 48) + prng.nextBelow(18), 68);
}

function drawWallet(prng: Prng, age: number, bank: number): number {
  const share = age < 35 ? 0.93 : age < 50 ? 0.86 : age < 65 ? 0.66 : 0.36;
  if (!drawChance(prng, share)) return WALLET.none;
  if (bank === BCP) return WALLET.yape;
  return PLIN_BANKS.has(bank) && drawChance(prng, 0.55) ? WALLET.plin : WALLET.yape;
}

function drawWorkPlace(prng: Prng, home: number): number {
  if (drawChance(prng, 0.45)) return home;
  const department = departmentOf(PLACES[home]!);
  for (let attempt = 0; attempt < 4; attempt++) {
    const place = drawWeighted(prng, PLACE_TABLE);
    if (departmentOf(PLACES[place]!) === department) return place;
  }
  return home;
}

const PERSON_IDS_FROM = 10_000_000;

/** The person behind an id that starts with P. */
export function personOfId(id: string): number {
  return Number(id.slice(1)) - PERSON_IDS_FROM;
}

/** Distinct eight-digit numbers: a step coprime with the range walks through all of it. */
export function documentNumber(index: number, offset: number): string {
  return String(1_000_000 + ((offset + index * 7_368_787) % 77_000_000)).padStart(8, '0');
}

export function createPopulation(size: number, root: Prng): Population {
  const offset = root.fork(0).nextBelow(77_000_000);
  const population: Population = {
    size,
    id: [],
    name: [],
    document: [],
    account: [],
    device: [],
    debitCard: [],
    creditCard: [],
    homeAddress: [],
    place: new Uint8Array(size),
    workPlace: new Uint8Array(size),
    segment: new Uint8Array(size),
    age: new Uint8Array(size),
    bank: new Uint8Array(size),
    wallet: new Uint8Array(size),
    income: new Float64Array(size),
    spending: new Float64Array(size),
    activity: new Float64Array(size),
    chronotypeMs: new Int32Array(size),
    balance: new Float64Array(size),
    contacts: new Int32Array(size * CONTACTS_PER_PERSON),
    byDepartment: Array.from({ length: 25 }, () => new Int32Array(0)),
  };
  for (let person = 0; person < size; person++) fillPerson(population, person, root.fork(person + 1), offset);
  const members: number[][] = population.byDepartment.map(() => []);
  for (let person = 0; person < size; person++) members[departmentOf(PLACES[population.place[person]!]!)]!.push(person);
  const byDepartment = members.map((list) => Int32Array.from(list));
  for (let person = 0; person < size; person++)
    fillContacts(population, person, root.fork(person + 1).fork(1), byDepartment);
  return { ...population, byDepartment };
}

function fillPerson(population: Population, person: number, prng: Prng, documentOffset: number): void {
  const segment = drawWeighted(prng, SEGMENT_TABLE);
  const place = drawWeighted(prng, PLACE_TABLE);
  const age = drawAge(prng, segment);
  const bank = drawWeighted(prng, BANK_TABLE);
  const given = drawFrom(prng, drawChance(prng, 0.5) ? FEMALE_NAMES : MALE_NAMES);
  population.segment[person] = segment;
  population.place[person] = place;
  population.workPlace[person] = drawWorkPlace(prng, place);
  population.age[person] = age;
  population.bank[person] = bank;
  population.wallet[person] = drawWallet(prng, age, bank);
  const level = PLACES[place]!.level;
  const income = INCOME_MEDIAN[segment]! * level * exactExp(INCOME_SIGMA[segment]! * prng.nextNormal());
  population.income[person] = Math.max(segment === SEGMENT.dependent ? 1130 : 250, Math.floor(income));
  population.spending[person] = Math.sqrt(income / 1900) * exactExp(0.2 * prng.nextNormal());
  population.activity[person] = exactExp(0.45 * prng.nextNormal() - 0.1);
  population.chronotypeMs[person] = Math.floor(prng.nextNormal() * 2_400_000);
  population.balance[person] = Math.floor(income * 100 * exactExp(0.9 * prng.nextNormal() - 0.6));
  population.id[person] = `P${String(PERSON_IDS_FROM + person)}`;
  population.name[person] = `${given} ${drawFrom(prng, SURNAMES)} ${drawFrom(prng, SURNAMES)}`;
  population.document[person] = documentNumber(person, documentOffset);
  population.account[person] = syntheticCci(bank, 100_000 + person * 7);
  population.device[person] = deviceToken(prng.nextUint32(), person);
  population.debitCard[person] = cardToken(prng.nextUint32(), person);
  const hasCredit = segment !== SEGMENT.student && drawChance(prng, Math.min(0.75, 0.12 + income / 9000));
  population.creditCard[person] = hasCredit ? cardToken(prng.nextUint32(), person + 1) : '';
  population.homeAddress[person] = fixedAddress(prng.nextUint32());
}

function fillContacts(population: Population, person: number, prng: Prng, byDepartment: readonly Int32Array[]): void {
  const near = byDepartment[departmentOf(PLACES[population.place[person]!]!)]!;
  for (let k = 0; k < CONTACTS_PER_PERSON; k++) {
    const isNear = near.length > 4 && drawChance(prng, 0.82);
    let contact = isNear ? near[prng.nextBelow(near.length)]! : prng.nextBelow(population.size);
    if (contact === person) contact = (person + 1) % population.size;
    population.contacts[person * CONTACTS_PER_PERSON + k] = contact;
  }
}
