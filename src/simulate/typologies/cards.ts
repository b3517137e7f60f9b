// F05 skimming and counterfeit stripe, F06 card testing, F07 stolen card used on the web.
//
// Recipes and their public sources: docs/simulator.md. Response codes and entry modes: ISO 8583.
import type { Recipe } from '../campaigns.ts';
import { roundPayment } from '../habits.ts';
import { departmentOf, FOREIGN_PLACES, PLACES } from '../places.ts';
import { business, KIND, NOBODY } from '../plan.ts';
import { drawChance, drawFrom, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, HOUR, MINUTE, SECOND, type Stage } from '../stage.ts';

/** The machine's own limit is S/ 3,000 by day; dispensers give at most this at a time. */
const DISPENSER_MINOR = 150_000;

function abroad(stage: Stage) {
  const place = drawFrom(stage.prng, FOREIGN_PLACES);
  return {
    country: place.country,
    ubigeo: null,
    latitude: place.latitude,
    longitude: place.longitude,
    currency: 'USD',
    terminalId: `A${drawInteger(stage.prng, 100_000, 999_999)}`,
  };
}

/** A machine in another department. */
function farMachine(stage: Stage, person: number): number {
  const { machines } = stage.world.commerce;
  const home = departmentOf(PLACES[stage.world.population.place[person]!]!);
  let machine = stage.prng.nextBelow(machines.length);
  for (let n = 0; n < 20 && departmentOf(PLACES[machines[machine]!.place]!) === home; n++) {
    machine = stage.prng.nextBelow(machines.length);
  }
  return machine;
}

const skimming: Recipe = {
  typology: 'F05',
  share: 9,
  rows: [8, 600],
  imitations: 0.12,
  launch(stage, rows) {
    const { prng, world } = stage;
    // The common point of purchase: one machine, one day, every card used there by its owner.
    const machine = prng.nextBelow(world.commerce.machines.length);
    const department = departmentOf(PLACES[world.commerce.machines[machine]!.place]!);
    const daysLeft = world.endDay - stage.day - 2;
    const delay = drawInteger(prng, 3, Math.max(3, Math.min(30, daysLeft)));
    let used = 0;
    while (used < rows) {
      const victim = stage.person(
        (person) =>
          stage.balanceOf(person) > 80_000 && departmentOf(PLACES[world.population.place[person]!]!) === department,
      );
      const visitMs = stage.between(8, 21);
      const amountMinor = drawInteger(prng, 2, 15) * 2000;
      stage.put({ timeMs: visitMs, kind: KIND.cashMachine, payer: victim, amountMinor, terminal: machine });
      const isAbroad = drawChance(prng, 0.25);
      // Around midnight: the day's limit and then the next day's.
      let timeMs =
        stage.startMs + delay * DAY + 23 * HOUR + drawInteger(prng, 46, 56) * MINUTE + prng.nextBelow(MINUTE);
      const label = stage.label('F05', timeMs, 0.8 * DAY);
      const terminal = farMachine(stage, victim);
      const withdrawals = Math.min(drawInteger(prng, 2, 4), Math.max(1, rows - used));
      for (let n = 0; n < withdrawals; n++) {
        const entryMode = drawChance(prng, 0.7) ? ('fallback' as const) : ('stripe' as const);
        const away = isAbroad ? abroad(stage) : {};
        const amount = isAbroad ? drawInteger(prng, 10, 40) * 1000 : DISPENSER_MINOR;
        stage.put({
          timeMs,
          kind: KIND.cashMachine,
          payer: victim,
          amountMinor: amount,
          balanceShare: isAbroad ? 0 : 0.9,
          terminal,
          label,
          fields: { entryMode, ...away },
        });
        timeMs = stage.after(timeMs, 50 * SECOND, 6 * MINUTE);
      }
      used += withdrawals;
    }
    return used;
  },
  imitate(stage) {
    const { prng, world } = stage;
    const person = stage.victim(100_000);
    if (drawChance(prng, 0.5)) {
      // A damaged chip at one till.
      const shops = world.commerce.cardPull[departmentOf(PLACES[world.population.place[person]!]!)]!;
      const shop = shops[prng.nextBelow(shops.length)]!;
      const amountMinor = roundPayment(prng, drawUniform(prng, 15, 160));
      const fields = { entryMode: 'fallback' as const };
      const timeMs = stage.between(10, 21);
      stage.put({
        timeMs,
        kind: KIND.cardAtShop,
        payer: person,
        payee: business(shop),
        amountMinor,
        isHardNegative: true,
        fields,
      });
      return;
    }
    // A traveller's withdrawals and purchases abroad.
    const away = abroad(stage);
    for (let n = drawInteger(prng, 2, 5); n > 0; n--) {
      const timeMs = stage.between(9, 22) + prng.nextBelow(4) * DAY;
      const fields = { ...away, entryMode: drawChance(prng, 0.8) ? ('chip' as const) : ('stripe' as const) };
      const amountMinor = drawInteger(prng, 2, 20) * 1000;
      const terminal = prng.nextBelow(world.commerce.machines.length);
      stage.put({ timeMs, kind: KIND.cashMachine, payer: person, amountMinor, terminal, isHardNegative: true, fields });
    }
  },
};

