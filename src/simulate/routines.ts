// What comes by the calendar: pay, pensions, CTS, rent, bills, loans, subscriptions, taxes, remittances, juntas, suppliers.
import {
  businessDayOnOrBefore,
  civilOf,
  dayNumberOf,
  dayOfWeek,
  isBusinessDay,
  monthEndPayDay,
  quincenaPayDay,
} from '../domain/calendar.ts';
import { exactExp } from '../lib/exact-math.ts';
import type { Prng } from '../lib/prng.ts';
import { drawMoment } from './daily-rhythm.ts';
import { departmentOf, PLACES } from './places.ts';
import { business, type DayPlan, KIND } from './plan.ts';
import { CONTACTS_PER_PERSON, SEGMENT, WALLET } from './population.ts';
import { isPaidInPerson, type Renderer } from './render.ts';
import { drawChance, drawInteger, drawLognormal, drawPoisson } from './sampling.ts';
import type { World } from './world.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** A junta (pandero): neighbours who pay the same sum every week to a treasurer, one of whom receives the pot. */
interface Junta {
  readonly members: readonly number[];
  readonly weekday: number;
  readonly shareMinor: number;
}

/** A number in [0, 1) that belongs to a person and a purpose for good. */
function trait(person: number, purpose: number): number {
  let h = Math.imul(person + 1, 0x9e3779b1) ^ Math.imul(purpose + 1, 0x85ebca77);
  h ^= h >>> 15;
  h = Math.imul(h, 0x2c1b3c6d);
  h ^= h >>> 12;
  h = Math.imul(h, 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 4294967296;
}

const TRAIT = {
  rent: 1,
  rentDay: 2,
  billDay: 3,
  loan: 4,
  loanDay: 5,
  subscription: 6,
  remittance: 7,
  tax: 8,
  school: 9,
};

export class Routines {
  readonly #world: World;
  readonly #renderer: Renderer;
  readonly #juntas: Junta[] = [];

  constructor(world: World, renderer: Renderer, stream: Prng) {
    this.#world = world;
    this.#renderer = renderer;
    this.#foundJuntas(stream);
  }

  planDay(plan: DayPlan, day: number, stream: Prng): void {
    const { population } = this.#world;
    const { year, month, day: date } = civilOf(day);
    const quincena = quincenaPayDay(year, month) === day;
    const monthEnd = monthEndPayDay(year, month) === day;
    for (let person = 0; person < population.size; person++) {
      switch (population.segment[person]) {
        case SEGMENT.dependent:
          this.#payEmployee(plan, person, day, quincena, monthEnd, stream);
          break;
        case SEGMENT.pensioner:
          if (businessDayOnOrBefore(dayNumberOf(year, month, 5 + (person % 6))) === day) {
            plan.add(
              6 * HOUR + drawInteger(stream, 0, 2 * HOUR),
              KIND.pension,
              this.#office(),
              person,
              this.#income(person),
            );
          }
          break;
        case SEGMENT.independent:
          this.#earn(plan, person, day, stream);
          break;
        case SEGMENT.owner:
          this.#drawFromShop(plan, person, day, date, stream);
          break;
        default:
          this.#allowance(plan, person, day, stream);
      }
      this.#monthly(plan, person, date, stream);
      if (drawChance(stream, 0.003)) this.#changeMoney(plan, person, stream);
      if (drawChance(stream, 0.0004)) {
        const amount = Math.round((this.#income(person) * drawLognormal(stream, 1.2, 0.5)) / 10_000) * 10_000;
        const lender = business(this.#world.commerce.lender);
        plan.add(drawMoment(stream, 'office', 0), KIND.loanDisbursement, lender, person, Math.max(50_000, amount));
      }
    }
    this.#meetJuntas(plan, day, stream);
    if (isBusinessDay(day)) {
      this.#paySuppliers(plan, stream);
      this.#settleShops(plan);
    }
  }

  #income(person: number): number {
    return Math.round(this.#world.population.income[person]! * 100);
  }

  #office(): number {
    return business(this.#world.commerce.pensionOffice);
  }

  #payEmployee(plan: DayPlan, person: number, day: number, quincena: boolean, monthEnd: boolean, stream: Prng): void {
    const employer = this.#world.commerce.employerOf[person]!;
    const salary = this.#income(person);
    const payer = business(employer);
    const hour = 5 + (employer % 11);
    const moment = hour * HOUR + (employer % 60) * MINUTE + (person % 977) * 120;
    const twice = employer % 20 < 9;
    if (quincena && twice) plan.add(moment, KIND.payroll, payer, person, Math.round(salary * 0.4));
    if (monthEnd) plan.add(moment, KIND.payroll, payer, person, twice ? salary - Math.round(salary * 0.4) : salary);
    const { year, month } = civilOf(day);
    const due = businessDayOnOrBefore(dayNumberOf(year, month, 10 + (employer % 6)));
    if (day === due) {
      if (month === 7 || month === 12) plan.add(moment, KIND.payroll, payer, person, Math.round(salary * 1.09), -1, 1);
      if (month === 5 || month === 11)
        plan.add(moment, KIND.severance, payer, person, Math.round(salary * 0.58), -1, 1);
      if (month === 3 + (employer % 2) && employer % 3 === 0) {
        plan.add(moment, KIND.payroll, payer, person, Math.round(salary * drawLognormal(stream, 0.8, 0.5)), -1, 1);
      }
    }
  }

  /** Fees from companies and cash that is brought to an agent. */
  #earn(plan: DayPlan, person: number, day: number, stream: Prng): void {
    const { commerce, population } = this.#world;
    if (!isBusinessDay(day) || !drawChance(stream, 0.06)) return;
    const client = commerce.employers[(person * 3 + stream.nextBelow(4)) % commerce.employers.length]!;
    const soles = population.income[person]! * drawLognormal(stream, 0.45, 0.5);
    plan.add(drawMoment(stream, 'office', 0), KIND.transfer, business(client), person, Math.round(soles / 5) * 500);
  }

  #drawFromShop(plan: DayPlan, person: number, day: number, date: number, stream: Prng): void {
    const { commerce, population } = this.#world;
    const shop = commerce.shopOf[person]!;
    if (dayOfWeek(day) === person % 6 && !isPaidInPerson(person)) {
      const soles = (population.income[person]! / 4.3) * drawLognormal(stream, 1, 0.35);
      plan.add(drawMoment(stream, 'office', 0), KIND.ownerDraw, business(shop), person, Math.round(soles / 10) * 1000);
    }
    if (isBusinessDay(day) && drawChance(stream, 0.03)) {
      const offices = commerce.agentsByDepartment[departmentOf(PLACES[population.workPlace[person]!]!)]!;
      const amount = Math.round(drawLognormal(stream, 2600, 0.7) / 10) * 1000;
      const office = offices[person % offices.length]!;
      plan.add(drawMoment(stream, 'office', 0), KIND.branchDeposit, person, business(shop), amount, office);
    }
    if (date === 12 + Math.floor(trait(person, TRAIT.tax) * 11)) {
      const amount = Math.round(population.income[person]! * drawLognormal(stream, 0.09, 0.3)) * 100;
      plan.add(drawMoment(stream, 'office', 0), KIND.taxPayment, person, business(commerce.taxOffice), amount);
    }
  }

  #allowance(plan: DayPlan, person: number, day: number, stream: Prng): void {
    const { population } = this.#world;
    const parent = population.contacts[person * CONTACTS_PER_PERSON]!;
    if (dayOfWeek(day) !== person % 7 || population.wallet[parent] === WALLET.none) return;
    const soles = Math.min(500, (population.income[person]! / 4.3) * drawLognormal(stream, 1, 0.3));
    plan.add(
      drawMoment(stream, 'evening', 0),
      KIND.walletToPerson,
      parent,
      person,
      Math.max(1000, Math.round(soles / 10) * 1000),
    );
  }

  #monthly(plan: DayPlan, person: number, date: number, stream: Prng): void {
    const { population, commerce } = this.#world;
    const income = population.income[person]!;
    if (date === 1 + Math.floor(trait(person, TRAIT.billDay) * 28)) this.#payBills(plan, person, stream);
    if (trait(person, TRAIT.rent) < 0.22 && date === 1 + Math.floor(trait(person, TRAIT.rentDay) * 5)) {
      this.#payRent(plan, person, stream);
    }
    if (trait(person, TRAIT.loan) < 0.25 && date === 2 + Math.floor(trait(person, TRAIT.loanDay) * 26)) {
      const amount = Math.round(income * (6 + 12 * trait(person, TRAIT.loan) * 4));
      plan.add(drawMoment(stream, 'office', 0), KIND.loanPayment, person, business(commerce.lender), amount);
    }
    if (population.creditCard[person] !== '' && date === 5 + (person % 20)) {
      const amount = Math.round(income * drawLognormal(stream, 0.2, 0.5)) * 100;
      plan.add(drawMoment(stream, 'office', 0), KIND.bill, person, business(commerce.lender), amount);
    }
    if (population.age[person]! < 50 && trait(person, TRAIT.subscription) < 0.3 && date === 1 + (person % 28)) {
      const shop = commerce.subscriptions[person % commerce.subscriptions.length]!;
      const price = Math.round(commerce.businesses[shop]!.price * 299) * 10;
      plan.add(drawInteger(stream, 5 * HOUR, 9 * HOUR), KIND.subscription, person, business(shop), price);
    }
    if (trait(person, TRAIT.remittance) < 0.035 && date === 1 + (person % 25)) {
      const remitter = commerce.remitters[person % commerce.remitters.length]!;
      const dollars = Math.round(drawLognormal(stream, 220, 0.4) / 10) * 10;
      const amount = Math.round(dollars * this.#world.exchangeRate * 100);
      plan.add(drawMoment(stream, 'office', 0), KIND.remittance, business(remitter), person, amount);
    }
    if (trait(person, TRAIT.school) < 0.1 && population.age[person]! >= 30 && date === 25 + (person % 4)) {
      const school = commerce.schools[person % commerce.schools.length]!;
      const amount = Math.round(260 + 500 * trait(person, TRAIT.billDay)) * 100;
      plan.add(drawMoment(stream, 'office', 0), KIND.bill, person, business(school), amount);
    }
  }

  /** Dollars from an exchange house on the web, by those who have the soles. */
  #changeMoney(plan: DayPlan, person: number, stream: Prng): void {
    const { population, commerce } = this.#world;
    const amount = drawInteger(stream, 4, 60) * 5000;
    if (population.balance[person]! < 2 * amount) return;
    const house = business(commerce.exchanges[stream.nextBelow(commerce.exchanges.length)]!);
    const moment = drawMoment(stream, 'office', 0);
    const backAt = Math.min(86_399_000, moment + drawInteger(stream, 60_000, 900_000));
    plan.add(moment, KIND.exchangePurchase, person, house, amount);
    plan.add(backAt, KIND.exchangeSale, house, person, Math.round(amount * 0.994));
  }

  #payBills(plan: DayPlan, person: number, stream: Prng): void {
    const { population, commerce } = this.#world;
    const count = 1 + (person % 4);
    for (let n = 0; n < count; n++) {
      const utility = commerce.utilities[(person + n) % commerce.utilities.length]!;
      const usual = 45 + 90 * trait(person, 20 + n);
      const soles = usual * Math.sqrt(population.spending[person]!) * exactExp(0.12 * stream.nextNormal());
      plan.add(drawMoment(stream, 'evening', 0), KIND.bill, person, business(utility), Math.round(soles * 10) * 10);
    }
  }

  /** By transfer, or in up to four wallet payments of S/ 500 one after the other. */
  #payRent(plan: DayPlan, person: number, stream: Prng): void {
    const { population } = this.#world;
    const near = population.byDepartment[departmentOf(PLACES[population.place[person]!]!)]!;
    const landlord = near[Math.floor(trait(person, TRAIT.rent) * 1000 * near.length) % near.length]!;
    if (landlord === person) return;
    const soles = Math.round((population.income[person]! * 0.27) / 50) * 50;
    const moment = drawMoment(stream, 'evening', 0);
    if (soles > 2000 || soles % 500 !== 0 || population.wallet[person] === WALLET.none) {
      plan.add(moment, KIND.rent, person, landlord, soles * 100);
      return;
    }
    for (let n = 0; n < soles / 500; n++) {
      plan.add(Math.min(86_399_000, moment + n * 45_000), KIND.walletToPerson, person, landlord, 50_000, -1, 1);
    }
  }

  #foundJuntas(stream: Prng): void {
    const { population } = this.#world;
    for (const people of population.byDepartment) {
      const withWallet = people.filter((person) => population.wallet[person] !== WALLET.none);
      const count = Math.floor(withWallet.length / 90);
      for (let n = 0; n < count; n++) {
        const size = drawInteger(stream, 7, 12);
        const from = stream.nextBelow(Math.max(1, withWallet.length - size));
        this.#juntas.push({
          members: Array.from(withWallet.subarray(from, from + size)),
          weekday: drawInteger(stream, 4, 6),
          shareMinor: drawInteger(stream, 2, 8) * 1000,
        });
      }
    }
  }

  #meetJuntas(plan: DayPlan, day: number, stream: Prng): void {
    const weekday = dayOfWeek(day);
    for (const junta of this.#juntas) {
      if (junta.weekday !== weekday) continue;
      const treasurer = junta.members[0]!;
      for (let n = 1; n < junta.members.length; n++) {
        const moment = 18 * HOUR + stream.nextBelow(2.5 * HOUR);
        plan.add(moment, KIND.walletToPerson, junta.members[n]!, treasurer, junta.shareMinor, -1, 1);
      }
      const turn = 1 + (Math.floor(day / 7) % (junta.members.length - 1));
      const pot = junta.shareMinor * (junta.members.length - 1);
      plan.add(21 * HOUR + stream.nextBelow(HOUR), KIND.transfer, treasurer, junta.members[turn]!, pot, -1, 1);
    }
  }

  /** Invoices of companies: immediate up to the cap, large ones in the deferred batch or by LBTR. */
  #paySuppliers(plan: DayPlan, stream: Prng): void {
    const { commerce } = this.#world;
    for (const employer of commerce.employers) {
      const count = drawPoisson(stream, 0.9);
      for (let n = 0; n < count; n++) {
        // Few suppliers each, the same ones every time.
        const suppliers = drawChance(stream, 0.3) ? commerce.companies : commerce.employers;
        const supplier = suppliers[(employer * 7 + stream.nextBelow(5) * 11 + 1) % suppliers.length]!;
        if (supplier === employer) continue;
        const soles = drawLognormal(stream, 6800, 1.15);
        const amount = drawChance(stream, 0.3) ? Math.round(soles / 100) * 10_000 : Math.round(soles * 100);
        const batch = drawChance(stream, 0.22);
        const kind =
          soles > 30_000
            ? soles > 60_000
              ? KIND.supplierHigh
              : KIND.supplierBatch
            : batch
              ? KIND.supplierBatch
              : KIND.supplier;
        const cutOff = [11, 14, 17][stream.nextBelow(3)]! * HOUR;
        const moment =
          kind === KIND.supplierBatch ? cutOff + stream.nextBelow(15 * MINUTE) : drawMoment(stream, 'office', 0);
        plan.add(moment, kind, business(employer), business(supplier), Math.max(5000, amount));
      }
    }
  }

  /** The acquirer pays a shop's card sales on the next business day. */
  #settleShops(plan: DayPlan): void {
    const { businesses, lender } = this.#world.commerce;
    for (let shop = 0; shop < businesses.length; shop++) {
      const sales = this.#renderer.takeCardSales(shop);
      if (sales > 0) {
        const moment = 7 * HOUR + (shop % 3600) * 1000;
        plan.add(moment, KIND.settlement, business(lender), business(shop), Math.round(sales * 0.971));
      }
    }
  }
}
