import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import type { Artefact, TrainingData } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { readForest, writeForest } from './artefact.ts';
import { averagePathLength, type ForestNodes } from './forest.ts';
import { isolationForest } from './isolation-forest.ts';

function normalMatrix(rows: number, columns: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  for (let i = 0; i < matrix.values.length; i++) matrix.values[i] = prng.nextNormal();
  return matrix;
}

function training(matrix: Matrix): TrainingData {
  const features = Array.from({ length: matrix.columns }, (_, column) => `column_${column}`);
  return { matrix, features, labels: null, validation: null };
}

/** One axis-parallel tree with the given shape. */
function oneTree(leftChildren: Uint32Array): Partial<ForestNodes> {
  const nodes = leftChildren.length;
  return {
    ...{ terms: 1, treeStarts: Uint32Array.of(0, nodes), leftChildren, samples: new Uint32Array(nodes) },
    ...{ thresholds: new Float32Array(nodes), splitColumns: new Uint16Array(nodes), splitWeights: new Float32Array(0) },
  };
}

function rawScore(explanation: { base: number; contributions: Float64Array }): number {
  return explanation.contributions.reduce((sum, value) => sum + value, explanation.base);
}

describe('averagePathLength', () => {
  it('is the mean depth of an unsuccessful search (values by sklearn.ensemble._iforest._average_path_length)', () => {
    const values = [1, 2, 5, 256, 1000].map(averagePathLength);
    const expected = [0, 1, 2.32702, 10.244770920116851, 12.969940887100174];
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i], 5);
    });
  });
});

describe.each([0, 1, 4])('isolation forest, extension level %i', (extensionLevel) => {
  const matrix = normalMatrix(2000, 5, 7);
  const detector = isolationForest.fit(training(matrix), { extensionLevel }, 1);

  it('ranks far rows above all ordinary ones and stays in [0, 1]', () => {
    const far = createMatrix(2, 5);
    far.values.set([9, 9, -9, 9, 9], 0);
    const [outlier, centre] = detector.score(far);
    const ordinary = detector.score(matrix);
    expect(outlier).toBeGreaterThan(Math.max(...ordinary));
    expect(centre).toBeLessThan(0.5);
    expect(outlier).toBeLessThanOrEqual(1);
  });

  it('gives the same bits for the same seed, after save and load, and row by row', () => {
    const expected = detector.score(matrix);
    expect(isolationForest.fit(training(matrix), { extensionLevel }, 1).score(matrix)).toEqual(expected);
    expect(isolationForest.fit(training(matrix), { extensionLevel }, 2).score(matrix)).not.toEqual(expected);
    expect(isolationForest.load(detector.save()).score(matrix)).toEqual(expected);
    for (let row = 0; row < 20; row++) {
      expect(detector.score({ rows: 1, columns: 5, values: rowOf(matrix, row) })[0]).toBe(expected[row]);
    }
  });

  it('explains: contributions add up to log2 of the score', () => {
    const scores = detector.score(matrix);
    for (let row = 0; row < 50; row++) {
      expect(2 ** rawScore(detector.explain(rowOf(matrix, row)))).toBeCloseTo(scores[row], 6);
    }
  });

  it('explains: the column that is off contributes most', () => {
    for (let column = 0; column < 5; column++) {
      const row = new Float32Array(5);
      row[column] = 8;
      const { contributions } = detector.explain(row);
      expect(contributions.indexOf(Math.max(...contributions))).toBe(column);
      expect(contributions[column]).toBeGreaterThan(0);
    }
  });

  it('reads missing values as the median and infinities as far out', () => {
    const scores = detector.score({
      rows: 3,
      columns: 5,
      values: Float32Array.of(
        ...[Number.NaN, Number.NaN, Number.NaN, Number.NaN, Number.NaN],
        ...[Number.POSITIVE_INFINITY, 0, 0, Number.NEGATIVE_INFINITY, 0],
        ...[0, 0, 0, 0, 0],
      ),
    });
    expect(scores[0]).toBeCloseTo(scores[2], 1);
    expect(scores[1]).toBeGreaterThan(scores[2] + 0.1);
  });
});

