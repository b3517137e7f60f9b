// F01 false payment proofs, F12 extortion and loan sharks, F13 scams in which the victim pays.
//
// Recipes and their public sources: docs/simulator.md. Words to watch: Ley 32490.
import type { Recipe } from '../campaigns.ts';
import { business, KIND, NOBODY } from '../plan.ts';
import { drawChance, drawFrom, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, HOUR, MINUTE, SECOND, type Stage } from '../stage.ts';

/** The claim carries no money: the amount that the shop was shown is in the text. */
function claim(amountMinor: number, externalId: string) {
  return { concept: `comprobante S/ ${(amountMinor / 100).toFixed(2)}`, externalId, merchantId: null };
}

const falseProof: Recipe = {
  typology: 'F01',
  share: 7,
  rows: [4, 40],
  imitations: 0.6,
  launch(stage, rows) {
    const { prng } = stage;
    // One forger visits several shops, at rush hours and at night; some screenshots are shown twice.
    let shown = String(104_000_000 + prng.nextBelow(4_000_000));
    for (let n = 0; n < rows; n++) {
      if (n === 0 || !drawChance(prng, 0.15)) shown = String(104_000_000 + prng.nextBelow(4_000_000));
      const timeMs =
        (drawChance(prng, 0.6) ? stage.between(18, 23.9) : stage.between(11, 15)) + Math.floor(n / 3) * DAY;
      const shop = stage.qrShop();
      const fields = { ...claim(drawInteger(prng, 20, 200) * 100, shown), ...stage.shopPlace(shop) };
      const label = stage.label('F01', timeMs, 6 * HOUR);
      stage.put({ timeMs, kind: KIND.paymentClaim, payer: NOBODY, payee: business(shop), label, fields });
    }
    return rows;
  },
  imitate(stage) {
    // The credit of another wallet comes minutes late, or the shop types a digit of the number wrong.
    const { prng } = stage;
    const payer = stage.victim();
    const shop = stage.qrShop();
    const amountMinor = drawInteger(prng, 10, 200) * 100;
    const timeMs = stage.between(11, 23);
    stage.put({
      timeMs,
      kind: KIND.walletToShop,
      payer,
      payee: business(shop),
      amountMinor,
      isHardNegative: true,
      onDone: (paid) => {
        const number = paid.externalId ?? '';
        const typed = drawChance(prng, 0.3) ? `${number.slice(0, -1)}${(Number(number.slice(-1)) + 1) % 10}` : number;
        stage.put({
          timeMs: paid.eventTimeMs + drawInteger(prng, 1, 10) * MINUTE,
          kind: KIND.paymentClaim,
          payer: NOBODY,
          payee: business(shop),
          isHardNegative: true,
          fields: { ...claim(amountMinor, typed), ...stage.shopPlace(shop) },
        });
      },
    });
  },
};

const TAX_WORDS = ['cupo', 'apoyo', 'vacuna', 'seguridad', 'colaboración', 'aporte'];
const THREATS = ['paga hoy o vamos a tu casa', 'sabemos donde trabajas, último aviso', 'no juegues con tu familia'];

const extortion: Recipe = {
  typology: 'F12',
  share: 16,
  rows: [20, 1200],
  imitations: 0.02,
  launch(stage, rows) {
    return drawChance(stage.prng, 0.25) ? loanShark(stage, rows) : quota(stage, rows);
  },
  imitate(stage) {
    // Dues of a drivers' cooperative, offerings, the five-a-side pitch: equal sums, one receiver who stays.
    const { prng } = stage;
    const treasurer = stage.victim();
    const members = Array.from({ length: drawInteger(prng, 5, 14) }, () => stage.near(treasurer));
    const amountMinor = drawFrom(prng, [500, 1000, 1000, 1500, 2000, 3000]);
    const rounds = drawInteger(prng, 3, 8);
    const step = drawChance(prng, 0.5) ? DAY : 7 * DAY;
    for (let round = 0; round < rounds; round++) {
      for (const payer of members) {
        if (payer === treasurer) continue;
        const fields = drawChance(prng, 0.2)
          ? { concept: drawFrom(prng, ['cuota', 'aporte', 'ofrenda', 'pichanga']) }
          : {};
        const timeMs = stage.between(18, 22) + round * step;
        stage.put({
          timeMs,
          kind: KIND.walletToPerson,
          payer,
          payee: treasurer,
          amountMinor,
          isHardNegative: true,
          fields,
        });
      }
    }
  },
};

