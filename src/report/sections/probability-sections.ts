// Whether the risk is a true probability, and what decisions by it cost.
import { decimal, integer, money, percent } from '../../decisions/reasons/format.ts';
import { type CostMark, costChart, costMark } from '../charts/cost-chart.ts';
import { reliabilityChart } from '../charts/reliability-chart.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import type { Bilingual, CostPoint, ReliabilityPoint, ReportCosts, ReportData } from '../report-data.ts';
import { TEXTS } from '../texts.ts';

export function reliabilitySection({ reliability }: ReportData): Html {
  if (reliability === null || reliability.length === 0) return NOTHING;
  return html`<section id="reliability" class="half"><h2 id="reliability-title">${both(TEXTS.reliability)}</h2><p class="quiet">${both(TEXTS.reliabilityHint)}</p><div class="scroll">${reliabilityChart(reliability, 'reliability-title')}</div><details><summary>${both(TEXTS.reliabilityFigures)}</summary><table><thead><tr><th scope="col" class="num">${both(TEXTS.riskForetold)}</th><th scope="col" class="num">${both(TEXTS.fraudObserved)}</th><th scope="col" class="num">${both(TEXTS.interval)}</th><th scope="col" class="num">${both(TEXTS.frauds)}</th><th scope="col" class="num">${both(TEXTS.transactions)}</th></tr></thead><tbody>${[...reliability].reverse().map(reliabilityRow)}</tbody></table></details></section>`;
}

function reliabilityRow({ rows, frauds, meanProbability, low, high }: ReliabilityPoint): Html {
  return html`<tr><td class="num">${both(finePercent(meanProbability))}</td><td class="num">${both(finePercent(frauds / rows))}</td><td class="num">${both(finePercent(low))} – ${both(finePercent(high))}</td><td class="num">${integer(frauds)}</td><td class="num">${integer(rows)}</td></tr>`;
}

/** Two digits at least, since the risks of most transactions are far below 1 %. */
function finePercent(share: number): Bilingual {
  const hundredths = share * 100;
  const number = hundredths === 0 || hundredths >= 10 ? decimal(hundredths, 1) : String(+hundredths.toPrecision(2));
  return { es: `${number} %`, en: `${number}%` };
}

export function costsSection({ costs }: ReportData): Html {
  if (costs === null) return NOTHING;
  const { reviewMinor, wrongDeclineMinor, lossGivenFraudShare, analystAccuracyShare } = costs.costs;
  const of = (text: Bilingual, value: string) => html`${both(text)} ${value}`;
  return html`<section id="costs" class="half"><h2 id="costs-title">${both(TEXTS.costs)}</h2><p class="quiet">${both(TEXTS.costsHint)}</p><div class="scroll">${costChart(costs, 'costs-title')}</div>${costTable(costs)}<p class="quiet">${of(TEXTS.reviewCosts, money(reviewMinor, 'PEN'))} · ${of(TEXTS.wrongDeclineCosts, money(wrongDeclineMinor, 'PEN'))} · ${both(TEXTS.lossGivenFraud)} ${both(percent(lossGivenFraudShare))} · ${both(TEXTS.analystAccuracy)} ${both(percent(analystAccuracyShare))}</p></section>`;
}

function costTable(costs: ReportCosts): Html {
  const { chosen, cheapest, byCost, approveAllPerDayMinor, chosenByCost } = costs;
  const threshold = Number.isFinite(cheapest.threshold) ? finePercent(cheapest.threshold) : null;
  const cheapestText: Bilingual =
    threshold === null
      ? TEXTS.cheapestThreshold
      : {
          es: `${TEXTS.cheapestThreshold.es} (${threshold.es})`,
          en: `${TEXTS.cheapestThreshold.en} (${threshold.en})`,
        };
  const row = (mark: CostMark | null, text: Bilingual, { flaggedPerDay, costPerDayMinor }: CostPoint) =>
    html`<tr><th scope="row">${mark === null ? null : keyOf(mark)}${both(text)}</th><td class="num">${decimal(flaggedPerDay, 1)}</td><td class="num">${money(costPerDayMinor, 'PEN')}</td><td class="num">${money(approveAllPerDayMinor - costPerDayMinor, 'PEN')}</td></tr>`;
  return html`<table><thead><tr><th scope="col">${both(TEXTS.decisions)}</th><th scope="col" class="num">${both(TEXTS.alertsADay)}</th><th scope="col" class="num">${both(TEXTS.costADay)}</th><th scope="col" class="num">${both(TEXTS.savedADay)}</th></tr></thead><tbody>${row(null, TEXTS.approveAll, { flaggedPerDay: 0, costPerDayMinor: approveAllPerDayMinor })}${row('cheapest', cheapestText, cheapest)}${chosenByCost ? null : row('by-cost', TEXTS.byCost, byCost)}${row('chosen', chosenByCost ? TEXTS.chosenByCost : TEXTS.chosenDecisions, chosen)}</tbody></table>`;
}

function keyOf(mark: CostMark): Html {
  return html`<svg class="key-mark" viewBox="0 0 18 18" width="18" height="18" aria-hidden="true">${costMark(mark, 9, 9)}</svg> `;
}
