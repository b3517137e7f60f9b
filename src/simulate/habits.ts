// What people do on a day by habit: how many operations, of which kind, at what time, with whom and for how much.

import { isPaydayWindow, isSaleCampaign, isWeekend } from '../domain/calendar.ts';
import { exactExp } from '../lib/exact-math.ts';
import type { Prng } from '../lib/prng.ts';
import { type Business, FAVOURITES } from './commerce.ts';
import { type DayFactors, dayFactors, drawMoment } from './daily-rhythm.ts';
import { departmentOf, PLACES } from './places.ts';
import { business, type DayPlan, KIND, type Kind, NOBODY } from './plan.ts';
import { CONTACTS_PER_PERSON, PLACE_TABLE, SEGMENT, WALLET } from './population.ts';
import { createWeightTable, drawChance, drawInteger, drawPoisson, drawWeighted, type WeightTable } from './sampling.ts';
import { departmentOn, type World } from './world.ts';

const HABITS: readonly Kind[] = [
  KIND.walletToPerson,
  KIND.walletToShop,
  KIND.cardAtShop,
  KIND.cardOnWeb,
  KIND.cashMachine,
  KIND.agentWithdrawal,
  KIND.agentDeposit,
  KIND.transfer,
  KIND.topUp,
  KIND.balanceLookup,
  KIND.loginFailed,
  KIND.passwordReset,
  KIND.limitChange,
  KIND.deviceEnrolment,
  KIND.simChange,
];

/** Operations a day by segment (dependent, independent, owner, student, pensioner), with a wallet: an assumption. */
const RATES: readonly (readonly number[])[] = [
  [0.5, 0.52, 0.52, 0.5, 0.24],
  [0.76, 0.74, 0.7, 0.74, 0.36],
  [0.22, 0.14, 0.24, 0.06, 0.12],
  [0.055, 0.03, 0.06, 0.06, 0.008],
  [0.055, 0.05, 0.06, 0.02, 0.06],
  [0.02, 0.03, 0.02, 0.006, 0.035],
  [0.008, 0.05, 0.07, 0.005, 0.004],
  [0.04, 0.035, 0.1, 0.006, 0.012],
  [0.04, 0.05, 0.03, 0.07, 0.025],
  [0.09, 0.08, 0.14, 0.08, 0.05],
  [0.012, 0.014, 0.012, 0.012, 0.012],
  [0.0018, 0.0018, 0.0012, 0.002, 0.002],
  [0.0012, 0.0012, 0.002, 0.001, 0.0004],
  [0.0014, 0.0014, 0.0014, 0.0016, 0.0008],
  [0.0005, 0.0006, 0.0004, 0.0006, 0.0003],
];

const TRAVEL_CHANCE = 0.003;
const SEGMENTS = 5;
const BEFORE_WALLETS = 0.35;

interface Mix {
  readonly total: number;
  readonly table: WeightTable;
}

function factorOf(kind: Kind, factors: DayFactors, afterPayday: boolean): number {
  switch (kind) {
    case KIND.cardAtShop:
    case KIND.walletToShop:
      return factors.shop * (afterPayday ? 1.2 : 1);
    case KIND.cardOnWeb:
      return factors.web;
    case KIND.cashMachine:
      return factors.cash * (afterPayday ? 2 : 1);
    case KIND.walletToPerson:
      return factors.everyday * factors.gifts * (afterPayday ? 1.2 : 1);
    default:
      return factors.everyday;
  }
}

/** Rounds soles to what people pay: whole soles mostly, fives and tens for more. @returns céntimos */
export function roundPayment(prng: Prng, soles: number): number {
  const style = prng.nextUint32() >>> 28;
  if (soles < 8) return Math.max(100, style < 6 ? Math.round(soles) * 100 : Math.round(soles * 2) * 50);
  if (soles < 40)
    return style < 9 ? Math.round(soles) * 100 : style < 13 ? Math.round(soles / 5) * 500 : Math.round(soles * 10) * 10;
  if (soles < 200)
    return style < 8
      ? Math.round(soles / 10) * 1000
      : style < 13
        ? Math.round(soles / 5) * 500
        : Math.round(soles) * 100;
  return style < 9 ? Math.round(soles / 50) * 5000 : Math.round(soles / 10) * 1000;
}

/** A shop's ticket in céntimos. */
export function drawTicket(prng: Prng, shop: Business, spending: number): number {
  const category = shop.category!;
  const soles = category.ticket * shop.price * Math.sqrt(spending) * exactExp(category.sigma * prng.nextNormal());
  if (drawChance(prng, category.whole)) return Math.max(1, Math.round(soles)) * 100;
  return Math.max(50, Math.round(soles * 10) * 10);
}

