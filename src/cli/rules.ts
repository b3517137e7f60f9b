// `rules`: what a fraud team keeps its rules with: check them and their tests, and put them into force by two people.

import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { ACT_OPTIONS, VOCABULARY_OPTIONS } from './rule-options.ts';
import { CHANGE_OPTIONS, CHANGES } from './rules-change.ts';
import { check } from './rules-check.ts';
import { HEALTH_OPTIONS, showRulesHealth } from './rules-health.ts';
import { names } from './rules-names.ts';
import { history, list, show } from './rules-show.ts';
import { SUGGEST_OPTIONS, writeSuggestions } from './rules-suggest.ts';

type Action = (what: string | undefined, options: OptionValues, context: CommandContext) => Promise<void>;

/** Of a file of history, which must be named. */
const ofHistory =
  (run: (path: string, options: OptionValues, context: CommandContext) => Promise<void>): Action =>
  async (path, options, context) => {
    if (path === undefined) throw new UsageError('rules health and rules suggest need a FILE of transactions');
    await run(path, options, context);
  };

const ACTIONS: Readonly<Record<string, Action>> = {
  ...{ check, test: check, names, list, show, history, ...CHANGES },
  ...{ health: ofHistory(showRulesHealth), suggest: ofHistory(writeSuggestions) },
};

export const rulesCommand: Command = {
  ...OUTLINES.rules,
  options: { ...VOCABULARY_OPTIONS, ...ACT_OPTIONS, ...CHANGE_OPTIONS, ...HEALTH_OPTIONS, ...SUGGEST_OPTIONS },
  async run([action, what], options, context) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new UsageError(`rules: there is no '${action}'; there are ${Object.keys(ACTIONS).join(', ')}`);
    }
    await ACTIONS[action](what, options, context);
  },
};
