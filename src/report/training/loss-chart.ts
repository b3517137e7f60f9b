// One network's losses over its epochs: training and validation, with the epoch whose weights were kept.
import type { TrainingCurve } from '../../models/network/observer.ts';
import { linear, niceTicks, px, same, spread, svgText } from '../charts/scale.ts';
import { type Html, html } from '../html.ts';
import { TRAINING_TEXTS } from './training-texts.ts';

const FRAME = { width: 580, height: 300, left: 62, right: 124, top: 30, bottom: 44 };
/** Losses that fall further than this are drawn on a logarithmic scale, which shows their end, too. */
const MOST_LINEAR = 4;
const Y_STEPS = 5;
const X_STEPS = 8;
const MOST_DECIMALS = 4;
const LABEL_GAP = 16;

/** @param range the least and the greatest loss of all charts beside this one, so that they can be compared */
export function lossChart(
  { history, bestEpoch }: TrainingCurve,
  range: readonly [number, number],
  label: string,
): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const isLogarithmic = range[0] > 0 && range[1] > MOST_LINEAR * range[0];
  const ticks = isLogarithmic ? logarithmicTicks(range) : ticksBetween(range);
  const place = (loss: number) => (isLogarithmic ? Math.log(loss) : loss);
  const scale = linear(place(ticks[0]), place(ticks[ticks.length - 1]), height - bottom, top);
  const y = (loss: number) => scale(place(loss));
  const last = Math.max(2, history.length);
  const x = linear(1, last, left, width - right);
  const epochTicks = niceTicks(last, X_STEPS).filter((tick) => tick >= 1 && tick <= last && Number.isInteger(tick));
  const validation = history.every(({ validationLoss }) => validationLoss !== null)
    ? history.map(({ validationLoss }) => validationLoss as number)
    : null;
  const lines = [
    { name: TRAINING_TEXTS.training, losses: history.map(({ loss }) => loss) },
    ...(validation === null ? [] : [{ name: TRAINING_TEXTS.validation, losses: validation }]),
  ];
  const labels = spread(
    lines.map(({ losses }) => y(losses[losses.length - 1])),
    LABEL_GAP,
    top,
    height - bottom,
  );
  const best = history[bestEpoch - 1];
  const bestX = x(bestEpoch);
  const bestY = y(best.validationLoss ?? best.loss);
  return html`<svg class="chart" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${ticks.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(same(tickText(tick, ticks)), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}`)}
${epochTicks.map((tick) => svgText(same(String(tick)), { x: x(tick), y: height - bottom + 16, anchor: 'middle' }))}
<path class="mark" d="M${px(bestX)} ${top - 8}V${height - bottom}"/>
${lines.map(({ losses }, index) => html`<path class="line line-${index}" d="${pathOf(losses, x, y)}"/>`)}
${lines.map(({ name }, index) => svgText(name, { x: x(history.length) + 8, y: labels[index] + 4, className: `line-label line-${index}` }))}
${lines.map(({ losses }, index) => html`<circle class="knot line-${index}" cx="${px(x(losses.length))}" cy="${px(y(losses[losses.length - 1]))}" r="3"/>`)}
<circle class="operating" cx="${px(bestX)}" cy="${px(bestY)}" r="5"/>
${svgText(
  { es: `${TRAINING_TEXTS.kept.es}: ${bestEpoch}`, en: `${TRAINING_TEXTS.kept.en}: ${bestEpoch}` },
  {
    x: bestX + (bestEpoch > last / 2 ? -6 : 6),
    y: top - 12,
    anchor: bestEpoch > last / 2 ? 'end' : 'start',
    className: 'mark-label',
  },
)}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${svgText(TRAINING_TEXTS.epoch, { x: (left + width - right) / 2, y: height - 6, anchor: 'middle', className: 'axis-title' })}
<g transform="translate(12 ${px((top + height - bottom) / 2)}) rotate(-90)">${svgText(isLogarithmic ? TRAINING_TEXTS.lossLogarithmic : TRAINING_TEXTS.loss, { x: 0, y: 0, anchor: 'middle', className: 'axis-title' })}</g>
</svg>`;
}

function pathOf(losses: readonly number[], x: (epoch: number) => number, y: (loss: number) => number): string {
  return losses.map((loss, index) => `${index === 0 ? 'M' : 'L'}${px(x(index + 1))} ${px(y(loss))}`).join('');
}

/** Round numbers around the range: losses seldom begin at 0. */
function ticksBetween([least, greatest]: readonly [number, number]): number[] {
  const [, step = Math.abs(greatest) || 1] = niceTicks(greatest - least, Y_STEPS);
  const first = Math.floor(least / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(greatest / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

/** 1, 2, 5, 10 … times a power of ten, from at or below the least to at or above the greatest. */
function logarithmicTicks([least, greatest]: readonly [number, number]): number[] {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(greatest));
  const all = Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index)).flatMap((power) => [
    power,
    2 * power,
    5 * power,
  ]);
  const from = all.findLastIndex((tick) => tick <= least);
  const to = all.findIndex((tick) => tick >= greatest);
  return all.slice(from, to + 1);
}

/** As many decimals as tell the ticks apart. */
function tickText(tick: number, ticks: readonly number[]): string {
  const decimals = Math.max(0, -Math.floor(Math.log10(ticks[1] - ticks[0]) + 1e-9));
  return decimals > MOST_DECIMALS ? tick.toExponential(1) : tick.toFixed(decimals);
}
