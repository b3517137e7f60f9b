// Alerts per day, and their share by hour of the day against that of all transactions.
import { integer } from '../../decisions/reasons/format.ts';
import { type Html, html } from '../html.ts';
import { limaDate, limaDayMonth } from '../lima-time.ts';
import type { AlertTimeline } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, niceTicks, percentTick, px, same, svgText } from './scale.ts';

const FRAME = { width: 620, height: 210, left: 46, right: 12, top: 22, bottom: 28 };
const HOURS = 24;

/** @param shiftMs added to a time so that Lima's calendar reads as the file's own. */
export function dayChart(days: AlertTimeline['days'], shiftMs: number, labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const ticks = niceTicks(Math.max(1, ...days.map(({ alerts }) => alerts)), 4).filter(Number.isInteger);
  const y = linear(0, ticks[ticks.length - 1], height - bottom, top);
  const step = (width - left - right) / Math.max(days.length, 8);
  const labels = dayLabels(days.length);
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(same(integer(tick)), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}`)}
${days.map(({ alerts, rows, dayStartMs }, index) => {
  const date = limaDate(dayStartMs + shiftMs);
  return html`<g><title>${date.es}: ${integer(alerts)} / ${integer(rows)}</title><rect class="bar hot" x="${px(left + index * step + Math.min(1, step * 0.1))}" width="${px(Math.max(0.8, step - Math.min(2, step * 0.2)))}" y="${px(y(alerts))}" height="${px(height - bottom - y(alerts))}"/></g>`;
})}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${labels.map((index) => svgText(limaDayMonth(days[index].dayStartMs + shiftMs), { x: left + (index + 0.5) * step, y: height - 8, anchor: index === 0 && days.length > 8 ? 'start' : 'middle' }))}
${svgText(TEXTS.alerts, { x: 0, y: 10, className: 'axis-title' })}
</svg>`;
}

/** Up to six evenly spaced days, the first one included. */
function dayLabels(days: number): number[] {
  const step = Math.max(1, Math.ceil(days / 6));
  return Array.from({ length: Math.ceil(days / step) }, (_, index) => index * step);
}

export function hourChart(hours: AlertTimeline['hours'], labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const alerts = sharesOf(hours.map((hour) => hour.alerts));
  const all = sharesOf(hours.map((hour) => hour.rows));
  const ticks = niceTicks(Math.max(0.01, ...alerts, ...all), 4);
  const x = linear(0, HOURS, left, width - right);
  const y = linear(0, ticks[ticks.length - 1], height - bottom, top);
  const steps = all
    .map((share, hour) => `${hour === 0 ? 'M' : 'L'}${px(x(hour))} ${px(y(share))}H${px(x(hour + 1))}`)
    .join('');
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(percentTick(tick), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}`)}
${alerts.map((share, hour) => html`<rect class="bar hot" x="${px(x(hour) + 2)}" width="${px(x(1) - x(0) - 4)}" y="${px(y(share))}" height="${px(height - bottom - y(share))}"/>`)}
<path class="steps" d="${steps}"/>
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${[0, 3, 6, 9, 12, 15, 18, 21].map((hour) => svgText(same(`${hour} h`), { x: x(hour + 0.5), y: height - 8, anchor: 'middle' }))}
</svg>`;
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (total === 0 ? 0 : count / total));
}
