// From a detector's contributions to the few reasons an analyst reads and can check.
//
// Features that say the same thing (one code) become one reason, told by the most telling of them, with the weight of
// all. A feature that raised the score with an ordinary-looking value lends its weight to a reason of its kind, or is
// stated plainly as part of an uncommon combination: nothing ordinary is ever called high.
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { ReasonCode } from '../reason-codes.ts';
import { type Finding, greatestAge, hourOf, type Row } from './evidence.ts';
import { factOf, judge, kinOf, plainText } from './judge.ts';
import type { Reason } from './reason.ts';
import { upperFirst } from './words.ts';

export type { Reason } from './reason.ts';

export interface ReasonInput {
  readonly definitions: readonly FeatureDefinition[];
  /** The transaction's feature values, one per definition; NaN is missing. */
  readonly values: Float64Array | Float32Array;
  /** What each feature adds to the score, one per definition; positive is towards anomalous. */
  readonly contributions: Float64Array;
  readonly transaction: Transaction;
  /** At most so many reasons; 3 where not given. */
  readonly limit?: number;
  /** Currency of the features in money, where it is not the transaction's own. */
  readonly referenceCurrency?: string;
  /** Local time of the hours, minutes east of UTC; where not given as the row's own hour says, or Lima (−300). */
  readonly utcOffsetMinutes?: number;
  /** When the data begins: what starts there is not young, it only cannot be seen further back. */
  readonly historyStartMs?: number;
}

/** The time zone in which the row's hour was told, to the hour; null where the row has none. */
function offsetOf(input: ReasonInput): number | null {
  const hour = hourOf(input);
  if (!(hour >= 0 && hour < 24)) return null;
  const utcHour = Math.floor(input.transaction.eventTimeMs / 3_600_000) % 24;
  // The nearest of the two ways round the clock: −12 to +11 hours.
  return (((((Math.floor(hour) - utcHour + 12) % 24) + 24) % 24) - 12) * 60;
}

function dataPast({ transaction, historyStartMs }: ReasonInput): number {
  return historyStartMs === undefined
    ? Number.POSITIVE_INFINITY
    : Math.max(0, transaction.eventTimeMs - historyStartMs);
}

/** How far back the data reaches at this event, as far as it was said or the row tells: the greatest age in it. */
function knownPast(input: ReasonInput): number {
  if (input.historyStartMs !== undefined) return dataPast(input);
  const oldest = greatestAge(input);
  return Number.isNaN(oldest) ? Number.POSITIVE_INFINITY : oldest;
}

interface Share {
  readonly definition: FeatureDefinition;
  readonly value: number;
  /** Of the positive contributions; 0 where the feature did not raise the score. */
  readonly weight: number;
}

const DEFAULT_LIMIT = 3;
/** A reason with less weight than this is noise, unless it is the only one. */
const LEAST_WEIGHT = 0.05;
/** An uncommon combination is worth a line of its own from this weight on. */
const LEAST_COMBINATION = 0.25;
const COMBINED_FACTS = 3;
const COMBINATION = 'COMBINACION_INUSUAL';
const LIMA_OFFSET_MINUTES = -300;
/** Lets a telling feature without weight of its own speak for its kin. */
const SPEAKER_FLOOR = 0.02;

/**
 * At most `limit` reasons with different codes, strongest first, a mere combination last; none where nothing raised the
 * score.
 */
