// What a fraud recipe works with: people to play the parts, times, devices, reports, and the time line to put events on.
import { isBusinessDay, limaDayNumber, limaHour, startOfLimaDayMs } from '../domain/calendar.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { Prng } from '../lib/prng.ts';
import { carrierAddress } from './network.ts';
import { departmentOf, PLACES } from './places.ts';
import { KIND, type Kind, type Label, NOBODY, type Party } from './plan.ts';
import { cardToken, deviceToken, SEGMENT, syntheticCci, WALLET } from './population.ts';
import { drawChance, drawExponential, drawInteger, drawLognormal, drawUniform } from './sampling.ts';
import { departmentOn, type World } from './world.ts';

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** An event as a recipe writes it; what is not given is nobody, nothing, no label. */
export interface EventSpec {
  readonly timeMs: number;
  readonly kind: Kind;
  readonly payer: Party;
  readonly payee?: Party;
  readonly amountMinor?: number;
  readonly balanceShare?: number;
  readonly terminal?: number;
  readonly label?: Label | null;
  readonly isHardNegative?: boolean;
  readonly fields?: Partial<Transaction>;
  readonly onDone?: (transaction: Transaction) => void;
}

/** Device, address and place of whoever is at the keys. */
export interface Handset {
  readonly deviceId: string;
  readonly ipAddress: string;
  readonly ubigeo: string;
  readonly latitude: number;
  readonly longitude: number;
}

interface Mule {
  readonly person: number;
  readonly untilMs: number;
}

const NO_FIELDS: Partial<Transaction> = {};
const ATTEMPTS = 60;

/** Done at a branch or in a clearing file, so on business days between nine and six. */
const OFFICE_KINDS: ReadonlySet<Kind> = new Set([KIND.branchDeposit, KIND.branchWithdrawal, KIND.supplierBatch]);

function inOfficeHours(timeMs: number): number {
  const hour = limaHour(timeMs);
  let moved = hour < 9 ? timeMs + (9 - hour) * HOUR : hour >= 18 ? timeMs + (33 - hour) * HOUR : timeMs;
  while (!isBusinessDay(limaDayNumber(moved))) moved += DAY;
  return moved;
}

export class Stage {
  readonly world: World;
  readonly prng: Prng;
  readonly day: number;
  /** Midnight in Lima of the day on which the episode starts. */
  readonly startMs: number;
  readonly #charge: (typology: string, rows: number) => void;
  readonly #mules: Mule[];

  constructor(world: World, prng: Prng, day: number, mules: Mule[], charge: (typology: string, rows: number) => void) {
    this.world = world;
    this.prng = prng;
    this.day = day;
    this.startMs = startOfLimaDayMs(day);
    this.#mules = mules;
    this.#charge = charge;
  }

  /** @returns when it will be, which is later where an office has to be open */
  put(spec: EventSpec): number {
    const timeMs = OFFICE_KINDS.has(spec.kind) ? inOfficeHours(Math.floor(spec.timeMs)) : Math.floor(spec.timeMs);
    const event = {
      timeMs,
      kind: spec.kind,
      payer: spec.payer,
      payee: spec.payee ?? NOBODY,
      amountMinor: Math.round(spec.amountMinor ?? 0),
      balanceShare: spec.balanceShare ?? 0,
      terminal: spec.terminal ?? -1,
      label: spec.label ?? null,
      isHardNegative: spec.isHardNegative ?? false,
      fields: spec.fields ?? NO_FIELDS,
      onDone: spec.onDone ?? null,
    };
    this.world.queue.push({ timeMs, event });
    return timeMs;
  }

  /** A label whose report comes a lognormal delay after `fromMs`. */
  label(typology: string, fromMs: number, medianMs = 1.6 * DAY): Label {
    return { typology, reportMs: Math.floor(fromMs + drawLognormal(this.prng, medianMs, 0.8)) };
  }

  /** A moment of this day between two hours. */
  between(fromHour: number, toHour: number): number {
    return this.startMs + Math.floor(drawUniform(this.prng, fromHour, toHour) * HOUR);
  }

  after(timeMs: number, lowMs: number, highMs: number): number {
    return Math.floor(timeMs + drawUniform(this.prng, lowMs, highMs));
  }

  /** Someone who fits, or after sixty tries the last one looked at. */
  person(fits: (person: number) => boolean): number {
    const size = this.world.population.size;
    let person = this.prng.nextBelow(size);
    for (let n = 0; n < ATTEMPTS && !fits(person); n++) person = this.prng.nextBelow(size);
    return person;
  }

  hasWallet(person: number): boolean {
    return this.world.population.wallet[person] !== WALLET.none;
  }

  balanceOf(person: number): number {
    return this.world.population.balance[person]!;
  }

  /** A customer with an app and money worth stealing. */
  victim(minimumMinor = 60_000): number {
    return this.person((person) => this.hasWallet(person) && this.balanceOf(person) >= minimumMinor);
  }

  near(person: number): number {
    const people = this.world.population.byDepartment[departmentOf(PLACES[this.world.population.place[person]!]!)]!;
    return people[this.prng.nextBelow(people.length)]!;
  }