const RESALE = ['4511', '5732', '5816', '7995'];

const cardTesting: Recipe = {
  typology: 'F06',
  share: 12,
  rows: [20, 1500],
  imitations: 0.5,
  launch(stage, rows) {
    const { prng, world } = stage;
    const shop = stage.webShop(['8398', '5815', '5816', '5999', '5651']);
    const isDollar = drawChance(prng, 0.3);
    const startMs = stage.between(0, 23);
    const spanMs = drawUniform(prng, 10, 60) * MINUTE;
    const { deviceId, ipAddress } = stage.handset();
    const approval = drawUniform(prng, 0.01, 0.05);
    const label = stage.label('F06', startMs, 0.7 * DAY);
    const hits = Math.max(1, Math.round(rows * approval));
    for (let n = 0; n < rows - hits; n++) {
      const timeMs = startMs + Math.floor(spanMs * prng.nextFloat());
      const isHit = n < hits;
      const holder = isHit ? stage.person((person) => world.population.creditCard[person] !== '') : NOBODY;
      const cardId = isHit
        ? world.population.creditCard[holder]! || world.population.debitCard[holder]!
        : stage.newCard();
      const currency = isDollar ? 'USD' : world.commerce.businesses[shop]!.currency;
      const amountMinor = isDollar ? 100 : drawInteger(prng, 5, 100) * 10;
      const fields = { cardId, deviceId, ipAddress, authFactors: ['cvv' as const], currency, amountMinor };
      stage.put({ timeMs, kind: KIND.cardOnWeb, payer: holder, payee: business(shop), label, fields });
      if (isHit) resell(stage, holder, cardId, timeMs);
    }
    return rows;
  },
  imitate(stage) {
    const { prng, world } = stage;
    const choice = prng.nextBelow(5);
    if (choice > 1) {
      // A card number typed wrong, then right.
      const person = stage.victim();
      const shop = stage.webShop(['5999', '5651', '5814']);
      const timeMs = stage.between(9, 23);
      const amountMinor = roundPayment(prng, drawUniform(prng, 20, 200));
      const { deviceId } = stage.handset();
      const wrong = { cardId: stage.newCard(), deviceId, status: 'declined' as const, responseCode: '14' };
      const payee = business(shop);
      const common = { kind: KIND.cardOnWeb, payee, amountMinor, isHardNegative: true };
      stage.put({ ...common, timeMs, payer: NOBODY, fields: wrong });
      stage.put({
        ...common,
        timeMs: stage.after(timeMs, 20 * SECOND, 3 * MINUTE),
        payer: person,
        fields: { deviceId },
      });
      return;
    }
    // A batch of subscriptions tried again, or a campaign of donations: many cards, one shop, small sums.
    const isDonation = choice === 1;
    const shop = isDonation ? stage.webShop(['8398']) : world.commerce.subscriptions[0]!;
    const startMs = stage.between(8, 20);
    for (let n = drawInteger(prng, 5, 14); n > 0; n--) {
      const payer = stage.victim();
      const timeMs = stage.after(startMs, 0, 40 * MINUTE);
      const amountMinor = isDonation ? drawInteger(prng, 1, 4) * 500 : 2990;
      const declined = !isDonation && drawChance(prng, 0.4) ? { status: 'declined' as const, responseCode: '51' } : {};
      const kind = isDonation ? KIND.cardOnWeb : KIND.subscription;
      stage.put({ timeMs, kind, payer, payee: business(shop), amountMinor, isHardNegative: true, fields: declined });
    }
  },
};

