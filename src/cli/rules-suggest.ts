// `rules suggest FILE`: short candidate rules for the frauds that the live ones miss, written as a file of shadow rules.
import { rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { percent } from '../decisions/reasons/format.ts';
import { type Suggestion, type Suggestions, suggestRules } from '../jobs/replay/suggest-rules.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { intervalText, signed, solesText } from '../report/replay/figures.ts';
import { printExpression } from '../rules/print-expression.ts';
import type { Rule } from '../rules/rule.ts';
import { writeRules } from '../rules/write-rules.ts';
import type { CommandContext, OptionSpec, OptionValues } from './command.ts';
import { catalogueOf, fileOpener, makeFolder } from './file-options.ts';
import { keptListsOf, liveVersionOf } from './live-rules.ts';
import { createProgress } from './progress.ts';
import { costsOf } from './threshold-options.ts';

export const SUGGEST_OPTIONS = {
  out: { type: 'text', value: 'FILE', help: 'suggest: the YAML file to write', default: 'out/suggested-rules.yaml' },
  most: { type: 'number', help: 'suggest: at most so many rules', default: 10, minimum: 1, maximum: 100, whole: true },
  'earlier-share': {
    type: 'number',
    help: 'suggest: share of the file that is mined; the rest measures',
    default: 0.6,
    minimum: 0.1,
    maximum: 0.9,
  },
  'min-precision': {
    type: 'number',
    help: 'suggest: share of what a rule flags that must be fraud',
    default: 0.1,
    minimum: 0.001,
    maximum: 1,
  },
  'min-frauds': {
    type: 'number',
    help: 'suggest: a rule catches at least so many frauds that nothing else does',
    default: 6,
    minimum: 2,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

export async function writeSuggestions(path: string, options: OptionValues, context: CommandContext): Promise<void> {
  const started = context.nowMs();
  const live = await liveVersionOf(options, context);
  const lists = await keptListsOf(options, started);
  const progress = createProgress(context.log, context.terminal, context.nowMs);
  const suggestions = await suggestRules({
    open: fileOpener(path, options, context, null),
    ...{ live, lists, catalogue: catalogueOf(options), costs: costsOf(options), seed: options.seed as number },
    ...{ earlierShare: options['earlier-share'] as number, most: options.most as number },
    ...{ minPrecision: options['min-precision'] as number, minFrauds: options['min-frauds'] as number },
    onProgress: (what, share) => progress.show(what, share),
  });
  progress.done();
  const out = options.out as string;
  await makeFolder(dirname(out));
  await writeFile(`${out}.tmp`, fileOf(suggestions));
  await rename(`${out}.tmp`, out);
  const seconds = (context.nowMs() - started) / 1000;
  const { kept } = suggestions;
  context.out(
    options.json === true
      ? `${JSON.stringify({ ...suggestions, seconds })}\n`
      : `${kept.map(lineOf).join('')}${kept.length} rules of ${kept.length + suggestions.dropped.length} found held on the later part · ${seconds.toFixed(1)} s → ${out}\n`,
  );
}

function fileOf({ kept, cutMs }: Suggestions): string {
  const day = limaTimestamp(cutMs).slice(0, 10);
  const noted = kept.map((suggestion): Rule => ({ ...suggestion.rule, notes: notesOf(suggestion, day) }));
  return writeRules(noted, [
    `Sugeridas a partir de la historia anterior al ${day} y medidas desde ese día. Revíselas antes de usarlas.`,
    `Mined from the history before ${day} and measured from that day on. Look at them before they are used.`,
  ]);
}

function notesOf({ later, recall, weeks, weeksHeld }: Suggestion, day: string): string {
  const precision = percent(later.precision ?? 0).en;
  return `From ${day}: ${later.hits} hits, precision ${precision}, ${later.frauds} frauds (${percent(recall).en} of all), ${later.uniqueFrauds} that nothing else catches (${solesText(later.uniqueMinor)}), saves ${signed(later.savedMinor, solesText)} (${intervalText(later.savedInterval, solesText)}), held in ${weeksHeld} of ${weeks} weeks`;
}

function lineOf({ rule, later, recall, weeks, weeksHeld }: Suggestion): string {
  const figures = [
    `${later.hits} hits`,
    `precision ${percent(later.precision ?? 0).en}`,
    `recall ${percent(recall).en}`,
    `${later.uniqueFrauds} only it (${solesText(later.uniqueMinor)})`,
    `saves ${signed(later.savedMinor, solesText)} (${intervalText(later.savedInterval, solesText)})`,
    `${weeksHeld} of ${weeks} weeks`,
  ];
  return `${rule.id}: ${printExpression(rule.when)}\n  ${figures.join(' · ')}\n`;
}
