// What each rule of a set is worth on labelled history: what it hits, what only it catches, whom it touches, what it saves.
//
// A rule's worth to the set is what would change without it: the same verdict is taken once more without the rule (or, of a
// shadow rule, with it), and the difference in cost is the rule's. Rules that ask `fired(…)` are not evaluated again.
import { isoDate, limaDayNumber, MS_PER_DAY, startOfLimaDayMs } from '../../domain/calendar.ts';
import { type Rule, type RuleAction, ruleVersion } from '../../rules/rule.ts';
import { costOfVerdict, type DecisionCosts } from '../money-policy.ts';
import { decide, type RuleHit, type Verdict, type VerdictInput, type VerdictPolicy } from '../verdict.ts';
import { type Interval, intervalOf, UnitSums } from './bootstrap.ts';
import { type Proposal, proposalFor } from './proposals.ts';

export interface WeekOfRule {
  /** Monday, as YYYY-MM-DD. */
  readonly week: string;
  readonly hits: number;
  readonly labelled: number;
  readonly frauds: number;
  /** null without labelled hits */
  readonly precision: number | null;
}

export interface Overlap {
  readonly rule: string;
  readonly hits: number;
  /** Of this rule's hits. */
  readonly share: number;
}

export interface Trend {
  /** Precision of the labelled hits in the first and in the second half of the weeks. */
  readonly earlier: number;
  readonly later: number;
  /** The difference in standard errors: below −2 the rule has probably got worse. */
  readonly z: number;
}

export interface RuleRecord {
  readonly rule: string;
  readonly name: Rule['name'];
  readonly action: RuleAction;
  readonly mode: Rule['mode'];
  readonly hits: number;
  readonly labelled: number;
  readonly frauds: number;
  readonly precision: number | null;
  /** Worth of the frauds it hits, céntimos. */
  readonly caughtMinor: number;
  /** Frauds that would be approved without it (of a shadow rule: that it would add). */
  readonly uniqueFrauds: number;
  readonly uniqueMinor: number;
  /** Transactions whose action would be another without it. */
  readonly decisive: number;
  readonly goodCustomers: number;
  /** What it saves compared with no rules and no model at all, céntimos. */
  readonly savedAloneMinor: number;
  /** What the set saves by having it, céntimos; less than 0 where it costs. */
  readonly savedMinor: number;
  readonly savedInterval: Interval;
  readonly weeks: readonly WeekOfRule[];
  readonly trend: Trend | null;
  /** The three rules that fire with it most. */
  readonly overlaps: readonly Overlap[];
  readonly proposal: Proposal;
}

export interface LedgerRow {
  readonly given: VerdictInput;
  readonly verdict: Verdict;
  readonly timeMs: number;
  /** A time far behind or ahead of the others is an error, and no part of the period. */
  readonly inTime: boolean;
  readonly customer: string;
  readonly label: boolean | null;
}

interface Tally {
  hits: number;
  labelled: number;
  frauds: number;
  caughtMinor: number;
  uniqueFrauds: number;
  uniqueMinor: number;
  decisive: number;
  savedAloneMinor: number;
  readonly goodCustomers: Set<string>;
  readonly saved: UnitSums;
  readonly weeks: Map<number, { hits: number; labelled: number; frauds: number }>;
  readonly together: Map<number, number>;
}

const DAYS_OF_WEEK = 7;
/** Day 0 is a Thursday. */
const THURSDAY = 3;
const MOST_OVERLAPS = 3;

