// The explanations of every detector are true to it: what they put first is what made the row anomalous.
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createAutoencoderDetector } from '../../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../../src/models/blend/unsupervised-ensemble.ts';
import { copod } from '../../src/models/copod/copod.ts';
import type { FittedDetector, TrainingData } from '../../src/models/detector.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { ecod } from '../../src/models/ecod/ecod.ts';
import { createEnsembleDetector } from '../../src/models/ensemble/ensemble.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { halfSpaceTrees } from '../../src/models/half-space-trees/half-space-trees.ts';
import { hbos } from '../../src/models/hbos/hbos.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
import { knn } from '../../src/models/knn/knn.ts';
import { loda } from '../../src/models/loda/loda.ts';
import { type Matrix, rowOf, takeRows } from '../../src/models/matrix.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { createOnnxModelDetector } from '../../src/models/onnx-model/onnx-model.ts';
import { pca } from '../../src/models/pca/pca.ts';
import { robustCovariance } from '../../src/models/robust-covariance/robust-covariance.ts';
import { measureFaithfulness, strongestFirst } from './faithfulness.ts';
import { PLANTED_FEATURES, plantAnomalies } from './planted-anomalies.ts';

const SEED = 1;
const ANOMALIES = 60;
const ORDINARY_ROWS = 300;
/** Taking out the first reasons brings the row at least this share of the way to the ordinary ones … */
const LEAST_SHARE_OF_GAP = 0.8;
/** … and others at most this share of what the first reasons bring. */
const MOST_BY_OTHERS = 0.1;
/** Share of the rows in which the first reasons bring more than others. */
const LEAST_WINS = 0.95;
/** Share of the planted features among as many first reasons; by chance it is a sixth. */
const LEAST_FOUND = 0.75;
/** Share of the two first reasons that a quick explanation has in common with the thorough one; measured .98 to 1. */
const LEAST_AGREEMENT = 0.95;

const runtime = createGraphRuntime();
const TREES = { rounds: 60, minSamplesPerLeaf: 5 };

/** By the detector's name, options that keep a fit short. A detector that is not here fails the first test. */
const FITS: Readonly<Record<string, (data: TrainingData) => FittedDetector | Promise<FittedDetector>>> = {
  gbdt: (data) => gbdt.fit(data, TREES, SEED),
  ensemble: (data) => createEnsembleDetector(runtime).fit(data, { trees: 1 }, SEED),
  network: (data) =>
    createNetworkDetector(runtime).fit(
      data,
      // Normal scores would bring far values back among the others, and the rows are few.
      { members: 1, epochs: 15, batchRows: 32, validationShare: 0, preparation: { method: 'standardise' } },
      SEED,
    ),
  'unsupervised-ensemble': (data) => unsupervisedEnsemble.fit(data, {}, SEED),
  'isolation-forest': (data) => isolationForest.fit(data, {}, SEED),
  autoencoder: (data) => createAutoencoderDetector(runtime).fit(data, {}, SEED),
  'robust-covariance': (data) => robustCovariance.fit(data, {}, SEED),
  ecod: (data) => ecod.fit(data, {}, SEED),
  loda: (data) => loda.fit(data, {}, SEED),
  copod: (data) => copod.fit(data, {}, SEED),
  'half-space-trees': (data) => halfSpaceTrees.fit(data, {}, SEED),
  hbos: (data) => hbos.fit(data, {}, SEED),
  pca: (data) => pca.fit(data, {}, SEED),
  knn: (data) => knn.fit(data, {}, SEED),
  onnx: async (data) => {
    const [{ bytes }] = await exportDetector('gbdt', gbdt.fit(data, TREES, SEED).save(), 'onnx', null);
    return createOnnxModelDetector(runtime).fit(data, { model: bytes, modelFeatures: data.features }, SEED);
  },
};

const { data } = plantAnomalies(800, 0.06, 1);
const later = plantAnomalies(1500, 0.06, 2);
const rowsLabelled = (label: number, count: number) =>
  Uint32Array.from(later.data.labels.keys())
    .filter((row) => later.data.labels[row] === label)
    .subarray(0, count);
const anomalous = rowsLabelled(1, ANOMALIES);
const rows = takeRows(later.data.matrix, anomalous);
const ordinary = takeRows(later.data.matrix, rowsLabelled(0, ORDINARY_ROWS));

