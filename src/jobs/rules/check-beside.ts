// Rules checked beside those in force: in a thread of their own for the service, where a draft at the limits would hold
// decisions up for some hundred milliseconds; where it is asked for on the command line.
import { createRuleVocabulary, type RuleInput } from '../../decisions/rule-names.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError } from '../../lib/errors.ts';
import type { ListDefinition } from '../../lists/kept-list.ts';
import type { RuleVocabulary } from '../../rules/names.ts';
import { outlineOf, type RuleOutline } from '../../rules/outline.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { TaskThread } from '../threads/task-thread.ts';
import { type CheckedRules, checkRules, type RuleFiles } from './check-rules.ts';
import { emptyRuleLists } from './rule-lists.ts';
import { receivedRule, type SentRule, sentRule } from './sent-rules.ts';

export interface CheckedFiles extends Pick<CheckedRules, 'tests' | 'untested' | 'problems'> {
  readonly placed: readonly SentRule[];
  /** One for each of `placed`. */
  readonly outlines: readonly RuleOutline[];
}

/** @throws InputError where there is no thread to check in, or the check takes too long */
export type CheckBeside = (files: RuleFiles, inForce: readonly PlacedRule[]) => Promise<CheckedFiles>;

/** What a thread of checks knows beforehand. */
export interface CheckThreadData {
  /** All that there are, whether the stream computes them or not. */
  readonly definitions: readonly FeatureDefinition[];
  readonly detectors: readonly string[];
}

export interface CheckTask {
  readonly files: RuleFiles;
  readonly inForce: readonly SentRule[];
  /** Lists that rules may ask; what is on them is of no matter. */
  readonly lists: readonly ListDefinition[];
}

export interface RunningChecks {
  readonly check: CheckBeside;
  stop(): Promise<void>;
}

const MOST_WAITING = 16;
const DEADLINE_MS = 10_000;
const MEMORY_MB = 512;

export const checkHere =
  (vocabulary: RuleVocabulary<RuleInput>): CheckBeside =>
  async (files, inForce) =>
    checkedFiles(checkRules(files, vocabulary, inForce));

/** @param module answers `CheckTask` by `performCheck` */
export function startChecks(
  module: URL,
  data: CheckThreadData,
  lists: () => Promise<readonly ListDefinition[]>,
  deadlineMs = DEADLINE_MS,
): RunningChecks {
  const thread = new TaskThread<CheckTask, CheckedFiles>({
    ...{ entry: { module, data }, mostWaiting: MOST_WAITING, deadlineMs, memoryMb: MEMORY_MB },
    full: () =>
      new InputError('RULE_CHECKS_FULL', `${MOST_WAITING} checks of rules wait already`, 'Try again in some seconds'),
    tooMuch: () =>
      new InputError(
        'RULE_CHECK_LIMIT',
        `Checking the rules took more than ${deadlineMs / 1000} seconds, or more than ${MEMORY_MB} MB`,
        'Split the rule, put long enumerations on a list, or send fewer tests at once',
      ),
  });
  return {
    check: async (files, inForce) => thread.perform({ files, inForce: inForce.map(sentRule), lists: await lists() }),
    stop: () => thread.stop(),
  };
}

/** In the thread. */
export function performCheck({ definitions, detectors }: CheckThreadData, task: CheckTask): CheckedFiles {
  const vocabulary = createRuleVocabulary(definitions, detectors, emptyRuleLists(task.lists));
  return checkedFiles(checkRules(task.files, vocabulary, task.inForce.map(receivedRule)));
}

function checkedFiles({ placed, tests, untested, problems }: CheckedRules): CheckedFiles {
  return {
    ...{ placed: placed.map(sentRule), tests, untested, problems },
    outlines: placed.map(({ rule }) => outlineOf(rule)),
  };
}
