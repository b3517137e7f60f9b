// The page of a training: what was learned from what, how the losses fell, and how well it does on later time.
import { integer } from '../../decisions/reasons/format.ts';
import type { TrainingCurve } from '../../models/network/observer.ts';
import { type Clock, clockOf } from '../clock.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import { LANGUAGE_BUTTONS, renderPage } from '../page.ts';
import type { Locale } from '../report-data.ts';
import { figure, periodText, secondsText, shareText } from '../sections/summary-section.ts';
import { TEXTS } from '../texts.ts';
import { lossChart } from './loss-chart.ts';
import type { TrainedDetector, TrainingReport } from './training-data.ts';
import { TRAINING_TEXTS } from './training-texts.ts';

/** More networks than this are only listed. */
const MOST_CHARTS = 12;

export function renderTrainingReport(report: TrainingReport, locale: Locale): string {
  const clock = clockOf(report);
  const body = html`${header(report)}
${figures(report)}
${curvesSection(report)}
<div class="grid-sections">
${measuredSection(report)}
${runSection(report, clock)}
${settingsSection(report)}
</div>
${featuresSection(report)}`;
  const titleOf = (language: Locale) => `${TRAINING_TEXTS.title[language]} · ${report.model}`;
  return renderPage({ es: titleOf('es'), en: titleOf('en') }, body, locale);
}

function header({ model, fileName, detectors }: TrainingReport): Html {
  return html`<header class="masthead"><div><p class="eyebrow">${both(TEXTS.madeBy)}</p><h1>${both(TRAINING_TEXTS.title)}</h1>
<p class="subtitle"><strong>${model}</strong> · ${detectors.map(({ name }) => name).join(' + ')} · ${fileName}</p></div>
${LANGUAGE_BUTTONS}</header>`;
}

function figures({ rows, features, metrics, seconds }: TrainingReport): Html {
  const { aucRoc, averagePrecision, evaluatedRows, evaluatedFrauds } = metrics;
  const later = both(aucRoc === null ? TRAINING_TEXTS.noLabels : TRAINING_TEXTS.onLater);
  const atRandom = html`${both(shareText(evaluatedRows > 0 ? evaluatedFrauds / evaluatedRows : 0))} ${both(TEXTS.chance)}`;
  return html`<section class="figures" aria-label="Resumen / Summary">
${figure(aucRoc === null ? '—' : aucRoc.toFixed(3), both(TEXTS.aucRoc), later)}
${figure(averagePrecision === null ? '—' : averagePrecision.toFixed(3), both(TRAINING_TEXTS.averagePrecision), averagePrecision === null ? later : atRandom)}
${figure(integer(rows), both(TRAINING_TEXTS.rows), NOTHING)}
${figure(integer(features.length), both(TRAINING_TEXTS.features), NOTHING)}
${figure(secondsText(seconds), both(TRAINING_TEXTS.time), both(TRAINING_TEXTS.timeHint))}
</section>`;
}

function curvesSection({ detectors }: TrainingReport): Html {
  const withCurves = detectors.filter(({ curves }) => curves.length > 0);
  const inside =
    withCurves.length === 0
      ? html`<div class="empty"><p>${both(TRAINING_TEXTS.noCurves)}</p></div>`
      : html`<p class="quiet">${both(TRAINING_TEXTS.curvesHint)}</p>${withCurves.map(detectorCurves)}`;
  return html`<section id="curves"><h2>${both(TRAINING_TEXTS.curves)}</h2>${inside}</section>`;
}

function detectorCurves({ name, curves }: TrainedDetector): Html {
  const drawn = curves.slice(0, MOST_CHARTS);
  const losses = drawn.flatMap(({ history }) =>
    history.flatMap(({ loss, validationLoss }) => (validationLoss === null ? [loss] : [loss, validationLoss])),
  );
  const range = [Math.min(...losses), Math.max(...losses)] as const;
  const left = curves.length - drawn.length;
  return html`<div class="columns apart">${drawn.map((curve, member) => networkCurve(name, curve, member, curves.length, range))}</div>${left === 0 ? null : html`<p class="quiet">${left} ${both(TRAINING_TEXTS.notDrawn)}</p>`}`;
}

function networkCurve(
  detector: string,
  curve: TrainingCurve,
  member: number,
  members: number,
  range: readonly [number, number],
): Html {
  const title = members === 1 ? html`${detector}` : html`${detector}, ${both(TRAINING_TEXTS.network)} ${member + 1}`;
  return html`<figure><figcaption>${title}</figcaption><div class="scroll">${lossChart(curve, range, `${detector} ${member + 1}`)}</div>${epochsTable(curve)}</figure>`;
}

