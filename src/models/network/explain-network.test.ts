import { describe, expect, it } from 'vitest';
import { shapleyValues } from '../../../test/explanation/shapley-values.ts';
import { createPrng } from '../../lib/prng.ts';
import { createMatrix, type Matrix, rowOf } from '../matrix.ts';
import { ACTIVATIONS } from './activations.ts';
import type { ActivationName, Network, NetworkDescription } from './description.ts';
import { createNetworkExplainer } from './explain-network.ts';
import { initialParameters, layoutParameters, networkOf } from './parameters.ts';
import { createNetworkScorer } from './scorer/network-scorer.ts';
import { batchNorm, dense, dropout, embedColumns, sequential } from './sequential.ts';

function randomNetwork(description: NetworkDescription): Network {
  const layout = layoutParameters(description);
  const { learned, tracked } = initialParameters(layout, 5);
  const prng = createPrng(6);
  const shaken = learned.map((value) => value + 0.3 * prng.nextNormal());
  return networkOf(
    description,
    layout,
    shaken,
    tracked.map((value) => value + prng.nextFloat()),
  );
}

function randomRows(rows: number, columns: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  for (let at = 0; at < matrix.values.length; at++) matrix.values[at] = prng.nextNormal();
  return matrix;
}

function explain(network: Network, ordinary: Matrix, row: Float32Array) {
  const explainer = createNetworkExplainer(network, ordinary);
  const contributions = new Float64Array(row.length);
  explainer.addContributions(row, contributions);
  return { base: explainer.base, contributions };
}

const sum = (values: ArrayLike<number>) => Array.from(values).reduce((total, value) => total + value, 0);

describe('the explanation of a network', () => {
  it.each(Object.keys(ACTIVATIONS) as ActivationName[])(
    'adds up to the logit through %s, batch normalisation and embeddings',
    (activation) => {
      const network = randomNetwork(
        sequential(5, [
          embedColumns([{ column: 1, categories: 4, units: 3 }]),
          dense(8, activation),
          batchNorm(),
          dropout(0.5),
          dense(6, activation),
          dense(1, 'sigmoid'),
        ]),
      );
      const ordinary = randomRows(4, 5, 1);
      const rows = randomRows(20, 5, 2);
      for (const matrix of [ordinary, rows]) {
        for (let row = 0; row < matrix.rows; row++) rowOf(matrix, row)[1] = row % 5;
      }
      const scorer = createNetworkScorer(network, { head: 'logit' });
      const meanLogit = sum(scorer.score(ordinary.values, ordinary.rows)) / ordinary.rows;
      for (let row = 0; row < rows.rows; row++) {
        const { base, contributions } = explain(network, ordinary, rowOf(rows, row));
        expect(base).toBeCloseTo(meanLogit, 4);
        expect(base + sum(contributions)).toBeCloseTo(scorer.score(rowOf(rows, row), 1)[0], 4);
      }
    },
  );

  it('is the weight times the difference from the mean ordinary row where the network is linear: its Shapley values', () => {
    const network = randomNetwork(sequential(3, [dense(1, 'sigmoid')]));
    const [weights] = network.weights;
    if (weights.kind !== 'dense') throw new Error('the layer is dense');
    const ordinary = randomRows(6, 3, 3);
    const row = Float32Array.of(2, -1, 0.5);
    const { contributions } = explain(network, ordinary, row);
    contributions.forEach((contribution, column) => {
      const mean = sum(Array.from({ length: 6 }, (_, i) => rowOf(ordinary, i)[column])) / 6;
      expect(contribution).toBeCloseTo(weights.kernel[column] * (row[column] - mean), 6);
    });
  });

  it('shares what a unit gives when both inputs switch it on by how far each went', () => {
    // relu(x + y − 1): of the rise from 0 to 3, (1, 3) gives a quarter to x.
    const description = sequential(2, [dense(1, 'relu'), dense(1, 'sigmoid')]);
    const network: Network = {
      description,
      weights: [
        { kind: 'dense', kernel: Float32Array.of(1, 1), bias: Float32Array.of(-1) },
        { kind: 'dense', kernel: Float32Array.of(2), bias: Float32Array.of(0.5) },
      ],
    };
    const { base, contributions } = explain(network, createMatrix(1, 2), Float32Array.of(1, 3));
    expect(base).toBe(0.5);
    expect([...contributions]).toEqual([1.5, 4.5]);
  });

  it('is not far from the Shapley values of a network with two hidden layers', () => {
    const network = randomNetwork(sequential(4, [dense(16, 'relu'), dense(8, 'relu'), dense(1, 'sigmoid')]));
    const ordinary = randomRows(8, 4, 7);
    const rows = randomRows(20, 4, 8);
    const scorer = createNetworkScorer(network, { head: 'logit' });
    let error = 0;
    let size = 0;
    for (let row = 0; row < rows.rows; row++) {
      const exact = shapleyValues((mixed) => scorer.score(mixed.values, mixed.rows), ordinary, rowOf(rows, row));
      explain(network, ordinary, rowOf(rows, row)).contributions.forEach((contribution, column) => {
        error += (contribution - exact[column]) ** 2;
        size += exact[column] ** 2;
      });
    }
    expect(Math.sqrt(error / size)).toBeLessThan(0.4);
  });
});
