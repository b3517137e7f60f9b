import { describe, expect, it } from 'vitest';
import { shapleyValues } from '../../../test/explanation/shapley-values.ts';
import { createPrng } from '../../lib/prng.ts';
import type { TrainingData } from '../detector.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { packArtefact, unpackArtefact } from '../packed-artefact.ts';
import { halfSpaceTrees } from './half-space-trees.ts';
import { drawTrees } from './random-trees.ts';

const COLUMNS = 3;

/** Rows around `centre` in every column. */
function cluster(rows: number, centre: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, COLUMNS);
  for (let at = 0; at < matrix.values.length; at++) matrix.values[at] = centre + 0.1 * prng.nextNormal();
  return matrix;
}

const dataOf = (matrix: Matrix): TrainingData => ({
  matrix,
  features: ['a', 'b', 'c'],
  labels: null,
  validation: null,
});

function mean(scores: Float32Array): number {
  return scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

describe('the trees', () => {
  const { trees, depth, splitColumns, thresholds } = drawTrees(COLUMNS, 50, 6, createPrng(3));

  it("halve each feature's work range: the first cut is its centre, within the range of values", () => {
    for (let tree = 0; tree < trees; tree++) {
      const root = thresholds[tree * 2 ** depth + 1];
      expect(root).toBeGreaterThanOrEqual(0);
      expect(root).toBeLessThan(1);
    }
  });

  it('cut in a child on the side of it that its rows are on, at half the remaining width', () => {
    for (let tree = 0; tree < trees; tree++) {
      const at = (node: number) => tree * 2 ** depth + node;
      for (let node = 1; node < 2 ** (depth - 2); node++) {
        for (const [child, side] of [
          [2 * node, -1],
          [2 * node + 1, 1],
        ]) {
          if (splitColumns[at(child)] !== splitColumns[at(node)]) continue;
          const step = (thresholds[at(child)] - thresholds[at(node)]) * side;
          expect(step).toBeGreaterThan(0);
          const grandchild = 2 * child + 1;
          if (splitColumns[at(grandchild)] !== splitColumns[at(child)]) continue;
          expect(thresholds[at(grandchild)] - thresholds[at(child)]).toBeCloseTo(step / 2, 12);
        }
      }
    }
  });
});

describe('half-space trees', () => {
  it("score by the paper's mass: counted row by row down each tree", () => {
    const training = cluster(60, 0.5, 1);
    const options = { trees: 7, depth: 4, window: 40 };
    const detector = halfSpaceTrees.fit(dataOf(training), options, 5);
    const trees = drawTrees(COLUMNS, 7, 4, createPrng(5));
    const least = [0, 1, 2].map((i) => Math.min(...columnOf(training, i)));
    const width = [0, 1, 2].map((i) => Math.max(...columnOf(training, i)) - least[i]);
    const scaled = (matrix: Matrix, row: number) =>
      [...rowOf(matrix, row)].map((value, i) => Math.fround((value - least[i]) / width[i]));
    const pathOf = (tree: number, point: readonly number[]) => {
      const nodes = [1];
      while (nodes.length <= 4) {
        const node = nodes[nodes.length - 1];
        const at = tree * 16 + node;
        nodes.push(2 * node + Number(point[trees.splitColumns[at]] >= trees.thresholds[at]));
      }
      return nodes;
    };
    const window = Array.from({ length: 40 }, (_, i) => scaled(training, 20 + i));
    const massOf = (point: readonly number[]) => {
      let mass = 0;
      for (let tree = 0; tree < 7; tree++) {
        const counts = pathOf(tree, point).map(
          (node) => window.filter((row) => pathOf(tree, row).includes(node)).length,
        );
        const end = counts.findIndex((count, level) => count <= 4 || level === 4);
        mass += counts[end] * 2 ** end;
      }
      return mass;
    };
    const unseen = cluster(30, 0.7, 2);
    const scores = detector.score(unseen);
    const odds = Array.from(scores, (score) => 1 / score - 1);
    const masses = odds.map((_, row) => massOf(scaled(unseen, row)));
    expect(new Set(masses).size).toBeGreaterThan(10);
    const unit = masses[0] / odds[0];
    odds.forEach((each, row) => {
      expect(each * unit).toBeCloseTo(masses[row], 2);
    });
  });

  it('keep their scores until a window of new rows is full, then follow the stream', () => {
    const detector = halfSpaceTrees.fit(dataOf(cluster(500, 0, 1)), { window: 100 }, 2);
    const [before, after] = [cluster(200, 0, 3), cluster(200, 5, 4)];
    const first = detector.score(before);
    expect(mean(detector.score(after))).toBeGreaterThan(mean(first) + 0.3);
    for (let row = 0; row < 99; row++) detector.learn(rowOf(after, row));
    expect(detector.score(before)).toEqual(first);
    detector.learn(rowOf(after, 99));
    expect(mean(detector.score(before))).toBeGreaterThan(mean(detector.score(after)) + 0.3);
  });

  it('go on after saving and loading in the middle of a window as if nothing had happened', () => {
    const detector = halfSpaceTrees.fit(dataOf(cluster(300, 0, 1)), { window: 50 }, 2);
    const stream = cluster(170, 0.3, 6);
    for (let row = 0; row < 70; row++) detector.learn(rowOf(stream, row));
    const loaded = halfSpaceTrees.load(detector.save());
    for (let row = 70; row < 170; row++) {
      detector.learn(rowOf(stream, row));
      loaded.learn(rowOf(stream, row));
      if (row % 25 === 0) expect(loaded.score(stream)).toEqual(detector.score(stream));
    }
    expect(loaded.save()).toEqual(detector.save());
  });

  it('forget a window when the next is full: two streams that end alike score alike', () => {
    const [one, other] = [cluster(40, 1, 7), cluster(40, 2, 8)];
    const last = cluster(20, 0.5, 9);
    const scores = [one, other].map((earlier) => {
      const detector = halfSpaceTrees.fit(dataOf(cluster(300, 0, 1)), { window: 20 }, 2);
      for (const part of [earlier, last]) {
        for (let row = 0; row < part.rows; row++) detector.learn(rowOf(part, row));
      }
      return detector.score(one);
    });
    expect(scores[0]).toEqual(scores[1]);
  });

  it('read a missing value as the median, in the stream too', () => {
    const training = cluster(301, 0, 1);
    const medians = [0, 1, 2].map((i) => columnOf(training, i).sort((a, b) => a - b)[150]);
    const detectors = [Number.NaN, medians[0]].map((value) => {
      const detector = halfSpaceTrees.fit(dataOf(training), { window: 10 }, 2);
      for (let i = 0; i < 10; i++) detector.learn(Float32Array.of(value, 0.1, -0.1));
      return detector;
    });
    expect(detectors[0].score(training)).toEqual(detectors[1].score(training));
  });

  it('explain by the exact Shapley values of the mass, which an older artefact has against the medians', () => {
    const training = cluster(301, 0, 1);
    const detector = halfSpaceTrees.fit(dataOf(training), { depth: 8, window: 100 }, 2);
    // Format version 1 stored no ordinary rows.
    const { contents, sections } = unpackArtefact(detector.save(), 'centinela.half-space-trees', 2);
    const readable = { ...detector.save(), formatVersion: 1 };
    const older = halfSpaceTrees.load(packArtefact(readable, { contents, sections: sections.slice(0, 2) }));
    const medians = Float32Array.from([0, 1, 2], (i) => columnOf(training, i).sort((a, b) => a - b)[150]);
    const negatedMass = (rows: Matrix) => detector.score(rows).map((score) => 1 - 1 / score);
    const rows = cluster(10, 0.2, 5);
    for (let row = 0; row < rows.rows; row++) {
      const exact = shapleyValues(negatedMass, { rows: 1, columns: COLUMNS, values: medians }, rowOf(rows, row));
      older.explain(rowOf(rows, row)).contributions.forEach((contribution, column) => {
        expect(contribution).toBeCloseTo(exact[column], 3);
      });
    }
  });

  it.each([
    [{ trees: 0 }, /trees is 0/],
    [{ depth: 21 }, /depth is 21/],
    [{ window: 70_000 }, /window is 70000/],
    [{ window: 2.5 }, /window is 2.5/],
    [{ trees: 1000, depth: 20 }, /1000 trees of depth 20/],
  ])('refuse %o', (options, message) => {
    const training = dataOf(cluster(10, 0, 1));
    expect(() => halfSpaceTrees.fit(training, options, 1)).toThrow(message);
  });

  it('refuse a row of another width', () => {
    const detector = halfSpaceTrees.fit(dataOf(cluster(10, 0, 1)), {}, 1);
    expect(() => detector.learn(new Float32Array(2))).toThrow(/2 columns, trained on 3/);
  });
});

function columnOf({ values }: Matrix, column: number): number[] {
  return [...values].filter((_, at) => at % COLUMNS === column);
}