export function reasonsFor(input: ReasonInput): Reason[] {
  const limit = input.limit ?? DEFAULT_LIMIT;
  const shares = positiveShares(input);
  if (shares === null || limit <= 0) return [];
  const row: Row = {
    definitions: input.definitions,
    values: input.values,
    transaction: input.transaction,
    currency: input.referenceCurrency ?? input.transaction.currency,
    utcOffsetMinutes: input.utcOffsetMinutes ?? offsetOf(input) ?? LIMA_OFFSET_MINUTES,
    knownPastMs: knownPast(input),
    dataPastMs: dataPast(input),
  };
  const groups = new Map<ReasonCode, Group>();
  const rest: Share[] = [];
  for (const share of shares) {
    const finding = judge(share.definition, share.value, row);
    if (finding === null) rest.push(share);
    else addTo(groups, share, finding);
  }
  const left = rest.filter((share) => share.weight > 0 && !lend(groups, share));
  const told = [...groups.values()].filter(({ weight }) => weight >= LEAST_WEIGHT).sort((a, b) => b.weight - a.weight);
  const reasons = told.slice(0, limit).map(reasonOf);
  if (left.length === 0 || reasons.length === limit || groups.has(COMBINATION)) return reasons;
  const facts = factsOf(left, row).slice(0, COMBINED_FACTS);
  const weight = facts.reduce((sum, fact) => sum + weightOf(fact), 0);
  if (reasons.length > 0 && weight < LEAST_COMBINATION) return reasons;
  return [...reasons, combinationOf(facts, Math.min(1, weight), row)];
}

function positiveShares({ definitions, values, contributions }: ReasonInput): Share[] | null {
  let total = 0;
  for (const contribution of contributions) if (contribution > 0) total += contribution;
  if (!(total > 0) || total === Number.POSITIVE_INFINITY) return null;
  return definitions.map((definition, index) => {
    const contribution = contributions[index];
    return { definition, value: values[index], weight: contribution > 0 ? contribution / total : 0 };
  });
}

interface Group {
  readonly code: ReasonCode;
  weight: number;
  features: { readonly id: string; readonly weight: number }[];
  speaker: Finding;
  /** The speaker's weight × strength. */
  voice: number;
}

function addTo(groups: Map<ReasonCode, Group>, { definition, weight }: Share, finding: Finding): void {
  const voice = (weight + SPEAKER_FLOOR) * finding.strength;
  const group = groups.get(finding.code);
  const feature = { id: definition.id, weight };
  if (group === undefined) {
    groups.set(finding.code, { code: finding.code, weight, features: [feature], speaker: finding, voice });
    return;
  }
  group.weight += weight;
  group.features.push(feature);
  if (voice > group.voice) {
    group.speaker = finding;
    group.voice = voice;
  }
}

/** Adds the weight of an ordinary-looking feature to the reason of its kind; false where there is none. */
function lend(groups: Map<ReasonCode, Group>, { definition, weight }: Share): boolean {
  const kin = kinOf(definition);
  const group = kin === null ? undefined : groups.get(kin);
  if (group === undefined) return false;
  group.weight += weight;
  group.features.push({ id: definition.id, weight });
  return true;
}

function reasonOf({ code, weight, features, speaker }: Group): Reason {
  const spoken = features.filter((feature) => feature.weight > 0).sort((a, b) => b.weight - a.weight);
  const { es, en } = speaker.say();
  return { code, features: spoken.map(({ id }) => id), weight: Math.min(1, weight), es, en };
}

function combinationOf(facts: readonly Share[][], weight: number, row: Row): Reason {
  const plain = facts.map(([{ definition, value }]) => plainText(definition, value, row));
  const one = plain.length === 1;
  const es = plain.map((text) => text.es).join('; ');
  const en = plain.map((text) => text.en).join('; ');
  return {
    code: COMBINATION,
    features: facts.flat().map(({ definition }) => definition.id),
    weight,
    es: one ? upperFirst(es) : `Combinación poco común: ${es}`,
    en: one ? upperFirst(en) : `Uncommon combination: ${en}`,
  };
}

/** The shares by what they say, each fact led by its strongest; the strongest fact first. */
function factsOf(shares: readonly Share[], row: Row): Share[][] {
  const facts = new Map<string, Share[]>();
  for (const share of [...shares].sort((a, b) => b.weight - a.weight)) {
    const key = factOf(share.definition, row);
    const fact = facts.get(key);
    if (fact === undefined) facts.set(key, [share]);
    else fact.push(share);
  }
  return [...facts.values()].sort((a, b) => weightOf(b) - weightOf(a));
}

const weightOf = (fact: readonly Share[]): number => fact.reduce((sum, { weight }) => sum + weight, 0);
