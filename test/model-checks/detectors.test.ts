// Every detector passes the same checks.
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { describeDetectorChecks } from './describe-detector-checks.ts';

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
