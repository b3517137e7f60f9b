// E04 wrong account number, E05 wrong clock, E08 missing counterparty, E09 truncation and encoding, E10 late feed,
// E12 posting on a day without clearing. Recipes and their public sources: docs/simulator.md.
import { isBusinessDay, limaDayNumber } from '../../domain/calendar.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { Draft } from '../draft.ts';
import { drawChance, drawFrom, drawInteger } from '../sampling.ts';
import { DAY, HOUR, MINUTE } from '../stage.ts';
import type { Fault } from './faults.ts';

type Channel = Transaction['channel'];

function withDigitChanged(account: string, at: number, by: number): string {
  const digit = (Number(account[at]) + by) % 10;
  return `${account.slice(0, at)}${digit}${account.slice(at + 1)}`;
}

const wrongAccount: Fault = {
  typology: 'E04',
  share: 9,
  rows: [1, 4],
  arm(desk, rows) {
    const { prng, world } = desk;
    return desk.armed(rows, 48, (transaction) => {
      const isCandidate =
        transaction.operation === 'transfer' &&
        transaction.status === 'approved' &&
        transaction.payeeAccount !== null &&
        (transaction.rail === 'cce-immediate' || transaction.rail === 'cce-deferred') &&
        transaction.amountMinor > 0;
      if (!isCandidate || !drawChance(prng, 0.1)) return 'untouched';
      if (drawChance(prng, 0.7)) {
        // One digit typed wrong: the check digits catch it.
        desk.undo(transaction);
        transaction.payeeAccount = withDigitChanged(
          transaction.payeeAccount!,
          drawInteger(prng, 6, 19),
          drawInteger(prng, 1, 9),
        );
        transaction.status = 'declined';
        transaction.responseCode = 'AC01';
      } else {
        // A valid account of somebody else: only the name tells.
        const other = prng.nextBelow(world.population.size);
        transaction.payeeAccount = world.population.account[other]!;
      }
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const CHANNELS: readonly Channel[] = ['app', 'pos', 'agent', 'atm', 'ecommerce', 'web'];

const wrongClock: Fault = {
  typology: 'E05',
  share: 10,
  rows: [3, 120],
  arm(desk, rows) {
    const { prng } = desk;
    const channel = drawFrom(prng, CHANNELS);
    const style = prng.nextBelow(10);
    // UTC taken for Lima or the other way round, a clock that drifts, a date that was never set.
    const shiftMs = style < 4 ? -5 * HOUR : style < 7 ? 5 * HOUR : style < 9 ? drawInteger(prng, 7, 45) * MINUTE : 0;
    return desk.armed(rows, 10, (transaction) => {
      if (transaction.channel !== channel) return 'untouched';
      transaction.eventTimeMs = shiftMs === 0 ? prng.nextBelow(1000) : transaction.eventTimeMs + shiftMs;
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

const missingParty: Fault = {
  typology: 'E08',
  share: 10,
  rows: [2, 60],
  arm(desk, rows) {
    const { prng } = desk;
    const channel = drawFrom(prng, ['app', 'web', 'batch', 'agent'] as const);
    const style = prng.nextBelow(3);
    return desk.armed(rows, 8, (transaction) => {
      if (transaction.channel !== channel || transaction.amountMinor === 0 || !drawChance(prng, 0.25))
        return 'untouched';
      if (style === 0) {
        transaction.payeeName = null;
        transaction.payeeDocument = null;
        transaction.payeeAccount = null;
        transaction.payeeId = null;
      } else if (style === 1) {
        transaction.payerDocument = drawFrom(prng, ['00000000', '12345678', '11111111']);
        transaction.payerName = '0000';
      } else {
        transaction.payerName = null;
        transaction.payerDocument = null;
      }
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

/** UTF-8 bytes read as Latin-1: Ñ becomes Ã followed by a control character or a symbol. */
function misread(text: string): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) result += character;
    else if (code < 0x800) result += String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 63));
    else result += '?';
  }
  return result;
}

const hasAccent = (name: string | null): boolean => name !== null && /[^ -~]/.test(name);

const brokenText: Fault = {
  typology: 'E09',
  share: 8,
  rows: [2, 60],
  arm(desk, rows) {
    const { prng } = desk;
    const style = prng.nextBelow(4);
    return desk.armed(rows, 12, (transaction) => {
      if (!breakText(transaction, style)) return 'untouched';
      desk.mark(transaction);
      return 'spoilt';
    });
  },
};

function breakText(transaction: Draft, style: number): boolean {
  if (style === 0) {
    if (!hasAccent(transaction.payerName) && !hasAccent(transaction.payeeName)) return false;
    transaction.payerName = transaction.payerName === null ? null : misread(transaction.payerName);
    transaction.payeeName = transaction.payeeName === null ? null : misread(transaction.payeeName);
    return true;
  }
  if (style === 1) {
    // Read as a number: the leading zero is gone.
    if (transaction.payerDocument?.startsWith('0') !== true) return false;
    transaction.payerDocument = String(Number(transaction.payerDocument));
    return true;
  }
  if (transaction.payeeAccount === null || transaction.payeeAccount.length !== 20) return false;
  if (style === 2) {
    transaction.payeeAccount = transaction.payeeAccount.slice(1);
    return true;
  }
  // A spreadsheet's idea of an account number.
  transaction.payeeAccount = `${transaction.payeeAccount.slice(2, 3)}.${transaction.payeeAccount.slice(3, 5)}E+17`;
  return true;
}

const lateFeed: Fault = {
  typology: 'E10',
  share: 10,
  rows: [3, 200],
  arm(desk, rows) {
    const { prng } = desk;
    const channel = drawFrom(prng, ['app', 'pos', 'agent', 'atm', 'app', 'ecommerce'] as const);
    const minutes = drawInteger(prng, 10, 60);
    const resumeMs = desk.startMs + minutes * MINUTE;
    let held = 0;
    // Nothing arrives for a while, then everything at once; the event times are right.
    return desk.armed(rows, minutes / 60, (transaction) => {
      if (transaction.channel !== channel) return 'untouched';
      const arrivesMs = resumeMs + held * 40;
      held++;
      desk.mark(transaction, arrivesMs);
      desk.later(arrivesMs, transaction);
      return 'held';
    });
  },
};

const wrongDay: Fault = {
  typology: 'E12',
  share: 6,
  rows: [2, 30],
  arm(desk, rows) {
    return desk.armed(rows, 48, (transaction) => {
      const isDeferred =
        transaction.rail === 'cce-deferred' && transaction.operation === 'transfer' && transaction.amountMinor > 0;
      if (!isDeferred) return 'untouched';
      let timeMs = transaction.eventTimeMs + DAY;
      while (isBusinessDay(limaDayNumber(timeMs))) timeMs += DAY;
      transaction.eventTimeMs = timeMs;
      desk.mark(transaction, timeMs);
      desk.later(timeMs, transaction);
      return 'held';
    });
  },
};

export const DATA_FAULTS: readonly Fault[] = [wrongAccount, wrongClock, missingParty, brokenText, lateFeed, wrongDay];
