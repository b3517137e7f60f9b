// F08 mule accounts, F09 structuring, F10 unregistered currency exchange, F11 proceeds through a shell company.
//
// Recipes and their public sources: docs/simulator.md. Thresholds: register of operations (Res. SBS 2660-2015).
import type { Recipe } from '../campaigns.ts';
import { MINING_DEPARTMENTS, PLACES } from '../places.ts';
import { business, KIND } from '../plan.ts';
import { drawChance, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, HOUR, MINUTE, SECOND, type Stage } from '../stage.ts';

const THRESHOLD_DOLLARS = 10_000;

const muleAccount: Recipe = {
  typology: 'F08',
  share: 20,
  rows: [8, 60],
  imitations: 0.08,
  launch(stage, rows) {
    const { prng } = stage;
    const mule = stage.mule();
    const handler = stage.mule(mule);
    const lifetime = drawInteger(prng, 3, 30);
    const seeds = drawInteger(prng, 1, 3);
    for (let n = 0; n < seeds; n++) {
      const timeMs = stage.between(10, 22);
      const amountMinor = drawInteger(prng, 1, 20) * 100;
      stage.put({
        timeMs,
        kind: KIND.walletToPerson,
        payer: handler,
        payee: mule,
        amountMinor,
        label: stage.label('F08', timeMs, 3 * DAY),
      });
    }
    // Each sum that comes in also goes out, which costs one or two rows more.
    const incoming = Math.max(2, Math.min(20, Math.floor((rows - seeds) / 2.5)));
    for (let n = 0; n < incoming; n++) {
      const payer = stage.victim(40_000);
      const timeMs =
        stage.between(7, 23.5) + prng.nextBelow(Math.max(1, Math.min(lifetime, incoming))) * DAY + DAY / 24;
      const byWallet = drawChance(prng, 0.6);
      const amountMinor = byWallet ? drawInteger(prng, 10, 50) * 1000 : drawInteger(prng, 20, 200) * 1000;
      const fields = drawChance(prng, 0.15) ? { concept: 'pago' } : {};
      stage.put({
        timeMs,
        kind: byWallet ? KIND.walletToPerson : KIND.transfer,
        payer,
        payee: mule,
        amountMinor,
        balanceShare: 0.95,
        label: stage.label('F08', timeMs, 2 * DAY),
        fields,
        onDone: (received) => stage.forward(mule, received, drawInteger(prng, 1, 3)),
      });
    }
    return seeds + incoming;
  },
  imitate(stage) {
    // Someone collects for a trip, a tuition or a team and pays it on the same evening.
    const { prng } = stage;
    const collector = stage.victim();
    const amountMinor = drawInteger(prng, 2, 12) * 1000;
    const count = drawInteger(prng, 5, 14);
    for (let n = 0; n < count; n++) {
      const payer = stage.near(collector);
      if (payer === collector) continue;
      const timeMs = stage.between(9, 20);
      stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee: collector, amountMinor, isHardNegative: true });
    }
    const total = Math.floor(amountMinor * count * drawUniform(prng, 0.85, 1));
    const payee = stage.near(collector);
    const timeMs = stage.between(20.2, 22);
    stage.put({ timeMs, kind: KIND.transfer, payer: collector, payee, amountMinor: total, isHardNegative: true });
  },
};

