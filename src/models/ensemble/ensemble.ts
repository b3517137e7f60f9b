// The supervised ensemble: boosted trees grown on different samples, and networks, averaged and calibrated out of time.
//
// Trees place sharp borders, networks smooth ones, and their errors differ; the mean of log-odds of several members
// ranks better than any of them (Dietterich, "Ensemble methods in machine learning", MCS 2000). The weights were chosen
// on validation weeks, for seven days hold too few frauds to learn them from. The curve from blended log-odds to
// probabilities (Platt 1999) is fitted on the last part of the training rows, with members that saw only the earlier
// part; then the members are fitted again on all rows, the newest included, and the curve is kept.
import type { GraphRuntime } from '../../ports.ts';
import { fitPlatt } from '../calibration.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { gbdt } from '../gbdt/gbdt.ts';
import { type Matrix, sliceRows } from '../matrix.ts';
import { createNetworkDetector } from '../network/network.ts';
import { curvesIn, storedCurves } from '../network/observer.ts';
import type { NetworkOptions } from '../network/options.ts';
import { packArtefact, unpackArtefact } from '../packed-artefact.ts';

interface Curve {
  /** > 0 */
  readonly slope: number;
  readonly intercept: number;
}

export interface EnsembleOptions {
  /** Boosted tree models, each on its own samples of rows and columns, 1–64. */
  readonly trees: number;
  /** Share of the network in the blend, [0, 1]; 0 leaves it out. */
  readonly networkShare: number;
  /** Share of the training rows, the last ones, that probabilities are calibrated on. */
  readonly calibrationShare: number;
  /** What departs from the network's defaults; its observer is not stored. */
  readonly network: Partial<NetworkOptions>;
}

interface Member {
  readonly detector: FittedDetector;
  readonly weight: number;
}

interface Recipe {
  readonly weight: number;
  fit(data: TrainingData, seed: number): FittedDetector;
}

const NAME = 'ensemble';
const FORMAT = `centinela.${NAME}`;
const FORMAT_VERSION = 1;
const MAX_TREES = 64;
/** With fewer frauds to calibrate on, the members' own probabilities are taken as they are. */
const MIN_CALIBRATION_FRAUDS = 20;
/** Keeps a member that is sure from overruling the others. */
export const LARGEST_LOG_ODDS = Math.log(999_999);
/** Fewer and coarser than alone: what one member misses, another sees, and the mean ranks ordinary rows with less noise. */
const SAMPLED_TREES = { rounds: 120, l2: 5, rowShare: 0.7, columnShare: 0.5 } as const;
/** Rows in a leaf at least: one in a thousand of the training rows, within these bounds. */
const [FEWEST_LEAF_ROWS, MOST_LEAF_ROWS] = [5, 60];

const DEFAULTS: EnsembleOptions = { trees: 5, networkShare: 0.2, calibrationShare: 0.3, network: {} };

export function createEnsembleDetector(runtime: GraphRuntime): Detector<EnsembleOptions> {
  const network = createNetworkDetector(runtime);
  const learners = new Map<string, Pick<Detector<never>, 'name' | 'load'>>([
    [gbdt.name, gbdt],
    [network.name, network],
  ]);
  return {
    name: NAME,
    needsLabels: true,
    defaults: DEFAULTS,
    fit(data, options, seed) {
      const chosen = { ...DEFAULTS, ...options };
      if (data.labels === null) throw new Error('ensemble: labels are needed to train it');
      const recipes = recipesOf(chosen);
      const curve = calibrated(data, data.labels, recipes, chosen.calibrationShare, seed);
      const { observer, ...networkOptions } = chosen.network;
      return fitted(fitMembers(recipes, data, seed), curve, data.features, { ...chosen, network: networkOptions });
    },
    load(artefact) {
      const { members, curve, options } = readSupervisedEnsemble(artefact);
      const loaded = members.map(({ detector, weight, artefact: stored }): Member => {
        const loader = learners.get(detector);
        if (loader === undefined) throw new Error(`ensemble: this version does not know its member '${detector}'`);
        return { weight, detector: loader.load(stored) };
      });
      return fitted(loaded, curve, artefact.features, options);
    },
  };

  function recipesOf({ trees, networkShare, network: networkOptions }: EnsembleOptions): Recipe[] {
    if (!Number.isInteger(trees) || trees < 1 || trees > MAX_TREES) {
      throw new Error(`ensemble: trees is ${trees}, expected a whole number in 1–${MAX_TREES}`);
    }
    if (!(networkShare >= 0 && networkShare <= 1)) {
      throw new Error(`ensemble: networkShare is ${networkShare}, expected 0–1`);
    }
    const treeRecipe: Recipe = {
      weight: (1 - networkShare) / trees,
      fit: (data, seed) => gbdt.fit(data, { ...SAMPLED_TREES, minSamplesPerLeaf: leafRows(data.matrix.rows) }, seed),
    };
    const recipes = Array.from({ length: trees }, () => treeRecipe);
    if (networkShare > 0) {
      recipes.push({ weight: networkShare, fit: (data, seed) => network.fit(data, networkOptions, seed) });
    }
    return recipes;
  }
}

