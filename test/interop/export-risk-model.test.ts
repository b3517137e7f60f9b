// A whole risk model as one ONNX file: from the features to the risk that we decide by.
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { type RiskModel, type RiskModelPart, scoreRisk } from '../../src/decisions/risk-model.ts';
import type { FeatureDefinition } from '../../src/features/definition.ts';
import { exportDetector, exportRiskModel } from '../../src/interchange/export-detector.ts';
import { createAutoencoderDetector } from '../../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../../src/models/blend/unsupervised-ensemble.ts';
import { AS_IS, type Calibration } from '../../src/models/calibration.ts';
import { fitConformal, recencyWeights } from '../../src/models/conformal.ts';
import type { FittedDetector, TrainingData } from '../../src/models/detector.ts';
import { createEnsembleDetector } from '../../src/models/ensemble/ensemble.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { knn } from '../../src/models/knn/knn.ts';
import { takeColumns } from '../../src/models/matrix.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { readFacts } from '../../src/models/onnx-model/model-facts.ts';
import { createOnnxModelDetector } from '../../src/models/onnx-model/onnx-model.ts';
import { packArtefact } from '../../src/models/packed-artefact.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { largestDifference } from './fixtures.ts';
import { hardRows, outputInOnnx } from './onnx-rows.ts';

const runtime = createGraphRuntime();
const data: TrainingData = { ...makeTrainingData(500, 3), categorical: [1] };
const unlabelled = { ...data, labels: null };
const ensemble = ensembleOf([
  { detector: gbdt.fit(data, { rounds: 60, rowShare: 0.7 }, 1), weight: 0.35 },
  { detector: gbdt.fit(data, { rounds: 60, rowShare: 0.7 }, 2), weight: 0.35 },
  {
    detector: createNetworkDetector(runtime).fit(data, { preset: 'simple', epochs: 3, batchRows: 64 }, 1),
    weight: 0.3,
  },
]);
const blend = unsupervisedEnsemble.fit(unlabelled, {}, 1);
const FEW = [5, 0, 2, 4];
const few = {
  ...unlabelled,
  matrix: takeColumns(data.matrix, FEW),
  features: FEW.map((column) => data.features[column]),
  categorical: [],
};
const autoencoder = createAutoencoderDetector(runtime).fit(few, {}, 1);

const ALL = data.features.map((_, column) => column);
const part = (detector: FittedDetector, supervised: boolean, columns = ALL): RiskModelPart => ({
  detector,
  supervised,
  columns,
  tail: fitConformal(detector.score(takeColumns(data.matrix, columns))),
});
/** Definitions as far as a model needs them. */
const definitions = data.features.map((id) => ({ id })) as unknown as FeatureDefinition[];
const parts = [part(ensemble, true), part(blend, false), part(autoencoder, false, FEW)];
const stacked: RiskModel = {
  definitions,
  parts,
  stacking: { bias: -2.5, weights: [0.8, 1.5, 0.7] },
  calibration: AS_IS,
  ruleEvidence: null,
};
const beta: Calibration = { kind: 'beta', version: 1, a: 0.7, b: 1.4, c: -0.3 };
const steps = { scores: [0.02, 0.05, 0.3, 0.31, 0.8], probabilities: [0, 0.001, 0.001, 0.4, 0.9] };
/** Newer reference rows weigh more. */
const drifting: RiskModel = {
  ...stacked,
  stacking: null,
  parts: [
    {
      ...parts[1],
      tail: fitConformal(
        blend.score(data.matrix),
        recencyWeights(
          Float64Array.from({ length: data.matrix.rows }, (_, row) => row),
          data.matrix.rows,
          100,
        ),
      ),
    },
  ],
};

/** As it is stored: one that is fitted has networks which take seconds. */
function ensembleOf(
  members: readonly { readonly detector: FittedDetector; readonly weight: number }[],
): FittedDetector {
  const artefacts = members.map(({ detector }) => detector.save());
  const curve = { slope: 1.3, intercept: -0.4 };
  const stored = artefacts.map(({ format, formatVersion, parameters }, index) => ({
    learner: members[index].detector.name,
    weight: members[index].weight,
    format,
    formatVersion,
    parameters,
  }));
  const readable = { format: 'centinela.ensemble', formatVersion: 1, features: [...data.features], parameters: curve };
  const contents = { members: stored, curve, options: {} };
  return createEnsembleDetector(runtime).load(
    packArtefact(readable, { contents, sections: artefacts.map(({ binary }) => binary) }),
  );
}

