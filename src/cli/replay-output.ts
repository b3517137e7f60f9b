// A replay as the terminal and as programs read it.
import { figuresText } from '../decisions/governor-alert.ts';
import { percent } from '../decisions/reasons/format.ts';
import { formatMoney } from '../domain/money.ts';
import type { Verification } from '../jobs/replay/decision-log.ts';
import type { Replay } from '../jobs/replay/replay.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { episodesTold } from '../report/replay/episodes.ts';
import { figureRows, intervalText, signed, solesText } from '../report/replay/figures.ts';
import type { ChangedAlert, ReplayRun } from '../report/replay/replay-data.ts';
import {
  CHANGE_TEXTS,
  LABEL_TEXTS,
  PROPOSAL_TEXTS,
  RULE_CHANGE_TEXTS,
  SIGNAL_TEXTS,
  REPLAY_TEXTS as T,
} from '../report/replay/replay-texts.ts';
import type { Locale } from '../report/report-data.ts';
import { DECISION_TEXTS } from '../report/texts.ts';
import { plainTable } from './plain-table.ts';

const MOST_EXAMPLES = 3;

export function replayTable(replay: Replay, run: ReplayRun, locale: Locale): string {
  const { comparison, changes, otherAction, rules, governor, verification } = replay;
  const t = (text: { es: string; en: string }) => text[locale];
  const figures = plainTable(
    [
      { title: t(T.quantity) },
      ...[T.live, T.candidate, T.difference, T.interval].map((text) => ({ title: t(text), right: true })),
    ],
    figureRows(comparison, run.analysts).map((row) => [
      ...[t(row.label), row.live, row.candidate, row.difference, row.interval],
    ]),
  );
  const changed = changes
    .filter(({ count }) => count > 0)
    .map(({ change, label, count, worthMinor, examples }) => {
      const head = `${t(CHANGE_TEXTS[change])}, ${t(LABEL_TEXTS[label])}: ${count} (${solesText(worthMinor)})\n`;
      return (
        head +
        examples
          .slice(0, MOST_EXAMPLES)
          .map((each) => `  ${exampleLine(each, locale)}\n`)
          .join('')
      );
    })
    .join('');
  const ofInterest = rules.filter(({ change }) => change !== 'same');
  const ruleRows = ofInterest.map(({ change, record }) => [
    ...[record.rule, t(RULE_CHANGE_TEXTS[change]), String(record.hits)],
    record.precision === null ? '—' : percent(record.precision)[locale],
    ...[solesText(record.caughtMinor), `${record.uniqueFrauds} (${solesText(record.uniqueMinor)})`],
    ...[String(record.goodCustomers), signed(record.savedMinor, solesText)],
    ...[intervalText(record.savedInterval, solesText), t(PROPOSAL_TEXTS[record.proposal.kind])],
  ]);
  const ruleTable =
    ruleRows.length === 0
      ? ''
      : `\n${plainTable(
          [
            { title: t(T.rule) },
            { title: '' },
            ...[T.hits, { es: 'Precisión', en: 'Precision' }, T.caught, T.unique, T.customers, T.saved, T.interval].map(
              (text) => ({ title: t(text), right: true }),
            ),
            { title: t(T.proposal) },
          ],
          ruleRows,
        )}`;
  const episodes = episodesTold(governor).map(({ version, fromMs, untilMs, cause, began }) => {
    const until = untilMs === null ? t(T.toTheEnd) : limaTimestamp(untilMs).slice(0, 16);
    return `  ${t(version)}: ${limaTimestamp(fromMs).slice(0, 16)} – ${until}, ${t(SIGNAL_TEXTS[cause])}: ${t(figuresText(began))}\n`;
  });
  const last = `${comparison.transactions.toLocaleString('en-US')} ${t(T.transactions).toLowerCase()} · ${run.seconds.toFixed(1)} s · ${run.memoryMb} MB`;
  return [
    figures,
    changed === '' ? '' : `\n${changed}`,
    otherAction === 0 ? '' : `${otherAction} ${t(T.otherAction)}\n`,
    ruleTable,
    episodes.length === 0 ? '' : `\n${t(T.governor)}\n${episodes.join('')}`,
    verification === null ? '' : `\n${verificationText(verification)[locale]}\n`,
    `\n${last}\n`,
  ].join('');
}

function verificationText({ identical, different, onlyInFile, onlyInLog }: Verification) {
  const others = different + onlyInFile + onlyInLog;
  const n = (count: number) => count.toLocaleString('en-US');
  return {
    es: `${n(identical)} decisiones idénticas, ${n(others)} que no lo son`,
    en: `${n(identical)} decisions identical, ${n(others)} not`,
  };
}

function exampleLine(
  { id, amountMinor, currency, typology, live, candidate, values, ...more }: ChangedAlert,
  locale: Locale,
) {
  const actions = `${DECISION_TEXTS[live][locale]} → ${DECISION_TEXTS[candidate][locale]}`;
  const seen = values.map(({ name, value }) => `${name} ${value}`).join(', ');
  const why =
    more.rules.length > 0
      ? more.rules.join(', ')
      : more.risk === null
        ? ''
        : `${T.risk[locale]} ${more.risk.toFixed(3)}`;
  return [id, formatMoney(amountMinor, currency), typology, actions, why, seen].filter((part) => part).join(' · ');
}

/** Money as everywhere in programs: céntimos, in names that end in Minor. */
export function replayJson(replay: Replay, run: ReplayRun) {
  const { comparison, governor, verification, features, periodMs } = replay;
  const { days } = comparison;
  return {
    ...{ file: run.fileName, live: run.liveName, candidate: run.candidateName, periodMs, features, seed: run.seed },
    ...{ intervals: run.unit, costs: run.costs, seconds: run.seconds, peakMemoryMb: run.memoryMb },
    comparison,
    alertsPerAnalystDay: {
      live: comparison.live.alerts.value / (days * run.analysts || 1),
      candidate: comparison.candidate.alerts.value / (days * run.analysts || 1),
    },
    ...{ changes: replay.changes, otherAction: replay.otherAction, rules: replay.rules, governor, verification },
  };
}