it('looks at every detector there is, at enough rows', () => {
  expect(Object.keys(FITS).sort()).toEqual(
    knownDetectors(runtime)
      .map(({ name }) => name)
      .sort(),
  );
  expect([rows.rows, ordinary.rows]).toEqual([ANOMALIES, ORDINARY_ROWS]);
});

describe.each(Object.entries(FITS))('%s', async (_, fitTo) => {
  const detector = await fitTo(data);
  const explanations = explain(detector, rows);

  it('gives as first reasons what brings the score down, and what was planted', () => {
    expect(failures(detector, explanations)).toEqual([]);
  });

  it('would not pass with other reasons: shuffled, negated or all from one row', () => {
    const prng = createPrng(SEED);
    const shuffled = explanations.map((contributions) => {
      const left = [...contributions];
      return contributions.map(() => left.splice(prng.nextBelow(left.length), 1)[0]);
    });
    const negated = explanations.map((contributions) => contributions.map((contribution) => -contribution));
    const anothers = explanations.map((_own, index) => explanations[(index + 1) % explanations.length]);
    for (const wrong of [shuffled, negated, anothers]) {
      expect(failures(detector, wrong)).toEqual(['share of the gap', 'drop by others', 'wins', 'planted features']);
    }
  });

  it('adds contributions up to something that ranks rows as the scores do', () => {
    const all = takeRows(later.data.matrix, Uint32Array.from([...anomalous, ...rowsLabelled(0, ANOMALIES)]));
    const scores = detector.score(all);
    const raws = Array.from(scores, (_score, row) => {
      const { base, contributions } = detector.explain(rowOf(all, row));
      return contributions.reduce((sum, contribution) => sum + contribution, base);
    });
    const order = [...raws.keys()].sort((a, b) => raws[a] - raws[b]);
    for (let i = 1; i < order.length; i++) {
      expect(scores[order[i]] - scores[order[i - 1]]).toBeGreaterThanOrEqual(-1e-5);
    }
  });
});

describe.each(['gbdt', 'autoencoder'])('%s, quickly', async (name) => {
  const detector = await FITS[name](data);
  const thorough = explain(detector, rows);
  const quick = Array.from({ length: rows.rows }, (_, row) => detector.explainQuickly!(rowOf(rows, row)).contributions);

  it('gives as first reasons what brings the score down, and what was planted', () => {
    expect(failures(detector, quick)).toEqual([]);
  });

  it('puts first what the thorough explanation puts first', () => {
    const shared = quick.map((contributions, index) => {
      const first = strongestFirst(contributions).slice(0, PLANTED_FEATURES);
      return strongestFirst(thorough[index]).filter(
        (column, place) => place < PLANTED_FEATURES && first.includes(column),
      );
    });
    const share = shared.reduce((sum, columns) => sum + columns.length, 0) / PLANTED_FEATURES / rows.rows;
    expect(share).toBeGreaterThanOrEqual(LEAST_AGREEMENT);
  });

  it('is another explanation than the thorough one', () => {
    expect(quick).not.toEqual(thorough);
  });
});

it('finds a quick explanation in no other detector', async () => {
  const fitted = await Promise.all(Object.values(FITS).map((fitTo) => fitTo(data)));
  const names = fitted.filter(({ explainQuickly }) => explainQuickly !== undefined).map(({ name }) => name);
  expect(names.sort()).toEqual(['autoencoder', 'gbdt']);
});

function explain(detector: FittedDetector, matrix: Matrix): Float64Array[] {
  return Array.from({ length: matrix.rows }, (_, row) => detector.explain(rowOf(matrix, row)).contributions);
}

/** Names of the bounds that these explanations do not keep. */
function failures(detector: FittedDetector, explanations: readonly Float64Array[]): string[] {
  const { gap, topDrop, randomDrop, wins } = measureFaithfulness(detector, rows, explanations, ordinary, {
    removed: PLANTED_FEATURES,
    seed: SEED,
  });
  let found = 0;
  explanations.forEach((contributions, index) => {
    const planted = later.planted[anomalous[index]];
    const first = strongestFirst(contributions).slice(0, planted.length);
    found += first.filter((column) => planted.includes(column)).length / planted.length / explanations.length;
  });
  return Object.entries({
    'share of the gap': topDrop >= LEAST_SHARE_OF_GAP * gap,
    'drop by others': randomDrop <= MOST_BY_OTHERS * topDrop,
    wins: wins >= LEAST_WINS,
    'planted features': found >= LEAST_FOUND,
  })
    .filter(([, kept]) => !kept)
    .map(([name]) => name);
}
