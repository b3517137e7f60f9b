// Scores every row of a feature table, each with a model that knew only what came before it. Two threads share the work.
import { addRules, doubtsOf, doubtsOfRows } from '../../decisions/combined-risk.ts';
import { type RiskModel, type RiskScores, scoreRisk } from '../../decisions/risk-model.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError } from '../../lib/errors.ts';
import type { KnownDetector } from '../../models/detectors.ts';
import type { Matrix } from '../../models/matrix.ts';
import type { FeatureTable } from '../../pipeline/feature-table.ts';
import type { FiredRules } from '../../pipeline/rule-watch.ts';
import { packModel, unpackModel } from '../../registry/packed-model.ts';
import { sampleRows, type TrainingSample, type TrainingTable } from '../../training/fit-risk-model.ts';
import { fitRuleEvidence } from '../../training/fit-rule-evidence.ts';
import { descendingOrder } from '../../training/metrics/order.ts';
import { periodOf } from '../../training/time-line.ts';
import { type FitTask, fitTask } from './fit-and-score.ts';
import type { SecondThread } from './second-thread.ts';

/** A stretch of the time line and the model that scores it. */
export interface Segment {
  readonly fromMs: number;
  readonly model: RiskModel;
}

export interface TableScores {
  /** By time; the first begins at −∞ when there is an unsupervised detector. */
  readonly segments: readonly Segment[];
  /** Greater is riskier. */
  readonly ranking: Float32Array;
  /** In [0, 1], of model and rules. */
  readonly risk: Float32Array;
  /** The models' own. */
  readonly modelRisk: Float32Array;
  /** A rule has moved the risk of a row. */
  readonly movedByRules: boolean;
  /** Detector name → its own score of each row, NaN where it did not score. */
  readonly byDetector: ReadonlyMap<string, Float32Array>;
}

