// Precision against recall, one line per detector, each named beside its line.
import { type Html, html } from '../html.ts';
import type { DetectorEvaluation, PrecisionRecallPoint, ReportEvaluation } from '../report-data.ts';
import { TEXTS } from '../texts.ts';
import { linear, percentTick, px, same, spread, svgText } from './scale.ts';

const FRAME = { width: 620, height: 360, left: 54, right: 96, top: 20, bottom: 44 };
const TICKS = [0, 0.2, 0.4, 0.6, 0.8, 1];
/** Where lines may be named: where they are furthest apart. */
const ANCHOR_RECALLS = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7];
const LABEL_GAP = 18;
const MOST_LINES = 6;

export function curveChart(evaluation: ReportEvaluation, labelledBy: string): Html {
  const { width, height, left, right, top, bottom } = FRAME;
  const x = linear(0, 1, left, width - right);
  const y = linear(0, 1, height - bottom, top);
  const detectors = evaluation.detectors.slice(0, MOST_LINES);
  const anchorRecall = recallApart(detectors);
  const anchors = detectors.map(({ curve }) => precisionAt(curve, anchorRecall));
  // Names move upwards, where a falling curve leaves room.
  const labels = spread(
    anchors.map((precision) => 8 - y(precision)),
    LABEL_GAP,
    bottom + 8 - height,
    6 - top,
  ).map((place) => -place);
  const prevalence = evaluation.rows > 0 ? evaluation.positives / evaluation.rows : 0;
  const point = evaluation.operatingPoint;
  return html`<svg class="chart" role="img" aria-labelledby="${labelledBy}" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
${TICKS.map((tick) => html`<path class="grid" d="M${left} ${px(y(tick))}H${width - right}"/>${svgText(percentTick(tick), { x: left - 8, y: y(tick) + 4, anchor: 'end' })}${svgText(percentTick(tick), { x: x(tick), y: height - bottom + 16, anchor: 'middle' })}`)}
<path class="chance" d="M${left} ${px(y(prevalence))}H${width - right}"/>${svgText(TEXTS.chance, { x: width - right + 8, y: Math.min(y(prevalence) + 4, height - bottom + 3), className: 'axis-title' })}
${detectors.map(({ curve }, index) => html`<path class="line line-${index}" d="${pathOf(curve, x, y)}"/>`)}
${detectors.map((detector, index) => labelOf(detector, index, x(anchorRecall), y(anchors[index]), labels[index]))}
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
  const start = anchorX + 14;
  return html`<path class="leader line-${index}" d="M${px(anchorX)} ${px(anchorY)}L${px(start - 3)} ${px(labelY)}"/><circle class="knot line-${index}" cx="${px(anchorX)}" cy="${px(anchorY)}" r="3"/>${svgText(same(`${name} ${averagePrecision.toFixed(3)}`), { x: start, y: labelY + 4, className: `line-label line-${index}` })}`;
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

/** The recall at which the closest two lines are furthest apart. */
function recallApart(detectors: readonly DetectorEvaluation[]): number {
  const apart = (recall: number): number => {
    const precisions = detectors.map(({ curve }) => precisionAt(curve, recall)).sort((a, b) => a - b);
    return Math.min(1, ...precisions.slice(1).map((precision, index) => precision - precisions[index]));
  };
  return ANCHOR_RECALLS.reduce((best, recall) => (apart(recall) > apart(best) ? recall : best));
}

/** Precision at the first point that reaches a recall. */
function precisionAt(curve: readonly PrecisionRecallPoint[], recall: number): number {
  return (curve.find((point) => point.recall >= recall) ?? curve.at(-1))?.precision ?? 0;
}
