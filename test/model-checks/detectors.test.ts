// Every detector passes the same checks.
import { expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { createAutoencoderDetector } from '../../src/models/autoencoder/autoencoder.ts';
import { unsupervisedEnsemble } from '../../src/models/blend/unsupervised-ensemble.ts';
import { copod } from '../../src/models/copod/copod.ts';
import { knownDetectors } from '../../src/models/detectors.ts';
import { ecod } from '../../src/models/ecod/ecod.ts';
import { createEnsembleDetector } from '../../src/models/ensemble/ensemble.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { halfSpaceTrees } from '../../src/models/half-space-trees/half-space-trees.ts';
import { hbos } from '../../src/models/hbos/hbos.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
import { knn } from '../../src/models/knn/knn.ts';
import { loda } from '../../src/models/loda/loda.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { createOnnxModelDetector } from '../../src/models/onnx-model/onnx-model.ts';
import { pca } from '../../src/models/pca/pca.ts';
import { robustCovariance } from '../../src/models/robust-covariance/robust-covariance.ts';
import { CHECK_FEATURES, makeTrainingData } from './dataset.ts';
import { checkedDetectors, describeDetectorChecks } from './describe-detector-checks.ts';

describeDetectorChecks(gbdt, {
  options: { rounds: 20, minSamplesPerLeaf: 5 },
  rawOfScore: (score) => Math.log(score / (1 - score)),
  rawTolerance: 1e-5,
  tooFewRows: 1,
});

describeDetectorChecks(isolationForest, {
  options: { trees: 50 },
  rawOfScore: Math.log2,
  rawTolerance: 1e-5,
  tooFewRows: 0,
});

describeDetectorChecks(createNetworkDetector(createGraphRuntime()), {
  options: { epochs: 8, batchRows: 32, members: 2 },
  rawOfScore: (score) => Math.log(score / (1 - score)),
  // The logit of a float32 score near 1 is this coarse.
  rawTolerance: 1e-4,
  tooFewRows: 1,
});

const additive = { options: {}, rawOfScore: (score: number) => score / (1 - score), rawTolerance: 0.01, tooFewRows: 1 };

describeDetectorChecks(ecod, additive);
describeDetectorChecks(copod, additive);
describeDetectorChecks(hbos, additive);
describeDetectorChecks(knn, additive);
describeDetectorChecks(loda, additive);
describeDetectorChecks(pca, additive);
describeDetectorChecks(robustCovariance, additive);
describeDetectorChecks(unsupervisedEnsemble, additive);

describeDetectorChecks(createEnsembleDetector(createGraphRuntime()), {
  options: { trees: 2, network: { members: 1, epochs: 8, batchRows: 32 } },
  rawOfScore: (score) => Math.log(score / (1 - score)),
  rawTolerance: 1e-3,
  tooFewRows: 1,
});
describeDetectorChecks(createAutoencoderDetector(createGraphRuntime()), { ...additive, options: { epochs: 5 } });

describeDetectorChecks(halfSpaceTrees, {
  options: { depth: 8 },
  rawOfScore: (score) => 1 - 1 / score,
  rawTolerance: 1e-4,
  tooFewRows: 1,
});

// Bring your own: a network that learned from the checks' rows and was written to ONNX, and boosted trees.
const network = createNetworkDetector(createGraphRuntime()).fit(
  makeTrainingData(600, 5),
  { epochs: 8, batchRows: 32, members: 1 },
  1,
);
const trees = gbdt.fit(makeTrainingData(600, 5), { rounds: 20, minSamplesPerLeaf: 5 }, 1);
for (const fitted of [network, trees]) {
  const [{ bytes }] = await exportDetector(fitted.name, fitted.save(), 'onnx', null);
  describeDetectorChecks(createOnnxModelDetector(createGraphRuntime()), {
    options: { model: bytes, modelFeatures: CHECK_FEATURES },
    rawOfScore: (score) => Math.log(score / (1 - score)),
    rawTolerance: 1e-4,
    tooFewRows: 0,
  });
}

it('leaves out no detector that there is', () => {
  const names = knownDetectors(createGraphRuntime()).map(({ name }) => name);
  expect([...checkedDetectors].sort()).toEqual(names.sort());
});
