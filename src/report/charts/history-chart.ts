// A customer's recent amounts over time, with this transaction and the habitual band: small for the table, large for
// the details.
import { formatMoney } from '../../domain/money.ts';
import { type Html, html, NOTHING } from '../html.ts';
import { limaDayMonth } from '../lima-time.ts';
import type { HistoryPoint, ReportAnomaly } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, niceTicks, px, same, svgText } from './scale.ts';

export interface Band {
  readonly low: number;
  readonly high: number;
}

const MOST_POINTS = 200;
/** Fewer earlier amounts make no habit. */
const FEWEST_FOR_BAND = 5;
/** The band leaves out one in twenty on each side. */
const TAIL = 0.05;

interface Points {
  readonly past: readonly HistoryPoint[];
  readonly own: HistoryPoint;
  readonly from: number;
  readonly to: number;
  readonly greatest: number;
  readonly band: Band | null;
}

/** The 5th to 95th percentile of the earlier amounts that were not flagged; null where they are too few. */
export function habitualBand(past: readonly HistoryPoint[]): Band | null {
  const amounts = past
    .filter(({ flagged }) => !flagged)
    .map(({ amountMinor }) => amountMinor)
    .sort((a, b) => a - b);
  if (amounts.length < FEWEST_FOR_BAND) return null;
  const at = (share: number): number => amounts[Math.round(share * (amounts.length - 1))];
  return { low: at(TAIL), high: at(1 - TAIL) };
}

function pointsOf(anomaly: ReportAnomaly): Points | null {
  const history = anomaly.history
    .slice(-MOST_POINTS)
    .filter(({ timeMs, amountMinor }) => Number.isFinite(timeMs + amountMinor));
  const place = history.findLastIndex(
    ({ timeMs, amountMinor }) => timeMs === anomaly.timeMs && amountMinor === anomaly.amountMinor,
  );
  const past = history.filter((_, index) => index !== place);
  if (past.length === 0) return null;
  const own = { timeMs: anomaly.timeMs, amountMinor: anomaly.amountMinor, flagged: true };
  const times = [...past, own].map(({ timeMs }) => timeMs);
  return {
    past,
    own,
    from: Math.min(...times),
    to: Math.max(...times),
    greatest: Math.max(1, ...[...past, own].map(({ amountMinor }) => amountMinor)),
    band: habitualBand(past),
  };
}

/** Many points as one path of round dots, which is far smaller than as many circles. */
function dots(
  points: readonly HistoryPoint[],
  x: (value: number) => number,
  y: (value: number) => number,
  className: string,
): Html {
  if (points.length === 0) return NOTHING;
  const path = points
    .map(({ timeMs, amountMinor }) => `M${px(x(timeMs))} ${px(y(Math.max(0, amountMinor)))}h0`)
    .join('');
  return html`<path class="${className}" d="${path}"/>`;
}

const SMALL = { width: 150, height: 46, pad: 5 };

/** Without axes, for the table; the details have the full one. */
export function historySparkline(anomaly: ReportAnomaly): Html {
  const points = pointsOf(anomaly);
  if (points === null)
    return html`<span class="quiet"><span lang="es">${TEXTS.noHistory.es}</span><span lang="en">${TEXTS.noHistory.en}</span></span>`;
  const { width, height, pad } = SMALL;
  const x = linear(points.from, points.to, pad, width - pad);
  const y = linear(0, points.greatest, height - pad, pad);
  const { band, own, past } = points;
  return html`<svg class="spark" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" aria-hidden="true">
${band === null ? null : html`<rect class="band" x="0" width="${width}" y="${px(y(band.high) - 1)}" height="${px(Math.max(2, y(band.low) - y(band.high) + 2))}"/>`}
${dots(
  past.filter(({ flagged }) => !flagged),
  x,
  y,
  'dot',
)}${dots(
  past.filter(({ flagged }) => flagged),
  x,
  y,
  'dot flagged',
)}
<circle class="own" cx="${px(x(own.timeMs))}" cy="${px(y(Math.max(0, own.amountMinor)))}" r="4"/></svg>`;
}

const LARGE = { width: 620, height: 190, left: 84, right: 14, top: 22, bottom: 26 };

export function historyChart(anomaly: ReportAnomaly, labelledBy: string): Html {
  const points = pointsOf(anomaly);
  if (points === null) return NOTHING;
  const { width, height, left, right, top, bottom } = LARGE;
  const { past, own, band, from, to } = points;
  const ticks = niceTicks(points.greatest, 4);
  const x = linear(from, to, left + 6, width - right - 6);
  const y = linear(0, ticks[ticks.length - 1], height - bottom, top);
  const ownX = x(own.timeMs);
  const ownY = y(Math.max(0, own.amountMinor));
  const money = (minor: number): string => formatMoney(Math.round(minor), anomaly.currency);
  const atRight = ownX > width * 0.6;
  const label = {
    x: ownX + (atRight ? -10 : 10),
    y: Math.max(top - 6, ownY - 9),
    anchor: atRight ? ('end' as const) : ('start' as const),
    className: 'own-label',
  };
  const others = past.filter(({ flagged }) => flagged);
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(same(money(tick)), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}`)}
${band === null ? null : bandOf(band, y, money)}
${dots(
  past.filter(({ flagged }) => !flagged),
  x,
  y,
  'dot',
)}${dots(others, x, y, 'dot flagged')}
<circle class="own" cx="${px(ownX)}" cy="${px(ownY)}" r="5"/>
${svgText({ es: `${TEXTS.thisOne.es}: ${money(own.amountMinor)}`, en: `${TEXTS.thisOne.en}: ${money(own.amountMinor)}` }, label)}
${svgText(limaDayMonth(from), { x: left, y: height - 8 })}${to - from < 86_400_000 ? null : svgText(limaDayMonth(to), { x: width - right, y: height - 8, anchor: 'end' })}
</svg>${others.length === 0 ? null : html`<p class="quiet key"><span class="key-dot flagged"></span> <span lang="es">${TEXTS.otherFlagged.es}</span><span lang="en">${TEXTS.otherFlagged.en}</span></p>`}`;
}

function bandOf(band: Band, y: (value: number) => number, money: (minor: number) => string): Html {
  const { width, left, right } = LARGE;
  const [high, low] = [y(band.high), y(band.low)];
  const range = band.low === band.high ? money(band.low) : `${money(band.low)} – ${money(band.high)}`;
  return html`<rect class="band" x="${left}" width="${width - left - right}" y="${px(high - 1)}" height="${px(Math.max(3, low - high + 2))}"/>
${svgText({ es: `${TEXTS.habitual.es}: ${range}`, en: `${TEXTS.habitual.en}: ${range}` }, { x: left + 6, y: high - 6, className: 'band-label' })}`;
}