/** A card that passed the test buys what can be sold again. */
function resell(stage: Stage, holder: number, cardId: string, testedMs: number): void {
  const { prng } = stage;
  const shop = stage.webShop(RESALE);
  const timeMs = stage.after(testedMs, 1 * HOUR, 48 * HOUR);
  const { deviceId, ipAddress } = stage.handset();
  const fields = { cardId, deviceId, ipAddress, authFactors: ['cvv' as const] };
  const amountMinor = drawInteger(prng, 200, 3000) * 100;
  const label = stage.label('F06', timeMs);
  stage.put({ timeMs, kind: KIND.cardOnWeb, payer: holder, payee: business(shop), amountMinor, label, fields });
}

const stolenCard: Recipe = {
  typology: 'F07',
  share: 12,
  rows: [4, 60],
  imitations: 0.15,
  launch(stage, rows) {
    const { prng, world } = stage;
    const { deviceId, ipAddress } = stage.handset();
    let used = 0;
    // One device for several cards of the same leak.
    while (used < rows) {
      const victim = stage.person((person) => world.population.creditCard[person] !== '');
      const cardId = world.population.creditCard[victim]! || world.population.debitCard[victim]!;
      let timeMs = stage.between(0, 23.5);
      const label = stage.label('F07', timeMs, 2.5 * DAY);
      const purchases = Math.min(drawInteger(prng, 2, 6), rows - used);
      for (let n = 0; n < purchases; n++) {
        const shop = stage.webShop(RESALE);
        const amountMinor = drawChance(prng, 0.3)
          ? drawInteger(prng, 3, 25) * 10_000
          : drawInteger(prng, 3000, 25_000) * 10;
        const isLast = n === purchases - 1 && drawChance(prng, 0.5);
        const outcome = isLast
          ? { status: 'declined' as const, responseCode: drawChance(prng, 0.5) ? '51' : '61' }
          : {};
        const fields = { cardId, deviceId, ipAddress, authFactors: ['cvv' as const], ...outcome };
        stage.put({ timeMs, kind: KIND.cardOnWeb, payer: victim, payee: business(shop), amountMinor, label, fields });
        timeMs = stage.after(timeMs, MINUTE, 15 * MINUTE);
      }
      used += Math.max(1, purchases);
    }
    return used;
  },
  imitate(stage) {
    // An evening of bargains in shops never used before, with one's own phone.
    const { prng, world } = stage;
    const payer = stage.person((person) => world.population.creditCard[person] !== '');
    const cardId = world.population.creditCard[payer]! || world.population.debitCard[payer]!;
    let timeMs = stage.between(18, 23);
    for (let n = drawInteger(prng, 2, 4); n > 0; n--) {
      const shop = stage.webShop(['5732', '5651', '5999', '4511', '4722']);
      const amountMinor = drawInteger(prng, 800, 18_000) * 10;
      const payee = business(shop);
      stage.put({ timeMs, kind: KIND.cardOnWeb, payer, payee, amountMinor, isHardNegative: true, fields: { cardId } });
      timeMs = stage.after(timeMs, 2 * MINUTE, 25 * MINUTE);
    }
  },
};

export const CARDS: readonly Recipe[] = [skimming, cardTesting, stolenCard];
