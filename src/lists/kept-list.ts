// A kept list: who or what is on it, since when, until when, why and by whom. Blocks, trusts, watches; politically exposed
// and sanctioned people by name.
//
// Exact lists are looked up in a map. Lists of names are indexed by the sounds of their words, so that a name is compared
// only with those that share one; the best likeness is what a rule sees.
import type { RuleList } from '../rules/names.ts';
import { nameSimilarity } from './name-similarity.ts';
import { type NameWord, wordsOf } from './name-words.ts';

export const PURPOSES = ['block', 'trust', 'watch', 'pep', 'sanctions'] as const;
export type ListPurpose = (typeof PURPOSES)[number];

export interface ListEntry {
  /** An id, account, document, device … exactly, or a name. */
  readonly value: string;
  readonly reason: string;
  /** Who says so: a case, a person's role, an authority's list. */
  readonly source: string;
  readonly fromMs: number;
  /** null: until it is taken off */
  readonly untilMs: number | null;
}

export interface ListDefinition {
  readonly name: string;
  readonly purpose: ListPurpose;
  readonly match: 'exact' | 'name';
  /** Of names: from this likeness on a name counts as being on the list, (0, 1]. */
  readonly threshold: number;
}

export interface ListMatch {
  readonly entry: ListEntry;
  readonly similarity: number;
}

export interface KeptList {
  readonly definition: ListDefinition;
  readonly size: number;
  /** The entry that is most like the value and in force at the time; null where none is like it at all. */
  find(value: string, timeMs: number): ListMatch | null;
}

export const MAX_ENTRIES = 2_000_000;
/** A word as common as this among the names tells nobody apart; others of the name do. */
const MAX_SAME_SOUND = 5000;

export function createKeptList(definition: ListDefinition, entries: readonly ListEntry[]): KeptList {
  if (entries.length > MAX_ENTRIES) {
    throw new Error(`list ${definition.name}: ${entries.length} entries, the limit is ${MAX_ENTRIES}`);
  }
  const find = definition.match === 'exact' ? exactFinder(entries) : nameFinder(entries);
  return { definition, size: entries.length, find };
}

/** As rules see it. @param timeOf when the input happened: an entry counts while it is in force then */
export function ruleListOf<Input>(list: KeptList, timeOf: (input: Input) => number): RuleList<Input> {
  const { name, match, threshold } = list.definition;
  const similarity = (value: string, input: Input) => list.find(value, timeOf(input))?.similarity ?? 0;
  return {
    name,
    cost: match === 'exact' ? 3 : 300,
    similarity,
    has: (value, input) => similarity(value, input) >= (match === 'exact' ? 1 : threshold),
  };
}

const inForce = ({ fromMs, untilMs }: ListEntry, timeMs: number) =>
  timeMs >= fromMs && (untilMs === null || timeMs < untilMs);

function exactFinder(entries: readonly ListEntry[]): KeptList['find'] {
  const byValue = new Map<string, ListEntry[]>();
  for (const entry of entries) {
    const same = byValue.get(entry.value);
    if (same === undefined) byValue.set(entry.value, [entry]);
    else same.push(entry);
  }
  return (value, timeMs) => {
    const entry = byValue.get(value)?.find((each) => inForce(each, timeMs));
    return entry === undefined ? null : { entry, similarity: 1 };
  };
}

function nameFinder(entries: readonly ListEntry[]): KeptList['find'] {
  const words: (readonly NameWord[])[] = entries.map(({ value }) => wordsOf(value));
  const bySound = new Map<string, number[]>();
  words.forEach((own, index) => {
    for (const sound of new Set(own.map((word) => word.sound))) {
      const same = bySound.get(sound);
      if (same === undefined) bySound.set(sound, [index]);
      else same.push(index);
    }
  });
  return (value, timeMs) => {
    const own = wordsOf(value);
    const seen = new Set<number>();
    let best: ListMatch | null = null;
    for (const { sound } of own) {
      const candidates = bySound.get(sound) ?? [];
      if (candidates.length > MAX_SAME_SOUND) continue;
      for (const index of candidates) {
        if (seen.has(index) || !inForce(entries[index], timeMs)) continue;
        seen.add(index);
        const similarity = nameSimilarity(own, words[index]);
        if (similarity > (best?.similarity ?? 0)) best = { entry: entries[index], similarity };
      }
    }
    return best;
  };
}