export interface SegmentOptions {
  readonly definitions: readonly FeatureDefinition[];
  readonly known: readonly KnownDetector[];
  /** Names separated by commas. */
  readonly detectors: string;
  /** Those of them that need no labels. */
  readonly unsupervised: string;
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
export async function fitSegments(
  table: FeatureTable,
  options: SegmentOptions,
  second: SecondThread,
): Promise<Segment[]> {
  const [startMs, endMs] = periodOf(table.timesMs);
  const boundariesMs = SUPERVISED_FROM.map((share) => startMs + (endMs - startMs) * share);
  const task = (endMs: number, labelDelayMs: number, detectors: string): FitTask => ({
    kind: 'fit',
    sample: sampleRows(table, { ...options, endMs, labelDelayMs, stackingShare: STACKING_SHARE }),
    definitions: options.definitions,
    detectors,
    seed: options.seed,
  });
  const later: Segment[] = [];
  if (options.detectors !== options.unsupervised) {
    const [first, last] = boundariesMs.map((boundaryMs) => task(boundaryMs, options.labelDelayMs, options.detectors));
    // The larger sample goes to the other thread, and this one goes on with the smaller.
    const fitting = last.sample.labelled === null ? null : second.perform(last, buffersOf(last.sample));
    if (first.sample.labelled !== null) later.push({ fromMs: boundariesMs[0], model: fitTask(first, options.known) });
    if (fitting !== null) later.push({ fromMs: boundariesMs[1], model: unpackModel(await fitting, options.known) });
  }
  if (options.unsupervised === '') {
    if (later.length === 0) {
      throw new InputError(
        'TOO_FEW_LABELS',
        'The file has too few labelled frauds to learn from',
        'Add isolation-forest to --detectors: it needs no labels',
      );
    }
    return later;
  }
  const unsupervised = fitTask(
    task(later.length > 0 ? later[0].fromMs : Number.POSITIVE_INFINITY, 0, options.unsupervised),
    options.known,
  );
  const model = later.length > 0 ? unsupervised : { ...unsupervised, stacking: null };
  return [{ fromMs: Number.NEGATIVE_INFINITY, model }, ...later];
}

export async function scoreTable(
  table: FeatureTable,
  segments: readonly Segment[],
  second: SecondThread,
  onBlock: (share: number) => void,
): Promise<TableScores> {
  const ranking = new Float32Array(table.rows).fill(Number.NEGATIVE_INFINITY);
  const risk = new Float32Array(table.rows);
  const byDetector = new Map<string, Float32Array>();
  for (const { detector } of segments.flatMap(({ model }) => model.parts)) {
    if (!byDetector.has(detector.name)) byDetector.set(detector.name, new Float32Array(table.rows).fill(Number.NaN));
  }
  const { timesMs } = table;
  const keep = (index: number, firstRow: number, scores: RiskScores) => {
    for (let row = 0; row < scores.risk.length; row++) {
      if (segmentAt(segments, timesMs[firstRow + row]) !== index) continue;
      ranking[firstRow + row] = scores.ranking[row];
      risk[firstRow + row] = scores.risk[row];
      segments[index].model.parts.forEach(({ detector }, part) => {
        byDetector.get(detector.name)![firstRow + row] = scores.parts[part][row];
      });
    }
  };
  await second.perform({ kind: 'load', models: segments.map(({ model }) => packModel(model)) });
  let elsewhere: Promise<void> | null = null;
  let blocks = 0;
  for (const [block, firstRow] of table.blocks()) {
    for (const index of segmentsOf(segments, timesMs.subarray(firstRow, firstRow + block.rows))) {
      blocks += 1;
      if (blocks % 2 === 1) {
        await elsewhere;
        const copy: Matrix = { ...block, values: block.values.slice() };
        elsewhere = second
          .perform({ kind: 'score', model: index, matrix: copy }, [copy.values.buffer])
          .then((scores) => keep(index, firstRow, scores));
      } else keep(index, firstRow, scoreRisk(segments[index].model, block));
    }
    onBlock((firstRow + block.rows) / table.rows);
  }
  await elsewhere;
  return { segments, ranking, risk, modelRisk: risk, movedByRules: false, byDetector };
}

/**
 * Each segment's model with what the rules add to it, learnt from what was known before the segment began. Of the first,
 * before which there is nothing, the rules count as their authors expect.
 */
export function learnEvidence(
  table: TrainingTable,
  segments: readonly Segment[],
  rules: FiredRules,
  labelDelayMs: number,
): Segment[] {
  return segments.map(({ fromMs, model }) => {
    if (fromMs === Number.NEGATIVE_INFINITY) return { fromMs, model };
    const period = { endMs: fromMs, labelDelayMs, stackingShare: STACKING_SHARE };
    return { fromMs, model: { ...model, ruleEvidence: fitRuleEvidence(model, table, rules, period) } };
  });
}

/** The scores with the rules that fired; rows that no model scored stay so. */
export function withRules(table: FeatureTable, scores: TableScores, { rules, fired }: FiredRules): TableScores {
  const { segments } = scores;
  const ranking = scores.ranking.slice();
  const risk = scores.risk.slice();
  const rowsOf = segments.map((): number[] => []);
  for (let row = 0; row < table.rows; row++) rowsOf[segmentAt(segments, table.timesMs[row])]?.push(row);
  // All or none: a ranking with rules and one without are on different scales.
  const doubts = rowsOf.map((rows, index) => doubtsOfRows(doubtsOf(rules, segments[index].model), fired, rows));
  if (doubts.every((each) => each === null)) return scores;
  rowsOf.forEach((rows, index) => {
    const take = (column: Float32Array) => Float32Array.from(rows, (row) => column[row]);
    const added = addRules(
      { ranking: take(scores.ranking), risk: take(scores.risk) },
      doubts[index] ?? new Float64Array(rows.length).fill(1),
    );
    rows.forEach((row, i) => {
      ranking[row] = added.ranking[i];
      risk[row] = added.risk[i];
    });
  });
  return { ...scores, ranking, risk, movedByRules: true };
}

/** The sample's memory, to be handed over and not copied. */
function buffersOf({ ordinary, labelled }: TrainingSample): ArrayBufferLike[] {
  const matrices = labelled === null ? [ordinary] : [ordinary, labelled.detectors.matrix, labelled.stacking.matrix];
  return matrices.map(({ values }) => values.buffer);
}

/** The last segment that begins at or before the time, −1 if none does. */
export function segmentAt(segments: readonly Segment[], timeMs: number): number {
  let index = segments.length - 1;
  while (index >= 0 && segments[index].fromMs > timeMs) index -= 1;
  return index;
}

/** The numbers of the segments that the times fall into. */
function segmentsOf(segments: readonly Segment[], timesMs: Float64Array): number[] {
  const found = new Set<number>();
  for (const timeMs of timesMs) found.add(segmentAt(segments, timeMs));
  found.delete(-1);
  return [...found];
}

/** The `count` rows with the greatest ranking, riskiest first; equal ones in file order. */
export function riskiestRows(ranking: Float32Array, count: number): Uint32Array {
  return descendingOrder(ranking).slice(0, count);
}
