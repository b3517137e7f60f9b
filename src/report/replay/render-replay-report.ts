// The page of a replay: what the candidate is worth against the live version, which alerts change, what each rule does.
import { figuresText } from '../../decisions/governor-alert.ts';
import { decimal, integer } from '../../decisions/reasons/format.ts';
import { type Difference, differenceChart } from '../charts/difference-chart.ts';
import { type Clock, clockOf } from '../clock.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import { LANGUAGE_BUTTONS, renderPage } from '../page.ts';
import type { Bilingual, Locale } from '../report-data.ts';
import { figure, periodText, secondsText } from '../sections/summary-section.ts';
import { TEXTS } from '../texts.ts';
import { changesSection } from './changes-section.ts';
import { episodesTold, type ToldEpisode } from './episodes.ts';
import { figureRows, intervalText, signed, solesText } from './figures.ts';
import type { ReplayData, ReplayRun } from './replay-data.ts';
import { QUANTITY_TEXTS, SIGNAL_TEXTS, REPLAY_TEXTS as T } from './replay-texts.ts';
import { rulesSection } from './rules-section.ts';

const MOST_EPISODES = 12;

export function renderReplayReport(data: ReplayData, run: ReplayRun, locale: Locale): string {
  const clock = clockOf(run);
  const body = html`${header(data, run, clock)}
${summary(data)}
${figures(data, run)}
${comparisonSection(data, run)}
${changesSection(data, clock)}
${rulesSection(data.rules)}
<div class="grid-sections">
${governorSection(data, clock)}
${notesSection(data, run, clock)}
</div>`;
  const titleOf = (language: Locale) => `${T.title[language]} · ${run.candidateName}`;
  return renderPage({ es: titleOf('es'), en: titleOf('en') }, body, locale);
}

function header({ periodMs }: ReplayData, { fileName, liveName, candidateName }: ReplayRun, clock: Clock): Html {
  return html`<header class="masthead"><div><p class="eyebrow">${both(TEXTS.madeBy)}</p><h1>${both(T.title)}</h1>
<p class="subtitle"><strong>${candidateName}</strong> ${both(T.against)} <strong>${liveName}</strong></p><p class="subtitle">${fileName}${periodMs === null ? null : html` · ${periodText(periodMs, clock)}`}</p></div>
${LANGUAGE_BUTTONS}</header>`;
}

/** What it comes to, in one sentence. */
function summary({ comparison }: ReplayData): Html {
  const { value, interval } = comparison.difference.costMinor;
  const isSame = Object.values(comparison.difference).every((measured) => !measured.value);
  if (isSame) return html`<section><p>${both(T.noDifference)}.</p></section>`;
  const sure = interval.high < 0 || interval.low > 0;
  const [low, high] = value < 0 ? [-interval.high, -interval.low] : [interval.low, interval.high];
  return html`<section><p>${both(value > 0 ? T.costs : T.saves)} <strong>${solesText(Math.abs(value))}</strong> (${both(T.withInterval)} ${intervalText({ low, high }, solesText)}); ${both(sure ? T.sure : T.unsure)}.</p></section>`;
}

function figures({ comparison }: ReplayData, { analysts }: ReplayRun): Html {
  const { live, candidate, difference, days } = comparison;
  const fromTo = (text: (value: number) => string, of: 'caughtMinor' | 'goodCustomers' | 'costMinor') =>
    html`${text(live[of].value)} → ${text(candidate[of].value)}`;
  const perDay = (alerts: number) => decimal(alerts / (days * analysts || 1), 1);
  const precision = (share: number) => (Number.isNaN(share) ? '—' : `${decimal(share * 100, 1)} %`);
  return html`<section class="figures" aria-label="Resumen / Summary">
${figure(signed(difference.costMinor.value, solesText), both(QUANTITY_TEXTS.costMinor), fromTo(solesText, 'costMinor'))}
${figure(signed(difference.caughtMinor.value, solesText), both(QUANTITY_TEXTS.caughtMinor), fromTo(solesText, 'caughtMinor'))}
${figure(signed(difference.goodCustomers.value, integer), both(QUANTITY_TEXTS.goodCustomers), fromTo(integer, 'goodCustomers'))}
${figure(perDay(candidate.alerts.value), both(T.perAnalystDay), html`${both(T.live)}: ${perDay(live.alerts.value)}`)}
${figure(precision(candidate.precision.value), both(QUANTITY_TEXTS.precision), html`${both(T.live)}: ${precision(live.precision.value)}`)}
</section>`;
}