const structuring: Recipe = {
  typology: 'F09',
  share: 6,
  rows: [7, 42],
  imitations: 0.1,
  launch(stage, rows) {
    const { prng, world } = stage;
    const collector = stage.person(
      (person) => stage.isSegment(person, 'owner') || stage.isSegment(person, 'independent'),
    );
    const smurfs = Array.from({ length: drawInteger(prng, 2, 8) }, () => stage.near(collector));
    const offices = Array.from({ length: drawInteger(prng, 3, 10) }, () => stage.agentNear(collector));
    const inDollars = drawChance(prng, 0.4);
    const thresholdMinor = inDollars ? THRESHOLD_DOLLARS * 100 : 3_000_000;
    const days = drawInteger(prng, 1, 10);
    const pieces = Math.min(40, Math.max(5, rows - 2));
    let lastMs = stage.startMs;
    for (let n = 0; n < pieces; n++) {
      const timeMs = stage.between(9, 18) + prng.nextBelow(days) * DAY;
      const amountMinor = Math.floor((thresholdMinor * drawUniform(prng, 0.8, 0.99)) / 1000) * 1000;
      const depositedMs = stage.put({
        timeMs,
        kind: KIND.branchDeposit,
        payer: smurfs[prng.nextBelow(smurfs.length)]!,
        payee: collector,
        amountMinor,
        terminal: offices[prng.nextBelow(offices.length)]!,
        label: stage.label('F09', timeMs, 6 * DAY),
        fields: inDollars ? { currency: 'USD' } : {},
      });
      lastMs = Math.max(lastMs, depositedMs);
    }
    const payee = business(world.commerce.companies[prng.nextBelow(world.commerce.companies.length)]!);
    for (let n = 0; n < 2; n++) {
      const timeMs = stage.after(lastMs, 2 * HOUR, 30 * HOUR);
      const label = stage.label('F09', timeMs, 6 * DAY);
      stage.put({
        timeMs,
        kind: KIND.transfer,
        payer: collector,
        payee,
        amountMinor: 3_000_000,
        balanceShare: 0.48,
        label,
      });
    }
    return pieces + 2;
  },
  imitate(stage) {
    // A shop's takings, brought to the bank every evening.
    const { prng, world } = stage;
    const owner = stage.person((person) => stage.isSegment(person, 'owner'));
    const terminal = stage.agentNear(owner);
    const usual = drawUniform(prng, 1500, 9000);
    const inDollars = drawChance(prng, 0.4);
    for (let n = drawInteger(prng, 4, 9); n > 0; n--) {
      const timeMs = stage.between(16, 18) + n * DAY;
      const amountMinor = Math.round((usual * drawUniform(prng, 0.7, 1.3)) / 10) * 1000;
      const payee = world.commerce.shopOf[owner]! >= 0 ? business(world.commerce.shopOf[owner]!) : owner;
      const fields = inDollars ? { currency: 'USD' } : {};
      stage.put({
        timeMs,
        kind: KIND.branchDeposit,
        payer: owner,
        payee,
        amountMinor,
        terminal,
        isHardNegative: true,
        fields,
      });
    }
  },
};

/** Soles come in, dollars go back at nearly the market's rate. */
function exchangePair(stage: Stage, dealer: number, timeMs: number, spread: number, isFraud: boolean): void {
  const { prng } = stage;
  const customer = stage.person((person) => stage.balanceOf(person) > 90_000 && person !== dealer);
  const solesMinor = drawInteger(prng, 4, 60) * 5000;
  const label = isFraud ? stage.label('F10', timeMs, 8 * DAY) : null;
  const isHardNegative = !isFraud;
  const fields = { concept: 'cambio' };
  stage.put({
    timeMs,
    kind: KIND.exchangePurchase,
    payer: customer,
    payee: dealer,
    amountMinor: solesMinor,
    label,
    isHardNegative,
    fields: drawChance(prng, 0.5) ? fields : {},
    onDone: (received) => {
      if (received.status !== 'approved') return;
      const backMs = received.eventTimeMs + drawInteger(prng, 60, 900) * SECOND;
      stage.put({
        timeMs: backMs,
        kind: KIND.exchangeSale,
        payer: dealer,
        payee: customer,
        amountMinor: solesMinor * (1 - spread),
        label,
        isHardNegative,
      });
    },
  });
}

const currencyDealer: Recipe = {
  typology: 'F10',
  share: 6,
  rows: [10, 240],
  imitations: 0.4,
  launch(stage, rows) {
    const { prng } = stage;
    const dealer = stage.person((person) => !stage.isSegment(person, 'owner') && stage.balanceOf(person) > 50_000);
    const spread = drawUniform(prng, 0.003, 0.01);
    const perDay = drawInteger(prng, 10, 60);
    const pairs = Math.floor(rows / 2);
    for (let n = 0; n < pairs; n++) {
      exchangePair(stage, dealer, stage.between(9, 19) + Math.floor(n / perDay) * DAY, spread, true);
    }
    return pairs * 2;
  },
  imitate(stage) {
    // A registered exchange house on the web, or once in a while a friend.
    const { exchanges } = stage.world.commerce;
    const isFriend = drawChance(stage.prng, 0.3);
    const house = business(exchanges[stage.prng.nextBelow(exchanges.length)]!);
    const dealer = isFriend ? stage.person((person) => stage.balanceOf(person) > 80_000) : house;
    exchangePair(stage, dealer, stage.between(9, 18), drawUniform(stage.prng, 0.003, 0.012), false);
  },
};

