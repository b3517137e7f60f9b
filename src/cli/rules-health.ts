// `rules health FILE`: what each rule is worth on labelled history, how it ages, and what to do with it.
import { percent } from '../decisions/reasons/format.ts';
import { type RulesHealth, rulesHealth } from '../jobs/replay/rules-health.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { intervalText, signed, solesText } from '../report/replay/figures.ts';
import { MODE_TEXTS, PROPOSAL_TEXTS, REPLAY_TEXTS as T } from '../report/replay/replay-texts.ts';
import type { Bilingual, Locale } from '../report/report-data.ts';
import type { CommandContext, OptionSpec, OptionValues } from './command.ts';
import { catalogueOf, FEATURES_OPTION, FILE_OPTIONS, fileOpener } from './file-options.ts';
import { RANGE_OPTIONS, rangeOf } from './history-options.ts';
import { keptListsOf, LISTS_OPTION, liveVersionOf, MODEL_OPTION } from './live-rules.ts';
import { plainTable } from './plain-table.ts';
import { createProgress } from './progress.ts';
import { RULES_FOLDER_OPTION } from './rule-files.ts';
import { COST_OPTIONS, costsOf } from './threshold-options.ts';

export const HEALTH_OPTIONS = {
  rules: RULES_FOLDER_OPTION,
  ...{ model: MODEL_OPTION, lists: LISTS_OPTION },
  ...RANGE_OPTIONS,
  ...COST_OPTIONS,
  mapping: FILE_OPTIONS.mapping,
  'max-bad-share': FILE_OPTIONS['max-bad-share'],
  features: FEATURES_OPTION,
  seed: FILE_OPTIONS.seed,
  lang: { type: 'text', help: 'language of the table', choices: ['es', 'en'], default: 'es' },
} as const satisfies Record<string, OptionSpec>;

export async function showRulesHealth(path: string, options: OptionValues, context: CommandContext): Promise<void> {
  const started = context.nowMs();
  const live = await liveVersionOf(options, context);
  const lists = await keptListsOf(options, started);
  const range = rangeOf(options);
  const costs = costsOf(options);
  const progress = createProgress(context.log, context.terminal, context.nowMs);
  const health = await rulesHealth({
    reader: await fileOpener(path, options, context, null)(),
    ...{ version: live, lists, catalogue: catalogueOf(options), range, costs, seed: options.seed as number },
    onProgress: (share) => progress.show('reading history', share),
  });
  progress.done();
  const seconds = (context.nowMs() - started) / 1000;
  context.out(
    options.json === true
      ? `${JSON.stringify({ ...health, costs, seconds })}\n`
      : tableOf(health, options.lang as Locale, seconds),
  );
}

const TITLES: readonly (Bilingual & { readonly right?: boolean })[] = [
  T.rule,
  { es: 'Modo', en: 'Mode' },
  { ...T.hits, right: true },
  { es: 'Precisión', en: 'Precision', right: true },
  { es: 'Antes → después', en: 'Early → late', right: true },
  { ...T.caught, right: true },
  { ...T.unique, right: true },
  { ...T.customers, right: true },
  { ...T.saved, right: true },
  { ...T.interval, right: true },
  { es: 'Coincide con', en: 'Fires with' },
  T.proposal,
];

function tableOf({ records, transactions, frauds, periodMs }: RulesHealth, locale: Locale, seconds: number): string {
  const share = (value: number | null) => (value === null ? '—' : percent(value)[locale]);
  const rows = records.map((record) => {
    const { trend, proposal, uniqueFrauds, overlaps } = record;
    const [other] = overlaps;
    return [
      ...[record.rule, MODE_TEXTS[record.mode][locale], record.hits.toLocaleString('en-US'), share(record.precision)],
      trend === null ? '—' : `${share(trend.earlier)} → ${share(trend.later)}`,
      solesText(record.caughtMinor),
      uniqueFrauds === 0 ? '0' : `${uniqueFrauds} (${solesText(record.uniqueMinor)})`,
      ...[record.goodCustomers.toLocaleString('en-US'), signed(record.savedMinor, solesText)],
      intervalText(record.savedInterval, solesText),
      other === undefined ? '' : `${other.rule.replace(/@\d+$/, '')} ${share(other.share)}`,
      `${PROPOSAL_TEXTS[proposal.kind][locale]}: ${proposal.reason[locale]}`,
    ];
  });
  const period =
    periodMs === null ? '' : ` · ${periodMs.map((timeMs) => limaTimestamp(timeMs).slice(0, 10)).join(' – ')}`;
  const figures = `${transactions.toLocaleString('en-US')} · ${frauds.toLocaleString('en-US')} ${T.frauds[locale]}`;
  return `${plainTable(
    TITLES.map(({ right, ...title }) => ({ title: title[locale], right: right === true })),
    rows,
  )}\n${figures}${period} · ${seconds.toFixed(1)} s\n`;
}
