// What decides in a stream: a stored model and rules, and how they change while it runs.
import { createHash } from 'node:crypto';
import type { DecisionThresholds } from '../../decisions/decision.ts';
import type { VerdictPolicy } from '../../decisions/verdict.ts';
import type { ControlLists, ControlRecord, ControlThresholds } from '../../domain/stream-records.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError, StreamUnavailableError } from '../../lib/errors.ts';
import { createDecider } from '../../pipeline/decide-transactions.ts';
import type { LiveVersion } from '../../pipeline/stream/partition-fold.ts';
import { type VersionSource, VersionUnavailableError } from '../../pipeline/stream/versions.ts';
import { type StoredModel, thresholdsOf } from '../../registry/model-store.ts';
import { ModelError } from '../../registry/packed-model.ts';
import { printExpression } from '../../rules/print-expression.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { ruleVersion } from '../../rules/rule.ts';
import { rulesError } from '../replay/versions.ts';
import { readRuleFile } from '../rules/check-rules.ts';
import type { RuleLists } from '../rules/rule-lists.ts';
import { type EvaluatedRules, rulesOverFeatures } from '../rules/rules-over-features.ts';

export interface LiveSettings {
  readonly model: StoredModel | null;
  readonly rules: EvaluatedRules;
  readonly control: VerdictPolicy['control'];
  /** @throws ModelError or InputError where there is no such model; anything else where the store does not answer */
  loadModel(id: string): Promise<StoredModel>;
  /**
   * The lists as they were at an entry of their history; left out where changes of lists are not taken.
   *
   * @throws InputError where this store does not have it; anything else where the store does not answer
   */
  readonly loadLists?: (at: ControlLists) => Promise<RuleLists>;
}

/** What one version was made of, to change a part of it. */
interface Parts {
  readonly model: StoredModel | null;
  /** Perhaps of another model, which they wait for. */
  readonly thresholds: ControlThresholds | null;
  readonly rules: EvaluatedRules;
}

const WITHOUT_MODEL = { reviewAtRisk: 1, holdAtRisk: 1 };

export function liveVersions(settings: LiveSettings): VersionSource {
  const { model, rules, control } = settings;
  const partsOf = new WeakMap<LiveVersion, Parts>();

  const make = (parts: Parts, definitions: readonly FeatureDefinition[]): LiveVersion => {
    checkFeatures(parts.model, definitions);
    const given = parts.thresholds !== null && parts.thresholds.model === parts.model?.id ? parts.thresholds : null;
    const thresholds = thresholdsInForce(parts.model, given);
    const set = rulesOverFeatures(parts.rules, {
      definitions,
      scored: parts.model?.model.parts.map(({ detector }) => detector.name) ?? [],
    });
    const policy: VerdictPolicy = { thresholds, control, severest: null };
    const { overrides } = parts.rules;
    const decider = createDecider({ rules: set, model: parts.model?.model ?? null, policy, overrides }, definitions);
    const version = {
      ...{ decider, model: parts.model?.id ?? null, rules: rulesHash(parts.rules.placed) },
      thresholds: given === null ? null : `review=${given.reviewAtRisk},hold=${given.holdAtRisk}`,
    };
    partsOf.set(version, parts);
    return version;
  };

  return {
    initial: async (definitions) => make({ model, thresholds: null, rules }, definitions),
    async change(from, change, definitions) {
      const before = partsOf.get(from)!;
      return make(await changed(before, change, settings), definitions);
    },
  };
}

/** Whole, as a replay compares them: what the model adds to its own (costs, losses) does not go with others. */
function thresholdsInForce(model: StoredModel | null, given: ControlThresholds | null): DecisionThresholds {
  if (model === null) return WITHOUT_MODEL;
  if (given === null) return thresholdsOf(model.description);
  return { reviewAtRisk: given.reviewAtRisk, holdAtRisk: given.holdAtRisk };
}

type Loaders = Pick<LiveSettings, 'loadModel' | 'loadLists'>;

async function changed(before: Parts, change: ControlRecord, { loadModel, loadLists }: Loaders): Promise<Parts> {
  const { model: id, thresholds = before.thresholds, rules: files, lists: listsAt } = change;
  const { overrides = before.rules.overrides } = change;
  const model = id === undefined ? before.model : id === null ? null : await loaded(`model ${id}`, () => loadModel(id));
  const lists = listsAt === undefined ? before.rules.lists : await listsOf(listsAt, loadLists);
  const placed = files === undefined ? before.rules.placed : placedOf(files);
  return { model, thresholds, rules: { ...before.rules, placed, overrides, lists } };
}

/** @throws InputError with every problem of the rules */
function placedOf(files: NonNullable<ControlRecord['rules']>): PlacedRule[] {
  const read = files.map(readRuleFile);
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) throw rulesError(problems);
  return read.flatMap((each) => each.rules);
}

function listsOf(at: ControlLists, load: LiveSettings['loadLists']): Promise<RuleLists> {
  if (load === undefined) throw new VersionUnavailableError('this worker takes no changes of lists');
  return loaded(`entry ${at.entry} of the lists`, () => load(at));
}

/** @throws VersionUnavailableError, StreamUnavailableError */
async function loaded<Value>(what: string, load: () => Promise<Value>): Promise<Value> {
  try {
    return await load();
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof ModelError || error instanceof InputError) throw new VersionUnavailableError(message);
    throw new StreamUnavailableError(`${what} cannot be read: ${message}`);
  }
}

function checkFeatures(model: StoredModel | null, definitions: readonly FeatureDefinition[]): void {
  const computed = new Set(definitions.map(({ id }) => id));
  const missing = model?.model.definitions.find(({ id }) => !computed.has(id));
  if (model === null || missing === undefined) return;
  throw new InputError(
    'FEATURE_NOT_COMPUTED',
    `${model.id} reads ${missing.id}, which the stream's features do not have`,
    'Start the workers with that model: the state is then made again with its features',
  );
}

/** What decisions call a set of rules: of all of a rule that has a part in a decision. */
export function rulesHash(placed: readonly PlacedRule[]): string {
  const told = placed.map(({ rule }) => [
    ...[ruleVersion(rule), rule.action, rule.severity, rule.mode, rule.fromMs, rule.untilMs, rule.reason],
    printExpression(rule.when),
  ]);
  return createHash('sha256').update(JSON.stringify(told)).digest('hex').slice(0, 16);
}