export interface StoredEnsemble {
  readonly members: readonly {
    /** Name of its detector. */
    readonly detector: string;
    readonly weight: number;
    readonly artefact: Artefact;
  }[];
  readonly curve: Curve;
  readonly options: EnsembleOptions;
}

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function readSupervisedEnsemble(artefact: Artefact): StoredEnsemble {
  const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
  const stored = contents as Omit<StoredEnsemble, 'members'> & {
    members: (Omit<Artefact, 'binary' | 'features'> & { learner: string; weight: number })[];
  };
  const members = stored.members.map(({ learner, weight, ...readable }, index) => ({
    detector: learner,
    weight,
    artefact: { ...readable, features: artefact.features, binary: sections[index] },
  }));
  return { ...stored, members };
}

function leafRows(trainingRows: number): number {
  return Math.max(FEWEST_LEAF_ROWS, Math.min(MOST_LEAF_ROWS, Math.round(trainingRows / 1000)));
}

/** Every member gets a seed of its own, far from those of other ensembles' members. */
function fitMembers(recipes: readonly Recipe[], data: TrainingData, seed: number): Member[] {
  return recipes.map((recipe, index) => ({
    weight: recipe.weight,
    detector: recipe.fit(data, Math.imul(seed, 1009) + index),
  }));
}

function calibrated(
  data: TrainingData,
  labels: Uint8Array,
  recipes: readonly Recipe[],
  share: number,
  seed: number,
): Curve {
  const asIs: Curve = { slope: 1, intercept: 0 };
  const cut = Math.floor(data.matrix.rows * (1 - share));
  const later = labels.subarray(cut);
  const frauds = later.reduce((sum, label) => sum + label, 0);
  const earlierFrauds = labels.subarray(0, cut).reduce((sum, label) => sum + label, 0);
  if (Math.min(frauds, later.length - frauds, earlierFrauds) < MIN_CALIBRATION_FRAUDS) return asIs;
  const earlier: TrainingData = {
    ...data,
    matrix: sliceRows(data.matrix, 0, cut),
    labels: labels.subarray(0, cut),
    validation: null,
  };
  const logOdds = blend(fitMembers(recipes, earlier, seed), sliceRows(data.matrix, cut, data.matrix.rows));
  return risingCurve(logOdds, later) ?? asIs;
}

/** null where the members do not rank the later rows at all, or the wrong way round. */
function risingCurve(logOdds: Float64Array, labels: Uint8Array): Curve | null {
  try {
    const curve = fitPlatt(logOdds, labels);
    return curve.kind === 'platt' && curve.slope > 0 ? { slope: curve.slope, intercept: curve.intercept } : null;
  } catch {
    return null;
  }
}

function blend(members: readonly Member[], matrix: Matrix): Float64Array {
  const sums = new Float64Array(matrix.rows);
  for (const { detector, weight } of members) {
    detector.score(matrix).forEach((score, row) => {
      sums[row] += weight * logOddsOf(score);
    });
  }
  return sums;
}

function logOddsOf(probability: number): number {
  const logOdds = Math.log(probability / (1 - probability));
  return Math.max(-LARGEST_LOG_ODDS, Math.min(LARGEST_LOG_ODDS, logOdds));
}

function fitted(
  members: readonly Member[],
  curve: Curve,
  features: readonly string[],
  options: EnsembleOptions,
): FittedDetector {
  return {
    name: NAME,
    features,
    score(matrix) {
      return Float32Array.from(
        blend(members, matrix),
        (logOdds) => 1 / (1 + Math.exp(-(curve.slope * logOdds + curve.intercept))),
      );
    },
    /** In log-odds: the members' contributions by their weights, stretched as the calibration stretches them. */
    explain(row) {
      let base = curve.intercept;
      const contributions = new Float64Array(row.length);
      for (const { detector, weight } of members) {
        const part = detector.explain(row);
        base += curve.slope * weight * part.base;
        for (let i = 0; i < row.length; i++) contributions[i] += curve.slope * weight * part.contributions[i];
      }
      return { base, contributions };
    },
    save() {
      const artefacts = members.map(({ detector }) => detector.save());
      return packArtefact(
        {
          format: FORMAT,
          formatVersion: FORMAT_VERSION,
          features: [...features],
          parameters: {
            ...options,
            ...curve,
            ...storedCurves(artefacts.flatMap(({ parameters }) => curvesIn(parameters))),
          },
        },
        {
          contents: {
            members: artefacts.map(({ format, formatVersion, parameters }, index) => ({
              learner: members[index].detector.name,
              weight: members[index].weight,
              format,
              formatVersion,
              parameters,
            })),
            curve,
            options,
          },
          sections: artefacts.map(({ binary }) => binary),
        },
      );
    },
  };
}
