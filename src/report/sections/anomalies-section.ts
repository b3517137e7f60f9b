// The ranked anomalies: a table that reads without scripts, filtered and sorted with them.

import { reasonText } from '../../decisions/reason-codes.ts';
import { percent } from '../../decisions/reasons/format.ts';
import { formatMoney } from '../../domain/money.ts';
import { historyChart, historySparkline } from '../charts/history-chart.ts';
import type { Clock } from '../clock.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import type { ReportAnomaly, ReportData, ReportDecision } from '../report-data.ts';
import { riskText } from '../risk-text.ts';
import { DECISION_TEXTS, TEXTS } from '../texts.ts';
import { typologyName } from '../typologies.ts';

const COLUMNS = 7;

export function anomaliesSection({ anomalies, summary }: ReportData, clock: Clock): Html {
  if (anomalies.length === 0) {
    return html`<section id="anomalies"><h2>${both(TEXTS.anomalies)}</h2><div class="empty"><p><strong>${both(TEXTS.noAnomalies)}</strong></p><p>${both(TEXTS.noAnomaliesHint)}</p></div></section>`;
  }
  const decisions = [...new Set(anomalies.map(({ decision }) => decision))];
  const shown = html`${both(TEXTS.anomaliesShown)} <span id="shown">${anomalies.length}</span> ${both(TEXTS.anomaliesOf)} ${Math.max(summary.flagged, anomalies.length)}`;
  return html`<section id="anomalies"><h2>${both(TEXTS.anomalies)}</h2>
<div class="tools"><p class="quiet" aria-live="polite">${shown}</p><div class="filters" hidden><label for="filter">${both(TEXTS.filter)}</label><input id="filter" type="search" autocomplete="off" aria-describedby="filter-hint"><span id="filter-hint" class="quiet">${both(TEXTS.filterHint)}</span>${decisions.length < 2 ? NOTHING : decisionButtons(decisions)}</div></div>
<div class="scroll"><table class="anomalies"><thead><tr>${heading('rank', html`#`, 'num')}${heading('time', html`${both(TEXTS.when)}<br><span class="zone">${both(clock.zone)}</span>`)}${heading('amount', both(TEXTS.amount), 'num')}<th scope="col">${both(TEXTS.who)}</th><th scope="col">${both(TEXTS.why)}</th><th scope="col" class="history">${both(TEXTS.history)}</th>${heading('risk', both(TEXTS.risk), 'num')}</tr></thead>
${anomalies.map((anomaly) => anomalyRows(anomaly, clock))}
</table></div><p id="nothing" class="empty" hidden>${both(TEXTS.nothingFound)}</p></section>`;
}

function heading(key: string, title: Html, className = ''): Html {
  return html`<th scope="col" class="${className}" data-sort="${key}">${title}</th>`;
}

function decisionButtons(decisions: readonly ReportDecision[]): Html {
  return html`<span class="choices" role="group"><button type="button" data-decision="" aria-pressed="true">${both(TEXTS.all)}</button>${decisions.map((decision) => html`<button type="button" data-decision="${decision}" aria-pressed="false">${both(DECISION_TEXTS[decision])}</button>`)}</span>`;
}

function anomalyRows(anomaly: ReportAnomaly, clock: Clock): Html {
  const { rank, timeMs, amountMinor, currency, decision, payer, payee, terminal } = anomaly;
  const destination = payee ?? terminal;
  return html`<tbody class="anomaly" data-rank="${rank}" data-time="${timeMs}" data-amount="${amountMinor}" data-risk="${riskOf(anomaly)}" data-decision="${decision}">
<tr><td class="num rank">${rank}</td><td class="when">${both(clock.date(timeMs))}<br><span class="quiet">${clock.time(timeMs)}</span></td><td class="num amount">${formatMoney(amountMinor, currency)}</td><td class="who"><span>${payer ?? '—'}</span>${destination === null ? null : html`<br><span class="quiet">→ ${destination}</span>`}</td><td class="why">${reasonList(anomaly)}</td><td class="history">${historySparkline(anomaly)}</td><td class="num risk">${both(riskText(anomaly))}<span class="meter"><i style="width:${meter(riskOf(anomaly))}%"></i></span><span class="decision ${decision}">${both(DECISION_TEXTS[decision])}</span></td></tr>
<tr class="more"><td></td><td colspan="${COLUMNS - 1}"><details><summary>${both(TEXTS.details)}${summaryFacts(anomaly)}</summary>${details(anomaly)}</details></td></tr></tbody>`;
}

function riskOf({ probability, score }: ReportAnomaly): number {
  return probability ?? score;
}

function meter(share: number): string {
  return (Math.max(0, Math.min(1, share)) * 100).toFixed(0);
}

function reasonList({ reasons }: ReportAnomaly): Html {
  if (reasons.length === 0) return html`<span class="quiet">${both(TEXTS.noReasons)}</span>`;
  return html`<ul class="reasons">${reasons.map((reason) => {
    const weight = percent(reason.weight);
    return html`<li><span class="meter" title="${weight.en}"><i style="width:${meter(reason.weight)}%"></i></span><span>${both(reason)}</span></li>`;
  })}</ul>`;
}

function summaryFacts({ detectors, label, qualityCodes, group }: ReportAnomaly): Html {
  const agreeing = detectors.filter(({ agrees }) => agrees).length;
  const facts: Html[] = [];
  if (detectors.length > 1) {
    facts.push(html`${agreeing} ${both(TEXTS.anomaliesOf)} ${detectors.length} ${both(TEXTS.agree)}`);
  }
  if (label !== null)
    facts.push(html`${both(TEXTS.label).markup === '' ? NOTHING : both(TEXTS.label)}: ${both(TEXTS[label])}`);
  if (group !== null) facts.push(html`${both(TEXTS.group)} ${group}`);
  if (qualityCodes.length > 0) facts.push(html`${both(TEXTS.quality)}: ${qualityCodes.join(', ')}`);
  return html`${facts.map((fact) => html`<span class="fact">${fact}</span>`)}`;
}

function details(anomaly: ReportAnomaly): Html {
  const { rank, id, payer, payee, terminal, label, typology, detectors, qualityCodes, reasons, score } = anomaly;
  const chart = historyChart(anomaly, `history-${rank}`);
  const name = typology === null ? null : typologyName(typology);
  return html`<div class="detail"><div>
<dl class="facts compact"><dt>${both(TEXTS.id)}</dt><dd class="id">${id}</dd><dt>${both(TEXTS.payer)}</dt><dd>${payer ?? '—'}</dd><dt>${both(TEXTS.payee)}</dt><dd>${payee ?? '—'}</dd><dt>${both(TEXTS.terminal)}</dt><dd>${terminal ?? '—'}</dd>${label === null ? null : html`<dt>${both(TEXTS.label)}</dt><dd>${both(TEXTS[label])}${name === null ? null : html` · ${typology} ${name.es === typology ? NOTHING : both(name)}`}</dd>`}<dt>${both(TEXTS.score)}</dt><dd>${score.toFixed(4)}</dd>${detectors.map((view) => html`<dt>${view.name}</dt><dd>${view.score.toFixed(4)} <span class="quiet">${both(view.agrees ? TEXTS.agreesMark : TEXTS.disagreesMark)}</span></dd>`)}</dl>
<ul class="codes">${reasons.map(({ code }) => codeLine(code))}${qualityCodes.filter((code) => !reasons.some((reason) => reason.code === code)).map(codeLine)}</ul></div>
${chart === NOTHING ? null : html`<figure><figcaption id="history-${rank}">${both(TEXTS.history)}</figcaption>${chart}</figure>`}</div>`;
}

function codeLine(code: string): Html {
  const text = reasonText(code);
  return html`<li><code>${code}</code>${text === null ? null : html` ${both(text)}`}</li>`;
}