// IsolationForest(n_estimators=2, max_samples=8, random_state=3) of scikit-learn 1.2, fitted on the rows below: its
// trees in our order of nodes, thresholds to four decimals, and its -score_samples.
describe("scikit-learn's trees", () => {
  const rows = [...Array.from({ length: 12 }, (_, i) => [i % 5, (i * i) % 7]), [9, 9]];
  const leaf = Number.POSITIVE_INFINITY;
  const peer: ForestNodes = {
    ...{ columns: 2, sampleSize: 8, terms: 1, medians: new Float32Array(2), splitWeights: new Float32Array(0) },
    treeStarts: Uint32Array.of(0, 11, 24),
    leftChildren: Uint32Array.of(1, 3, 5, 7, 9, 5, 6, 7, 8, 9, 10, 1, 3, 5, 7, 9, 11, 6, 7, 8, 9, 10, 11, 12),
    thresholds: Float32Array.of(
      3.244,
      2.0754,
      0.1678,
      0.7998,
      3.9788,
      leaf,
      leaf,
      leaf,
      leaf,
      leaf,
      leaf,
      1.998,
      1.8355,
      3.6175,
      0.5161,
      3.8158,
      1.8426,
      leaf,
      leaf,
      leaf,
      leaf,
      leaf,
      leaf,
      leaf,
    ),
    samples: Uint32Array.of(8, 6, 2, 3, 3, 1, 1, 1, 2, 2, 1, 8, 5, 3, 3, 2, 2, 1, 1, 2, 1, 1, 1, 1),
    splitColumns: Uint16Array.of(1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0),
  };
  const expected = [
    0.5321390962382648, 0.4312213189515268, 0.6566744390879904, 0.47902998125956386, 0.5321390962382648,
    0.5911363146847373, 0.4312213189515268, 0.5321390962382648, 0.47902998125956386, 0.6566744390879904,
    0.47902998125956386, 0.47902998125956386, 0.6566744390879904,
  ];

  it('give its scores', () => {
    const detector = isolationForest.load(writeForest(peer, ['a', 'b'], {}));
    detector.score({ rows: 13, columns: 2, values: Float32Array.from(rows.flat()) }).forEach((score, row) => {
      expect(score).toBeCloseTo(expected[row], 6);
    });
  });
});

describe('isolation forest on hard data', () => {
  const anyFloat = fc.oneof(
    { weight: 4, arbitrary: fc.float({ min: -10, max: 10, noNaN: true }) },
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3.4e38, -3.4e38, 1e-45, 0, -0),
  );
  const matrices = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.array(anyFloat, { minLength: 4, maxLength: 80 }))
    .map(([columns, values]): Matrix => {
      const rows = Math.floor(values.length / columns);
      return { rows, columns, values: Float32Array.from(values.slice(0, rows * columns)) };
    });

  it('scores every row in [0, 1], alone as in a batch, and explains it in full', () => {
    const cases = fc.tuple(matrices, fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 40 }));
    fc.assert(
      fc.property(cases, fc.integer(), ([matrix, level, subsample], seed) => {
        const options = { trees: 7, subsample, extensionLevel: Math.min(level, matrix.columns - 1) };
        const detector = isolationForest.fit(training(matrix), options, seed);
        detector.score(matrix).forEach((score, row) => {
          expect(score).toBeGreaterThanOrEqual(0);
          expect(score).toBeLessThanOrEqual(1);
          const alone = rowOf(matrix, row);
          expect(detector.score({ rows: 1, columns: matrix.columns, values: alone })[0]).toBe(score);
          expect(2 ** rawScore(detector.explain(alone))).toBeCloseTo(score, 6);
        });
      }),
    );
  });

  it('gives ½ to all where nothing varies, and to a forest of one row', () => {
    const constant: Matrix = { rows: 300, columns: 2, values: new Float32Array(600).fill(3) };
    for (const matrix of [constant, { rows: 1, columns: 2, values: Float32Array.of(1, 2) }]) {
      const detector = isolationForest.fit(training(matrix), {}, 1);
      for (const score of detector.score(matrix)) expect(score).toBeCloseTo(0.5, 6);
    }
  });

  it('does not read a column that was always missing', () => {
    const matrix = normalMatrix(500, 3, 5);
    for (let row = 0; row < matrix.rows; row++) matrix.values[row * 3 + 1] = Number.NaN;
    const { contributions } = isolationForest.fit(training(matrix), {}, 1).explain(Float32Array.of(1, 99, 1));
    expect(contributions[1]).toBe(0);
  });

  it('an oblique cut does not depend on the units of the columns', () => {
    const matrix = normalMatrix(1000, 3, 9);
    const scaled: Matrix = { ...matrix, values: matrix.values.map((value, i) => (i % 3 === 0 ? value * 1024 : value)) };
    const scoresOf = (given: Matrix) => isolationForest.fit(training(given), { extensionLevel: 2 }, 4).score(given);
    const scores = scoresOf(scaled);
    scoresOf(matrix).forEach((score, row) => {
      expect(scores[row]).toBeCloseTo(score, 5);
    });
  });
});

