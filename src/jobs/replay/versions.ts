// Puts versions of the decision together over one feature engine: only the features that their rules and models read.
import type { RuleInput } from '../../decisions/rule-names.ts';
import { createRuleVocabulary } from '../../decisions/rule-names.ts';
import type { RuleOverride, VerdictPolicy } from '../../decisions/verdict.ts';
import { createTransaction, type Transaction } from '../../domain/transaction.ts';
import { CATALOGUE_NAMES, definitionsFor } from '../../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { createFeatureEngine } from '../../features/engine.ts';
import { InputError } from '../../lib/errors.ts';
import { createDecider, type Decider } from '../../pipeline/decide-transactions.ts';
import { type FeatureFold, withLateLabels } from '../../pipeline/late-labels.ts';
import type { TransactionReader } from '../../ports.ts';
import type { StoredModel } from '../../registry/model-store.ts';
import { namesUsed } from '../../rules/names-used.ts';
import type { PlacedProblem, PlacedRule } from '../../rules/read-rules.ts';
import { compileRuleSet, type RuleSet } from '../../rules/rule-set.ts';
import { engineLimits } from '../read-features.ts';
import type { RuleLists } from '../rules/rule-lists.ts';

export interface VersionSpec {
  readonly rules: readonly PlacedRule[];
  /** What silences a rule for an entity, over all of history but for its end. */
  readonly overrides: readonly RuleOverride[];
  readonly model: StoredModel | null;
  readonly policy: VerdictPolicy;
}

export interface BuiltVersions {
  readonly definitions: readonly FeatureDefinition[];
  readonly engine: FeatureFold;
  readonly deciders: readonly Decider[];
}

const MOST_PROBLEMS = 20;
const ALL_FIELDS: ReadonlySet<keyof Transaction> = new Set(
  Object.keys(createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' })) as (keyof Transaction)[],
);

/**
 * A feature whose inputs the file lacks is there, and missing: its rules do not fire.
 *
 * @param also features that are computed whether they are read or not
 * @throws InputError RULES_INVALID with the problems, CATALOGUES_DIFFER
 */
export function buildVersions(
  specs: readonly VersionSpec[],
  reader: TransactionReader,
  catalogue: string | null,
  lists: RuleLists,
  also: readonly Pick<FeatureDefinition, 'id'>[] = [],
): BuiltVersions {
  const known = knownDefinitions(catalogue ?? reader.mapping.catalogue ?? CATALOGUE_NAMES[0], specs);
  for (const spec of specs) compile(spec, known, lists);
  const used = new Set([
    ...also.map(({ id }) => id),
    ...specs.flatMap(({ rules, model }) => [
      ...namesUsed(rules.map(({ rule }) => rule)),
      ...(model?.model.definitions.map(({ id }) => id) ?? []),
    ]),
  ]);
  const definitions = known.filter(({ id }) => used.has(id));
  const deciders = specs.map((spec) =>
    createDecider(
      {
        ...{ rules: compile(spec, definitions, lists), model: spec.model?.model ?? null },
        ...{ policy: spec.policy, overrides: spec.overrides },
      },
      definitions,
    ),
  );
  return { definitions, engine: withLateLabels(createFeatureEngine(definitions, engineLimits(reader))), deciders };
}

/** Of the models first, which learned from theirs; then of the catalogue, then of the others. */
function knownDefinitions(catalogue: string, specs: readonly VersionSpec[]): FeatureDefinition[] {
  const known = new Map<string, FeatureDefinition>();
  for (const { model } of specs) {
    for (const definition of model?.model.definitions ?? []) {
      const other = known.get(definition.id);
      if (other !== undefined && !computesSame(other, definition)) {
        throw new InputError(
          'CATALOGUES_DIFFER',
          `the two models mean different things by the feature ${definition.id}`,
          'Train one of them anew',
        );
      }
      known.set(definition.id, definition);
    }
  }
  for (const name of [catalogue, ...CATALOGUE_NAMES]) {
    for (const definition of definitionsFor(name, ALL_FIELDS)) {
      if (!known.has(definition.id)) known.set(definition.id, definition);
    }
  }
  return [...known.values()];
}

function computesSame(a: FeatureDefinition, b: FeatureDefinition): boolean {
  const computed = ({ meaning: _, missing, ...rest }: FeatureDefinition) =>
    JSON.stringify([Object.entries(rest).sort(([x], [y]) => (x < y ? -1 : 1)), String(missing)]);
  return computed(a) === computed(b);
}

function compile(
  { rules, model }: VersionSpec,
  definitions: readonly FeatureDefinition[],
  lists: RuleLists,
): RuleSet<RuleInput> {
  const detectors = model?.model.parts.map(({ detector }) => detector.name) ?? [];
  const { set, problems } = compileRuleSet(rules, createRuleVocabulary(definitions, detectors, lists));
  if (set === null) throw rulesError(problems);
  return set;
}

export function rulesError(problems: readonly PlacedProblem[]): InputError {
  const lines = problems
    .slice(0, MOST_PROBLEMS)
    .map(({ file, line, column, message, hint }) => `\n  ${file}:${line}:${column}: ${message}. ${hint}`);
  const more = problems.length > MOST_PROBLEMS ? `\n  and ${problems.length - MOST_PROBLEMS} more` : '';
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
  return new InputError('RULES_INVALID', `the rules have ${count}:${lines.join('')}${more}\n`, 'Correct them first');
}
