// E01 duplicate posting, E02 decimal shift, E03 soles for dollars, E06 reversed sign, E07 batch sent twice, E11 orphan
// legs, E13 wrong tax, E14 a limit that does not hold, E15 test data in production. Recipes and their public sources: docs/simulator.md.
import { isBusinessDay, limaDayNumber } from '../../domain/calendar.ts';
import { itfMinor } from '../../domain/itf.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { Draft } from '../draft.ts';
import { business, KIND } from '../plan.ts';
import { drawChance, drawFrom, drawInteger } from '../sampling.ts';
import { DAY, HOUR, MINUTE } from '../stage.ts';
import type { Desk, Fault } from './faults.ts';

const isPaid = (transaction: Draft): boolean => transaction.status === 'approved' && transaction.amountMinor >= 1000;

function isPosting(transaction: Draft): boolean {
  return (
    isPaid(transaction) &&
    (transaction.operation === 'purchase' ||
      transaction.operation === 'transfer' ||
      transaction.operation === 'bill-payment')
  );
}

const duplicate: Fault = {
  typology: 'E01',
  share: 14,
  rows: [1, 3],
  arm(desk, rows) {
    const { prng, world } = desk;
    return desk.armed(rows, 24, (transaction) => {
      const payer = desk.personOf(transaction.payerId);
      if (!isPosting(transaction) || payer < 0 || !drawChance(prng, 0.02)) return 'untouched';
      const gapMs = prng.nextBelow(300_000);
      const copy: Draft = { ...transaction, eventTimeMs: transaction.eventTimeMs + gapMs };
      if (!drawChance(prng, 0.2)) copy.externalId = desk.freshNumber(transaction);
      if (
        copy.balanceAfterMinor !== null &&
        world.population.balance[payer]! >= copy.amountMinor &&
        copy.currency === 'PEN'
      ) {
        world.population.balance[payer]! -= copy.amountMinor;
        copy.balanceAfterMinor = world.population.balance[payer]!;
        giveBack(desk, copy, payer);
      }
      desk.mark(copy, copy.eventTimeMs);
      desk.later(copy.eventTimeMs, copy);
      return 'spoilt';
    });
  },
};

/** The reversal that puts a duplicate right: genuine, and tied to its original by number. */
function giveBack(desk: Desk, copy: Transaction, payer: number): void {
  const shop = copy.payeeId?.startsWith('B') === true ? Number(copy.payeeId.slice(1)) - 1_000_000 : -1;
  if (shop < 0) return;
  desk.stage.put({
    timeMs: copy.eventTimeMs + drawInteger(desk.prng, 6, 60) * HOUR,
    kind: KIND.reversal,
    payer: business(shop),
    payee: payer,
    amountMinor: copy.amountMinor,
    isHardNegative: true,
    fields: { externalId: `${copy.externalId}R`, rail: copy.rail },
  });
}