describe('what a fit refuses', () => {
  const matrix = normalMatrix(10, 2, 1);
  it.each([
    [{ trees: 0 }, 'option trees is 0, expected an integer in 1–10000'],
    [{ subsample: 1.5 }, 'option subsample is 1.5'],
    [{ extensionLevel: 2 }, 'option extensionLevel is 2, expected an integer in 0–1'],
  ])('options %j', (options, message) => {
    expect(() => isolationForest.fit(training(matrix), options, 1)).toThrow(message);
  });

  it('no rows, and rows of another width', () => {
    expect(() => isolationForest.fit(training(createMatrix(0, 2)), {}, 1)).toThrow('no rows');
    const detector = isolationForest.fit(training(matrix), {}, 1);
    expect(() => detector.score(createMatrix(1, 3))).toThrow('3 columns given, 2 expected (column_0, column_1');
    expect(() => detector.explain(new Float32Array(1))).toThrow('1 columns given');
  });
});

describe('an artefact', () => {
  const good = isolationForest.fit(training(normalMatrix(300, 3, 2)), { trees: 5, extensionLevel: 1 }, 1).save();
  const withBinary = (change: (binary: Uint8Array) => Uint8Array): Artefact => ({
    ...good,
    binary: change(good.binary.slice()),
  });
  const parameters = (change: Record<string, unknown>): Artefact => ({
    ...good,
    parameters: { ...good.parameters, ...change },
  });

  it('survives JSON, and a place in the middle of a larger buffer', () => {
    const larger = new Uint8Array(good.binary.length + 3);
    larger.set(good.binary, 3);
    const { binary: _, ...head } = good;
    const moved: Artefact = { ...JSON.parse(JSON.stringify(head)), binary: larger.subarray(3) };
    const matrix = normalMatrix(50, 3, 3);
    expect(isolationForest.load(moved).score(matrix)).toEqual(isolationForest.load(good).score(matrix));
    expect(isolationForest.load(moved).save()).toEqual(good);
  });

  it('is refused where a tree leads outside itself or too deep', () => {
    const forest = readForest(good);
    const rewritten = (change: Partial<ForestNodes>) => () =>
      isolationForest.load(writeForest({ ...forest, ...change }, good.features, {}));
    expect(rewritten({ leftChildren: forest.leftChildren.with(0, 4000) })).toThrow('node 0 of tree 0 points outside');
    expect(rewritten({ splitColumns: forest.splitColumns.with(0, 3) })).toThrow('a split is on column 3 of 3');
    expect(rewritten({ treeStarts: forest.treeStarts.with(1, 0) })).toThrow('tree 0 has no nodes');
    expect(rewritten({ treeStarts: forest.treeStarts.with(0, 1) })).toThrow('do not fill');
    const chain = Uint32Array.from({ length: 141 }, (_, node) => (node % 2 === 0 && node < 140 ? node + 1 : node));
    expect(rewritten(oneTree(chain))).toThrow('deeper than 64');
  });

  it.each<[string, Artefact, string]>([
    ['of another detector', { ...good, format: 'centinela.gbdt' }, 'of format "centinela.gbdt"'],
    ['of a newer version', { ...good, formatVersion: 2 }, 'format version 2, this program reads 1'],
    ['cut short', withBinary((binary) => binary.subarray(0, 100)), 'has 100 bytes'],
    ['with a flipped bit', withBinary((binary) => binary.with(200, binary[200] ^ 1)), 'checksum'],
    ['with an impossible count', parameters({ trees: -1 }), 'parameter "trees" is -1'],
    ['with a missing name', { ...good, features: ['a'] }, 'names 1 features for 3 columns'],
  ])('is refused: %s', (_, artefact, message) => {
    expect(() => isolationForest.load(artefact)).toThrow(message);
  });
});
