// What is live, as the commands on history take it: rules of files or of the rule book, the registry's lists, a model.

import type { VersionSpec } from '../jobs/replay/versions.ts';
import { type RuleLists, ruleLists, sealedRuleLists } from '../jobs/rules/rule-lists.ts';
import type { EvaluatedRules } from '../jobs/rules/rules-over-features.ts';
import { InputError } from '../lib/errors.ts';
import { STANDARD_LISTS } from '../lists/standard-lists.ts';
import type { KnownDetector } from '../models/detectors.ts';
import { loadModel, type StoredModel } from '../registry/model-store.ts';
import type { CommandContext, OptionSpec, OptionValues } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { policyOf } from './history-options.ts';
import { openObjectStore } from './object-store.ts';
import { defaultRules, readPlacedRules } from './rule-files.ts';
import { readableLists, ruleBookOf } from './rule-options.ts';

/** Instead of a folder: the rules in force in the registry's rule book. A folder of that name is `./book`. */
export const RULE_BOOK = 'book';

export const MODEL_OPTION = {
  type: 'text',
  value: 'ID',
  help: 'the live model; rules alone when not given',
} as const satisfies OptionSpec;

export const LISTS_OPTION = {
  type: 'text',
  help: "the registry's lists as they were when each transaction happened, or as they are now for all of history",
  choices: ['then', 'now'],
  default: 'then',
} as const satisfies OptionSpec;

export type LiveRules = Pick<VersionSpec, 'rules' | 'overrides'> & { readonly name: string };

/**
 * @param given a folder, a file, `book`, or nothing
 * @throws InputError where there is no such file, with every problem of the files, or for an empty rule book
 */
export async function readLiveRules(
  given: OptionValues[string],
  options: OptionValues,
  nowMs: number,
): Promise<LiveRules> {
  if (given !== RULE_BOOK) {
    const name = (given as string | undefined) ?? defaultRules();
    return { name, rules: (await readPlacedRules(name)).rules, overrides: [] };
  }
  const { rules, overrides } = await ruleBookOf(options).effectiveAt(nowMs);
  if (rules.length === 0) {
    throw new InputError(
      'RULES_NONE',
      `The rule book of ${options.registry} has no rules in force`,
      "Propose and approve some ('centinela rules propose FILE'), or give a folder of rules",
    );
  }
  return { name: RULE_BOOK, rules, overrides };
}

export async function modelOf(id: OptionValues[string], { registry }: OptionValues): Promise<StoredModel | null> {
  if (typeof id !== 'string') return null;
  return loadModel(openObjectStore(registry as string), id, detectorsHere());
}

/** Of the rules of `--rules` with the model of `--model`. */
export async function liveVersionOf(options: OptionValues, { nowMs }: CommandContext): Promise<VersionSpec> {
  const { rules, overrides } = await readLiveRules(options.rules, options, nowMs());
  const model = await modelOf(options.model, options);
  return { rules, overrides, model, policy: policyOf(model, null) };
}

/**
 * Rules for a job that evaluates them on every row, with the registry's lists by event time.
 *
 * @param given the value of --rules; null is returned for `none`
 */
export async function evaluatedRules(
  given: OptionValues[string],
  options: OptionValues,
  { nowMs }: Pick<CommandContext, 'nowMs'>,
  known: readonly KnownDetector[],
): Promise<EvaluatedRules | null> {
  if (given === 'none') return null;
  const { rules: placed, overrides } = await readLiveRules(given, options, nowMs());
  const lists = await keptListsOf(options, nowMs());
  return { placed, overrides, lists, detectors: known.map(({ name }) => name) };
}

/** Those of the registry, with all that is or was on them. */
export async function keptListsOf(options: OptionValues, nowMs: number): Promise<RuleLists> {
  const lists = await readableLists(options);
  if (lists === null) return sealedRuleLists(STANDARD_LISTS);
  return ruleLists(lists.values(), options.lists === 'now' ? nowMs : null);
}