function epochsTable({ history, bestEpoch }: TrainingCurve): Html {
  const rows = history.map(
    ({ epoch, loss, validationLoss, learningRate }) =>
      html`<tr><th scope="row">${epoch}${epoch === bestEpoch ? html` <span class="quiet">${both(TRAINING_TEXTS.kept)}</span>` : null}</th><td class="num">${lossText(loss)}</td><td class="num">${validationLoss === null ? '—' : lossText(validationLoss)}</td><td class="num">${learningRate === undefined ? '—' : Number(learningRate.toPrecision(3))}</td></tr>`,
  );
  return html`<details><summary>${both(TRAINING_TEXTS.epochsTable)}</summary><table><thead><tr><th scope="col">${both(TRAINING_TEXTS.epoch)}</th><th scope="col" class="num">${both(TRAINING_TEXTS.training)}</th><th scope="col" class="num">${both(TRAINING_TEXTS.validation)}</th><th scope="col" class="num">${both(TRAINING_TEXTS.learningRate)}</th></tr></thead><tbody>${rows}</tbody></table></details>`;
}

function lossText(loss: number): string {
  return loss.toPrecision(4);
}

function measuredSection({ metrics }: TrainingReport): Html {
  const figureText = (value: number | null, decimals: number) =>
    value === null ? both(TRAINING_TEXTS.notKnown) : html`${value.toFixed(decimals)}`;
  return html`<section id="measured" class="half"><h2>${both(TRAINING_TEXTS.measured)}</h2><p class="quiet">${both(TRAINING_TEXTS.measuredHint)}</p><dl class="facts">
<dt>${both(TRAINING_TEXTS.laterRows)}</dt><dd>${integer(metrics.evaluatedRows)}</dd>
<dt>${both(TRAINING_TEXTS.laterFrauds)}</dt><dd>${integer(metrics.evaluatedFrauds)}</dd>
<dt>${both(TEXTS.aucRoc)}</dt><dd>${figureText(metrics.aucRoc, 4)}</dd>
<dt>${both(TEXTS.averagePrecision)}</dt><dd>${figureText(metrics.averagePrecision, 4)}</dd>
<dt>${both(TRAINING_TEXTS.calibrationError)}</dt><dd>${figureText(metrics.expectedCalibrationError, 4)}</dd>
</dl></section>`;
}

function runSection(report: TrainingReport, clock: Clock): Html {
  const { fileName, periodMs, model, seed, version, createdMs } = report;
  return html`<section id="run" class="half"><h2>${both(TEXTS.run)}</h2><dl class="facts">
<dt>${both(TRAINING_TEXTS.model)}</dt><dd>${model}</dd>
<dt>${both(TEXTS.file)}</dt><dd>${fileName}</dd>
<dt>${both(TEXTS.period)}</dt><dd>${periodMs === null ? '—' : html`${periodText(periodMs, clock)} (${both(clock.zone)})`}</dd>
<dt>${both(TRAINING_TEXTS.made)}</dt><dd>${both(clock.date(createdMs))}, ${clock.time(createdMs)}; Centinela ${both(TEXTS.version)} ${version}, ${both(TEXTS.seed)} ${seed}</dd>
</dl></section>`;
}

function settingsSection({ detectors }: TrainingReport): Html {
  return html`<section id="settings" class="whole"><h2>${both(TRAINING_TEXTS.settings)}</h2><div class="columns apart">${detectors.map(
    ({ name, supervised, settings }) =>
      html`<div><p><strong>${name}</strong> <span class="quiet">${both(supervised ? TEXTS.withLabels : TEXTS.withoutLabels)}</span></p><dl class="facts compact">${
        settings.length === 0
          ? html`<dd>${both(TRAINING_TEXTS.noSettings)}</dd>`
          : settings.map(({ name: setting, value }) => html`<dt><code>${setting}</code></dt><dd>${value}</dd>`)
      }</dl></div>`,
  )}</div></section>`;
}

function featuresSection({ features }: TrainingReport): Html {
  return html`<section id="features"><details><summary>${both(TRAINING_TEXTS.listFeatures)} (${integer(features.length)})</summary><table><tbody>${features.map(
    ({ id, meaning }) => html`<tr><th scope="row"><code>${id}</code></th><td>${both(meaning)}</td></tr>`,
  )}</tbody></table></details></section>`;
}
