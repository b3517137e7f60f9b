import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../../lib/prng.ts';
import type { TrainingData } from '../detector.ts';
import { createMatrix, rowOf, sliceRows } from '../matrix.ts';
import { createPreparation, ordinaryRow } from '../preparation/preparation.ts';
import { decodeNetworks, encodeNetworks } from './artefact.ts';
import { createNetworkDetector } from './network.ts';
import { curvesIn, type TrainingCurve, type TrainingObserver } from './observer.ts';
import type { NetworkOptions } from './options.ts';
import { createNetworkScorer } from './scorer/network-scorer.ts';
import { dense } from './sequential.ts';

const network = createNetworkDetector(createGraphRuntime());

/** A merchant's code alone tells frauds: 7995 mostly, 5411 seldom; the amount says nothing. */
function makeData(rows: number, seed: number): TrainingData & { labels: Uint8Array } {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, 2);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const code = [5411, 7995, 6011, 4829][prng.nextBelow(4)];
    rowOf(matrix, row).set([prng.nextNormal(), code]);
    labels[row] = prng.nextFloat() < (code === 7995 ? 0.9 : 0.1) ? 1 : 0;
  }
  return { matrix, features: ['amount', 'merchant'], categorical: [1], labels, validation: null };
}

const SHORT: Partial<NetworkOptions> = { epochs: 10, batchRows: 32, members: 1, learningRate: { initial: 0.01 } };

describe('the network detector', () => {
  const data = makeData(600, 1);

  it('learns from category codes, whose numbers have no order, and says that they were the reason', () => {
    const fitted = network.fit(data, SHORT, 4);
    const rows = { rows: 2, columns: 2, values: Float32Array.of(0, 7995, 0, 5411) };
    const [risky, ordinary] = fitted.score(rows);
    expect(risky).toBeGreaterThan(0.7);
    expect(ordinary).toBeLessThan(0.3);
    const { contributions } = fitted.explain(Float32Array.of(0.5, 7995));
    expect(contributions[1]).toBeGreaterThan(5 * Math.abs(contributions[0]));
  });

  it.each(['simple', 'complex', 'best'] as const)('fits the preset %s and takes its layers from it', (preset) => {
    const fitted = network.fit(data, { preset, epochs: 1 }, 1);
    const { parameters } = fitted.save();
    const units = (parameters.layers as { units?: number }[]).flatMap((layer) => layer.units ?? []);
    if (preset === 'simple') expect(units).toEqual([64, 32, 1]);
    if (preset === 'complex') expect(units).toEqual([128, 64, 1]);
    expect(fitted.score(data.matrix).every((score) => score > 0 && score < 1)).toBe(true);
  });

  it('tells the losses of every epoch and member, stops where it is told to, and stores them', () => {
    const seen: number[][] = [];
    const ended: TrainingCurve[] = [];
    const observer: TrainingObserver = {
      onEpoch({ epoch }, { member, members, epochs }) {
        seen.push([member, members, epoch, epochs]);
        return epoch < 2;
      },
      onNetwork: (curve) => ended.push(curve),
    };
    const fitted = network.fit(data, { ...SHORT, members: 2, observer }, 1);
    expect(seen).toEqual([
      [0, 2, 1, 10],
      [0, 2, 2, 10],
      [1, 2, 1, 10],
      [1, 2, 2, 10],
    ]);
    const { parameters } = fitted.save();
    expect(parameters).not.toHaveProperty('observer');
    expect(curvesIn(parameters)).toEqual(ended);
    expect(ended.map(({ history }) => history.length)).toEqual([2, 2]);
    const [first, second] = ended[0].history;
    expect(second.loss).toBeLessThan(first.loss);
    expect(first.validationLoss).toBeGreaterThan(0);
  });

  it('averages the logits of its members', () => {
    const fitted = network.fit(data, { ...SHORT, members: 2 }, 3);
    const { networks, preparation } = decodeNetworks(fitted.save());
    const row = sliceRows(data.matrix, 0, 1);
    const inputs = createPreparation(preparation).apply(row).values;
    const [first, second] = networks.map((one) => createNetworkScorer(one, { head: 'logit' }).score(inputs, 1)[0]);
    expect(first).not.toBe(second);
    expect(fitted.score(row)[0]).toBeCloseTo(1 / (1 + Math.exp(-(first + second) / 2)), 6);
  });

  it('explains against the medians what version 1 stored, without ordinary rows', () => {
    const fitted = network.fit(data, SHORT, 3);
    const saved = fitted.save();
    const older = encodeNetworks({ ...decodeNetworks(saved), ordinary: null }, data.features, saved.parameters);
    const loaded = network.load({ ...older, formatVersion: 1 });
    const row = rowOf(data.matrix, 5);
    const { base, contributions } = loaded.explain(row);
    const logit = ([score]: Float32Array) => Math.log(score / (1 - score));
    const { columns } = decodeNetworks(saved).preparation;
    const medians = { rows: 1, columns: 2, values: ordinaryRow({ columns, indicators: [] }) };
    expect(base).toBeCloseTo(logit(fitted.score(medians)), 4);
    expect(base + contributions[0] + contributions[1]).toBeCloseTo(
      logit(fitted.score(sliceRows(data.matrix, 5, 6))),
      4,
    );
    expect(fitted.explain(row).base).not.toBeCloseTo(base, 3);
  });

  it('scores higher where a fraud weighs more', () => {
    const mean = (scores: Float32Array) => scores.reduce((sum, score) => sum + score, 0) / scores.length;
    const plain = network.fit(data, SHORT, 3).score(data.matrix);
    const weighted = network.fit(data, { ...SHORT, positiveWeight: 8 }, 3).score(data.matrix);
    expect(mean(weighted)).toBeGreaterThan(mean(plain) + 0.2);
  });

  it('watches the given validation rows for early stopping, and else the last training rows', () => {
    const validation = makeData(200, 9);
    const given = network.fit({ ...data, validation }, SHORT, 3).save().parameters.history;
    expect(given).not.toEqual(network.fit(data, SHORT, 3).save().parameters.history);
  });

  it('refuses options that are unknown or out of range, and labels of one class', () => {
    expect(() => network.fit(data, { preset: 'deep' as never }, 1)).toThrow(/no preset "deep"/);
    expect(() => network.fit(data, { layer: [] } as never, 1)).toThrow(/unknown option "layer"/);
    expect(() => network.fit(data, { epochs: 0 }, 1)).toThrow(/epochs is 0/);
    expect(() => network.fit(data, { layers: [dense(1)] }, 1)).toThrow(/sigmoid/);
    expect(() => network.fit({ ...data, labels: new Uint8Array(600) }, {}, 1)).toThrow(/one class/);
  });
});
