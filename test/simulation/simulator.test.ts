// What a run of the simulator must be like: labelled, ordered, the same for the same seed, and Peruvian in its figures.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  dayNumberOf,
  isBusinessDay,
  limaDayNumber,
  limaHour,
  monthEndPayDay,
  quincenaPayDay,
} from '../../src/domain/calendar.ts';
import { isValidCci } from '../../src/domain/cci.ts';
import { isValidRuc } from '../../src/domain/ruc.ts';
import { SECURITY_OPERATIONS, type Transaction } from '../../src/domain/transaction.ts';
import { transactionJsonSchema } from '../../src/domain/transaction-schema.ts';
import { createSimulator, type SimulationOptions, type SimulationSummary } from '../../src/simulate/simulator.ts';

const CODES = [
  ...Array.from({ length: 20 }, (_, n) => `F${String(n + 1).padStart(2, '0')}`),
  ...Array.from({ length: 15 }, (_, n) => `E${String(n + 1).padStart(2, '0')}`),
];
const DAY_MS = 86_400_000;

function run(options: SimulationOptions, see: (transaction: Transaction) => void, most = Infinity): SimulationSummary {
  const simulator = createSimulator(options);
  let seen = 0;
  for (const batch of simulator.batches()) {
    for (const transaction of batch) {
      if (seen++ >= most) return simulator.summary();
      see(transaction);
    }
  }
  return simulator.summary();
}

/** FNV-1a over everything that a row says. */
function hashOf(options: SimulationOptions, most: number): number {
  let hash = 0x811c9dc5;
  run(
    options,
    (transaction) => {
      const text = JSON.stringify(transaction);
      for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    },
    most,
  );
  return hash >>> 0;
}

function median(values: number[]): number {
  values.sort((a, b) => a - b);
  return values[values.length >> 1]!;
}

