// Writes sample networks in every format and detectors as ONNX, with what our own scorers predict, for
// python/check_written.py.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGraphRuntime } from '../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../src/interchange/export-detector.ts';
import { NETWORK_FORMATS, writeNetwork } from '../src/interchange/network-files.ts';
import { gbdt } from '../src/models/gbdt/gbdt.ts';
import { isolationForest } from '../src/models/isolation-forest/isolation-forest.ts';
import type { Matrix } from '../src/models/matrix.ts';
import { createNetworkDetector } from '../src/models/network/network.ts';
import { sampleNetworks } from '../test/interop/sample-networks.ts';
import { makeTrainingData } from '../test/model-checks/dataset.ts';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
const asRows = ({ rows, columns, values }: Matrix) =>
  Array.from({ length: rows }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns), (value) => (Number.isNaN(value) ? null : value)),
  );
const store = (file: string, inputs: Matrix, outputs: Float32Array) =>
  writeFileSync(join(folder, file), JSON.stringify({ inputs: asRows(inputs), outputs: [...outputs] }));

for (const { name, network, rows, inputs, outputs } of sampleNetworks()) {
  store(`${name}.json`, { rows, columns: network.description.inputs, values: inputs }, outputs);
  for (const format of NETWORK_FORMATS) {
    writeFileSync(join(folder, `${name}.${format}`), await writeNetwork(network, format));
  }
}

const training = { ...makeTrainingData(600, 5), categorical: [1] };
const unseen = makeTrainingData(64, 6).matrix;
const detectors = [
  gbdt.fit(training, { rounds: 30, minSamplesPerLeaf: 5 }, 1),
  isolationForest.fit(training, { trees: 30 }, 1),
  createNetworkDetector(createGraphRuntime()).fit(training, { epochs: 3, members: 2 }, 1),
];
mkdirSync(join(folder, 'onnx'), { recursive: true });
for (const detector of detectors) {
  store(join('onnx', `${detector.name}.json`), unseen, detector.score(unseen));
  const [{ bytes }] = await exportDetector(detector.name, detector.save(), 'onnx', null);
  writeFileSync(join(folder, 'onnx', `${detector.name}.onnx`), bytes);
}