/** Drivers or shopkeepers of one district pay the same sum every evening to receivers that change. */
function quota(stage: Stage, rows: number): number {
  const { prng } = stage;
  const first = stage.victim();
  const isWeekly = drawChance(prng, 0.25);
  const rounds = isWeekly ? drawInteger(prng, 3, 6) : Math.max(4, Math.min(30, Math.round(rows / 8)));
  const count = Math.max(3, Math.min(60, Math.floor(rows / rounds)));
  const payers = Array.from({ length: count }, () =>
    stage.person((person) => stage.hasWallet(person) && stage.sameDepartment(person, first)),
  );
  const receivers = [stage.mule(), stage.mule(), stage.mule()];
  const amountMinor = isWeekly ? drawInteger(prng, 4, 9) * 5000 : drawInteger(prng, 1, 10) * 500;
  const turn = isWeekly ? drawInteger(prng, 1, 3) : drawInteger(prng, 7, 21);
  let used = 0;
  for (let round = 0; round < rounds; round++) {
    const payee = receivers[Math.floor(round / turn) % receivers.length]!;
    for (const payer of payers) {
      if (payer === payee) continue;
      const timeMs = stage.between(19, 22) + round * (isWeekly ? 7 : 1) * DAY;
      const fields = drawChance(prng, 0.05) ? { concept: drawFrom(prng, TAX_WORDS) } : {};
      const label = stage.label('F12', timeMs, 3 * DAY);
      stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee, amountMinor, balanceShare: 1, label, fields });
      used++;
    }
    if (drawChance(prng, 0.15)) {
      // A threat written in the text of a few cents.
      const payer = receivers[0]!;
      const timeMs = stage.between(9, 18) + round * (isWeekly ? 7 : 1) * DAY;
      const fields = { concept: drawFrom(prng, THREATS) };
      const label = stage.label('F12', timeMs, 2 * DAY);
      stage.put({
        timeMs,
        kind: KIND.walletToPerson,
        payer,
        payee: payers[0]!,
        amountMinor: drawInteger(prng, 1, 10) * 10,
        label,
        fields,
      });
      used++;
    }
  }
  return used;
}

/** Gota a gota: a loan in cash by wallet, then many equal daily payments of more than it. */
function loanShark(stage: Stage, rows: number): number {
  const { prng } = stage;
  const lender = stage.mule();
  const borrowers = Math.max(1, Math.min(40, Math.floor(rows / 18)));
  const days = Math.max(8, Math.min(24, Math.floor(rows / borrowers) - 1));
  for (let n = 0; n < borrowers; n++) {
    const borrower = stage.person((person) => stage.hasWallet(person) && stage.sameDepartment(person, lender));
    const principalMinor = drawInteger(prng, 2, 5) * 10_000;
    const lentMs = stage.between(9, 20);
    const put = (timeMs: number, payer: number, payee: number, amountMinor: number) => {
      const label = stage.label('F12', timeMs, 4 * DAY);
      stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee, amountMinor, label });
    };
    put(lentMs, lender, borrower, principalMinor);
    for (let day = 1; day <= days; day++) {
      put(stage.between(17, 21) + day * DAY, borrower, lender, Math.round((principalMinor * 1.2) / 24 / 100) * 100);
    }
  }
  return borrowers * (days + 1);
}

const scam: Recipe = {
  typology: 'F13',
  share: 14,
  rows: [2, 7],
  imitations: 0.25,
  launch(stage, rows) {
    const { prng, world } = stage;
    const isOlder = drawChance(prng, 0.5);
    const victim = stage.person(
      (person) => stage.balanceOf(person) > 90_000 && (!isOlder || world.population.age[person]! >= 50),
    );
    const mule = stage.mule(victim);
    const crypto = drawChance(prng, 0.2) ? stage.webShop(['6051']) : -1;
    const isRepeat = drawChance(prng, 0.3);
    let timeMs = stage.between(9, 22);
    let soles = drawUniform(prng, 60, 900);
    const payments = Math.min(rows, 6);
    for (let n = 0; n < payments; n++) {
      const amountMinor = Math.round(soles / 10) * 1000;
      const label = stage.label('F13', timeMs, 2.5 * DAY);
      if (crypto >= 0) {
        stage.put({ timeMs, kind: KIND.cardOnWeb, payer: victim, payee: business(crypto), amountMinor, label });
      } else {
        const kind = amountMinor <= 50_000 && stage.hasWallet(victim) ? KIND.walletToPerson : KIND.transfer;
        stage.put({
          timeMs,
          kind,
          payer: victim,
          payee: mule,
          amountMinor,
          balanceShare: 0.97,
          label,
          onDone: (sent) => stage.forward(mule, sent, drawInteger(prng, 1, 2)),
        });
      }
      if (!isRepeat) soles *= drawUniform(prng, 1.5, 3);
      timeMs = stage.after(timeMs, 20 * MINUTE, 3 * DAY);
    }
    return payments;
  },
  imitate(stage) {
    // A car or the deposit of a flat: somebody new, far more than usual, nothing wrong.
    const { prng } = stage;
    const payer = stage.person((person) => stage.balanceOf(person) > 250_000);
    const payee = stage.near(payer);
    if (payee === payer) return;
    const timeMs = stage.between(10, 19);
    stage.put({ timeMs, kind: KIND.payeeAdded, payer, payee, isHardNegative: true });
    for (let n = drawInteger(prng, 1, 2); n > 0; n--) {
      const sentMs = stage.after(timeMs, 40 * SECOND, 2 * HOUR);
      stage.put({
        timeMs: sentMs,
        kind: KIND.transfer,
        payer,
        payee,
        balanceShare: drawUniform(prng, 0.3, 0.7),
        isHardNegative: true,
      });
    }
  },
};

export const EXTORTION_AND_SCAMS: readonly Recipe[] = [falseProof, extortion, scam];
