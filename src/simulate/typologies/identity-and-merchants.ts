// F14 loans in a stolen name, F15 merchants' abuse, F20 buyers who deny their own purchases.
//
// Recipes and their public sources: docs/simulator.md.
import type { Recipe } from '../campaigns.ts';
import { roundPayment } from '../habits.ts';
import { business, KIND } from '../plan.ts';
import { drawChance, drawFrom, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, HOUR, MINUTE, type Stage } from '../stage.ts';

const stolenIdentity: Recipe = {
  typology: 'F14',
  share: 6,
  rows: [6, 60],
  imitations: 0.3,
  launch(stage, rows) {
    const { prng, world } = stage;
    // One phone takes loans in the names of several people who use their accounts little.
    const handset = stage.handset();
    const names = Math.max(2, Math.min(20, Math.floor(rows / 3)));
    const mule = stage.mule();
    for (let n = 0; n < names; n++) {
      const person = stage.person((candidate) => world.population.activity[candidate]! < 0.7);
      let timeMs = stage.between(8, 22) + n * drawInteger(prng, 0, 2) * DAY;
      const label = stage.label('F14', timeMs, 12 * DAY);
      const fields = { ...handset, authFactors: ['password' as const, 'otp-sms' as const] };
      stage.put({ timeMs, kind: KIND.deviceEnrolment, payer: person, label, fields });
      timeMs = stage.after(timeMs, 5 * MINUTE, 90 * MINUTE);
      const amountMinor = drawInteger(prng, 10, 80) * 10_000;
      const lender = business(world.commerce.lender);
      stage.put({
        timeMs,
        kind: KIND.loanDisbursement,
        payer: lender,
        payee: person,
        amountMinor,
        label,
        fields: { ...handset },
      });
      timeMs = stage.after(timeMs, 3 * MINUTE, HOUR);
      stage.put({
        timeMs,
        kind: KIND.transfer,
        payer: person,
        payee: mule,
        amountMinor,
        label,
        fields,
        onDone: (sent) => stage.forward(mule, sent, 2),
      });
    }
    return names * 3;
  },
  imitate(stage) {
    // A real loan, spent soon after.
    const { prng, world } = stage;
    const payee = stage.victim(20_000);
    const timeMs = stage.between(9, 20);
    const amountMinor = drawInteger(prng, 8, 80) * 10_000;
    const isHardNegative = true;
    stage.put({
      timeMs,
      kind: KIND.loanDisbursement,
      payer: business(world.commerce.lender),
      payee,
      amountMinor,
      isHardNegative,
    });
    const spentMs = stage.after(timeMs, HOUR, 2 * DAY);
    const seller = stage.near(payee);
    if (seller === payee) return;
    stage.put({
      timeMs: spentMs,
      kind: KIND.transfer,
      payer: payee,
      payee: seller,
      amountMinor: Math.round(amountMinor * 0.7),
      isHardNegative,
    });
  },
};

function cardHolder(stage: Stage): { person: number; cardId: string } {
  const { creditCard, debitCard } = stage.world.population;
  const person = stage.person((candidate) => creditCard[candidate] !== '');
  return { person, cardId: creditCard[person]! || debitCard[person]! };
}

function anyStore(stage: Stage, codes: readonly string[] | null): number {
  const { cardPull, businesses } = stage.world.commerce;
  const pick = () => {
    const near = cardPull[stage.prng.nextBelow(cardPull.length)]!;
    return near.length === 0 ? cardPull[14]![0]! : near[stage.prng.nextBelow(near.length)]!;
  };
  let shop = pick();
  for (let n = 0; n < 80 && codes !== null && !codes.includes(businesses[shop]!.mcc); n++) shop = pick();
  return shop;
}

/** Cash advances written as purchases: few cards, round sums, odd hours. */
function cashAdvance(stage: Stage, rows: number): number {
  const { prng } = stage;
  const payee = business(anyStore(stage, ['5499', '5812', '7230', '5251', '5814']));
  const cards = Array.from({ length: 5 }, () => cardHolder(stage));
  for (let n = 0; n < rows; n++) {
    const { person, cardId } = drawFrom(prng, cards);
    const timeMs = stage.between(0, 23.9) + drawInteger(prng, 0, 20) * DAY;
    const amountMinor = drawFrom(prng, [100_000, 100_000, 200_000, 150_000]);
    const label = stage.label('F15', timeMs, 15 * DAY);
    const fields = { cardId, entryMode: drawChance(prng, 0.3) ? ('manual' as const) : ('chip' as const) };
    stage.put({ timeMs, kind: KIND.cardAtShop, payer: person, payee, amountMinor, label, fields });
  }
  return rows;
}

