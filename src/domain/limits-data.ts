// Limits and thresholds of Peru's payment rails as dated data, to be edited: see docs/domain.md for each source.
//
// Most come from press and banks' pages, several contradict each other and some move every year: `uncertain` marks the
// ones to check before anyone is told that they are law.

/** UIT (Unidad Impositiva Tributaria), soles per year. Several limits are multiples of it. */
export const UIT_SOLES: Readonly<Record<number, number>> = {
  2018: 4150,
  2019: 4200,
  2020: 4300,
  2021: 4400,
  2022: 4600,
  2023: 4950,
  2024: 5150,
  2025: 5350,
  2026: 5500,
};

/** Soles per US dollar, ×1000, rounded average of the year: only to place a dollar threshold in soles, within 5 %. */
export const REFERENCE_RATES: Readonly<Record<number, number>> = {
  2018: 3290,
  2019: 3340,
  2020: 3500,
  2021: 3880,
  2022: 3840,
  2023: 3740,
  2024: 3750,
  2025: 3550,
  2026: 3360,
};

export type LimitKind =
  | 'max-per-operation'
  | 'max-per-day'
  | 'max-per-month'
  | 'min-per-operation'
  | 'strong-authentication'
  | 'means-of-payment'
  | 'register-single'
  | 'register-month';

export interface LimitRule {
  readonly id: string;
  readonly kind: LimitKind;
  /** A rail, or null for any. */
  readonly rail: string | null;
  /** A channel, or null for any. */
  readonly channel: string | null;
  readonly currency: 'PEN' | 'USD';
  /** Whole units of the currency; or null where `uit` gives it. */
  readonly amount: number | null;
  /** Multiple of the UIT of the year, ×10 (6 = 0.6 UIT); or null. */
  readonly uitTenths: number | null;
  /** First and last day in force, yyyy-mm-dd. */
  readonly from: string;
  readonly to: string | null;
  /** People split amounts to stay below it: it counts for `isNearThreshold`. */
  readonly splitTarget: boolean;
  readonly uncertain: boolean;
  readonly source: string;
}

const RULE: LimitRule = {
  id: '',
  kind: 'max-per-operation',
  rail: null,
  channel: null,
  currency: 'PEN',
  amount: null,
  uitTenths: null,
  from: '2018-01-01',
  to: null,
  splitTarget: true,
  uncertain: false,
  source: '',
};

const inBothCurrencies = (rule: LimitRule, pen: number, usd: number): LimitRule[] => [
  { ...rule, amount: pen },
  { ...rule, currency: 'USD', amount: usd },
];

const TIN = {
  ...RULE,
  id: 'tin-max',
  rail: 'cce-immediate',
  uncertain: true,
  source: 'S14; a bank prints S/ 60,000: S15',
};
const DEFERRED = { ...RULE, id: 'deferred-max', rail: 'cce-deferred', uncertain: true, source: 'S14' };
const LBTR = { ...RULE, id: 'lbtr-min', kind: 'min-per-operation', rail: 'lbtr', splitTarget: false } as const;
const YAPE = { ...RULE, rail: 'yape', uncertain: true, source: 'S18, S19' } as const;
const ATM = {
  ...RULE,
  id: 'atm-max-day',
  kind: 'max-per-day',
  channel: 'atm',
  uncertain: true,
  source: 'S21',
} as const;
const PIN = { ...RULE, id: 'contactless-no-pin', kind: 'strong-authentication', rail: 'card' } as const;
const E_MONEY = { ...RULE, rail: 'e-money', source: 'Res. SBS 00704-2026: S20' } as const;
const CASH = { ...RULE, id: 'means-of-payment', kind: 'means-of-payment', rail: 'cash' } as const;
const REGISTER = {
  ...RULE,
  uncertain: true,
  source: 'Res. SBS 2660-2015 arts. 49–54: S44, general knowledge',
} as const;

export const LIMIT_RULES: readonly LimitRule[] = [
  ...inBothCurrencies(TIN, 30_000, 10_000),
  ...inBothCurrencies(DEFERRED, 420_000, 75_000),
  ...inBothCurrencies({ ...LBTR, source: 'S14' }, 5_000, 2_000),
  { ...YAPE, id: 'yape-max-day', kind: 'max-per-day', amount: 500, to: '2022-12-31' },
  { ...YAPE, id: 'yape-max-day', kind: 'max-per-day', amount: 2_000, from: '2023-01-01' },
  { ...YAPE, id: 'yape-otp', kind: 'strong-authentication', amount: 500, from: '2023-01-01' },
  { ...YAPE, id: 'yape-max-month-in', kind: 'max-per-month', uitTenths: 50, splitTarget: false, from: '2024-01-01' },
  ...inBothCurrencies(ATM, 3_000, 800),
  ...inBothCurrencies({ ...PIN, splitTarget: false, from: '2023-01-01', source: 'S22' }, 80, 20),
  { ...E_MONEY, id: 'e-money-max', amount: 1_695, to: '2026-03-11', uncertain: true },
  { ...E_MONEY, id: 'e-money-max', uitTenths: 6, from: '2026-03-12' },
  { ...E_MONEY, id: 'e-money-month', kind: 'max-per-month', uitTenths: 28, splitTarget: false, from: '2026-03-12' },
  ...inBothCurrencies({ ...CASH, to: '2022-03-31', uncertain: true, source: 'Ley 28194' }, 3_500, 1_000),
  ...inBothCurrencies({ ...CASH, from: '2022-04-01', source: 'DL 1529: S25' }, 2_000, 500),
  { ...REGISTER, id: 'ro-single', kind: 'register-single', currency: 'USD', amount: 10_000 },
  { ...REGISTER, id: 'ro-month', kind: 'register-month', currency: 'USD', amount: 50_000, splitTarget: false },
];