const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('a run of 2,000 customers over 60 days', () => {
  const rows: Transaction[] = [];
  let summary: SimulationSummary;

  beforeAll(() => {
    summary = run({ customers: 2000, days: 60, seed: 7 }, (transaction) => rows.push(transaction));
  });

  afterAll(() => {
    rows.length = 0;
  });

  const genuine = () => rows.filter((row) => row.typology === null);
  const paid = (rails: readonly string[], operations: readonly string[]) =>
    genuine()
      .filter(
        (row) => row.status === 'approved' && rails.includes(row.rail ?? '') && operations.includes(row.operation),
      )
      .map((row) => row.amountMinor / 100);

  it('contains every typology and error, and the summary counts them', () => {
    expect(Object.keys(summary.byTypology).sort()).toEqual([...CODES].sort());
    const counted: Record<string, number> = {};
    for (const { typology } of rows) if (typology !== null) counted[typology] = (counted[typology] ?? 0) + 1;
    expect(counted).toEqual(summary.byTypology);
    expect(summary.rows).toBe(rows.length);
    expect(summary.frauds + summary.errors).toBe(rows.filter((row) => row.isFraud).length);
  });

  it('keeps fraud, error and look-alike rates in their ranges', () => {
    expect(summary.frauds / summary.rows).toBeGreaterThan(0.0012);
    expect(summary.frauds / summary.rows).toBeLessThan(0.003);
    expect(summary.errors / summary.rows).toBeGreaterThan(0.0004);
    expect(summary.errors / summary.rows).toBeLessThan(0.0011);
    expect(summary.hardNegatives).toBeGreaterThan(3 * summary.frauds);
    expect(summary.hardNegatives / summary.rows).toBeLessThan(0.03);
  });

  it('is ordered by ingest time, and by event time but for wrong clocks and late feeds', () => {
    const early = rows.findIndex((row, i) => i > 0 && row.ingestTimeMs! < rows[i - 1]!.ingestTimeMs!);
    expect(early, 'a row that arrives before the one above it').toBe(-1);
    const displaced = rows.filter((row) => row.eventTimeMs !== row.ingestTimeMs);
    expect(new Set(displaced.map((row) => row.typology))).toEqual(new Set(['E05', 'E10']));
  });

  it('gives every row another id', () => {
    expect(new Set(rows.map((row) => row.id)).size).toBe(rows.length);
  });

  it('repeats an external id only where a recipe asks for it', () => {
    const first = new Map<string, Transaction>();
    for (const row of rows) {
      if (row.externalId === null || row.operation === 'payment-claim') continue;
      const key = `${row.rail} ${row.externalId}`;
      const earlier = first.get(key);
      if (earlier === undefined) first.set(key, row);
      else expect(['E01', 'E07']).toContain(row.typology);
    }
  });

  it('follows the schema of the canonical transaction', () => {
    const validate = new Ajv2020({ strict: false }).compile(transactionJsonSchema());
    for (let i = 0; i < rows.length; i += 23) {
      expect(validate(rows[i]), JSON.stringify({ row: rows[i], errors: validate.errors })).toBe(true);
    }
  });

  it('labels fraud and error with a report that comes later, and says nothing of the rest', () => {
    const delays: number[] = [];
    expect(rows.filter((row) => row.isFraud !== (row.typology !== null))).toEqual([]);
    expect(genuine().filter((row) => row.labelTimeMs !== null)).toEqual([]);
    for (const row of rows) {
      if (row.typology === null) continue;
      expect(row.labelTimeMs! > row.ingestTimeMs!, row.typology).toBe(true);
      if (row.typology.startsWith('F')) delays.push((row.labelTimeMs! - row.eventTimeMs) / DAY_MS);
    }
    expect(median(delays)).toBeGreaterThan(1);
    expect(median(delays)).toBeLessThan(4);
  });

  it('writes valid account, RUC and DNI numbers but for the errors about them', () => {
    const spoilt = new Set(['E04', 'E08', 'E09', 'E15']);
    const isWhole = (account: string | null) =>
      account === null || (account.slice(3, 6) === '999' && isValidCci(account));
    const isDocument = (document: string | null) =>
      document === null || (document.length === 11 ? isValidRuc(document) : /^\d{8}$/.test(document));
    const wrongRows = rows.filter(
      (row) =>
        !(row.typology !== null && spoilt.has(row.typology)) &&
        !(
          isWhole(row.payerAccount) &&
          isWhole(row.payeeAccount) &&
          isDocument(row.payerDocument) &&
          isDocument(row.payeeDocument)
        ),
    );
    expect(wrongRows).toEqual([]);
    const wrong = rows.filter((row) => row.typology === 'E04' && row.responseCode === 'AC01');
    expect(wrong.length).toBeGreaterThan(0);
    for (const row of wrong) expect(isValidCci(row.payeeAccount!)).toBe(false);
  });

  it('moves no money in security events', () => {
    const isSilent = (row: Transaction) => SECURITY_OPERATIONS.has(row.operation) || row.operation === 'payment-claim';
    expect(rows.filter((row) => isSilent(row) && row.amountMinor !== 0)).toEqual([]);
    expect(rows.filter((row) => !isSilent(row) && row.amountMinor <= 0 && row.typology !== 'E06')).toEqual([]);
  });

  it('has amounts near the published figures', () => {
    const wallet = paid(['yape', 'plin'], ['transfer', 'purchase']);
    expect(median(wallet)).toBeGreaterThan(17);
    expect(median(wallet)).toBeLessThan(27);
    expect(mean(wallet)).toBeGreaterThan(38);
    expect(mean(wallet)).toBeLessThan(54);
    const toShops = paid(['yape', 'plin'], ['purchase']).length / wallet.length;
    expect(toShops).toBeGreaterThan(0.5);
    expect(toShops).toBeLessThan(0.68);
    const immediate = paid(['cce-immediate'], ['transfer']);
    expect(mean(immediate)).toBeGreaterThan(2150);
    expect(mean(immediate)).toBeLessThan(3230);
    expect(Math.max(...immediate)).toBeLessThanOrEqual(30_000);
    expect(Math.max(...wallet)).toBeLessThanOrEqual(500);
    const machines = paid(['cash'], ['cash-withdrawal']).length;
    expect(machines).toBeGreaterThan(1000);
    for (const row of genuine()) {
      if (row.channel === 'atm' && row.currency === 'PEN') expect(row.amountMinor % 2000).toBe(0);
    }
  });

  it('keeps the daily cap of a wallet but for the error that lifts it', () => {
    const sent = new Map<string, number>();
    for (const row of rows) {
      const isWallet = row.rail === 'yape' || row.rail === 'plin';
      const isOrdinary = row.typology === null || row.typology.startsWith('F');
      if (!isWallet || !isOrdinary || row.status !== 'approved' || row.payerId?.startsWith('P') !== true) continue;
      const key = `${row.payerId} ${limaDayNumber(row.eventTimeMs)}`;
      sent.set(key, (sent.get(key) ?? 0) + row.amountMinor);
    }
    for (const [key, amount] of sent) expect(amount, key).toBeLessThanOrEqual(200_000);
    expect(rows.some((row) => row.typology === 'E14' && row.rail === 'yape' && row.amountMinor > 200_000)).toBe(true);
  });

  it('peaks at midday and in the evening and sleeps at night', () => {
    const byHour = new Array<number>(24).fill(0);
    for (const row of rows) if (row.rail === 'yape' || row.rail === 'card') byHour[limaHour(row.eventTimeMs)]!++;
    const night = mean(byHour.slice(1, 5));
    const afternoon = mean(byHour.slice(15, 17));
    expect(mean(byHour.slice(12, 14))).toBeGreaterThan(1.15 * afternoon);
    expect(mean(byHour.slice(18, 21))).toBeGreaterThan(1.15 * afternoon);
    expect(night).toBeLessThan(afternoon / 8);
  });

  it('pays on business days and sees more cash drawn after pay days', () => {
    const payrollDays = new Map<number, number>();
    const cashByDay = new Map<number, number>();
    for (const row of genuine()) {
      const day = limaDayNumber(row.eventTimeMs);
      if (row.operation === 'payroll' && row.concept === 'HABERES')
        payrollDays.set(day, (payrollDays.get(day) ?? 0) + 1);
      if (row.channel === 'atm') cashByDay.set(day, (cashByDay.get(day) ?? 0) + 1);
    }
    for (const day of payrollDays.keys()) expect(isBusinessDay(day)).toBe(true);
    const payDay = monthEndPayDay(2026, 1);
    expect(payrollDays.get(payDay)!).toBeGreaterThan(500);
    const usual = median([...cashByDay.values()]);
    expect(cashByDay.get(payDay)!).toBeGreaterThan(1.5 * usual);
  });

  it('clears deferred payments on business days but for the error about that', () => {
    for (const row of rows) {
      if (row.rail !== 'cce-deferred' || row.typology === 'E05' || row.typology === 'E10') continue;
      expect(isBusinessDay(limaDayNumber(row.eventTimeMs)), `${row.typology} ${row.operation}`).toBe(
        row.typology !== 'E12',
      );
    }
  });

  it('has about half of its customers in Lima and Callao', () => {
    const places = new Map<string, string>();
    for (const row of rows) {
      if (row.channel === 'app' && row.payerId !== null && row.ubigeo !== null)
        places.set(row.payerId, row.ubigeo.slice(0, 2));
    }
    const lima = [...places.values()].filter((department) => department === '15' || department === '07').length;
    expect(lima / places.size).toBeGreaterThan(0.42);
    expect(lima / places.size).toBeLessThan(0.62);
  });

  it('gives devices of fraud cases the usual format and mules a life of their own', () => {
    expect(rows.filter((row) => row.deviceId !== null && !/^d-[0-9a-f]{16}$/.test(row.deviceId))).toEqual([]);
    const mules = new Set(rows.filter((row) => row.typology === 'F08').map((row) => row.payeeId));
    const busy = genuine().filter((row) => mules.has(row.payerId)).length;
    expect(busy).toBeGreaterThan(10 * mules.size);
  });
});

