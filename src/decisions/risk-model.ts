// The model that decides: detectors over one feature list, combined into one risk per transaction, with its reasons' raw
// material.
//
// With labels, the risk is a probability (detectors stacked and calibrated on later rows). Without labels nobody can know
// a probability, and the risk is 1 − p, where p is the conformal p-value: how rare so unusual a transaction is.
import type { FeatureDefinition } from '../features/definition.ts';
import { type Calibration, calibrate } from '../models/calibration.ts';
import { type ConformalReference, conformalPValue } from '../models/conformal.ts';
import { type FittedDetector, isOnline } from '../models/detector.ts';
import { type Matrix, rowOf, takeColumns } from '../models/matrix.ts';
import { probabilityOf, type Stacking, stackedLogOdds } from '../models/stacking.ts';
import { riskWithout } from './risk-without.ts';
import type { LearntEvidence } from './rule-evidence.ts';

export interface RiskModelPart {
  readonly detector: FittedDetector;
  /** Trained on labels: its score is a probability. */
  readonly supervised: boolean;
  /** Which of the model's features it reads, as column numbers. */
  readonly columns: readonly number[];
  /** Its scores on ordinary rows: how unusual a score is. */
  readonly tail: ConformalReference;
}

export interface RiskModel {
  readonly definitions: readonly FeatureDefinition[];
  readonly parts: readonly RiskModelPart[];
  /** null: there were no labels, and the first part ranks alone. */
  readonly stacking: Stacking | null;
  /** From the stacking's probability to the risk. It rises, so that the ranking stays the stacking's. */
  readonly calibration: Calibration;
  /** What rules add to this model's risk; null: it was fitted without rules or without labels, and none was learnt. */
  readonly ruleEvidence: LearntEvidence | null;
}

export interface RiskScores {
  /** Greater is riskier; finer than `risk`, for ranking. */
  readonly ranking: Float32Array;
  /** In [0, 1]: a probability when the model is stacked on labels, else 1 − p-value. */
  readonly risk: Float32Array;
  /** Each part's own score, in the order of `parts`; NaN where it was left out. */
  readonly parts: readonly Float32Array[];
}

/** How the detectors are asked: whom one leaves out, and what is done about one that fails. */
export interface Asking {
  /** By name: they are not asked. */
  readonly leftOut: readonly string[];
  /** Asks one detector; null where it failed, and is left out for that. */
  ask(detector: string, score: () => Float32Array): Float32Array | null;
}

/** Everybody is asked, and who fails fails the whole. */
export const ASK_ALL: Asking = { leftOut: [], ask: (_, score) => score() };

/** Log-odds are kept within ±13.8 (probabilities within 1e-6 of 0 and 1), so that no single part overrules the rest. */
export const LARGEST_LOG_ODDS = Math.log(999_999);

/** A part's score as an additive input of the stacking. */
export function stackingInput(part: Pick<RiskModelPart, 'supervised'>, score: number): number {
  if (!part.supervised) return score;
  const logOdds = Math.log(score / (1 - score));
  return Math.max(-LARGEST_LOG_ODDS, Math.min(LARGEST_LOG_ODDS, logOdds));
}

/**
 * @param matrix rows of the model's features, all columns in the order of `definitions`.
 * @returns where detectors are left out, what risk-without.ts makes of the others
 */
export function scoreRisk(model: RiskModel, matrix: Matrix, { leftOut, ask }: Asking = ASK_ALL): RiskScores {
  const asked = model.parts.map((part) =>
    leftOut.includes(part.detector.name)
      ? null
      : ask(part.detector.name, () => part.detector.score(columnsOf(part, matrix))),
  );
  const parts = asked.filter((scores) => scores !== null);
  if (parts.length < asked.length) return riskWithout(model, asked, matrix.rows);
  const { stacking } = model;
  if (stacking === null) {
    const { tail } = model.parts[0];
    const risk = Float32Array.from(parts[0], (score) => 1 - conformalPValue(tail, score));
    return { ranking: Float32Array.from(parts[0]), risk, parts };
  }
  const ranking = new Float32Array(matrix.rows);
  const probabilities = new Float64Array(matrix.rows);
  const inputs = new Float64Array(parts.length);
  for (let row = 0; row < matrix.rows; row++) {
    for (let i = 0; i < parts.length; i++) inputs[i] = stackingInput(model.parts[i], parts[i][row]);
    const logOdds = stackedLogOdds(stacking, inputs);
    ranking[row] = logOdds;
    probabilities[row] = probabilityOf(logOdds);
  }
  return { ranking, risk: calibrate(model.calibration, probabilities), parts };
}