/** Refunds without a purchase to the merchant's own card. */
function ownRefunds(stage: Stage, rows: number): number {
  const { prng } = stage;
  const shop = anyStore(stage, null);
  const { person, cardId } = cardHolder(stage);
  for (let n = 0; n < rows; n++) {
    const timeMs = stage.between(9, 23) + Math.floor(n / drawInteger(prng, 1, 2)) * 2 * DAY;
    const amountMinor = drawInteger(prng, 80, 900) * 100;
    const label = stage.label('F15', timeMs, 15 * DAY);
    const fields = { cardId };
    stage.put({ timeMs, kind: KIND.cardRefund, payer: business(shop), payee: person, amountMinor, label, fields });
  }
  return rows;
}

/** A sticker over the shop's QR: the shop's name, somebody else's account. */
function swappedSticker(stage: Stage, rows: number): number {
  const { prng, world } = stage;
  const shop = stage.qrShop();
  const mule = stage.mule();
  const { population } = world;
  const fields = {
    payeeId: population.id[mule]!,
    payeeAccount: population.account[mule]!,
    payeeDocument: population.document[mule]!,
  };
  for (let n = 0; n < rows; n++) {
    const payer = stage.victim(3000);
    const timeMs = stage.between(9, 22) + Math.floor(n / 6) * DAY;
    const amountMinor = roundPayment(prng, drawUniform(prng, 5, 60));
    const label = stage.label('F15', timeMs, 3 * DAY);
    stage.put({ timeMs, kind: KIND.walletToShop, payer, payee: business(shop), amountMinor, label, fields });
  }
  return rows;
}

const merchantAbuse: Recipe = {
  typology: 'F15',
  share: 9,
  rows: [6, 80],
  imitations: 0.5,
  launch(stage, rows) {
    const choice = stage.prng.nextBelow(3);
    if (choice === 0) return cashAdvance(stage, rows);
    return choice === 1 ? ownRefunds(stage, Math.min(rows, 20)) : swappedSticker(stage, rows);
  },
  imitate(stage) {
    const { prng } = stage;
    const { person, cardId } = cardHolder(stage);
    const shop = anyStore(stage, ['5251', '5732', '5311']);
    const payee = business(shop);
    const timeMs = stage.between(9, 20);
    // A hardware store's round price, and now and then an honest refund of it.
    const amountMinor = drawInteger(prng, 2, 20) * 10_000;
    const common = { isHardNegative: true, fields: { cardId } };
    stage.put({
      ...common,
      timeMs,
      kind: KIND.cardAtShop,
      payer: person,
      payee,
      amountMinor,
      onDone: (bought) => {
        if (!drawChance(prng, 0.35) || bought.status !== 'approved') return;
        const backMs = stage.after(timeMs, 2 * HOUR, 6 * DAY);
        stage.put({ ...common, timeMs: backMs, kind: KIND.cardRefund, payer: payee, payee: person, amountMinor });
      },
    });
  },
};

const deniedPurchase: Recipe = {
  typology: 'F20',
  share: 6,
  rows: [4, 9],
  imitations: 0.3,
  launch(stage, rows) {
    const { prng } = stage;
    const { person, cardId } = cardHolder(stage);
    const purchases = Math.max(3, rows - 1);
    let timeMs = stage.between(10, 23);
    for (let n = 0; n < purchases; n++) {
      const payee = business(stage.webShop(['5732', '5999', '5651', '5816']));
      const label = stage.label('F20', timeMs, 25 * DAY);
      const amountMinor = drawInteger(prng, 150, 1800) * 100;
      stage.put({ timeMs, kind: KIND.cardOnWeb, payer: person, payee, amountMinor, label, fields: { cardId } });
      if (n === purchases - 1) {
        const claimMs = stage.after(timeMs, 5 * DAY, 12 * DAY);
        const fields = { rail: 'card' as const, cardId, concept: 'no reconozco la compra' };
        stage.put({ timeMs: claimMs, kind: KIND.paymentClaim, payer: person, payee, label, fields });
      }
      timeMs = stage.after(timeMs, 4 * HOUR, 4 * DAY);
    }
    return purchases + 1;
  },
  imitate(stage) {
    // A buyer whose parcel never came.
    const { prng } = stage;
    const { person, cardId } = cardHolder(stage);
    const payee = business(stage.webShop(['5999', '5651', '5732']));
    const timeMs = stage.between(10, 23);
    const common = { payer: person, payee, isHardNegative: true };
    stage.put({
      ...common,
      timeMs,
      kind: KIND.cardOnWeb,
      amountMinor: drawInteger(prng, 40, 900) * 100,
      fields: { cardId },
    });
    const claimMs = stage.after(timeMs, 5 * DAY, 12 * DAY);
    const fields = { rail: 'card' as const, cardId, concept: 'no llegó el producto' };
    stage.put({ ...common, timeMs: claimMs, kind: KIND.paymentClaim, fields });
  },
};

export const IDENTITY_AND_MERCHANTS: readonly Recipe[] = [stolenIdentity, merchantAbuse, deniedPurchase];
