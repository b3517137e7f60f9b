// Every detector passes the same checks.
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { isolationForest } from '../../src/models/isolation-forest/isolation-forest.ts';
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
