// What decisions cost a day against how many alerts a day they raise: one threshold for all, from strict to lenient, with
// the report's own decisions, the cheapest threshold and the cheapest decision for each transaction.
import { integer, money } from '../../decisions/reasons/format.ts';
import { type Html, html } from '../html.ts';
import type { CostPoint, ReportCosts } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, niceTicks, px, same, svgText } from './scale.ts';

const FRAME = { width: 620, height: 360, left: 96, right: 18, top: 26, bottom: 46 };
/** The axis ends a little above the cost of approving all: what costs more than that is of no use. */
const HEADROOM = 1.15;
const MINOR_PER_SOL = 100;

export function costChart(costs: ReportCosts, labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const { curve, chosen, chosenByCost, cheapest, byCost, approveAllPerDayMinor } = costs;
  const greatest = HEADROOM * Math.max(approveAllPerDayMinor, chosen.costPerDayMinor, byCost.costPerDayMinor, 1);
  const ticks = niceTicks(greatest / MINOR_PER_SOL, 5).map((soles) => soles * MINOR_PER_SOL);
  const [fewest, most] = alertsShown(costs, ticks[ticks.length - 1]);
  const scale = linear(Math.log10(fewest), Math.log10(most), left, width - right);
  const x = (alerts: number): number => scale(Math.log10(Math.max(fewest, alerts)));
  const y = linear(0, ticks[ticks.length - 1], height - bottom, top);
  const drawn = curve.filter(
    ({ flaggedPerDay, costPerDayMinor }) =>
      flaggedPerDay >= fewest && flaggedPerDay <= most && costPerDayMinor <= ticks[ticks.length - 1],
  );
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(same(wholeMoney(tick)), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}`)}
${decades(fewest, most).map((tick) => svgText(same(tick < 1 ? String(tick) : integer(tick)), { x: x(tick), y: height - bottom + 16, anchor: 'middle' }))}
<path class="chance" d="M${left} ${px(y(approveAllPerDayMinor))}H${width - right}"/>${svgText(TEXTS.approveAll, { x: (left + width - right) / 2, y: y(approveAllPerDayMinor) - 6, anchor: 'middle', className: 'axis-title haloed' })}
<path class="line line-0" d="${drawn.map(({ flaggedPerDay, costPerDayMinor }, index) => `${index === 0 ? 'M' : 'L'}${px(x(flaggedPerDay))} ${px(y(costPerDayMinor))}`).join('')}"/>
${costMark('cheapest', x(cheapest.flaggedPerDay), y(cheapest.costPerDayMinor))}${chosenByCost ? null : costMark('by-cost', x(byCost.flaggedPerDay), y(byCost.costPerDayMinor))}${costMark('chosen', x(chosen.flaggedPerDay), y(chosen.costPerDayMinor))}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${svgText(TEXTS.alertsADay, { x: (left + width - right) / 2, y: height - 6, anchor: 'middle', className: 'axis-title' })}
${svgText(TEXTS.costADay, { x: 0, y: 12, className: 'axis-title' })}
</svg>`;
}

export type CostMark = 'chosen' | 'cheapest' | 'by-cost';

/** The sign of a point, the same in the chart and in its key. */
export function costMark(mark: CostMark, x: number, y: number): Html {
  if (mark === 'by-cost') {
    const corners = [
      `${px(x)} ${px(y - 7)}`,
      `${px(x + 7)} ${px(y)}`,
      `${px(x)} ${px(y + 7)}`,
      `${px(x - 7)} ${px(y)}`,
    ];
    return html`<path class="by-cost" d="M${corners.join('L')}"/>`;
  }
  return html`<circle class="${mark}" cx="${px(x)}" cy="${px(y)}" r="${mark === 'chosen' ? 5 : 7}"/>`;
}

/** From strict to where the curve leaves the chart, with room for the marks. */
function alertsShown({ curve, chosen, cheapest, byCost }: ReportCosts, greatestMinor: number): [number, number] {
  const marks = [chosen, cheapest, byCost].map(({ flaggedPerDay }) => flaggedPerDay).filter((alerts) => alerts > 0);
  const within = curve.filter(({ costPerDayMinor }: CostPoint) => costPerDayMinor <= greatestMinor);
  const alerts = [...marks, ...within.map(({ flaggedPerDay }) => flaggedPerDay)];
  if (alerts.length === 0) return [1, 10];
  const fewest = Math.min(...alerts);
  return [fewest, Math.max(...alerts, fewest * 10) * 1.2];
}

function decades(from: number, to: number): number[] {
  const first = Math.ceil(Math.log10(from) - 1e-9);
  const last = Math.floor(Math.log10(to) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => 10 ** (first + index));
}

/** Ticks of whole soles are read without their céntimos. */
function wholeMoney(amountMinor: number): string {
  return money(amountMinor, 'PEN').replace(/\.00$/, '');
}
