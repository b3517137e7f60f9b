// What two versions of the decision did with the same labelled history, and the difference, in soles.
import { limaDayNumber } from '../../domain/calendar.ts';
import type { RuleAction } from '../../rules/rule.ts';
import { costOfVerdict, type DecisionCosts } from '../money-policy.ts';
import { type BootstrapUnit, type Interval, intervalOf, UnitSums } from './bootstrap.ts';

/** What is counted of a version. Money in céntimos of soles. */
export const QUANTITIES = [
  /** transactions that were not simply approved */
  'alerts',
  'caughtFrauds',
  'caughtMinor',
  'missedFrauds',
  'missedMinor',
  /** alerts on genuine transactions, and the distinct customers who had one */
  'goodAlerts',
  'goodCustomers',
  'unlabelledAlerts',
  /** by the costs given, of labelled transactions */
  'costMinor',
] as const;
export type Quantity = (typeof QUANTITIES)[number];

export interface Measured {
  readonly value: number;
  readonly interval: Interval;
}

export type Outcome = Readonly<Record<Quantity | 'precision', Measured>>;

export interface ComparisonResult {
  readonly transactions: number;
  /** From the first to the last one counted, both days included. */
  readonly days: number;
  readonly frauds: number;
  readonly fraudMinor: number;
  readonly unlabelled: number;
  /** Without a known worth in soles: counted, not priced. */
  readonly unpriced: number;
  readonly live: Outcome;
  readonly candidate: Outcome;
  /** Candidate − live. */
  readonly difference: Outcome;
}

export interface ComparedRow {
  readonly timeMs: number;
  /** A time far behind or ahead of the others is an error, and no part of the period. */
  readonly inTime: boolean;
  readonly customer: string;
  /** true fraud or error, false genuine, null unknown */
  readonly label: boolean | null;
  /** NaN where it is not known. */
  readonly worthMinor: number;
  readonly live: RuleAction;
  readonly candidate: RuleAction;
}

const WIDTH = QUANTITIES.length;
const PLACE = Object.fromEntries(QUANTITIES.map((quantity, index) => [quantity, index])) as Record<Quantity, number>;

export class Comparison {
  readonly #costs: DecisionCosts;
  readonly #unit: BootstrapUnit;
  readonly #sums = new UnitSums(2 * WIDTH);
  /** Genuine customers with an alert, per version. */
  readonly #touched = [new Set<string>(), new Set<string>()];
  #transactions = 0;
  #firstDay = Number.POSITIVE_INFINITY;
  #lastDay = Number.NEGATIVE_INFINITY;
  #frauds = 0;
  #fraudMinor = 0;
  #unlabelled = 0;
  #unpriced = 0;

  constructor(costs: DecisionCosts, unit: BootstrapUnit) {
    this.#costs = costs;
    this.#unit = unit;
  }

  add({ timeMs, inTime, customer, label, worthMinor, live, candidate }: ComparedRow): void {
    const day = limaDayNumber(timeMs);
    this.#transactions += 1;
    if (inTime) {
      this.#firstDay = Math.min(this.#firstDay, day);
      this.#lastDay = Math.max(this.#lastDay, day);
    }
    if (label === null) this.#unlabelled += 1;
    const known = !Number.isNaN(worthMinor);
    if (!known) this.#unpriced += 1;
    const worth = known ? worthMinor : 0;
    if (label === true) {
      this.#frauds += 1;
      this.#fraudMinor += worth;
    } else if (live === 'approve' && candidate === 'approve') return;
    const sums = this.#sums.of(this.#unit === 'day' ? String(day) : customer);
    this.#count(sums, 0, live, label, worth, customer);
    this.#count(sums, 1, candidate, label, worth, customer);
  }

  #count(
    sums: Float64Array,
    version: 0 | 1,
    action: RuleAction,
    label: boolean | null,
    worth: number,
    customer: string,
  ): void {
    const more = (quantity: Quantity, by: number): void => {
      sums[version * WIDTH + PLACE[quantity]] += by;
    };
    const isAlert = action !== 'approve';
    if (isAlert) more('alerts', 1);
    if (label === null) {
      if (isAlert) more('unlabelledAlerts', 1);
      return;
    }
    more('costMinor', costOfVerdict(action, label, worth, this.#costs));
    if (label) {
      more(isAlert ? 'caughtFrauds' : 'missedFrauds', 1);
      more(isAlert ? 'caughtMinor' : 'missedMinor', worth);
    } else if (isAlert) {
      more('goodAlerts', 1);
      if (!this.#touched[version].has(customer)) {
        this.#touched[version].add(customer);
        more('goodCustomers', 1);
      }
    }
  }

  result(seed: number): ComparisonResult {
    const total = this.#sums.total();
    const replicates = this.#sums.replicates(seed);
    const outcome = (read: (sums: Float64Array, place: number) => number, share: (sums: Float64Array) => number) =>
      Object.fromEntries([
        ...QUANTITIES.map((quantity) => {
          const of = (sums: Float64Array) => read(sums, PLACE[quantity]);
          return [quantity, { value: of(total), interval: intervalOf(replicates.map(of)) }] as const;
        }),
        ['precision', { value: share(total), interval: intervalOf(replicates.map(share)) }] as const,
      ]) as Outcome;
    return {
      ...{ transactions: this.#transactions, days: Math.max(0, this.#lastDay - this.#firstDay + 1) || 0 },
      ...{ frauds: this.#frauds, fraudMinor: this.#fraudMinor },
      ...{ unlabelled: this.#unlabelled, unpriced: this.#unpriced },
      live: outcome(
        (sums, place) => sums[place],
        (sums) => precisionOf(sums, 0),
      ),
      candidate: outcome(
        (sums, place) => sums[WIDTH + place],
        (sums) => precisionOf(sums, 1),
      ),
      difference: outcome(
        (sums, place) => sums[WIDTH + place] - sums[place],
        (sums) => precisionOf(sums, 1) - precisionOf(sums, 0),
      ),
    };
  }
}

/** Of the labelled alerts. */
function precisionOf(sums: Float64Array, version: 0 | 1): number {
  const caught = sums[version * WIDTH + PLACE.caughtFrauds];
  return caught / (caught + sums[version * WIDTH + PLACE.goodAlerts]);
}