describe('the same for the same seed', () => {
  it('gives the golden hash of the first 50,000 rows', () => {
    expect(hashOf({ customers: 2000, days: 60, seed: 7 }, 50_000)).toBe(2874323594);
  });

  it('gives other rows for another seed', () => {
    const options = { customers: 300, days: 4 };
    expect(hashOf({ ...options, seed: 1 }, 1000)).not.toBe(hashOf({ ...options, seed: 2 }, 1000));
  });

  it('does not change people when there are more of them', () => {
    const peopleOf = (customers: number) => {
      const people = new Map<string, string>();
      run({ customers, days: 5, seed: 5, fraudRate: 0, errorRate: 0 }, (row) => {
        if (row.payerId?.startsWith('P') === true)
          people.set(row.payerId, `${row.payerName} ${row.payerDocument} ${row.payerAccount}`);
      });
      return people;
    };
    const fewer = peopleOf(300);
    const more = peopleOf(301);
    let shared = 0;
    for (const [id, person] of fewer) {
      if (!more.has(id)) continue;
      shared++;
      expect(more.get(id)).toBe(person);
    }
    expect(shared).toBeGreaterThan(200);
  });

  it('leaves out fraud and error when their rates are zero', () => {
    const summary = run({ customers: 400, days: 20, seed: 3, fraudRate: 0, errorRate: 0 }, () => {});
    expect([summary.frauds, summary.errors]).toEqual([0, 0]);
    expect(summary.hardNegatives).toBeGreaterThan(0);
  });
});

