// Rows per score interval on a logarithmic axis, with the threshold.
import { integer } from '../../decisions/reasons/format.ts';
import { type Html, html } from '../html.ts';
import type { ScoreHistogram } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, powersOfTen, px, same, svgText } from './scale.ts';

const FRAME = { width: 620, height: 260, left: 80, right: 16, top: 26, bottom: 40 };
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];

export function histogramChart({ counts, positives, threshold }: ScoreHistogram, labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const decades = powersOfTen(Math.max(0, ...counts));
  const x = linear(0, 1, left, width - right);
  // One row is still a visible bar: the axis starts at half a row.
  const log = linear(Math.log10(0.5), Math.log10(decades[decades.length - 1]), height - bottom, top);
  const y = (count: number): number => log(Math.log10(Math.max(0.5, count)));
  const hasThreshold = Number.isFinite(threshold) && threshold >= 0 && threshold <= 1;
  const bar = (count: number, index: number, inset: number, className: string): Html | null => {
    if (count <= 0) return null;
    const [from, to] = [x(index / counts.length), x((index + 1) / counts.length)];
    const barWidth = Math.max(1, to - from - 1 - 2 * inset);
    return html`<rect class="${className}" x="${px(from + 0.5 + inset)}" y="${px(y(count))}" width="${px(barWidth)}" height="${px(height - bottom - y(count))}"/>`;
  };
  const above = (index: number): boolean => hasThreshold && (index + 0.5) / counts.length >= threshold;
  const atRight = threshold < 0.7;
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${decades.map((count) => html`<path class="grid" d="M${left} ${px(y(count))}H${width - right}"/>${svgText(same(integer(count)), { x: left - 8, y: y(count) + 4, anchor: 'end' })}`)}
${counts.map((count, index) => bar(count, index, 0, above(index) ? 'bar hot' : 'bar'))}
${positives === null ? null : positives.map((count, index) => bar(count, index, Math.min(3, (x(1) - x(0)) / counts.length / 4), 'bar known'))}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${TICKS.map((tick) => svgText(same(String(tick)), { x: x(tick), y: height - bottom + 16, anchor: 'middle' }))}
${svgText(TEXTS.score, { x: (left + width - right) / 2, y: height - 6, anchor: 'middle', className: 'axis-title' })}
${svgText(TEXTS.transactions, { x: 0, y: 12, className: 'axis-title' })}
${hasThreshold ? html`<path class="mark" d="M${px(x(threshold))} ${top - 8}V${height - bottom}"/>${svgText({ es: `${TEXTS.threshold.es} ${threshold.toFixed(3)}`, en: `${TEXTS.threshold.en} ${threshold.toFixed(3)}` }, { x: x(threshold) + (atRight ? 6 : -6), y: top - 8, anchor: atRight ? 'start' : 'end', className: 'mark-label' })}` : null}
</svg>`;
}
