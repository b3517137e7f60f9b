// Scores every row of a feature table, each with a model that knew only what came before it.
import { type RiskModel, scoreRisk } from '../../decisions/risk-model.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { FeatureTable } from '../../pipeline/feature-table.ts';
import { type DetectorChoice, fitRiskModel } from '../../training/fit-risk-model.ts';

/** A stretch of the time line and the model that scores it. */
export interface Segment {
  readonly fromMs: number;
  readonly model: RiskModel;
}

export interface TableScores {
  /** By time; the first begins at −∞. */
  readonly segments: readonly Segment[];
  /** Greater is riskier. */
  readonly ranking: Float32Array;
  /** In [0, 1]. */
  readonly risk: Float32Array;
  /** Detector name → its own score of each row, NaN where it did not score. */
  readonly byDetector: ReadonlyMap<string, Float32Array>;
}

export interface SegmentOptions {
  readonly definitions: readonly FeatureDefinition[];
  readonly detectors: readonly DetectorChoice[];
  readonly labelDelayMs: number;
  readonly maxRows: number;
  readonly seed: number;
}

/**
 * Shares of the time line at which supervised models are fitted anew on everything before. Rows before the first are
 * ranked without supervised detectors: a model must not judge rows whose labels it has seen.
 */
const SUPERVISED_FROM = [0.4, 0.7];
const STACKING_SHARE = 0.25;

/** Fits the models of the time line. Without enough labels there is one, fitted on the whole table without them. */
export function fitSegments(table: FeatureTable, options: SegmentOptions, onFit: (share: number) => void): Segment[] {
  const [startMs, endMs] = extent(table.timesMs);
  const boundariesMs = SUPERVISED_FROM.map((share) => startMs + (endMs - startMs) * share);
  const shared = { ...options, stackingShare: STACKING_SHARE };
  const unsupervised = options.detectors.filter(({ supervised }) => !supervised);
  const later: Segment[] = [];
  for (const [index, fromMs] of boundariesMs.entries()) {
    onFit(index / (boundariesMs.length + 1));
    const model = fitRiskModel(table, { ...shared, endMs: fromMs });
    if (model.stacking !== null && model.parts.some(({ supervised }) => supervised)) later.push({ fromMs, model });
  }
  if (unsupervised.length === 0) return later;
  onFit(boundariesMs.length / (boundariesMs.length + 1));
  const firstEndMs = later.length > 0 ? later[0].fromMs : Number.POSITIVE_INFINITY;
  const first = fitRiskModel(table, { ...shared, detectors: unsupervised, endMs: firstEndMs, labelDelayMs: 0 });
  return [
    { fromMs: Number.NEGATIVE_INFINITY, model: later.length > 0 ? first : { ...first, stacking: null } },
    ...later,
  ];
}

export function scoreTable(
  table: FeatureTable,
  segments: readonly Segment[],
  onBlock: (share: number) => void,
): TableScores {
  const ranking = new Float32Array(table.rows).fill(Number.NEGATIVE_INFINITY);
  const risk = new Float32Array(table.rows);
  const byDetector = new Map<string, Float32Array>();
  for (const { model } of segments) {
    for (const { detector } of model.parts) {
      if (!byDetector.has(detector.name)) byDetector.set(detector.name, new Float32Array(table.rows).fill(Number.NaN));
    }
  }
  const { timesMs } = table;
  table.forEachBlock((block, firstRow) => {
    for (const [index, { model }] of segments.entries()) {
      const mine = (row: number) => segmentAt(segments, timesMs[firstRow + row]) === index;
      let any = false;
      for (let row = 0; row < block.rows && !any; row++) any = mine(row);
      if (!any) continue;
      const scores = scoreRisk(model, block);
      for (let row = 0; row < block.rows; row++) {
        if (!mine(row)) continue;
        ranking[firstRow + row] = scores.ranking[row];
        risk[firstRow + row] = scores.risk[row];
        model.parts.forEach(({ detector }, part) => {
          byDetector.get(detector.name)![firstRow + row] = scores.parts[part][row];
        });
      }
    }
    onBlock((firstRow + block.rows) / table.rows);
  });
  return { segments, ranking, risk, byDetector };
}

/** The last segment that begins at or before the time, −1 if none does. */
export function segmentAt(segments: readonly Segment[], timeMs: number): number {
  let index = segments.length - 1;
  while (index >= 0 && segments[index].fromMs > timeMs) index -= 1;
  return index;
}

/** The `count` rows with the greatest ranking, riskiest first; equal ones in file order. */
export function riskiestRows(ranking: Float32Array, count: number): Uint32Array {
  const wanted = Math.min(count, ranking.length);
  if (wanted === 0) return new Uint32Array(0);
  const threshold = Float32Array.from(ranking).sort()[ranking.length - wanted];
  const rows: number[] = [];
  for (let row = 0; row < ranking.length; row++) if (ranking[row] >= threshold) rows.push(row);
  rows.sort((a, b) => ranking[b] - ranking[a] || a - b);
  return Uint32Array.from(rows.slice(0, wanted));
}

function extent(values: Float64Array): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    least = Math.min(least, value);
    greatest = Math.max(greatest, value);
  }
  return [least, greatest];
}