function comparisonSection({ comparison }: ReplayData, { analysts }: ReplayRun): Html {
  const rows = figureRows(comparison, analysts).map(
    (row) =>
      html`<tr><th scope="row">${both(row.label)}</th><td class="num">${row.live}</td><td class="num">${row.candidate}</td><td class="num"><strong>${row.difference}</strong><br><span class="quiet">${row.interval}</span></td></tr>`,
  );
  const drawn: Difference[] = (['costMinor', 'caughtMinor', 'missedMinor'] as const).map((quantity) => {
    const { value, interval } = comparison.difference[quantity];
    return { label: QUANTITY_TEXTS[quantity], value, interval, text: signed(value, solesText) };
  });
  const heads = [T.live, T.candidate].map((text) => html`<th scope="col" class="num">${both(text)}</th>`);
  const last = html`<th scope="col" class="num">${both(T.difference)}<br><span class="quiet">${both(T.withInterval)}</span></th>`;
  return html`<section id="comparison"><h2>${both(T.comparison)}</h2><div class="columns wide"><div class="scroll"><table><thead><tr><th scope="col">${both(T.quantity)}</th>${heads}${last}</tr></thead><tbody>${rows}</tbody></table></div>
<figure><figcaption>${both(T.money)}</figcaption><p class="quiet">${both(T.moneyHint)}</p><div class="scroll">${differenceChart(drawn, (value) => signed(value, solesText), T.money)}</div></figure></div></section>`;
}

function governorSection({ governor }: ReplayData, clock: Clock): Html {
  const episodes = episodesTold(governor);
  const rows = episodes.slice(0, MOST_EPISODES).map((episode) => episodeRow(episode, clock));
  const left = episodes.length - rows.length;
  const inside =
    rows.length === 0
      ? html`<p>${both(T.governorQuiet)}</p>`
      : html`<div class="scroll"><table><thead><tr>${[T.version, T.from, T.until, T.cause].map((text) => html`<th scope="col">${both(text)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>${left === 0 ? null : html`<p class="quiet">${integer(left)} ${both(T.more)}.</p>`}<p class="quiet">${both(T.governorHint)}</p>`;
  return html`<section id="governor" class="half"><h2>${both(T.governor)}</h2>${inside}</section>`;
}

function episodeRow({ version, fromMs, untilMs, cause, began }: ToldEpisode, clock: Clock): Html {
  const at = (timeMs: number) => html`${both(clock.date(timeMs))} ${clock.time(timeMs)}`;
  return html`<tr><th scope="row">${both(version)}</th><td class="nowrap">${at(fromMs)}</td><td class="nowrap">${untilMs === null ? both(T.toTheEnd) : at(untilMs)}</td><td>${both(SIGNAL_TEXTS[cause])}<br><span class="quiet">${both(figuresText(began))}</span></td></tr>`;
}

function notesSection({ comparison, features }: ReplayData, run: ReplayRun, clock: Clock): Html {
  const { transactions, days, frauds, fraudMinor, unlabelled, unpriced } = comparison;
  const { reviewMinor, wrongDeclineMinor, lossGivenFraudShare, analystAccuracyShare } = run.costs;
  const note = (count: number, text: Bilingual) =>
    count === 0 ? NOTHING : html`<dd>${integer(count)} ${both(text)}</dd>`;
  const share = (value: number) => `${decimal(value * 100, 0)} %`;
  return html`<section id="notes" class="half"><h2>${both(T.notes)}</h2><dl class="facts">
<dt>${both(T.transactions)}</dt><dd>${integer(transactions)} · ${integer(days)} ${both({ es: 'días', en: 'days' })}</dd><dd>${integer(frauds)} ${both(T.frauds)} (${solesText(fraudMinor)})</dd>${note(unlabelled, T.unlabelled)}${note(unpriced, T.unpriced)}
<dt>${both(T.costNote)}</dt><dd>S/ ${decimal(reviewMinor / 100, 2)} ${both(T.costReview)}</dd><dd>S/ ${decimal(wrongDeclineMinor / 100, 2)} ${both(T.costWrong)}</dd><dd>${share(lossGivenFraudShare)} ${both(T.costLoss)}</dd><dd>${share(analystAccuracyShare)} ${both(T.costRight)}</dd>
<dt>${both(T.intervals)}</dt><dd>${both(run.unit === 'day' ? T.byDay : T.byCustomer)}</dd>
<dt>${both(T.run)}</dt><dd>${both(TEXTS.generated)} ${both(clock.date(run.createdMs))}, ${clock.time(run.createdMs)}; Centinela ${both(TEXTS.version)} ${run.version}, ${both(TEXTS.seed)} ${run.seed}</dd><dd>${secondsText(run.seconds)}, ${integer(run.memoryMb)} MB, ${integer(features)} ${both(T.featuresUsed)}; ${integer(run.analysts)} ${both(run.analysts === 1 ? T.analyst : T.analysts)}</dd>
</dl></section>`;
}
