// F16 employees who point out cash, F17 payroll fraud, F18 internal fraud, F19 changed supplier accounts.
//
// Recipes and their public sources: docs/simulator.md. An employee shows as the workstation (terminalId) at which the operation was done.
import { civilOf, isBusinessDay, monthEndPayDay, quincenaPayDay } from '../../domain/calendar.ts';
import type { Recipe } from '../campaigns.ts';
import { business, KIND, type Label } from '../plan.ts';
import { drawChance, drawFrom, drawInteger, drawUniform } from '../sampling.ts';
import { DAY, HOUR, MINUTE, type Stage } from '../stage.ts';

function workstation(stage: Stage): string {
  return `W${4000 + stage.prng.nextBelow(12 + Math.ceil(stage.world.population.size / 400))}`;
}

const pointedOut: Recipe = {
  typology: 'F16',
  share: 3,
  rows: [1, 3],
  imitations: 1.5,
  launch(stage, rows) {
    const { prng } = stage;
    const terminalId = workstation(stage);
    for (let n = 0; n < rows; n++) {
      const victim = stage.richest(300);
      const lookedUpMs = stage.between(9, 18);
      const withdrawnMs = stage.after(lookedUpMs, 20 * HOUR, 5 * DAY);
      const label: Label = { typology: 'F16', reportMs: stage.after(withdrawnMs, HOUR, 2 * DAY) };
      stage.put({ timeMs: lookedUpMs, kind: KIND.employeeLookup, payer: victim, label, fields: { terminalId } });
      // The withdrawal itself is the victim's own and genuine; the robbery happens outside.
      stage.put({
        timeMs: withdrawnMs,
        kind: KIND.branchWithdrawal,
        payer: victim,
        balanceShare: drawUniform(prng, 0.6, 0.9),
        terminal: stage.agentNear(victim),
      });
    }
    return rows;
  },
  imitate(stage) {
    // A customer asks at the counter: the look-up is followed by the operation, or it was only a question.
    const { prng } = stage;
    const person = stage.person((candidate) => stage.balanceOf(candidate) > 50_000);
    const timeMs = stage.between(9, 17.5);
    const common = { payer: person, isHardNegative: true };
    stage.put({ ...common, timeMs, kind: KIND.employeeLookup, fields: { terminalId: workstation(stage) } });
    if (drawChance(prng, 0.3)) return;
    const doneMs = stage.after(timeMs, MINUTE, 12 * MINUTE);
    stage.put({
      ...common,
      timeMs: doneMs,
      kind: KIND.branchWithdrawal,
      balanceShare: drawUniform(prng, 0.2, 0.8),
      terminal: stage.agentNear(person),
    });
  },
};

/** Days until the next pay date, 0 if it is today. */
function daysToPay(day: number): number {
  for (let ahead = 0; ahead < 20; ahead++) {
    const { year, month } = civilOf(day + ahead);
    if (day + ahead === quincenaPayDay(year, month) || day + ahead === monthEndPayDay(year, month)) return ahead;
  }
  return 0;
}

const payrollFraud: Recipe = {
  typology: 'F17',
  share: 4,
  rows: [3, 12],
  imitations: 0.3,
  launch(stage, rows) {
    const { prng, world } = stage;
    const { employerOf } = world.commerce;
    const { population } = world;
    const worker = stage.person((person) => employerOf[person]! >= 0);
    const employer = employerOf[worker]! >= 0 ? employerOf[worker]! : world.commerce.employers[0]!;
    const payer = business(employer);
    const payMs = stage.startMs + daysToPay(stage.day) * DAY + (5 + (employer % 11)) * HOUR + (employer % 60) * MINUTE;
    const label = stage.label('F17', payMs, 8 * DAY);
    const lines = Math.max(2, rows - 1);
    const accomplice = stage.mule();
    const changedMs = payMs - drawInteger(prng, 10, 100) * HOUR;
    if (changedMs > stage.startMs)
      stage.put({ timeMs: changedMs, kind: KIND.payeeAdded, payer, payee: accomplice, label });
    for (let n = 0; n < lines; n++) {
      const timeMs = stage.after(payMs, 0, 3 * MINUTE);
      const salaryMinor = Math.round(drawUniform(prng, 1130, 3800)) * 100;
      const style = prng.nextBelow(3);
      const colleague = stage.person((person) => employerOf[person] === employer);
      if (style === 0) {
        // A worker who does not exist, paid into the accomplice's account.
        stage.put({ timeMs, kind: KIND.payroll, payer, payee: accomplice, amountMinor: salaryMinor, label });
      } else if (style === 1) {
        const fields = { payeeName: population.name[colleague]!, payeeDocument: population.document[colleague]! };
        stage.put({ timeMs, kind: KIND.payroll, payer, payee: accomplice, amountMinor: salaryMinor, label, fields });
      } else {
        const inflated = Math.round(population.income[colleague]! * drawUniform(prng, 1.6, 3)) * 100;
        stage.put({ timeMs, kind: KIND.payroll, payer, payee: colleague, amountMinor: inflated, label });
      }
    }
    return lines + 1;
  },
  imitate(stage) {
    // A settlement at the end of a contract, a raise paid back, a couple that shares an account.
    const { prng, world } = stage;
    const worker = stage.person((person) => world.commerce.employerOf[person]! >= 0);
    const employer = world.commerce.employerOf[worker]!;
    if (employer < 0) return;
    const timeMs =
      stage.startMs + daysToPay(stage.day) * DAY + (5 + (employer % 11)) * HOUR + prng.nextBelow(30 * MINUTE);
    const amountMinor = Math.round(world.population.income[worker]! * drawUniform(prng, 0.3, 2.4)) * 100;
    const isShared = drawChance(prng, 0.3);
    const payee = isShared ? stage.near(worker) : worker;
    const fields = isShared ? { payeeName: world.population.name[worker]! } : { concept: 'LIQUIDACION BENEFICIOS' };
    stage.put({
      timeMs,
      kind: KIND.payroll,
      payer: business(employer),
      payee,
      amountMinor,
      isHardNegative: true,
      fields,
    });
  },
};

