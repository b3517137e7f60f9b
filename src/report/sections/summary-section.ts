// The head of the report: what it is, and the five figures that matter; and at its end, what was analysed.
import { duration, integer, percent } from '../../decisions/reasons/format.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Clock } from '../clock.ts';
import { both, type Html, type HtmlValue, html, NOTHING } from '../html.ts';
import { LANGUAGE_BUTTONS } from '../page.ts';
import type { Bilingual, MoneyTotal, ReportSummary } from '../report-data.ts';
import { TEXTS } from '../texts.ts';

const MOST_CURRENCIES = 4;

export function headerSection(summary: ReportSummary, clock: Clock): Html {
  const { fileName, periodMs } = summary;
  return html`<header class="masthead"><div><p class="eyebrow">${both(TEXTS.madeBy)}</p><h1>${both(TEXTS.title)}</h1>
<p class="subtitle"><strong>${fileName}</strong>${periodMs === null ? null : html` · ${periodText(periodMs, clock)}`}</p></div>
${LANGUAGE_BUTTONS}</header>`;
}

export function figuresSection(summary: ReportSummary): Html {
  const { rows, rejected, flagged, labels } = summary;
  const share = rows > 0 ? shareText(flagged / rows) : null;
  const rejectedText =
    rejected === 0
      ? both(TEXTS.noneRejected)
      : html`${integer(rejected)} ${both(rejected === 1 ? TEXTS.rejectedOne : TEXTS.rejected)}`;
  const money = [...summary.flaggedAmounts].sort((a, b) => b.amountMinor - a.amountMinor);
  return html`<section class="figures" aria-label="Resumen / Summary">
${figure(integer(rows), both(TEXTS.rows), rejectedText)}
${figure(integer(flagged), both(TEXTS.flagged), share === null ? NOTHING : html`${both(share)} ${both(TEXTS.ofTotal)}`)}
${figure(money.length === 0 ? '—' : moneyText(money[0]), both(TEXTS.flaggedMoney), money.length > 1 ? html`+ ${money.slice(1, MOST_CURRENCIES).map(moneyText).join(' + ')}` : NOTHING)}
${
  labels === null
    ? figure(both(TEXTS.noLabels), NOTHING, both(TEXTS.noLabelsHint))
    : figure(
        integer(labels.positive),
        both(TEXTS.knownFraud),
        html`${both(shareText(labels.known > 0 ? labels.positive / labels.known : 0))} ${both(TEXTS.ofLabels)}`,
      )
}
${figure(secondsText(summary.seconds), both(TEXTS.time), html`${integer(summary.rowsPerSecond)} ${both(TEXTS.perSecond)}`)}
</section>`;
}

export function figure(value: HtmlValue, label: Html, hint: Html): Html {
  return html`<div class="figure"><p class="value">${value}</p><p class="label">${label}</p><p class="quiet">${hint}</p></div>`;
}

export function analysedSection(summary: ReportSummary, clock: Clock): Html {
  const { periodMs, entities, amounts, detectors, rejectedByReason } = summary;
  return html`<section id="analysed"><h2>${both(TEXTS.analysed)}</h2><div class="columns"><dl class="facts">
<dt>${both(TEXTS.file)}</dt><dd>${summary.fileName}</dd>
<dt>${both(TEXTS.period)}</dt><dd>${periodMs === null ? '—' : html`${periodText(periodMs, clock)} (${both(clock.zone)})`}</dd>
<dt>${both(TEXTS.entities)}</dt><dd>${entities.length === 0 ? '—' : separated(entities.map(({ label, count }) => html`${integer(count)} ${both(label)}`))}</dd>
<dt>${both(TEXTS.amounts)}</dt><dd>${amounts.length === 0 ? '—' : separated(amounts.map((total) => html`${moneyText(total)} (${integer(total.rows)})`))}</dd>
<dt>${both(TEXTS.run)}</dt><dd>Centinela ${both(TEXTS.version)} ${summary.version}, ${both(TEXTS.seed)} ${summary.seed}; ${both(TEXTS.generated)} ${both(clock.date(summary.createdMs))}, ${clock.time(summary.createdMs)}</dd>
</dl><dl class="facts"><dt>${both(TEXTS.detectors)}</dt>${
    detectors.length === 0
      ? html`<dd>${both(TEXTS.nothing)}</dd>`
      : detectors.map(
          ({ name, role, supervised, fitSeconds }) =>
            html`<dd><strong>${name}</strong> (${both(supervised ? TEXTS.withLabels : TEXTS.withoutLabels)}): ${both(role)}${fitSeconds === null ? null : html` · ${secondsText(fitSeconds)}`}</dd>`,
        )
  }${rejectedByReason.length === 0 ? null : html`<dt>${both(TEXTS.rejectedTitle)}</dt>${rejectedByReason.map(({ reason, rows }) => html`<dd>${both(reason)}: ${integer(rows)}</dd>`)}`}</dl></div></section>`;
}

function separated(items: readonly Html[]): HtmlValue {
  return items.map((item, index) => (index === 0 ? item : html` · ${item}`));
}

export function periodText([from, to]: readonly [number, number], clock: Clock): HtmlValue {
  const [start, end] = [clock.date(from), clock.date(to)];
  return start.es === end.es ? both(start) : both({ es: `${start.es} – ${end.es}`, en: `${start.en} – ${end.en}` });
}

function moneyText({ amountMinor, currency }: MoneyTotal): string {
  return formatMoney(Math.round(amountMinor), currency);
}

/** A share below 1 % keeps its digits: a flagged share of 0.5 % is the usual case. */
export function shareText(share: number): Bilingual {
  if (share === 0 || share >= 0.1) return percent(share);
  const text = share * 100 >= 1 ? (share * 100).toFixed(1) : (share * 100).toPrecision(2);
  return { es: `${text} %`, en: `${text}%` };
}

export function secondsText(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : duration(seconds * 1000).en;
}