export class Habits {
  readonly #world: World;
  readonly #mixes: Mix[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  planDay(plan: DayPlan, day: number, stream: Prng): void {
    this.#prepare(day);
    const { population } = this.#world;
    const payday = isPaydayWindow(day) || isPaydayWindow(day - 1);
    for (let person = 0; person < population.size; person++) {
      const prng = stream.fork(person);
      this.#travel(person, day, prng);
      const segment = population.segment[person]!;
      const hasWallet = population.wallet[person] !== WALLET.none ? 1 : 0;
      const phase = payday && (segment === SEGMENT.dependent || segment === SEGMENT.pensioner) ? 1 : 0;
      const mix = this.#mixes[(segment * 2 + hasWallet) * 2 + phase]!;
      const count = drawPoisson(prng, mix.total * population.activity[person]!);
      for (let n = 0; n < count; n++) this.#plan(plan, HABITS[drawWeighted(prng, mix.table)]!, person, day, prng);
    }
  }

  #prepare(day: number): void {
    const factors = dayFactors(day);
    this.#mixes.length = 0;
    for (let segment = 0; segment < SEGMENTS; segment++) {
      for (let hasWallet = 0; hasWallet < 2; hasWallet++) {
        for (let phase = 0; phase < 2; phase++) {
          const weights = HABITS.map((kind, n) => {
            const wallet = kind === KIND.walletToPerson || kind === KIND.walletToShop;
            const cash = kind === KIND.cardAtShop || kind === KIND.cashMachine || kind === KIND.agentWithdrawal;
            const byWallet = wallet ? hasWallet : cash && hasWallet === 0 ? 1 + BEFORE_WALLETS : 1;
            return RATES[n]![segment]! * byWallet * factorOf(kind, factors, phase === 1);
          });
          this.#mixes.push({
            total: weights.reduce((sum, weight) => sum + weight, 0),
            table: createWeightTable(weights),
          });
        }
      }
    }
  }

  #travel(person: number, day: number, prng: Prng): void {
    const { travelUntil, travelPlace } = this.#world;
    if (travelUntil[person]! >= day || !drawChance(prng, TRAVEL_CHANCE)) return;
    travelUntil[person] = day + drawInteger(prng, 1, 6);
    travelPlace[person] = drawWeighted(prng, PLACE_TABLE);
  }

  #plan(plan: DayPlan, kind: Kind, person: number, day: number, prng: Prng): void {
    const { population, commerce } = this.#world;
    const shift = population.chronotypeMs[person]!;
    const spending = population.spending[person]!;
    switch (kind) {
      case KIND.walletToPerson: {
        const soles = 38 * spending * exactExp(1.16 * prng.nextNormal());
        const amount = Math.min(50_000, roundPayment(prng, soles));
        plan.add(drawMoment(prng, 'wallet', shift), kind, person, this.#payee(person, prng), amount);
        return;
      }
      case KIND.walletToShop:
        this.#payShop(plan, person, day, prng);
        return;
      case KIND.cardAtShop: {
        const pull = commerce.cardPull[departmentOn(this.#world, person, day)]!;
        const shop = pull[prng.nextBelow(pull.length)]!;
        const amount = drawTicket(prng, commerce.businesses[shop]!, spending);
        const moment = drawMoment(prng, 'shop', shift);
        plan.add(moment, kind, person, business(shop), amount);
        if (drawChance(prng, 0.003)) {
          const backAt = Math.min(86_399_000, moment + drawInteger(prng, 600_000, 10_800_000));
          plan.add(backAt, KIND.cardRefund, business(shop), person, amount);
        }
        return;
      }
      case KIND.cardOnWeb: {
        const shop = commerce.webPull[prng.nextBelow(commerce.webPull.length)]!;
        const sale = isSaleCampaign(day) && drawChance(prng, 0.5) ? 2.2 : 1;
        const amount = Math.round(drawTicket(prng, commerce.businesses[shop]!, spending) * sale);
        const moment = drawMoment(prng, 'web', shift);
        // A number typed wrong comes from a card that nobody has.
        if (drawChance(prng, 0.03))
          plan.add(Math.max(0, moment - drawInteger(prng, 20_000, 180_000)), kind, NOBODY, business(shop), amount);
        plan.add(moment, kind, person, business(shop), amount, -1, sale > 1 ? 1 : 0);
        return;
      }
      case KIND.cashMachine:
        this.#withdraw(plan, person, day, prng);
        return;
      case KIND.agentWithdrawal:
      case KIND.agentDeposit: {
        const agents = commerce.agentsByDepartment[departmentOn(this.#world, person, day)]!;
        const agent = agents[prng.nextBelow(agents.length)]!;
        const soles = kind === KIND.agentDeposit ? population.income[person]! * 0.2 : 110 * spending;
        const amount = Math.max(1000, Math.min(200_000, roundPayment(prng, soles * exactExp(0.6 * prng.nextNormal()))));
        plan.add(drawMoment(prng, 'cash', shift), kind, person, NOBODY, amount, agent);
        return;
      }
      case KIND.transfer:
        this.#transfer(plan, person, day, prng);
        return;
      case KIND.topUp: {
        const operator = commerce.operators[person % commerce.operators.length]!;
        const amount = [300, 500, 500, 1000, 1000, 2000, 3000, 3990][prng.nextBelow(8)]!;
        plan.add(drawMoment(prng, 'wallet', shift), kind, person, business(operator), amount);
        return;
      }
      default:
        plan.add(drawMoment(prng, 'wallet', shift), kind, person, NOBODY, 0);
    }
  }

  /** Contacts mostly, the first ones most; then someone who offers a service nearby, then anyone. */
  #payee(person: number, prng: Prng): number {
    const { population } = this.#world;
    const u = prng.nextFloat();
    if (u < 0.8) {
      const v = prng.nextFloat();
      return population.contacts[person * CONTACTS_PER_PERSON + Math.floor(v * v * CONTACTS_PER_PERSON)]!;
    }
    const near = population.byDepartment[departmentOf(PLACES[population.place[person]!]!)]!;
    let payee = near[prng.nextBelow(near.length)]!;
    for (let n = 0; n < 4 && population.segment[payee] !== SEGMENT.independent; n++)
      payee = near[prng.nextBelow(near.length)]!;
    if (payee === person || u > 0.97) payee = prng.nextBelow(population.size);
    return payee === person ? (person + 1) % population.size : payee;
  }

  #payShop(plan: DayPlan, person: number, day: number, prng: Prng): void {
    const { population, commerce, travelUntil } = this.#world;
    const pull = commerce.walletPull[departmentOn(this.#world, person, day)]!;
    const atHome = travelUntil[person]! < day;
    const shop =
      atHome && drawChance(prng, 0.62)
        ? commerce.favourites[person * FAVOURITES + prng.nextBelow(FAVOURITES)]!
        : pull[prng.nextBelow(pull.length)]!;
    const amount = Math.min(50_000, drawTicket(prng, commerce.businesses[shop]!, population.spending[person]!));
    const moment = drawMoment(prng, 'shop', population.chronotypeMs[person]!);
    plan.add(moment, KIND.walletToShop, person, business(shop), amount);
    // Two coffees, two fares: the same amount again within minutes is not always a mistake.
    if (amount < 3000 && drawChance(prng, 0.008)) {
      const again = Math.min(86_399_000, moment + drawInteger(prng, 20_000, 280_000));
      plan.add(again, KIND.walletToShop, person, business(shop), amount, -1, 1);
    }
  }

  #withdraw(plan: DayPlan, person: number, day: number, prng: Prng): void {
    const { population, commerce } = this.#world;
    const machines = commerce.machinesByDepartment[departmentOn(this.#world, person, day)]!;
    const machine = machines[prng.nextBelow(machines.length)]!;
    // A share of the balance: people who earn more withdraw more, and balances stay within bounds.
    const soles = (population.balance[person]! / 100) * (0.08 + 0.3 * prng.nextFloat());
    const amount = Math.max(20, Math.min(drawChance(prng, 0.1) ? 3000 : 1500, Math.floor(soles / 20) * 20)) * 100;
    plan.add(
      drawMoment(prng, 'cash', population.chronotypeMs[person]!),
      KIND.cashMachine,
      person,
      NOBODY,
      amount,
      machine,
    );
  }

  #transfer(plan: DayPlan, person: number, day: number, prng: Prng): void {
    const { population } = this.#world;
    const soles = 480 * population.spending[person]! * exactExp(1.3 * prng.nextNormal());
    const withCents = drawChance(prng, 0.22);
    const rounded = soles < 400 ? Math.max(2000, roundPayment(prng, soles)) : Math.round(soles / 10) * 1000;
    const amount = Math.min(3_000_000, withCents ? Math.max(1000, Math.round(soles * 10) * 10) : rounded);
    const moment = drawMoment(prng, isWeekend(day) ? 'wallet' : 'office', population.chronotypeMs[person]! >> 1);
    const payee = this.#payee(person, prng);
    if (drawChance(prng, 0.12)) {
      plan.add(Math.max(0, moment - drawInteger(prng, 30_000, 240_000)), KIND.payeeAdded, person, payee, 0);
    }
    plan.add(moment, KIND.transfer, person, payee, amount);
  }
}
