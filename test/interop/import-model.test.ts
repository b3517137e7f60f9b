// A network that is imported becomes an ONNX model that predicts what the network predicted where it was made.
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { type ImportOptions, importModel } from '../../src/interchange/import-model.ts';
import { createNetworkDetector } from '../../src/models/network/network.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { foreignModels, largestDifference } from './fixtures.ts';

const runtime = createGraphRuntime();
const NOTHING: Omit<ImportOptions, 'ending'> = {
  features: null,
  preparation: null,
  answer: null,
  activations: null,
  activationAfter: null,
  epsilon: null,
};

function probabilities(model: Uint8Array, inputs: Float32Array, rows: number): Float32Array {
  const session = runtime.open(model);
  const { probability } = session.run({ inputs: { data: inputs, dims: [rows, inputs.length / rows] } });
  session.close();
  return probability.data as Float32Array;
}

describe('an imported network', () => {
  const networks = foreignModels().filter(({ format }) => format !== 'onnx');

  it.each(networks)(
    'predicts what it predicted where it was made: $file',
    async ({ bytes, format, options, ...model }) => {
      const logits = options.activations?.at(-1) === 'linear';
      const { model: imported, facts } = await importModel(bytes, {
        ...NOTHING,
        ending: format,
        features: JSON.stringify(Array.from({ length: model.columns }, (_, column) => `feature${column}`)),
        answer: logits ? 'logit' : null,
        activations: options.activations?.join() ?? null,
        activationAfter: options.activationAfter ?? null,
      });
      expect(facts).toMatchObject({ answer: 'probability' });
      const expected = model.outputs.map((output) => (logits ? 1 / (1 + Math.exp(-output)) : output));
      expect(largestDifference(probabilities(imported, model.inputs, model.rows), expected)).toBeLessThan(1e-5);
    },
  );

  it.each(['keras', 'h5', 'pt', 'safetensors'] as const)(
    'with the preparation written beside it takes raw features: %s',
    async (format) => {
      const data = { ...makeTrainingData(400, 3), categorical: [1] };
      const fitted = createNetworkDetector(runtime).fit(data, { epochs: 2, batchRows: 64, members: 1 }, 1);
      const [network, beside] = await exportDetector('network', fitted.save(), format, null);
      const { model, facts } = await importModel(network.bytes, {
        ...NOTHING,
        ending: format,
        preparation: new TextDecoder().decode(beside.bytes),
      });
      expect(facts.features).toEqual(data.features);
      const { values, rows } = makeTrainingData(200, 4).matrix;
      const scores = fitted.score({ values, rows, columns: data.features.length });
      expect(largestDifference(probabilities(model, values, rows), scores)).toBeLessThan(1e-5);
    },
  );
});
