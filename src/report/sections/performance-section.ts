// How well the detectors do against the labels: curve, table, recall by typology; and the scores of all rows.
import { integer, percent } from '../../decisions/reasons/format.ts';
import { curveChart } from '../charts/curve-chart.ts';
import { histogramChart } from '../charts/histogram-chart.ts';
import { dayChart, hourChart } from '../charts/time-charts.ts';
import type { Clock } from '../clock.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import type { DetectorEvaluation, ReportData, ReportEvaluation, TypologyRecall } from '../report-data.ts';
import { TEXTS } from '../texts.ts';

export function distributionSection({ scores }: ReportData): Html {
  if (scores === null || scores.counts.every((count) => count === 0)) return NOTHING;
  return html`<section id="distribution" class="half"><h2 id="distribution-title">${both(TEXTS.distribution)}</h2><p class="quiet">${both(TEXTS.distributionHint)}${Number.isFinite(scores.threshold) ? html` ${both(TEXTS.thresholdHint)}` : null}</p><div class="scroll">${histogramChart(scores, 'distribution-title')}</div>${scores.positives === null ? null : html`<p class="quiet key"><span class="key-box known"></span> ${both(TEXTS.knownPositives)}</p>`}</section>`;
}

export function timelineSections({ timeline }: ReportData, clock: Clock): Html {
  if (timeline === null || timeline.days.length === 0) return NOTHING;
  const alerts = timeline.hours.reduce((sum, hour) => sum + hour.alerts, 0);
  return html`<section id="per-day" class="half"><h2 id="per-day-title">${both(TEXTS.perDay)}</h2><div class="scroll">${dayChart(timeline.days, clock.shiftMs, 'per-day-title')}</div></section>
${alerts === 0 ? null : html`<section id="per-hour" class="half"><h2 id="per-hour-title">${both(TEXTS.perHour)} <span class="zone">(${both(clock.zone)})</span></h2><div class="scroll">${hourChart(timeline.hours, 'per-hour-title')}</div><p class="quiet key"><span class="key-box hot"></span> ${both(TEXTS.alerts)} <span class="key-line"></span> ${both(TEXTS.allTransactions)}</p></section>`}`;
}

export function performanceSection({ evaluation }: ReportData): Html {
  if (evaluation === null || evaluation.detectors.length === 0) {
    return html`<section id="performance"><h2>${both(TEXTS.performance)}</h2><div class="empty"><p>${both(TEXTS.noPerformance)}</p></div></section>`;
  }
  const { rows, positives } = evaluation;
  return html`<section id="performance"><h2 id="performance-title">${both(TEXTS.performance)}</h2><p class="quiet">${both(TEXTS.performanceHint)} ${integer(rows)} ${both(TEXTS.transactions)}, ${integer(positives)} ${both(TEXTS.knownFraud)}.</p>
<div class="columns wide"><div class="scroll">${curveChart(evaluation, 'performance-title')}</div><div class="scroll">${metricsTable(evaluation)}</div></div></section>`;
}

function metricsTable({ detectors }: ReportEvaluation): Html {
  const ks = [...new Set(detectors.flatMap(({ precisionAt }) => precisionAt.map(({ k }) => k)))].sort((a, b) => a - b);
  return html`<table><thead><tr><th scope="col">${both(TEXTS.detector)}</th><th scope="col" class="num">${both(TEXTS.aucRoc)}</th><th scope="col" class="num">${both(TEXTS.averagePrecision)}</th>${ks.map((k) => html`<th scope="col" class="num">${both(TEXTS.precisionAt)} ${integer(k)}</th>`)}</tr></thead><tbody>${detectors.map((detector, index) => metricsRow(detector, index, ks))}</tbody></table>`;
}

function metricsRow(detector: DetectorEvaluation, index: number, ks: readonly number[]): Html {
  return html`<tr><th scope="row"><span class="key-stroke line-${index}"></span> ${detector.name}<br><span class="quiet">${both(detector.supervised ? TEXTS.withLabels : TEXTS.withoutLabels)}</span></th><td class="num">${detector.aucRoc.toFixed(3)}</td><td class="num">${detector.averagePrecision.toFixed(3)}</td>${ks.map((k) => html`<td class="num">${precisionText(detector, k)}</td>`)}</tr>`;
}

function precisionText({ precisionAt }: DetectorEvaluation, k: number): Html {
  const found = precisionAt.find((entry) => entry.k === k);
  return found === undefined ? html`—` : both(percent(found.precision));
}

/** More typologies than this stand in two tables side by side over the whole width, best known first. */
const TYPOLOGIES_IN_HALF = 8;

export function typologiesSection({ typologies }: ReportData): Html {
  if (typologies.length === 0) return NOTHING;
  const heading = html`<h2>${both(TEXTS.typologies)}</h2>`;
  if (typologies.length <= TYPOLOGIES_IN_HALF) {
    return html`<section id="typologies" class="half">${heading}${typologyTable(typologies)}</section>`;
  }
  const middle = Math.ceil(typologies.length / 2);
  return html`<section id="typologies" class="whole">${heading}<div class="columns">${typologyTable(typologies.slice(0, middle))}${typologyTable(typologies.slice(middle))}</div></section>`;
}

function typologyTable(typologies: readonly TypologyRecall[]): Html {
  return html`<table><thead><tr><th scope="col">${both(TEXTS.typology)}</th><th scope="col" class="num">${both(TEXTS.known)}</th><th scope="col" class="num">${both(TEXTS.caught)}</th><th scope="col" class="bars">${both(TEXTS.recall)}</th></tr></thead><tbody>${typologies.map(typologyRow)}</tbody></table>`;
}

function typologyRow({ code, name, rows, flagged }: TypologyRecall): Html {
  return html`<tr><th scope="row">${name.es === code ? NOTHING : html`<code>${code}</code> `}${both(name)}</th><td class="num">${integer(rows)}</td><td class="num">${integer(flagged)}</td><td class="bars">${barWith(rows > 0 ? flagged / rows : 0, 1)}</td></tr>`;
}

export function driversSection({ drivers }: ReportData): Html {
  if (drivers.length === 0) return NOTHING;
  const greatest = Math.max(...drivers.map(({ share }) => share), 1e-9);
  return html`<section id="drivers" class="half"><h2>${both(TEXTS.drivers)}</h2><p class="quiet">${both(TEXTS.driversHint)}</p><table><thead><tr><th scope="col">${both(TEXTS.feature)}</th><th scope="col" class="bars">${both(TEXTS.share)}</th></tr></thead><tbody>${drivers.map(
    ({ feature, meaning, share }) =>
      html`<tr><th scope="row" title="${feature}">${both(meaning)}</th><td class="bars">${barWith(share, greatest)}</td></tr>`,
  )}</tbody></table></section>`;
}

/** A bar that fills its cell at `full`, with its percentage. */
function barWith(share: number, full: number): Html {
  const width = ((100 * Math.max(0, share)) / full).toFixed(0);
  return html`<span class="barcell"><span class="meter long"><i style="width:${width}%"></i></span><span class="num">${both(percent(share))}</span></span>`;
}