  agentNear(person: number): number {
    const agents = this.world.commerce.agentsByDepartment[departmentOn(this.world, person, this.day)]!;
    return agents[this.prng.nextBelow(agents.length)]!;
  }

  machineNear(person: number): number {
    const machines = this.world.commerce.machinesByDepartment[departmentOn(this.world, person, this.day)]!;
    return machines[this.prng.nextBelow(machines.length)]!;
  }

  newDevice(): string {
    return deviceToken(this.prng.nextUint32(), this.prng.nextUint32());
  }

  newCard(): string {
    return cardToken(this.prng.nextUint32(), this.prng.nextUint32());
  }

  /** Somebody else's phone in one of the country's towns. */
  handset(place = this.prng.nextBelow(PLACES.length)): Handset {
    const { ubigeo, latitude, longitude } = PLACES[place]!;
    const shift = (this.prng.nextBelow(256) - 128) / 10_000;
    return {
      deviceId: this.newDevice(),
      ipAddress: carrierAddress(this.prng.nextUint32() | 0, this.day),
      ubigeo,
      latitude: Math.round((latitude + shift) * 10_000) / 10_000,
      longitude: Math.round((longitude - shift) * 10_000) / 10_000,
    };
  }

  /** A money mule: young, recruited for some days, otherwise a customer like others. May be one that already works. */
  mule(notBankOf = -1): number {
    const { population } = this.world;
    const usable = this.#mules.filter((mule) => mule.untilMs > this.startMs && mule.person !== notBankOf);
    if (usable.length > 0 && drawChance(this.prng, 0.45)) return usable[this.prng.nextBelow(usable.length)]!.person;
    const person = this.person(
      (candidate) =>
        population.age[candidate]! >= 18 &&
        population.age[candidate]! <= 28 &&
        this.hasWallet(candidate) &&
        (notBankOf < 0 || population.bank[candidate] !== population.bank[notBankOf]),
    );
    this.#mules.push({ person, untilMs: this.startMs + drawInteger(this.prng, 3, 30) * DAY });
    return person;
  }

  /** When money reaches a mule it keeps 5–15 % and passes the rest on, within minutes: the last layer takes cash. */
  forward(mule: number, received: Transaction, layers: number): void {
    if (received.status !== 'approved' || received.amountMinor < 1500) return;
    const { prng } = this;
    const step = received.amountMinor > 20_000 ? 1000 : 100;
    const amount = Math.floor((received.amountMinor * drawUniform(prng, 0.85, 0.95)) / step) * step;
    const timeMs = Math.floor(received.eventTimeMs + 30 * SECOND + drawExponential(prng, 20 * MINUTE));
    const label = this.label('F08', timeMs, 3 * DAY);
    this.#charge('F08', 1);
    if (layers <= 1) {
      const cash = Math.max(2000, Math.floor(amount / 2000) * 2000);
      const kind = drawChance(prng, 0.5) ? KIND.agentWithdrawal : KIND.cashMachine;
      const terminal = kind === KIND.cashMachine ? this.machineNear(mule) : this.agentNear(mule);
      this.put({ timeMs, kind, payer: mule, amountMinor: cash, terminal, label });
      return;
    }
    const next = this.mule(mule);
    const kind = amount <= 50_000 ? KIND.walletToPerson : KIND.transfer;
    const onDone = (sent: Transaction) => this.forward(next, sent, layers - 1);
    this.put({ timeMs, kind, payer: mule, payee: next, amountMinor: amount, label, onDone });
  }

  isSegment(person: number, segment: keyof typeof SEGMENT): boolean {
    return this.world.population.segment[person] === SEGMENT[segment];
  }

  sameDepartment(a: number, b: number): boolean {
    const { place } = this.world.population;
    return departmentOf(PLACES[place[a]!]!) === departmentOf(PLACES[place[b]!]!);
  }

  /** The largest balance among `tries` people. */
  richest(tries: number): number {
    let best = this.person(() => true);
    for (let n = 1; n < tries; n++) {
      const other = this.person(() => true);
      if (this.balanceOf(other) > this.balanceOf(best)) best = other;
    }
    return best;
  }

  /** A web shop with one of these merchant codes. */
  webShop(codes: readonly string[]): number {
    const { webPull, businesses } = this.world.commerce;
    let shop = webPull[this.prng.nextBelow(webPull.length)]!;
    for (let n = 0; n < ATTEMPTS && !codes.includes(businesses[shop]!.mcc); n++) {
      shop = webPull[this.prng.nextBelow(webPull.length)]!;
    }
    return shop;
  }

  /** A shop that takes wallets, where people live. */
  qrShop(): number {
    const place = this.world.population.place[this.prng.nextBelow(this.world.population.size)]!;
    const near = this.world.commerce.walletPull[departmentOf(PLACES[place]!)]!;
    return near[this.prng.nextBelow(near.length)]!;
  }

  shopPlace(shop: number): Partial<Transaction> {
    const { place, latitude, longitude } = this.world.commerce.businesses[shop]!;
    return { ubigeo: PLACES[place]!.ubigeo, latitude, longitude };
  }

  /** Another valid account number. */
  newAccount(): string {
    return syntheticCci(this.prng.nextBelow(5), 700_000_000 + this.prng.nextBelow(90_000_000));
  }
}
