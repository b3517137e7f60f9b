// The lists that are always there, empty or not, so that rules can speak of them from the first day.
import type { ListDefinition } from './kept-list.ts';

/** Likeness from which a name counts as being on a list; bench/name-matching.ts says what it finds and what it costs. */
export const NAME_THRESHOLD = 0.9;

export const STANDARD_LISTS: readonly ListDefinition[] = [
  { name: 'bloqueados', purpose: 'block', match: 'exact', threshold: 1 },
  { name: 'confiables', purpose: 'trust', match: 'exact', threshold: 1 },
  { name: 'observados', purpose: 'watch', match: 'exact', threshold: 1 },
  { name: 'pep', purpose: 'pep', match: 'name', threshold: NAME_THRESHOLD },
  { name: 'sanciones', purpose: 'sanctions', match: 'name', threshold: NAME_THRESHOLD },
];
