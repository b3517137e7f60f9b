// Differences with their intervals on one scale around zero: which way each goes, and whether it is clear.
import type { Interval } from '../../decisions/worth/bootstrap.ts';
import { type Html, html } from '../html.ts';
import type { Bilingual } from '../report-data.ts';
import { linear, niceTicks, px, same, svgText } from './scale.ts';

export interface Difference {
  readonly label: Bilingual;
  readonly value: number;
  readonly interval: Interval;
  readonly text: string;
}

const FRAME = { width: 620, left: 150, right: 24, top: 8, bottom: 26, row: 40 };
const TICKS = 3;

/** @param tickText of a value on the axis */
export function differenceChart(
  differences: readonly Difference[],
  tickText: (value: number) => string,
  label: Bilingual,
): Html {
  const { width, left, right, top, bottom, row } = FRAME;
  const height = top + bottom + row * differences.length;
  const ends = differences.flatMap(({ value, interval }) => [value, interval.low, interval.high]);
  const known = ends.filter((end) => Number.isFinite(end));
  const above = niceTicks(Math.max(0, ...known), TICKS);
  const below = niceTicks(Math.max(0, ...known.map((end) => -end)), TICKS);
  const step = Math.max(above[1] ?? 0, below[1] ?? 0) || 1;
  const least = -Math.ceil(below[below.length - 1] / step) * step;
  const greatest = Math.ceil(above[above.length - 1] / step) * step || (least === 0 ? step : 0);
  const ticks = Array.from({ length: Math.round((greatest - least) / step) + 1 }, (_, i) => least + i * step);
  const x = linear(least, greatest, left, width - right);
  return html`<svg class="chart" role="img" aria-label="${label.es} / ${label.en}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${px(x(tick))} ${top}V${height - bottom}"/>${tick === least || tick === 0 || tick === greatest ? svgText(same(tickText(tick)), { x: x(tick), y: height - 8, anchor: tick === greatest && greatest > 0 ? 'end' : 'middle' }) : null}`)}
<path class="axis" d="M${px(x(0))} ${top}V${height - bottom}"/>
${differences.map((difference, index) => {
  const y = top + row * (index + 0.5);
  const { low, high } = difference.interval;
  const line = Number.isNaN(low) ? null : html`<path class="interval" d="M${px(x(low))} ${px(y + 6)}H${px(x(high))}"/>`;
  return html`<g>${svgText(difference.label, { x: 0, y: y + 10, className: 'mark-label' })}${line}<circle class="reliability" cx="${px(x(difference.value))}" cy="${px(y + 6)}" r="5"/>${svgText(same(difference.text), { x: x(difference.value), y: y - 6, anchor: 'middle', className: 'mark-label haloed' })}</g>`;
})}
</svg>`;
}