const shellCompany: Recipe = {
  typology: 'F11',
  share: 6,
  rows: [10, 150],
  imitations: 0.08,
  launch(stage, rows) {
    const { prng, world } = stage;
    const { companies, agentsByDepartment, machines } = world.commerce;
    const company = business(companies[prng.nextBelow(companies.length)]!);
    const zone = Number(MINING_DEPARTMENTS[prng.nextBelow(MINING_DEPARTMENTS.length)]) - 1;
    const offices = agentsByDepartment[zone]!;
    const residents = world.population.byDepartment[zone]!;
    const depositor = () =>
      residents.length > 0 ? residents[prng.nextBelow(residents.length)]! : stage.person(() => true);
    const takers = Array.from({ length: drawInteger(prng, 5, 15) }, () => stage.person(() => true));
    const limaMachines = machines.map((_, n) => n).filter((n) => PLACES[machines[n]!.place]!.ubigeo.startsWith('15'));
    let used = 0;
    for (let wave = 0; used < rows; wave++) {
      const cashMs = stage.between(9, 13) + wave * drawInteger(prng, 1, 4) * DAY;
      const label = stage.label('F11', cashMs, 12 * DAY);
      const totalMinor = drawInteger(prng, 60, 600) * 100_000;
      const deposits = drawInteger(prng, 2, 4);
      let depositedMs = cashMs;
      for (let n = 0; n < deposits; n++) {
        depositedMs = stage.put({
          timeMs: stage.after(cashMs, 0, 3 * HOUR),
          kind: KIND.branchDeposit,
          payer: depositor(),
          payee: company,
          amountMinor: Math.round(totalMinor / deposits / 100_000) * 100_000,
          terminal: offices[prng.nextBelow(offices.length)]!,
          label,
        });
      }
      const parts = drawInteger(prng, 2, Math.min(5, takers.length));
      for (let n = 0; n < parts; n++) {
        const taker = takers[prng.nextBelow(takers.length)]!;
        const timeMs = stage.after(depositedMs, 4 * HOUR, 48 * HOUR);
        const amountMinor = Math.round((totalMinor * 0.95) / parts / 10_000) * 10_000;
        const terminal = limaMachines[prng.nextBelow(limaMachines.length)]!;
        stage.put({
          timeMs,
          kind: KIND.supplierBatch,
          payer: company,
          payee: taker,
          amountMinor,
          label,
          onDone: (paid) => {
            if (!drawChance(prng, 0.4)) return;
            const takenMs = paid.eventTimeMs + drawInteger(prng, 20, 600) * MINUTE;
            stage.put({ timeMs: takenMs, kind: KIND.cashMachine, payer: taker, amountMinor: 150_000, terminal, label });
          },
        });
      }
      used += deposits + Math.round(parts * 1.4);
    }
    return used;
  },
  imitate(stage) {
    // A harvest or a milestone: a real employer pays several people large round sums.
    const { prng, world } = stage;
    const { employers } = world.commerce;
    const payer = business(employers[prng.nextBelow(employers.length)]!);
    const startMs = stage.between(9, 16);
    for (let n = drawInteger(prng, 4, 10); n > 0; n--) {
      const payee = stage.person(() => true);
      const amountMinor = drawInteger(prng, 20, 250) * 10_000;
      const timeMs = stage.after(startMs, 0, 2 * HOUR);
      stage.put({ timeMs, kind: KIND.supplierBatch, payer, payee, amountMinor, isHardNegative: true });
    }
  },
};

export const MULES_AND_LAUNDERING: readonly Recipe[] = [muleAccount, structuring, currencyDealer, shellCompany];