export class RuleLedger {
  readonly #rules: readonly Rule[];
  readonly #policy: VerdictPolicy;
  readonly #costs: DecisionCosts;
  readonly #tallies: readonly Tally[];
  readonly #numbers: ReadonlyMap<string, number>;
  #firstMs = Number.POSITIVE_INFINITY;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(rules: readonly Rule[], policy: VerdictPolicy, costs: DecisionCosts) {
    this.#rules = rules;
    this.#policy = { ...policy, control: null, severest: null };
    this.#costs = costs;
    this.#tallies = rules.map(createTally);
    this.#numbers = new Map(rules.map((rule, index) => [ruleVersion(rule), index]));
  }

  add(row: LedgerRow): void {
    if (row.inTime) {
      this.#firstMs = Math.min(this.#firstMs, row.timeMs);
      this.#lastMs = Math.max(this.#lastMs, row.timeMs);
    }
    const { hits, silenced } = row.given;
    if (hits.length + silenced.length === 0) return;
    const all: RuleHit[] =
      hits.length === 0 ? [...silenced] : silenced.length === 0 ? [...hits] : [...hits, ...silenced];
    const numbers = all.map(({ rule }) => this.#numbers.get(rule)!);
    hits.forEach((hit, index) => {
      const without = { ...row.given, hits: hits.filter((other) => other !== hit) };
      this.#hit(numbers[index], row, hit, row.verdict.intended, this.#decided(without));
    });
    silenced.forEach((hit, index) => {
      if (hit.silence !== 'shadow') return;
      const withIt = { ...row.given, hits: [...hits, hit] };
      this.#hit(numbers[hits.length + index], row, hit, this.#decided(withIt), row.verdict.intended);
    });
    for (const number of numbers) {
      const { together } = this.#tallies[number];
      for (const other of numbers) if (other !== number) together.set(other, (together.get(other) ?? 0) + 1);
    }
  }

  #decided(given: VerdictInput): RuleAction {
    return decide(given, this.#policy).intended;
  }

  #hit(number: number, row: LedgerRow, hit: RuleHit, withIt: RuleAction, without: RuleAction): void {
    const tally = this.#tallies[number];
    const { label, customer } = row;
    const worth = Number.isNaN(row.given.amountMinor) ? 0 : row.given.amountMinor;
    const week = Math.floor((limaDayNumber(row.timeMs) + THURSDAY) / DAYS_OF_WEEK);
    const ofWeek = tally.weeks.get(week) ?? { hits: 0, labelled: 0, frauds: 0 };
    tally.weeks.set(week, ofWeek);
    tally.hits += 1;
    ofWeek.hits += 1;
    if (withIt !== without) tally.decisive += 1;
    if (label === null) return;
    tally.labelled += 1;
    ofWeek.labelled += 1;
    const cost = (action: RuleAction) => costOfVerdict(action, label, worth, this.#costs);
    tally.savedAloneMinor += cost('approve') - cost(hit.action);
    if (withIt !== without) tally.saved.of(customer)[0] += cost(without) - cost(withIt);
    if (!label) {
      tally.goodCustomers.add(customer);
      return;
    }
    tally.frauds += 1;
    ofWeek.frauds += 1;
    tally.caughtMinor += worth;
    if (without === 'approve' && withIt !== 'approve') {
      tally.uniqueFrauds += 1;
      tally.uniqueMinor += worth;
    }
  }

  /** In the order of the rules. */
  records(seed: number): RuleRecord[] {
    const days = Math.max(0, (this.#lastMs - this.#firstMs) / MS_PER_DAY) || 0;
    return this.#rules.map((rule, index) => {
      const tally = this.#tallies[index];
      const { hits, labelled, frauds } = tally;
      const weeks = weeksOf(tally);
      const figures = {
        ...{ rule: ruleVersion(rule), name: rule.name, action: rule.action, mode: rule.mode, hits, labelled, frauds },
        precision: labelled === 0 ? null : frauds / labelled,
        ...{ caughtMinor: tally.caughtMinor, uniqueFrauds: tally.uniqueFrauds, uniqueMinor: tally.uniqueMinor },
        ...{ decisive: tally.decisive, goodCustomers: tally.goodCustomers.size },
        savedAloneMinor: tally.savedAloneMinor,
        savedMinor: tally.saved.total()[0],
        savedInterval: intervalOf(tally.saved.replicates(seed).map(([saved]) => saved)),
        ...{ weeks, trend: trendOf(weeks), overlaps: this.#overlapsOf(tally) },
      };
      return { ...figures, proposal: proposalFor(figures, days) };
    });
  }

  #overlapsOf({ together, hits }: Tally): Overlap[] {
    return [...together]
      .sort((a, b) => b[1] - a[1] || a[0] - b[0])
      .slice(0, MOST_OVERLAPS)
      .map(([other, count]) => ({ rule: ruleVersion(this.#rules[other]), hits: count, share: count / hits }));
  }
}

function createTally(): Tally {
  return {
    ...{ hits: 0, labelled: 0, frauds: 0, caughtMinor: 0, uniqueFrauds: 0, uniqueMinor: 0, decisive: 0 },
    ...{ savedAloneMinor: 0, goodCustomers: new Set(), saved: new UnitSums(1), weeks: new Map(), together: new Map() },
  };
}

function weeksOf({ weeks }: Tally): WeekOfRule[] {
  return [...weeks]
    .sort(([a], [b]) => a - b)
    .map(([week, { hits, labelled, frauds }]) => {
      const monday = startOfLimaDayMs(week * DAYS_OF_WEEK - THURSDAY);
      const precision = labelled === 0 ? null : frauds / labelled;
      return { week: isoDate(limaDayNumber(monday)), hits, labelled, frauds, precision };
    });
}

/** null where a half has no labelled hits. */
function trendOf(weeks: readonly WeekOfRule[]): Trend | null {
  const middle = weeks.length >>> 1;
  const [first, second] = [weeks.slice(0, middle), weeks.slice(middle)].map((half) => ({
    labelled: half.reduce((sum, { labelled }) => sum + labelled, 0),
    frauds: half.reduce((sum, { frauds }) => sum + frauds, 0),
  }));
  if (first.labelled === 0 || second.labelled === 0) return null;
  const earlier = first.frauds / first.labelled;
  const later = second.frauds / second.labelled;
  const pooled = (first.frauds + second.frauds) / (first.labelled + second.labelled);
  const error = Math.sqrt(pooled * (1 - pooled) * (1 / first.labelled + 1 / second.labelled));
  return { earlier, later, z: error === 0 ? 0 : (later - earlier) / error };
}
