// Writes sample networks in every format and detectors as ONNX, with what our own scorers predict, for
// python/check_written.py.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGraphRuntime } from '../src/adapters/onnx-runtime/graph-runtime.ts';
import { type RiskModel, scoreRisk } from '../src/decisions/risk-model.ts';
import { exportDetector, exportRiskModel } from '../src/interchange/export-detector.ts';
import { NETWORK_FORMATS, writeNetwork } from '../src/interchange/network-files.ts';
import { createAutoencoderDetector } from '../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../src/models/blend/unsupervised-ensemble.ts';
import { AS_IS, type Calibration } from '../src/models/calibration.ts';
import { fitConformal } from '../src/models/conformal.ts';
import { copod } from '../src/models/copod/copod.ts';
import type { FittedDetector } from '../src/models/detector.ts';
import { ecod } from '../src/models/ecod/ecod.ts';
import { createEnsembleDetector } from '../src/models/ensemble/ensemble.ts';
import { gbdt } from '../src/models/gbdt/gbdt.ts';
import { halfSpaceTrees } from '../src/models/half-space-trees/half-space-trees.ts';
import { hbos } from '../src/models/hbos/hbos.ts';
import { isolationForest } from '../src/models/isolation-forest/isolation-forest.ts';
import { loda } from '../src/models/loda/loda.ts';
import type { Matrix } from '../src/models/matrix.ts';
import { createNetworkDetector } from '../src/models/network/network.ts';
import { readFacts } from '../src/models/onnx-model/model-facts.ts';
import { findPorts } from '../src/models/onnx-model/model-ports.ts';
import { readSignature } from '../src/models/onnx-model/signature.ts';
import { pca } from '../src/models/pca/pca.ts';
import { robustCovariance } from '../src/models/robust-covariance/robust-covariance.ts';
import { sampleNetworks } from '../test/interop/sample-networks.ts';
import { makeTrainingData } from '../test/model-checks/dataset.ts';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const asRows = ({ rows, columns, values }: Matrix) =>
  Array.from({ length: rows }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns), (value) => (Number.isNaN(value) ? null : value)),
  );
const store = (file: string, inputs: Matrix, outputs: Float32Array, output: string | null = null) =>
  writeFileSync(join(folder, file), JSON.stringify({ inputs: asRows(inputs), outputs: [...outputs], output }));

for (const { name, network, rows, inputs, outputs } of sampleNetworks()) {
  store(`${name}.json`, { rows, columns: network.description.inputs, values: inputs }, outputs);
  for (const format of NETWORK_FORMATS) {
    writeFileSync(join(folder, `${name}.${format}`), await writeNetwork(network, format));
  }
}

const training = { ...makeTrainingData(600, 5), categorical: [1] };
const unlabelled = { ...training, labels: null };
const unseen = makeTrainingData(64, 6).matrix;
const runtime = createGraphRuntime();
const boosted = gbdt.fit(training, { rounds: 30, minSamplesPerLeaf: 5 }, 1);
const forest = isolationForest.fit(unlabelled, { trees: 30 }, 1);
const blend = unsupervisedEnsemble.fit(unlabelled, {}, 1);
const detectors: readonly (readonly [string, FittedDetector])[] = [
  ['gbdt', boosted],
  ['network', createNetworkDetector(runtime).fit(training, { epochs: 3, members: 2 }, 1)],
  ['ensemble', createEnsembleDetector(runtime).fit(training, { trees: 2 }, 1)],
  ['isolation-forest', forest],
  ['extended-isolation-forest', isolationForest.fit(unlabelled, { trees: 30, extensionLevel: 2 }, 1)],
  ['unsupervised-ensemble', blend],
  ['autoencoder', createAutoencoderDetector(runtime).fit(unlabelled, {}, 1)],
  ...[robustCovariance, ecod, copod, halfSpaceTrees, hbos, loda, pca].map(
    (detector) => [detector.name, detector.fit(unlabelled, {}, 1)] as const,
  ),
];
mkdirSync(join(folder, 'onnx'), { recursive: true });
/** What the answer is called in the file. */
const outputOf = (bytes: Uint8Array, output: string | null) =>
  findPorts(readSignature(bytes), training.features, output).output;
const storeOnnx = (name: string, bytes: Uint8Array, scores: Float32Array) => {
  const output = outputOf(bytes, readFacts(bytes, null).output);
  writeFileSync(join(folder, 'onnx', `${name}.onnx`), bytes);
  store(join('onnx', `${name}.json`), unseen, scores, output);
};
for (const [name, detector] of detectors) {
  const [{ bytes }] = await exportDetector(detector.name, detector.save(), 'onnx', null);
  storeOnnx(name, bytes, detector.score(unseen));
}

const part = (detector: FittedDetector, supervised: boolean) => ({
  detector,
  supervised,
  columns: training.features.map((_, column) => column),
  tail: fitConformal(detector.score(training.matrix)),
});
// Definitions as far as a model needs them.
const definitions = training.features.map((id) => ({ id })) as unknown as RiskModel['definitions'];
const stacking = { bias: -2.5, weights: [0.8, 1.5] };
const parts = [part(boosted, true), part(blend, false)];
const beta: Calibration = { kind: 'beta', version: 1, a: 0.7, b: 1.4, c: -0.3 };
const stacked: RiskModel = { definitions, parts, stacking, calibration: beta, ruleEvidence: null };
const ranking: RiskModel = {
  definitions,
  parts: [part(forest, false)],
  stacking: null,
  calibration: AS_IS,
  ruleEvidence: null,
};
for (const [name, model] of [
  ['risk-stacked', stacked],
  ['risk-ranking', ranking],
] as const) {
  storeOnnx(name, exportRiskModel(model)[0].bytes, scoreRisk(model, unseen).risk);
}
