// A kept list: who or what is on it, since when, until when, why and by whom. Blocks, trusts, watches; politically exposed
// and sanctioned people by name.
//
// Exact lists are looked up in a map, lists of names by likeness (name-index.ts); the best one is what a rule sees.
import type { RuleList } from '../rules/names.ts';
import { createNameIndex } from './name-index.ts';
import type { NameVocabulary } from './name-vocabulary.ts';

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
  /** Its place among the entries. */
  readonly index: number;
  readonly similarity: number;
}

export interface KeptList {
  readonly definition: ListDefinition;
  readonly size: number;
  /** The entry that is most like the value and in force at the time; null where none is like it at all. */
  find(value: string, timeMs: number): ListMatch | null;
}

export const MAX_ENTRIES = 2_000_000;

/** @param vocabulary of a list of names, as it was before: what it has in common with this one is not read again */
export function createKeptList(
  definition: ListDefinition,
  entries: readonly ListEntry[],
  vocabulary?: NameVocabulary,
): KeptList {
  if (entries.length > MAX_ENTRIES) {
    throw new Error(`list ${definition.name}: ${entries.length} entries, the limit is ${MAX_ENTRIES}`);
  }
  const find = definition.match === 'exact' ? exactFinder(entries) : nameFinder(entries, vocabulary);
  return { definition, size: entries.length, find };
}

/** As rules see it. @param timeOf when the input happened: an entry counts while it is in force then */
export function ruleListOf<Input>(list: KeptList, timeOf: (input: Input) => number): RuleList<Input> {
  const { name, match, threshold } = list.definition;
  // Several rules ask about the same name of one transaction, and a name is dear to look up.
  let lastValue: string | null = null;
  let lastMs = Number.NaN;
  let lastSimilarity = 0;
  let lastPlace = -1;
  const similarity = (value: string, input: Input) => {
    const timeMs = timeOf(input);
    if (value === lastValue && timeMs === lastMs) return lastSimilarity;
    lastValue = value;
    lastMs = timeMs;
    const found = list.find(value, timeMs);
    lastSimilarity = found === null ? 0 : found.similarity;
    lastPlace = found === null ? -1 : found.index;
    return lastSimilarity;
  };
  return {
    name,
    cost: match === 'exact' ? 3 : 300,
    similarity,
    placeOf: (value, input) => {
      similarity(value, input);
      return lastPlace;
    },
    has: (value, input) => similarity(value, input) >= (match === 'exact' ? 1 : threshold),
  };
}

export function isListedAt({ fromMs, untilMs }: ListEntry, timeMs: number): boolean {
  return timeMs >= fromMs && (untilMs === null || timeMs < untilMs);
}

function exactFinder(entries: readonly ListEntry[]): KeptList['find'] {
  const firsts = new Map<string, number>();
  /** Of values that were listed again. */
  const later = new Map<string, number[]>();
  entries.forEach(({ value }, index) => {
    if (!firsts.has(value)) firsts.set(value, index);
    else if (later.get(value)?.push(index) === undefined) later.set(value, [index]);
  });
  return (value, timeMs) => {
    const first = firsts.get(value);
    if (first === undefined) return null;
    const index = isListedAt(entries[first], timeMs)
      ? first
      : later.get(value)?.find((each) => isListedAt(entries[each], timeMs));
    return index === undefined ? null : { entry: entries[index], index, similarity: 1 };
  };
}

function nameFinder(entries: readonly ListEntry[], vocabulary?: NameVocabulary): KeptList['find'] {
  const names = entries.map(({ value }) => value);
  const index = createNameIndex(names, vocabulary);
  return (value, timeMs) => {
    const match = index.find(value, (each) => isListedAt(entries[each], timeMs));
    if (match === null) return null;
    const { index: place, similarity } = match;
    return { entry: entries[place], index: place, similarity };
  };
}
