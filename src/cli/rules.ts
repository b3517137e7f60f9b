// `rules …`: what a fraud team does with its rules.
import { type Command, type OptionSpec, UsageError } from './command.ts';
import { HEALTH_OPTIONS, showRulesHealth } from './rules-health.ts';
import { SUGGEST_OPTIONS, writeSuggestions } from './rules-suggest.ts';

const SUBCOMMANDS = { health: showRulesHealth, suggest: writeSuggestions } as const;

const OPTIONS: Readonly<Record<string, OptionSpec>> = { ...HEALTH_OPTIONS, ...SUGGEST_OPTIONS };

export const rulesCommand: Command = {
  name: 'rules',
  summary: 'What rules are worth (health), and new ones mined from labelled history (suggest).',
  positional: ['health|suggest', 'FILE'],
  options: OPTIONS,
  async run([what, path], options, context) {
    if (!Object.hasOwn(SUBCOMMANDS, what)) {
      throw new UsageError(`rules: '${what}' is none of ${Object.keys(SUBCOMMANDS).join(', ')}`);
    }
    await SUBCOMMANDS[what as keyof typeof SUBCOMMANDS](path, options, context);
  },
};