/** The parts that learn online move on past the row; it has been scored before. */
export function learnRow(model: RiskModel, matrix: Matrix, row: number): void {
  for (const { detector, columns } of model.parts) {
    if (!isOnline(detector)) continue;
    const values = rowOf(matrix, row);
    detector.learn(Float32Array.from(columns, (column) => values[column]));
  }
}

/** `quick`: under a deadline; parts that hardly have a share in the risk say nothing. */
export type ExplanationPace = 'thorough' | 'quick';

/** A part whose share in what speaks for risk is smaller is left out where it must be quick. */
const LEAST_QUICK_SHARE = 0.1;

/**
 * What each feature adds to one row's risk, one number per definition; positive is towards risk.
 *
 * @param known the row's score by each part, where it has been scored already
 */
export function explainRisk(
  model: RiskModel,
  matrix: Matrix,
  row: number,
  pace: ExplanationPace = 'thorough',
  {
    known = null,
    leftOut = [],
  }: { readonly known?: ArrayLike<number> | null; readonly leftOut?: readonly string[] } = {},
): Float64Array {
  const isAsked = model.parts.map(({ detector }) => !leftOut.includes(detector.name));
  const ranking = isAsked.indexOf(true);
  const rows = model.parts.map((part) => partRow(part, matrix, row));
  const scores =
    model.stacking === null
      ? null
      : model.parts.map(({ detector }, i) => (isAsked[i] ? (known?.[i] ?? detector.score(rows[i])[0]) : Number.NaN));
  const speaks = pace === 'quick' && scores !== null ? partsThatSpeak(model, scores) : null;
  const total = new Float64Array(model.definitions.length);
  model.parts.forEach((part, index) => {
    const weight = model.stacking === null ? (index === ranking ? 1 : 0) : model.stacking.weights[index];
    if (weight === 0 || !isAsked[index] || speaks?.[index] === false) return;
    const { values } = rows[index];
    const { detector } = part;
    const { contributions } =
      pace === 'quick' && detector.explainQuickly !== undefined
        ? detector.explainQuickly(values)
        : detector.explain(values);
    // An unsupervised detector explains in a unit of its own: its parts are scaled to what its score adds above the
    // ordinary (the reference median).
    let scale = weight;
    if (!part.supervised && scores !== null) {
      const ordinary = part.tail.scores[part.tail.scores.length >>> 1];
      const sum = contributions.reduce((a, b) => a + b, 0);
      scale = sum > 0 ? (weight * Math.max(0, scores[index] - ordinary)) / sum : 0;
    }
    part.columns.forEach((column, i) => {
      total[column] += scale * contributions[i];
    });
  });
  return total;
}

/** Whose score, above its ordinary one, has a share in the risk that is worth telling. */
function partsThatSpeak({ parts, stacking }: RiskModel, scores: readonly number[]): boolean[] | null {
  if (stacking === null) return null;
  const lifts = parts.map((part, index) => {
    if (Number.isNaN(scores[index])) return 0;
    const ordinary = part.tail.scores[part.tail.scores.length >>> 1];
    return Math.max(0, stacking.weights[index] * (stackingInput(part, scores[index]) - stackingInput(part, ordinary)));
  });
  const total = lifts.reduce((sum, lift) => sum + lift, 0);
  return total > 0 ? lifts.map((lift) => lift >= LEAST_QUICK_SHARE * total) : null;
}

/** One row, of the columns that a part reads. */
function partRow({ columns }: RiskModelPart, matrix: Matrix, row: number): Matrix {
  const values = new Float32Array(columns.length);
  const from = row * matrix.columns;
  for (let i = 0; i < columns.length; i++) values[i] = matrix.values[from + columns[i]];
  return { rows: 1, columns: columns.length, values };
}

/** The columns a part reads; the matrix itself when it reads all. */
function columnsOf(part: RiskModelPart, matrix: Matrix): Matrix {
  const all = part.columns.length === matrix.columns && part.columns.every((column, index) => column === index);
  return all ? matrix : takeColumns(matrix, part.columns);
}
