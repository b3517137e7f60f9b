// Fits a risk model on a file, with what rules add to it, measures both together on later time, and makes it ready to be
// registered.
import { addRules, doubtsOf, doubtsOfRows } from '../decisions/combined-risk.ts';
import type { DecisionThresholds } from '../decisions/decision.ts';
import type { DecisionCosts } from '../decisions/money-policy.ts';
import { type RiskModel, scoreRisk } from '../decisions/risk-model.ts';
import { decide as decideVerdict } from '../decisions/verdict.ts';
import type { Calibration } from '../models/calibration.ts';
import { hitsOfRow } from '../pipeline/rule-watch.ts';
import type { RuleAction } from '../rules/rule.ts';
import { type DetectorChoice, fitRiskModel } from '../training/fit-risk-model.ts';
import { fitRuleEvidence } from '../training/fit-rule-evidence.ts';
import { aucRoc } from '../training/metrics/auc-roc.ts';
import { averagePrecision } from '../training/metrics/precision-recall.ts';
import {
  expectedCalibrationError,
  type ReliabilityBin,
  rareReliabilityTable,
} from '../training/metrics/reliability.ts';
import {
  type ChosenThresholds,
  chooseThresholds,
  type LaterRows,
  type ThresholdWish,
} from '../training/thresholds/choose-thresholds.ts';
import { type PolicyFigures, policyFigures } from '../training/thresholds/policy-figures.ts';
import { periodOf } from '../training/time-line.ts';
import type { FileFeatures } from './read-features.ts';

export interface TrainOptions {
  readonly features: FileFeatures;
  readonly detectors: readonly DetectorChoice[];
  readonly labelDelayMs: number;
  readonly maxTrainingRows: number;
  readonly thresholds: ThresholdWish;
  /** What the decisions are counted with, and decided by where `thresholds` says so. */
  readonly costs: DecisionCosts;
  readonly seed: number;
  readonly onProgress: (what: string, share: number) => void;
}

export interface TrainedModel {
  readonly model: RiskModel;
  readonly decide: DecisionThresholds;
  /** How `decide` was chosen, on the later rows. */
  readonly thresholds: ChosenThresholds;
  /** Of the same recipe, fitted on the earlier part and measured on the later; null figures without labels there. */
  readonly metrics: {
    readonly evaluatedRows: number;
    readonly evaluatedFrauds: number;
    readonly aucRoc: number | null;
    readonly averagePrecision: number | null;
    /** Of the model's own risk, without the rules; null where no rule took part, too. */
    readonly averagePrecisionWithoutRules: number | null;
    /** Of the risk read as a probability, in bins of equal mass; null where it is none, too. */
    readonly expectedCalibrationError: number | null;
    /** The curve from the stacking to the risk. */
    readonly calibration: Calibration['kind'];
    /** Risk beside observed fraud, with 95 % intervals; null where the risk is no probability, too. */
    readonly reliability: readonly ReliabilityBin[] | null;
    readonly policy: PolicyFigures | null;
  };
}

/** The last part of the time line, never trained on while measuring. */
const EVALUATION_SHARE = 0.2;
const STACKING_SHARE = 0.25;
/** As in `evaluate`: with few bins the top one would hold some ten times as many rows as frauds. */
const CALIBRATION_BINS = 100;

export function trainModel(options: TrainOptions): TrainedModel {
  const { table, definitions, rules } = options.features;
  const { timesMs } = table;
  const [startMs, endMs] = periodOf(timesMs);
  const cutMs = endMs - (endMs - startMs) * EVALUATION_SHARE;
  const fitUntil = (endMs: number): RiskModel => {
    const period = { endMs, labelDelayMs: options.labelDelayMs, stackingShare: STACKING_SHARE };
    const model = fitRiskModel(table, {
      definitions,
      detectors: options.detectors,
      ...period,
      maxRows: options.maxTrainingRows,
      seed: options.seed,
      outOfSampleReference: true,
    });
    return rules === null ? model : { ...model, ruleEvidence: fitRuleEvidence(model, table, rules, period) };
  };
  options.onProgress('training', 0);
  const earlier = fitUntil(cutMs);
  options.onProgress('measuring on later time', 0.4);
  const rows = Uint32Array.from(timesMs.keys()).filter((row) => timesMs[row] >= cutMs);
  const ofModel = scoreRisk(earlier, table.take(rows));
  const ofRules = doubtsOf(rules?.rules ?? [], earlier);
  const doubts = rules === null ? null : doubtsOfRows(ofRules, rules.fired, rows);
  const { risk, ranking } = addRules(ofModel, doubts);
  const later: LaterRows = {
    risk,
    calibrated: earlier.stacking !== null,
    movedByRules: doubts !== null,
    referenceRows: earlier.parts[0].tail.scores.length,
    labels: Int8Array.from(rows, (row) => table.labels[row]),
    timesMs: Float64Array.from(rows, (row) => timesMs[row]),
    startMs: cutMs,
    endMs,
  };
  const worthsMinor = Float64Array.from(rows, (row) => table.worthsMinor[row]);
  const { decide, chosen } = chooseThresholds(later, options.thresholds, options.costs);
  const policy = { thresholds: decide, control: null, severest: null };
  const actionOf = (index: number): RuleAction => {
    const { calibrated } = later;
    const given = { id: String(index), modelRisk: ofModel.risk[index], calibrated, amountMinor: worthsMinor[index] };
    return decideVerdict({ ...given, ...hitsOfRow(rules, rows[index], ofRules) }, policy).action;
  };
  const metrics = {
    ...measure(later, ranking, doubts === null ? null : ofModel.ranking),
    calibration: earlier.calibration.kind,
    policy: policyFigures(later, worthsMinor, actionOf, options.costs),
  };
  options.onProgress('training on everything', 0.6);
  return { model: fitUntil(endMs + 1 + options.labelDelayMs), decide, thresholds: chosen, metrics };
}

function measure(
  { labels, risk, calibrated }: LaterRows,
  ranking: Float32Array,
  rankingOfModel: Float32Array | null,
): Omit<TrainedModel['metrics'], 'calibration' | 'policy'> {
  const known = Array.from(labels.keys()).filter((index) => labels[index] >= 0);
  const knownLabels = Uint8Array.from(known, (index) => labels[index]);
  const take = (column: Float32Array) => Float32Array.from(known, (index) => column[index]);
  const scores = take(ranking);
  const frauds = knownLabels.reduce((sum, label) => sum + label, 0);
  const measurable = frauds > 0 && frauds < knownLabels.length;
  const probabilities = measurable && calibrated ? take(risk) : null;
  return {
    evaluatedRows: labels.length,
    evaluatedFrauds: frauds,
    aucRoc: measurable ? aucRoc(knownLabels, scores) : null,
    averagePrecision: measurable ? averagePrecision(knownLabels, scores) : null,
    averagePrecisionWithoutRules:
      measurable && rankingOfModel !== null ? averagePrecision(knownLabels, take(rankingOfModel)) : null,
    expectedCalibrationError:
      probabilities === null ? null : expectedCalibrationError(knownLabels, probabilities, CALIBRATION_BINS),
    reliability: probabilities === null ? null : rareReliabilityTable(knownLabels, probabilities),
  };
}