describe('the end of a year', () => {
  it('has Cyber Wow, and the gratificación on top of the salaries of December', () => {
    const online = new Map<number, number>();
    const salaries = new Map<string, number>();
    const bonuses: number[] = [];
    run({ customers: 800, days: 50, seed: 9, startDate: '2026-11-01', fraudRate: 0, errorRate: 0 }, (row) => {
      const day = limaDayNumber(row.eventTimeMs);
      if (row.channel === 'ecommerce') online.set(day, (online.get(day) ?? 0) + 1);
      if (row.operation !== 'payroll' || row.concept !== 'HABERES') return;
      if (day < dayNumberOf(2026, 12, 1))
        salaries.set(row.payeeId!, (salaries.get(row.payeeId!) ?? 0) + row.amountMinor);
      else if (day < quincenaPayDay(2026, 12)) bonuses.push(row.amountMinor / salaries.get(row.payeeId!)!);
    });
    const sale = dayNumberOf(2026, 11, 2);
    const during = mean([0, 1, 2, 3, 4].map((n) => online.get(sale + n)!));
    const afterwards = mean([14, 15, 16, 17, 18].map((n) => online.get(sale + n)!));
    expect(during / afterwards).toBeGreaterThan(1.9);
    expect(bonuses.length).toBeGreaterThan(150);
    expect(median(bonuses)).toBeCloseTo(1.09, 2);
  });
});

describe('the ledger', () => {
  it('has each balance equal the last one plus what came in minus what went out', () => {
    const expected = new Map<string, number>();
    const add = (id: string, amount: number) => {
      if (expected.has(id)) expected.set(id, expected.get(id)! + amount);
    };
    const wrong: string[] = [];
    let checked = 0;
    run({ customers: 500, days: 45, seed: 11, errorRate: 0 }, (row) => {
      const isCash = row.operation === 'cash-deposit';
      const isForeign = row.currency !== 'PEN';
      if (row.status === 'approved') {
        if (isForeign) {
          // Converted at the day's rate, which the row does not say.
          if (row.payerId !== null) expected.delete(row.payerId);
          if (row.payeeId !== null) expected.delete(row.payeeId);
        } else {
          if (row.payeeId !== null) add(row.payeeId, row.amountMinor);
          if (row.payerId !== null && row.balanceAfterMinor !== null && !(isCash && row.payeeId !== null)) {
            add(row.payerId, isCash ? row.amountMinor : -row.amountMinor);
          }
        }
      }
      if (row.payerId === null || row.balanceAfterMinor === null) return;
      const balance = expected.get(row.payerId);
      if (balance !== undefined) {
        if (row.balanceAfterMinor !== balance)
          wrong.push(`${row.id} ${row.operation} ${row.typology}: ${row.balanceAfterMinor}, not ${balance}`);
        checked++;
      }
      expected.set(row.payerId, row.balanceAfterMinor);
    });
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(checked).toBeGreaterThan(20_000);
  });
});

describe('options out of range', () => {
  it.each([
    [{ customers: 5, days: 10, seed: 1 }, /customers is 5/],
    [{ customers: 500, days: 0, seed: 1 }, /days is 0/],
    [{ customers: 500, days: 10, seed: 1.5 }, /seed is 1.5/],
    [{ customers: 500, days: 10, seed: 1, startDate: '5/1/2026' }, /startDate is "5\/1\/2026"/],
    [{ customers: 500, days: 10, seed: 1, fraudRate: 0.5 }, /fraudRate is 0.5/],
  ])('%o are refused with what is wrong', (options, message) => {
    expect(() => createSimulator(options)).toThrow(message);
  });
});

describe.runIf(process.env.CENTINELA_LONG_TESTS === '1')('long runs', () => {
  it('has every typology for other seeds too', () => {
    for (let seed = 20; seed < 30; seed++) {
      const summary = run({ customers: 2000, days: 60, seed }, () => {});
      expect(Object.keys(summary.byTypology).length, `seed ${seed}`).toBe(CODES.length);
    }
  }, 300_000);

  it('needs no more memory for ten times the days', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const peak = (days: number): number => {
      let most = 0;
      let seen = 0;
      run({ customers: 1000, days, seed: 4 }, () => {
        if (seen++ % 25_000 !== 0) return;
        collectGarbage();
        most = Math.max(most, process.memoryUsage().heapUsed);
      });
      return most;
    };
    peak(5);
    expect(peak(300)).toBeLessThan(peak(30) + 10_000_000);
  }, 300_000);
});

describe('look-alikes', () => {
  it('are told by their ids, are genuine, and change no transaction', () => {
    const size = { customers: 600, days: 20, seed: 5 };
    const told: string[] = [];
    const watched = createSimulator({ ...size, onLookAlike: (id) => told.push(id) });
    const rows = [...watched.batches()].flat();
    const byId = new Map(rows.map((row) => [row.id, row]));
    expect(new Set(told).size).toBe(told.length);
    expect(told.map((id) => byId.get(id)?.isFraud).every((isFraud) => isFraud === false)).toBe(true);
    // Some are struck by an error on their way, or held back.
    const { hardNegatives } = watched.summary();
    expect(told.length).toBeLessThanOrEqual(hardNegatives);
    expect(told.length).toBeGreaterThan(hardNegatives * 0.95);
    expect(rows).toEqual([...createSimulator(size).batches()].flat());
  });
});
