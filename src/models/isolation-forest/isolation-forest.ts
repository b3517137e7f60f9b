// The isolation forest as a detector: what is unusual is cut off from the rest by few random splits.
//
// Liu, Ting, Zhou, "Isolation Forest", ICDM 2008, and "Isolation-Based Anomaly Detection", ACM TKDD 6(1), 2012; with
// `extensionLevel` > 0 the extended forest of Hariri, Kind, Brunner, IEEE TKDE 33(4), 2021. It learns without labels.
// Columns are numbers: a category coded as an arbitrary integer has no order, and cuts on it mean nothing.
import { createPrng, type Prng } from '../../lib/prng.ts';
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import type { Matrix } from '../matrix.ts';
import { readForest, writeForest } from './artefact.ts';
import { explainRow } from './explain-row.ts';
import {
  createForest,
  type Forest,
  type ForestNodes,
  MAX_COLUMNS,
  MAX_NODES,
  MAX_SUBSAMPLE,
  MAX_TREES,
} from './forest.ts';
import { createTreeNodes, growTree, type TreeNodes, type TreeSample } from './grow-tree.ts';
import { scoreRows } from './score-rows.ts';
import { cleanValue, drawRows, summariseColumns } from './values.ts';

export interface IsolationForestOptions {
  /** Number of trees, 1–10,000. */
  readonly trees: number;
  /** Rows drawn without replacement for each tree, 1–65,536; all of them where the matrix has fewer. */
  readonly subsample: number;
  /** 0 cuts along one column; level n cuts obliquely through n + 1 columns; at most columns − 1. */
  readonly extensionLevel: number;
}

const NAME = 'isolation-forest';

const DEFAULTS: IsolationForestOptions = { trees: 100, subsample: 256, extensionLevel: 0 };

/**
 * Scores are 2^(−E[h] ÷ c(subsample)) in [0, 1], the definition of the papers and of scikit-learn's `-score_samples`:
 * near 1 anomalous, below ½ ordinary. A missing value is read as its column's median at fit; infinities are clamped.
 * Explanations add up to log2 of the score.
 */
export const isolationForest: Detector<IsolationForestOptions> = {
  name: NAME,
  needsLabels: false,
  defaults: DEFAULTS,
  fit(data, options, seed) {
    const chosen = { ...DEFAULTS, ...options };
    checkTraining(data, chosen);
    const forest = createForest(growForest(data.matrix, chosen, createPrng(seed)));
    return fitted(forest, data.features, { ...chosen, seed, trainingRows: data.matrix.rows });
  },
  load(artefact) {
    const forest = readForest(artefact);
    const { options } = artefact.parameters;
    return fitted(forest, artefact.features, options as Readonly<Record<string, unknown>>);
  },
};

function fitted(
  forest: Forest,
  features: readonly string[],
  options: Readonly<Record<string, unknown>>,
): FittedDetector {
  return {
    name: NAME,
    features,
    score(matrix) {
      checkColumns(matrix.columns, features);
      return scoreRows(forest, matrix);
    },
    explain(row) {
      checkColumns(row.length, features);
      return explainRow(forest, row);
    },
    save: (): Artefact => writeForest(forest, features, options),
  };
}

function growForest(matrix: Matrix, options: IsolationForestOptions, prng: Prng): ForestNodes {
  const sampleSize = Math.min(options.subsample, matrix.rows);
  const maxDepth = Math.ceil(Math.log2(Math.max(2, sampleSize)));
  const terms = options.extensionLevel + 1;
  const { medians, deviations } = summariseColumns(matrix, prng.fork(0));
  const values = new Float32Array(sampleSize * matrix.columns);
  const trees: TreeNodes[] = [];
  for (let tree = 0; tree < options.trees; tree++) {
    const treePrng = prng.fork(tree + 1);
    gatherSample(matrix, drawRows(matrix.rows, sampleSize, treePrng), medians, values);
    const sample: TreeSample = { size: sampleSize, columns: matrix.columns, values };
    const nodes = createTreeNodes(sampleSize, maxDepth, terms);
    growTree(sample, { maxDepth, terms, deviations }, treePrng, nodes);
    trees.push(nodes);
  }
  return concatenate(trees, { columns: matrix.columns, sampleSize, terms, medians });
}

/** Copies rows with missing and infinite values replaced. */
function gatherSample(matrix: Matrix, rows: Uint32Array, medians: Float32Array, into: Float32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const offset = rows[i] * matrix.columns;
    for (let column = 0; column < matrix.columns; column++) {
      into[i * matrix.columns + column] = cleanValue(matrix.values[offset + column], medians[column]);
    }
  }
}

type ForestShape = Pick<ForestNodes, 'columns' | 'sampleSize' | 'terms' | 'medians'>;

function concatenate(trees: readonly TreeNodes[], shape: ForestShape): ForestNodes {
  const { terms } = shape;
  const treeStarts = new Uint32Array(trees.length + 1);
  trees.forEach((tree, index) => {
    treeStarts[index + 1] = treeStarts[index] + tree.count;
  });
  const nodes = treeStarts[trees.length];
  const all: ForestNodes = {
    ...shape,
    treeStarts,
    leftChildren: new Uint32Array(nodes),
    thresholds: new Float32Array(nodes),
    samples: new Uint32Array(nodes),
    splitColumns: new Uint16Array(nodes * terms),
    splitWeights: new Float32Array(terms === 1 ? 0 : nodes * terms),
  };
  trees.forEach((tree, index) => {
    const start = treeStarts[index];
    all.leftChildren.set(tree.leftChildren.subarray(0, tree.count), start);
    all.thresholds.set(tree.thresholds.subarray(0, tree.count), start);
    all.samples.set(tree.samples.subarray(0, tree.count), start);
    all.splitColumns.set(tree.splitColumns.subarray(0, tree.count * terms), start * terms);
    if (terms > 1) all.splitWeights.set(tree.splitWeights.subarray(0, tree.count * terms), start * terms);
  });
  return all;
}

function checkTraining(data: TrainingData, options: IsolationForestOptions): void {
  const { matrix, features } = data;
  if (matrix.rows < 1) throw new Error('isolation forest: no rows to train on');
  checkRange('columns', matrix.columns, 1, MAX_COLUMNS);
  checkColumns(matrix.columns, features);
  checkRange('option trees', options.trees, 1, MAX_TREES);
  checkRange('option subsample', options.subsample, 1, MAX_SUBSAMPLE);
  checkRange('option extensionLevel', options.extensionLevel, 0, matrix.columns - 1);
  const nodes = options.trees * (2 * Math.min(options.subsample, matrix.rows)) * (options.extensionLevel + 1);
  if (nodes > MAX_NODES) {
    throw new Error(
      `isolation forest: up to ${nodes} split terms asked for, the limit is ${MAX_NODES}: fewer trees or rows`,
    );
  }
}

function checkRange(what: string, value: number, least: number, greatest: number): void {
  if (Number.isInteger(value) && value >= least && value <= greatest) return;
  throw new Error(`isolation forest: ${what} is ${value}, expected an integer in ${least}–${greatest}`);
}

function checkColumns(columns: number, features: readonly string[]): void {
  if (columns === features.length) return;
  throw new Error(
    `isolation forest: ${columns} columns given, ${features.length} expected (${features.slice(0, 5).join(', ')}…)`,
  );
}
