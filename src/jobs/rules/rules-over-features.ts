// Rules over the features that are there: those that look at others do not fire.
//
// A catalogue made for cards at terminals has no features of payees, and a file may lack the columns that features are made
// of. A rule over such features is left out, and so is one that asks about a rule that was left out: what it says would be
// a guess. A name that no catalogue has is a mistake, and is told.
import { createRuleVocabulary, RISK_NAME, type RuleInput, SCORE_PREFIX } from '../../decisions/rule-names.ts';
import type { RuleOverride } from '../../decisions/verdict.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { RuleVocabulary } from '../../rules/names.ts';
import { namesUsed, rulesAsked } from '../../rules/names-used.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { compileRuleSet, type RuleSet } from '../../rules/rule-set.ts';
import { rulesError } from '../replay/versions.ts';
import type { RuleLists } from './rule-lists.ts';

/** Rules that a job evaluates on every row. */
export interface EvaluatedRules {
  readonly placed: readonly PlacedRule[];
  readonly overrides: readonly RuleOverride[];
  readonly lists: RuleLists;
  /** Names of all detectors that there are, whose scores rules may speak of. */
  readonly detectors: readonly string[];
}

/** No rules at all. */
export const NO_RULES: EvaluatedRules = { placed: [], overrides: [], lists: new Map(), detectors: [] };

export interface WhatRulesSee {
  /** The engine's, in their order. */
  readonly definitions: readonly FeatureDefinition[];
  /** Names of the model's detectors, in their order; null: rules are evaluated without a model, and see no risk. */
  readonly scored: readonly string[] | null;
}

/** @throws InputError RULES_INVALID with every problem of the rules */
export function rulesOverFeatures(
  { placed, lists, detectors }: EvaluatedRules,
  { definitions, scored }: WhatRulesSee,
): RuleSet<RuleInput> {
  const everything = [...definitions, ...CATALOGUE_NAMES.flatMap(catalogueNamed)];
  compiled(placed, createRuleVocabulary(everything, [...new Set([...detectors, ...(scored ?? [])])], lists));
  const vocabulary = createRuleVocabulary(definitions, scored ?? [], lists);
  const isThere = (name: string) =>
    vocabulary.names.has(name) && (scored !== null || !(name === RISK_NAME || name.startsWith(SCORE_PREFIX)));
  let kept = placed.filter(({ rule }) => [...namesUsed([rule])].every(isThere));
  for (let before = -1; before !== kept.length; ) {
    before = kept.length;
    const ids = new Set(kept.map(({ rule }) => rule.id));
    kept = kept.filter(({ rule }) => rulesAsked(rule).every((id) => ids.has(id)));
  }
  return compiled(kept, vocabulary);
}

function compiled(placed: readonly PlacedRule[], vocabulary: RuleVocabulary<RuleInput>): RuleSet<RuleInput> {
  const { set, problems } = compileRuleSet(placed, vocabulary);
  if (set === null) throw rulesError(problems);
  return set;
}