const insider: Recipe = {
  typology: 'F18',
  share: 6,
  rows: [6, 26],
  imitations: 0.15,
  launch(stage, rows) {
    const { prng, world } = stage;
    const terminalId = workstation(stage);
    const suspense = business(world.commerce.lender);
    const relative = stage.mule();
    const accounts = Math.max(3, Math.min(10, Math.floor(rows / 2)));
    for (let n = 0; n < accounts; n++) {
      const owner = stage.person(
        (person) => world.population.activity[person]! < 0.55 && stage.balanceOf(person) > 30_000,
      );
      // After hours, one account an evening or two.
      const timeMs = stage.between(20, 23.9) + Math.floor(n / 2) * DAY;
      const label = stage.label('F18', timeMs, 20 * DAY);
      const fields = { terminalId, authFactors: [] };
      stage.put({
        timeMs: timeMs - drawInteger(prng, 2, 20) * MINUTE,
        kind: KIND.employeeLookup,
        payer: owner,
        label,
        fields: { terminalId },
      });
      stage.put({
        timeMs,
        kind: KIND.adjustment,
        payer: owner,
        payee: suspense,
        amountMinor: drawInteger(prng, 200, 5000) * 100,
        balanceShare: 0.9,
        label,
        fields,
        onDone: (taken) => {
          const onMs = taken.eventTimeMs + drawInteger(prng, 2, 40) * MINUTE;
          const amountMinor = taken.amountMinor;
          stage.put({
            timeMs: onMs,
            kind: KIND.adjustment,
            payer: suspense,
            payee: relative,
            amountMinor,
            label,
            fields: { terminalId, channel: 'branch' },
          });
        },
      });
    }
    return accounts * 3;
  },
  imitate(stage) {
    // Adjustments at the end of the month and fees given back to many.
    const { prng, world } = stage;
    const terminalId = workstation(stage);
    const payer = business(world.commerce.lender);
    const amountMinor = drawFrom(prng, [500, 900, 1500, 2500]);
    const startMs = stage.between(15, 20.5);
    for (let n = drawInteger(prng, 4, 10); n > 0; n--) {
      const timeMs = stage.after(startMs, 0, 50 * MINUTE);
      const payee = stage.person(() => true);
      const isCharge = drawChance(prng, 0.3);
      const parties = isCharge ? { payer: payee, payee: payer } : { payer, payee };
      const concept = isCharge ? 'AJUSTE' : 'DEVOLUCION COMISION';
      const fields = { terminalId, channel: 'branch' as const, ...(drawChance(prng, 0.6) ? { concept } : {}) };
      stage.put({ timeMs, kind: KIND.adjustment, ...parties, amountMinor, isHardNegative: true, fields });
    }
  },
};

function twoCompanies(stage: Stage): { payer: number; supplier: number } {
  const { employers } = stage.world.commerce;
  const payer = employers[stage.prng.nextBelow(employers.length)]!;
  // The same few suppliers that the company pays by routine.
  const supplier = employers[(payer * 7 + stage.prng.nextBelow(5) * 11 + 1) % employers.length]!;
  return { payer, supplier };
}

const changedSupplier: Recipe = {
  typology: 'F19',
  share: 4,
  rows: [2, 5],
  imitations: 0.5,
  launch(stage, rows) {
    const { prng, world } = stage;
    const { payer, supplier } = twoCompanies(stage);
    const { businesses } = world.commerce;
    const mule = stage.mule();
    const { name, document } = businesses[supplier]!;
    let timeMs = stage.between(9, 17);
    while (!isBusinessDay(Math.floor((timeMs - 5 * HOUR) / DAY))) timeMs += DAY;
    const label = stage.label('F19', timeMs, 14 * DAY);
    const fields = { payeeName: name, payeeDocument: document };
    stage.put({ timeMs, kind: KIND.payeeAdded, payer: business(payer), payee: mule, label, fields });
    for (let n = 1; n < Math.max(2, rows); n++) {
      timeMs = stage.after(timeMs, HOUR, 2 * DAY);
      const amountMinor = drawInteger(prng, 60, 290) * 10_000 + prng.nextBelow(10_000);
      stage.put({
        timeMs,
        kind: KIND.supplier,
        payer: business(payer),
        payee: mule,
        amountMinor,
        label,
        fields,
        onDone: (sent) => stage.forward(mule, sent, 2),
      });
    }
    return Math.max(2, rows);
  },
  imitate(stage) {
    // A supplier that really moves to another bank, confirmed.
    const { prng } = stage;
    const { payer, supplier } = twoCompanies(stage);
    const fields = { payeeAccount: stage.newAccount() };
    const timeMs = stage.between(9, 16);
    const common = { payer: business(payer), payee: business(supplier), isHardNegative: true, fields };
    stage.put({ ...common, timeMs, kind: KIND.payeeAdded });
    for (let n = drawInteger(prng, 1, 3); n > 0; n--) {
      const paidMs = stage.after(timeMs, HOUR, 6 * DAY);
      stage.put({
        ...common,
        timeMs: paidMs,
        kind: KIND.supplier,
        amountMinor: drawInteger(prng, 10, 290) * 10_000 + prng.nextBelow(10_000),
      });
    }
  },
};

export const INTERNAL_AND_PAYROLL: readonly Recipe[] = [pointedOut, payrollFraud, insider, changedSupplier];