describe('a supervised ensemble exported to ONNX', () => {
  it('is the same trees and networks, blended and calibrated', async () => {
    const rows = hardRows(6, data.matrix.values);
    const [file] = await exportDetector('ensemble', ensemble.save(), 'onnx', null);
    const { data: scores } = outputInOnnx(file.bytes, rows, 'probability');
    expect(new Set(scores as Float32Array).size).toBeGreaterThan(500);
    expect(largestDifference(scores as Float32Array, ensemble.score(rows))).toBeLessThan(2e-6);
  });
});

describe('a risk model exported to ONNX', () => {
  it.each([
    ['stacked on labels', stacked],
    ['calibrated by Platt', { ...stacked, calibration: { kind: 'platt', version: 1, slope: 5.5, intercept: -3 } }],
    ['calibrated by beta', { ...stacked, calibration: beta }],
    ['calibrated by isotonic steps', { ...stacked, calibration: { kind: 'isotonic', version: 1, ...steps } }],
    ['whose second detector has no weight', { ...stacked, stacking: { bias: -2.5, weights: [1.1, 0, 0.7] } }],
    ['of one detector without labels', { ...stacked, parts: parts.slice(1), stacking: null }],
    ['whose newer reference rows weigh more', drifting],
    ['of an autoencoder that reads some of the features', { ...stacked, parts: parts.slice(2), stacking: null }],
  ] as const)('gives the same risk and ranking: %s', (_, model: RiskModel) => {
    const rows = hardRows(7, data.matrix.values);
    const [{ bytes }] = exportRiskModel(model);
    const expected = scoreRisk(model, rows);
    expect(new Set(expected.risk).size).toBeGreaterThan(100);
    expect(largestDifference(outputInOnnx(bytes, rows, 'risk').data as Float32Array, expected.risk)).toBeLessThan(2e-6);
    expect(largestDifference(outputInOnnx(bytes, rows, 'ranking').data as Float32Array, expected.ranking)).toBeLessThan(
      1e-5,
    );
  });

  it('gives every row the same risk where no detector has a weight', () => {
    const model = { ...stacked, stacking: { bias: -2.5, weights: [0, 0, 0] } };
    const rows = hardRows(7);
    const [{ bytes }] = exportRiskModel(model);
    const risk = outputInOnnx(bytes, rows, 'risk');
    expect(risk.dims).toEqual([rows.rows, 1]);
    expect(largestDifference(risk.data as Float32Array, scoreRisk(model, rows).risk)).toBeLessThan(1e-7);
  });

  it.each([1, 2])('reads an isotonic curve of %i knots', (knots) => {
    const curve = { scores: steps.scores.slice(2, 2 + knots), probabilities: steps.probabilities.slice(2, 2 + knots) };
    const model: RiskModel = { ...stacked, calibration: { kind: 'isotonic', version: 1, ...curve } };
    const rows = hardRows(7, data.matrix.values);
    const [{ bytes }] = exportRiskModel(model);
    const risk = outputInOnnx(bytes, rows, 'risk').data as Float32Array;
    expect(largestDifference(risk, scoreRisk(model, rows).risk)).toBeLessThan(2e-6);
  });

  it("can be served as anybody's model, by what its file says", () => {
    const [{ bytes }] = exportRiskModel(stacked);
    const facts = readFacts(bytes, null);
    expect(facts).toEqual({ modelFeatures: data.features, output: 'risk', answer: 'probability' });
    const served = createOnnxModelDetector(runtime).fit(data, { ...facts, model: bytes }, 1);
    const rows = makeTrainingData(300, 8).matrix;
    expect(largestDifference(served.score(rows), scoreRisk(stacked, rows).risk)).toBeLessThan(1e-5);
  });

  it('names the detector that has no graph', () => {
    const neighbours = part(knn.fit(unlabelled, {}, 1), false);
    const model = { ...stacked, parts: [neighbours], stacking: null };
    expect(() => exportRiskModel(model)).toThrow(/'knn' can't be exported to ONNX. It consists of training rows/);
  });
});
