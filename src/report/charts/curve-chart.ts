// Precision against recall, one line per detector, each named beside its line.
import { type Html, html } from '../html.ts';
import type { DetectorEvaluation, PrecisionRecallPoint, ReportEvaluation } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, percentTick, px, same, spread, svgText } from './scale.ts';

const FRAME = { width: 620, height: 360, left: 54, right: 150, top: 14, bottom: 44 };
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Where a line is tied to its name: late enough for the lines to have parted, early enough not to have met again. */
const ANCHOR_RECALL = 0.7;
const LABEL_GAP = 18;
const MOST_LINES = 6;

export function curveChart(evaluation: ReportEvaluation, labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const x = linear(0, 1, left, width - right);
  const y = linear(0, 1, height - bottom, top);
  const detectors = evaluation.detectors.slice(0, MOST_LINES);
  const anchors = detectors.map(({ curve }) => precisionAt(curve, ANCHOR_RECALL));
  const labels = spread(anchors.map(y), LABEL_GAP, top + 6, height - bottom - 22);
  const prevalence = evaluation.rows > 0 ? evaluation.positives / evaluation.rows : 0;
  const point = evaluation.operatingPoint;
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${TICKS.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(percentTick(tick), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}${svgText(percentTick(tick), { x: x(tick), y: height - bottom + 16, anchor: 'middle' })}`)}
<path class="chance" d="M${left} ${px(y(prevalence))}H${width - right}"/>${svgText(TEXTS.chance, { x: width - right + 8, y: Math.min(y(prevalence) + 4, height - bottom + 3), className: 'axis-title' })}
${detectors.map(({ curve }, index) => html`<path class="line line-${index}" d="${pathOf(curve, x, y)}"/>`)}
${detectors.map((detector, index) => labelOf(detector, index, x(ANCHOR_RECALL), y(anchors[index]), labels[index]))}
${point === null ? null : operatingPoint(point, x, y)}
<path class="axis" d="M${left} ${height - bottom}H${width - right}"/>
${svgText(TEXTS.recall, { x: (left + width - right) / 2, y: height - 6, anchor: 'middle', className: 'axis-title' })}
<g transform="translate(12 ${px((top + height - bottom) / 2)}) rotate(-90)">${svgText(TEXTS.precision, { x: 0, y: 0, anchor: 'middle', className: 'axis-title' })}</g>
</svg>`;
}

function pathOf(
  curve: readonly PrecisionRecallPoint[],
  x: (value: number) => number,
  y: (value: number) => number,
): string {
  return curve
    .map(({ recall, precision }, index) => `${index === 0 ? 'M' : 'L'}${px(x(recall))} ${px(y(precision))}`)
    .join('');
}

function labelOf(
  { name, averagePrecision }: DetectorEvaluation,
  index: number,
  anchorX: number,
  anchorY: number,
  labelY: number,
): Html {
  const end = FRAME.width - FRAME.right;
  return html`<path class="leader line-${index}" d="M${px(anchorX)} ${px(anchorY)}L${end - 4} ${px(labelY)}H${end + 4}"/><circle class="knot line-${index}" cx="${px(anchorX)}" cy="${px(anchorY)}" r="3"/>${svgText(same(`${name} ${averagePrecision.toFixed(3)}`), { x: end + 8, y: labelY + 4, className: `line-label line-${index}` })}`;
}

function operatingPoint(
  { recall, precision }: PrecisionRecallPoint,
  x: (value: number) => number,
  y: (value: number) => number,
): Html {
  const [px_, py] = [x(recall), y(precision)];
  const above = py > FRAME.top + 30;
  return html`<circle class="operating" cx="${px(px_)}" cy="${px(py)}" r="6"/>${svgText(TEXTS.operatingPoint, { x: recall > 0.5 ? px_ - 10 : px_ + 10, y: above ? py - 10 : py + 18, anchor: recall > 0.5 ? 'end' : 'start', className: 'operating-label' })}`;
}

/** Precision at the first point that reaches a recall. */
function precisionAt(curve: readonly PrecisionRecallPoint[], recall: number): number {
  return (curve.find((point) => point.recall >= recall) ?? curve.at(-1))?.precision ?? 0;
}