const decimalShift: Fault = {
  typology: 'E02',
  share: 9,
  rows: [1, 4],
  arm(desk, rows) {
    const { prng } = desk;
    return desk.armed(rows, 24, (transaction) => {
      if (!isPosting(transaction) || !drawChance(prng, 0.02)) return 'untouched';
      const style = prng.nextBelow(10);
      if (style < 5) transaction.amountMinor *= 100;
      else if (style < 8 || transaction.amountMinor % 100 !== 0) transaction.amountMinor *= 10;
      else transaction.amountMinor /= 100;
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const currencyMix: Fault = {
  typology: 'E03',
  share: 7,
  rows: [1, 4],
  arm(desk, rows) {
    const { prng, world } = desk;
    return desk.armed(rows, 48, (transaction) => {
      const isCandidate = isPosting(transaction) && transaction.amountMinor >= 8000 && transaction.currency === 'PEN';
      if (!isCandidate || !drawChance(prng, 0.03)) return 'untouched';
      const style = prng.nextBelow(4);
      if (style < 2) transaction.currency = 'USD';
      else if (style === 2) transaction.amountMinor = Math.round(transaction.amountMinor / world.exchangeRate);
      else transaction.amountMinor = Math.round(transaction.amountMinor * world.exchangeRate);
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const reversedSign: Fault = {
  typology: 'E06',
  share: 5,
  rows: [1, 12],
  arm(desk, rows) {
    const operation = drawFrom(desk.prng, ['bill-payment', 'transfer', 'cash-withdrawal', 'purchase'] as const);
    return desk.armed(rows, 24, (transaction) => {
      if (!isPaid(transaction) || transaction.operation !== operation || !drawChance(desk.prng, 0.2))
        return 'untouched';
      transaction.amountMinor = -transaction.amountMinor;
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const batchReplay: Fault = {
  typology: 'E07',
  share: 9,
  rows: [3, 90],
  arm(desk, rows) {
    const hasNewNumbers = drawChance(desk.prng, 0.4);
    // Lines of the day's deferred files, sent once more on the next day.
    return desk.armed(rows, 40, (transaction) => {
      const isLine = transaction.channel === 'batch' && transaction.rail === 'cce-deferred' && isPaid(transaction);
      if (!isLine) return 'untouched';
      let timeMs = transaction.eventTimeMs + DAY;
      while (!isBusinessDay(limaDayNumber(timeMs))) timeMs += DAY;
      const copy: Draft = { ...transaction, eventTimeMs: timeMs };
      if (hasNewNumbers) copy.externalId = desk.freshNumber(transaction);
      const payee = desk.personOf(copy.payeeId);
      if (payee >= 0) desk.world.population.balance[payee]! += copy.amountMinor;
      desk.mark(copy, timeMs);
      desk.later(timeMs, copy);
      return 'spoilt';
    });
  },
};

const orphanLeg: Fault = {
  typology: 'E11',
  share: 6,
  rows: [1, 6],
  arm(desk, rows) {
    return desk.armed(rows, 24, (transaction) => {
      const shop =
        transaction.payeeId?.startsWith('B') === true ? Number(transaction.payeeId.slice(1)) - 1_000_000 : -1;
      const payer = desk.personOf(transaction.payerId);
      if (!isPosting(transaction) || shop < 0 || payer < 0 || !drawChance(desk.prng, 0.01)) return 'untouched';
      // A reversal that names an operation which nobody has.
      const timeMs = transaction.eventTimeMs + drawInteger(desk.prng, 1, 48) * HOUR;
      const copy: Draft = {
        ...transaction,
        eventTimeMs: timeMs,
        operation: 'reversal',
        channel: 'batch',
        payerId: transaction.payeeId,
        payerName: transaction.payeeName,
        payerDocument: transaction.payeeDocument,
        payerAccount: transaction.payeeAccount,
        payeeId: transaction.payerId,
        payeeName: transaction.payerName,
        payeeDocument: transaction.payerDocument,
        payeeAccount: transaction.payerAccount,
        externalId: `${desk.freshNumber(transaction)}R`,
        deviceId: null,
        ipAddress: null,
        authFactors: [],
        balanceAfterMinor: null,
      };
      desk.world.population.balance[payer]! += copy.amountMinor;
      desk.mark(copy, timeMs);
      desk.later(timeMs, copy);
      return 'spoilt';
    });
  },
};

const wrongTax: Fault = {
  typology: 'E13',
  share: 6,
  rows: [1, 20],
  arm(desk, rows) {
    const onExempt = drawChance(desk.prng, 0.35);
    return desk.armed(rows, 72, (transaction) => {
      if (onExempt) {
        if (transaction.operation !== 'payroll' || transaction.amountMinor < 100_000) return 'untouched';
        const copy: Draft = {
          ...transaction,
          eventTimeMs: transaction.eventTimeMs + 900,
          operation: 'tax',
          rail: 'internal',
          concept: 'ITF',
          payerId: transaction.payeeId,
          payerName: transaction.payeeName,
          payerDocument: transaction.payeeDocument,
          payerAccount: transaction.payeeAccount,
          ...desk.taxOffice(),
          amountMinor: itfMinor(transaction.amountMinor),
          externalId: `${transaction.externalId}T`,
        };
        desk.mark(copy, copy.eventTimeMs);
        desk.later(copy.eventTimeMs, copy);
        return 'spoilt';
      }
      if (transaction.operation !== 'tax') return 'untouched';
      transaction.amountMinor *= 10;
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const limitMisload: Fault = {
  typology: 'E14',
  share: 6,
  rows: [2, 40],
  arm(desk, rows) {
    const { prng, stage, world } = desk;
    for (let n = 0; n < rows; n++) {
      const timeMs = desk.startMs + prng.nextBelow(HOUR);
      const label = { typology: 'E14', reportMs: timeMs + drawInteger(prng, 1, 14) * HOUR };
      const fields = { status: 'approved' as const };
      if (drawChance(prng, 0.6)) {
        // More than a wallet may send in a day, at once.
        const payer = stage.person((person) => stage.hasWallet(person) && stage.balanceOf(person) > 260_000);
        const payee = world.population.contacts[payer * 10 + prng.nextBelow(4)]!;
        const most = Math.floor(stage.balanceOf(payer) / 10_000);
        const amountMinor = Math.max(21, Math.min(most, drawInteger(prng, 21, 60))) * 10_000;
        stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee, amountMinor, label, fields });
      } else {
        const { employers } = world.commerce;
        const payer = business(drawFrom(prng, [...employers.subarray(0, 40)]));
        const payee = business(drawFrom(prng, [...employers.subarray(0, 40)]));
        const amountMinor = drawInteger(prng, 301, 900) * 10_000;
        stage.put({ timeMs, kind: KIND.supplier, payer, payee, amountMinor, label, fields });
      }
    }
    return null;
  },
};

const TEST_NAMES = ['PRUEBA', 'PRUEBA QA', 'TEST TEST', 'USUARIO PRUEBA'];

const testData: Fault = {
  typology: 'E15',
  share: 5,
  rows: [2, 15],
  arm(desk, rows) {
    const { prng, stage } = desk;
    const name = drawFrom(prng, TEST_NAMES);
    for (let n = 0; n < rows; n++) {
      const timeMs = desk.startMs + n * drawInteger(prng, 20, 300) * 1000;
      const label = { typology: 'E15', reportMs: timeMs + drawInteger(prng, 30, 2000) * MINUTE };
      const payer = stage.person((person) => stage.hasWallet(person));
      const payee = stage.person(() => true);
      const fields = {
        payeeName: name,
        payeeDocument: '12345678',
        ...(drawChance(prng, 0.5) ? { concept: 'test' } : {}),
      };
      const amountMinor = drawFrom(prng, [1, 10, 100, 100, 123, 12_345]);
      stage.put({ timeMs, kind: KIND.walletToPerson, payer, payee, amountMinor, label, fields });
    }
    return null;
  },
};

export const POSTING_FAULTS: readonly Fault[] = [
  duplicate,
  decimalShift,
  currencyMix,
  reversedSign,
  batchReplay,
  orphanLeg,
  wrongTax,
  limitMisload,
  testData,
];
