// Short rules for what nothing catches: a beam search over conjunctions of at most three conditions, one rule after another.
//
// Each rule is chosen for the money it saves on the sample, and the frauds it catches are taken out before the next is
// sought (sequential covering, as in CN2: Clark and Niblett, "The CN2 induction algorithm", 1989), so that no two rules of
// the result say the same. A rule must hold for several customers in several weeks: one victim is no pattern.
import type { Expression } from '../../rules/node.ts';
import { costOfVerdict, type DecisionCosts } from '../money-policy.ts';
import { type Bits, both, countBits, countBoth, createBits, rowsOf, setBit, without } from './bits.ts';
import type { Literal } from './literals.ts';
import type { MinedRow } from './sample.ts';

export interface SearchSettings {
  readonly most: number;
  /** Of what a rule flags. */
  readonly minPrecision: number;
  readonly minFrauds: number;
  readonly costs: DecisionCosts;
  /** How many genuine transactions one of the sample stands for. */
  readonly genuineWeight: number;
}

export interface FoundRule {
  readonly conditions: readonly Expression[];
  /** On the sample that was searched: not what the rule is worth. */
  readonly frauds: number;
  readonly precision: number;
  readonly savedMinor: number;
}

interface Candidate {
  readonly literals: readonly Literal[];
  readonly frauds: Bits;
  readonly fraudCount: number;
  readonly genuineCount: number;
  readonly precision: number;
  readonly savedMinor: number;
}

const LONGEST = 3;
const BEAM = 60;
const MIN_CUSTOMERS = 3;
const MIN_WEEKS = 2;
/** One great fraud must not make a rule. */
const CAP_QUANTILE = 0.95;

export function searchRules(
  literals: readonly Literal[],
  frauds: readonly MinedRow[],
  settings: SearchSettings,
): FoundRule[] {
  const worths = cappedWorths(frauds);
  const rating = new Rating(worths, settings);
  let open = createBits(frauds.length);
  for (let row = 0; row < frauds.length; row++) setBit(open, row);
  const found: FoundRule[] = [];
  while (found.length < settings.most) {
    const best = bestRule(literals, open, frauds, rating, settings);
    if (best === null) break;
    const { fraudCount, precision, savedMinor } = best;
    const conditions = best.literals.map(({ expression }) => expression);
    found.push({ conditions, frauds: fraudCount, precision, savedMinor });
    open = without(open, best.frauds);
  }
  return found;
}

/** Rows of a candidate in the beam: only those that are extended need them. */
interface Parent {
  readonly candidate: Candidate;
  readonly genuine: Bits;
}

class Rating {
  readonly #worths: Float64Array;
  readonly #settings: SearchSettings;
  readonly #perGenuineMinor: number;

  constructor(worths: Float64Array, settings: SearchSettings) {
    this.#worths = worths;
    this.#settings = settings;
    this.#perGenuineMinor = costOfVerdict('review', false, 0, settings.costs) * settings.genuineWeight;
  }

  /** null where there are too few frauds, or where the condition only makes the rule longer. */
  candidate(literal: Literal, open: Bits, parent: Parent | null): Candidate | null {
    const { minFrauds, genuineWeight, costs } = this.#settings;
    const among = parent === null ? open : parent.candidate.frauds;
    const fraudCount = countBoth(among, literal.frauds);
    if (fraudCount < minFrauds) return null;
    const genuineCount = parent === null ? countBits(literal.genuine) : countBoth(parent.genuine, literal.genuine);
    if (parent !== null && genuineCount === parent.candidate.genuineCount) return null;
    const frauds = both(among, literal.frauds);
    let savedMinor = -genuineCount * this.#perGenuineMinor;
    for (const row of rowsOf(frauds)) {
      const worth = this.#worths[row];
      savedMinor += costOfVerdict('approve', true, worth, costs) - costOfVerdict('review', true, worth, costs);
    }
    const literals = parent === null ? [literal] : [...parent.candidate.literals, literal];
    const precision = fraudCount / (fraudCount + genuineCount * genuineWeight);
    return { literals, frauds, fraudCount, genuineCount, precision, savedMinor };
  }
}

function bestRule(
  literals: readonly Literal[],
  open: Bits,
  rows: readonly MinedRow[],
  rating: Rating,
  settings: SearchSettings,
): Candidate | null {
  let beam: readonly Parent[] = [];
  let best: Candidate | null = null;
  for (let length = 1; length <= LONGEST; length++) {
    const parents: readonly (Parent | null)[] = length === 1 ? [null] : beam;
    const next = new Map<string, Candidate>();
    for (const parent of parents) {
      const names = new Set(parent?.candidate.literals.map(({ name }) => name) ?? []);
      for (const literal of literals) {
        if (names.has(literal.name)) continue;
        const candidate = rating.candidate(literal, open, parent);
        if (candidate === null) continue;
        // The same conditions in another order, or others that hold for as many: one of them is enough.
        const key = `${candidate.fraudCount} ${candidate.savedMinor}`;
        if (!next.has(key)) next.set(key, candidate);
      }
    }
    const all = [...next.values()];
    if (length > 1) {
      const sound = all
        .filter(({ precision, savedMinor }) => precision >= settings.minPrecision && savedMinor > 0)
        .sort((a, b) => b.savedMinor - a.savedMinor)
        .find((candidate) => isPattern(candidate, rows));
      if (sound !== undefined && (best === null || sound.savedMinor > best.savedMinor)) best = sound;
    }
    beam = length === LONGEST ? [] : promising(all).map((candidate) => ({ candidate, genuine: genuineOf(candidate) }));
  }
  return best;
}

function genuineOf({ literals }: Candidate): Bits {
  return literals.slice(1).reduce((bits, { genuine }) => both(bits, genuine), literals[0].genuine);
}

/** Half by money, half by how far they are from chance: what will be precise in the end saves little at first. */
function promising(candidates: readonly Candidate[]): Candidate[] {
  const by = (value: (candidate: Candidate) => number) =>
    [...candidates].sort((a, b) => value(b) - value(a)).slice(0, BEAM / 2);
  const precise = by(({ precision, fraudCount }) => precision * Math.sqrt(fraudCount));
  return [...new Set([...by(({ savedMinor }) => savedMinor), ...precise])];
}

function isPattern({ frauds }: Candidate, rows: readonly MinedRow[]): boolean {
  const caught = [...rowsOf(frauds)].map((row) => rows[row]);
  return (
    new Set(caught.map(({ customer }) => customer)).size >= MIN_CUSTOMERS &&
    new Set(caught.map(({ week }) => week)).size >= MIN_WEEKS
  );
}

function cappedWorths(rows: readonly MinedRow[]): Float64Array {
  const worths = Float64Array.from(rows, ({ worthMinor }) => (Number.isNaN(worthMinor) ? 0 : worthMinor));
  const cap = Float64Array.from(worths).sort()[Math.floor(CAP_QUANTILE * Math.max(0, worths.length - 1))] ?? 0;
  return worths.map((worth) => Math.min(worth, cap));
}
