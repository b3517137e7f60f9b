// The risk foretold against the share of fraud observed, both on logarithmic axes since frauds are rare: a point per group
// of transactions with its 95 % interval, and the number of frauds in it.
import { decimal, integer } from '../../decisions/reasons/format.ts';
import { type Html, html } from '../html.ts';
import type { Bilingual, ReliabilityPoint } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, px, same, svgText } from './scale.ts';

const FRAME = { width: 620, height: 380, left: 66, right: 18, top: 20, bottom: 46 };
/** Lower risks and shares stand on the edge. */
const LEAST_EXPONENT = -5;
const LABEL_GAP = 30;

export function reliabilityChart(points: readonly ReliabilityPoint[], labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const decades = decadesOf(points);
  const least = decades[0];
  const axis = (start: number, end: number) => {
    const scale = linear(Math.log10(least), 0, start, end);
    return (share: number) => scale(Math.log10(Math.max(least, share)));
  };
  const x = axis(left, width - right);
  const y = axis(height - bottom, top);
  const labelled = labelsApart(points.map(({ meanProbability }) => x(meanProbability)));
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${decades.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(shareTick(tick), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}${svgText(shareTick(tick), { x: x(tick), y: height - bottom + 16, anchor: tick === 1 ? 'end' : 'middle' })}`)}
<path class="chance" d="M${px(x(least))} ${px(y(least))}L${px(x(1))} ${px(y(1))}"/>
${points.map((point, index) => pointOf(point, x, y, labelled.has(index)))}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${svgText(TEXTS.riskForetold, { x: (left + width - right) / 2, y: height - 6, anchor: 'middle', className: 'axis-title' })}
<g transform="translate(12 ${px((top + height - bottom) / 2)}) rotate(-90)">${svgText(TEXTS.fraudObserved, { x: 0, y: 0, anchor: 'middle', className: 'axis-title' })}</g>
</svg>`;
}

/** 0.001, 0.01 … 1, from the decade at or below everything that is drawn. */
function decadesOf(points: readonly ReliabilityPoint[]): number[] {
  const drawn = points.flatMap(({ meanProbability, high, frauds, rows }) => [meanProbability, high, frauds / rows]);
  const smallest = Math.min(0.1, ...drawn.filter((share) => share > 0));
  const from = Math.max(LEAST_EXPONENT, Math.floor(Math.log10(smallest) + 1e-9));
  return Array.from({ length: 1 - from }, (_, index) => 10 ** (from + index));
}

/** The points whose number has room, those of the greatest risk first. */
function labelsApart(places: readonly number[]): ReadonlySet<number> {
  const kept = new Set<number>();
  let next = Number.POSITIVE_INFINITY;
  for (let index = places.length - 1; index >= 0; index--) {
    if (places[index] > next) continue;
    kept.add(index);
    next = places[index] - LABEL_GAP;
  }
  return kept;
}

function pointOf(
  { rows, frauds, meanProbability, low, high }: ReliabilityPoint,
  x: (share: number) => number,
  y: (share: number) => number,
  isLabelled: boolean,
): Html {
  const at = x(meanProbability);
  const counts = `${integer(frauds)} / ${integer(rows)}`;
  return html`<g><title>${counts}</title><path class="interval" d="M${px(at)} ${px(y(low))}V${px(y(high))}"/>${
    frauds === 0 ? null : html`<circle class="reliability" cx="${px(at)}" cy="${px(y(frauds / rows))}" r="4"/>`
  }</g>${isLabelled ? svgText(same(integer(frauds)), { x: at, y: y(high) - 6, anchor: 'middle' }) : null}`;
}

/** `0.01 %` in Spanish, `0.01%` in English: as many decimals as the power of ten needs. */
function shareTick(share: number): Bilingual {
  const number = decimal(share * 100, Math.max(0, -2 - Math.round(Math.log10(share))));
  return { es: `${number} %`, en: `${number}%` };
}
