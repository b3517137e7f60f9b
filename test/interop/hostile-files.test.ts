// Files made to harm: each is refused with a message that says what it tried, at once and without eating up the memory.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { zipSync } from 'fflate';
import * as hdf5 from 'h5wasm';
import { FunctionProtoSchema, ModelProtoSchema, NodeProtoSchema } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { writeHdf5 } from '../../src/interchange/hdf5.ts';
import { importModel } from '../../src/interchange/import-model.ts';
import { readNetwork } from '../../src/interchange/network-files.ts';
import { InputError } from '../../src/lib/errors.ts';
import { createGraphBuilder, type GraphBuilder, int64, modelBytes } from '../../src/models/onnx/graph-builder.ts';
import { createOnnxModelDetector } from '../../src/models/onnx-model/onnx-model.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';

/** Generous: the machine may be busy. */
const MOST_MS = 5000;
const MOST_BYTES = 400e6;

async function expectRefused(attempt: () => unknown, message: RegExp): Promise<void> {
  const started = performance.now();
  const before = process.memoryUsage.rss();
  const error = await (async () => attempt())().then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(InputError);
  expect((error as Error).message).toMatch(message);
  expect(performance.now() - started).toBeLessThan(MOST_MS);
  expect(process.memoryUsage.rss() - before).toBeLessThan(MOST_BYTES);
}

const text = (value: string) => new TextEncoder().encode(value);
const DENSE = { class_name: 'Dense', config: { name: 'dense', units: 1, activation: 'sigmoid' } };
const input = (columns: number) => ({ class_name: 'InputLayer', config: { name: 'in', batch_shape: [null, columns] } });
const sequential = (...layers: object[]) => JSON.stringify({ class_name: 'Sequential', config: { layers } });

/** A .keras of one dense layer's weights. */
async function kerasOf(config: string, more: Record<string, Uint8Array> = {}): Promise<Uint8Array> {
  const weights = await writeHdf5((file) => {
    file.group('layers');
    file.dataset('layers/dense/vars/0', { dims: [6, 1], data: new Float32Array(6) });
    file.dataset('layers/dense/vars/1', { dims: [1], data: new Float32Array(1) });
  });
  return zipSync({ 'config.json': text(config), 'model.weights.h5': weights, ...more });
}

describe('a hostile .keras file', () => {
  it('is one where an honest one is read', async () => {
    const network = await readNetwork(await kerasOf(sequential(input(6), DENSE)), 'keras');
    expect(network.description.inputs).toBe(6);
  });

  const lambda = { class_name: 'Lambda', config: { name: 'run', function: ['4wEAAAAA', null, null] } };
  const custom = { class_name: 'Custom>Shell', registered_name: 'Custom>Shell', config: { name: 'shell' } };
  const own = { module: 'os', class_name: 'function', config: 'system', registered_name: 'function' };
  it.each([
    ['a Lambda layer', sequential(input(6), lambda, DENSE), /layer 'run' is a Lambda/],
    ['a layer of a class of its own', sequential(input(6), custom, DENSE), /layer 'shell' is a Custom>Shell/],
    [
      'an activation of a class of its own',
      sequential(input(6), { ...DENSE, config: { ...DENSE.config, activation: own } }),
      /has the activation of a class of its own/,
    ],
    ['a model of a class of its own', '{"module":"os","class_name":"system","config":{"layers":[]}}', /it is a system/],
    ['a billion columns', sequential(input(1e9), DENSE), /has 1000000000 columns/],
    [
      'a billion units without a bias',
      sequential(input(6), { ...DENSE, config: { ...DENSE.config, units: 1e9, use_bias: false } }),
      /has 1000000000 units and weights of 6 × 1/,
    ],
    ['units that are no number', sequential(input(6), { ...DENSE, config: { name: 'dense' } }), /no number 'units'/],
    ['brackets without end', '['.repeat(2_000_000), /not JSON/],
  ])('is refused: %s', async (_, config, message) => {
    const file = await kerasOf(config);
    await expectRefused(() => readNetwork(file, 'keras'), message);
  });

  it.each(['../../etc/cron.d/x', '/etc/passwd', 'a/../../b', 'a\\..\\b'])('is refused for a path: %s', async (name) => {
    const file = await kerasOf(sequential(input(6), DENSE), { [name]: text('x') });
    await expectRefused(() => readNetwork(file, 'keras'), /holds a file named/);
  });

  it('is refused where it would unpack to hundreds of megabytes', async () => {
    const file = zipSync({ 'config.json': new Uint8Array(200e6) }, { level: 9 });
    expect(file.length).toBeLessThan(1e6);
    await expectRefused(() => readNetwork(file, 'keras'), /unpacks to 200000000 and more/);
  });
});

describe('a hostile .h5 file', () => {
  const NAME = 'hostile.h5';
  async function h5Of(fill: (weights: InstanceType<typeof hdf5.Group>) => void): Promise<Uint8Array> {
    const { FS } = await hdf5.ready;
    const file = new hdf5.File(NAME, 'w');
    file.create_attribute('model_config', sequential(input(6), DENSE));
    const layer = file.create_group('model_weights').create_group('dense');
    layer.create_attribute('weight_names', ['kernel', 'bias']);
    layer.create_dataset({ name: 'bias', data: new Float32Array(1) });
    fill(layer);
    file.close();
    const bytes = FS.readFile(NAME).slice();
    FS.unlink(NAME);
    return bytes;
  }

  it('is refused where a few compressed bytes claim to be twenty million numbers', async () => {
    const file = await h5Of((layer) => {
      const shape = [20_000, 1000];
      const data = new Float32Array(shape[0] * shape[1]);
      layer.create_dataset({ name: 'kernel', data, shape, chunks: [2000, 1000], compression: 9 });
    });
    expect(file.length).toBeLessThan(1e6);
    await expectRefused(() => readNetwork(file, 'h5'), /claims to hold 20000000 numbers/);
  });

  it('is refused where its header gives other dimensions', async () => {
    const file = await h5Of((layer) =>
      layer.create_dataset({ name: 'kernel', data: new Float32Array(77), shape: [7, 11] }),
    );
    const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    let changed = 0;
    for (let at = 0; at + 16 <= file.length; at++) {
      if (view.getBigUint64(at, true) !== 7n || view.getBigUint64(at + 8, true) !== 11n) continue;
      view.setBigUint64(at, 2n ** 40n, true);
      changed += 1;
    }
    expect(changed).toBeGreaterThan(0);
    await expectRefused(() => readNetwork(file, 'h5'), /HDF5 file can't be read|more than \d+ elements/);
  });

  it('sees no file of this machine by a link', async () => {
    const file = await h5Of((layer) => layer.create_external_link('/etc/passwd', '/', 'kernel'));
    await expectRefused(() => readNetwork(file, 'h5'), /can't be read/);
  });

  it('is refused where a link leads to itself', async () => {
    const file = await h5Of((layer) => layer.create_soft_link('/model_weights/dense/kernel', 'kernel'));
    await expectRefused(() => readNetwork(file, 'h5'), /can't be read/);
  });
});

describe('a hostile ONNX model', () => {
  const data = { ...makeTrainingData(20, 1), labels: null };
  const features = data.features;
  const serve = (model: Uint8Array) =>
    createOnnxModelDetector(createGraphRuntime()).fit(data, { model, modelFeatures: features }, 1);
  function modelOf(fill: (graph: GraphBuilder, inputs: string) => string): Uint8Array {
    const graph = createGraphBuilder('hostile');
    const inputs = graph.input('inputs', 'float32', ['rows', features.length]);
    graph.output('probability', fill(graph, inputs), 'float32', ['rows', 1]);
    return modelBytes(graph, { opset: 17 });
  }
  const shapeOf = (graph: GraphBuilder, ...dims: number[]) => graph.constant(int64(dims));
  const endless = modelOf((graph) => {
    const body = graph.subgraph('again');
    body.input('step', 'int64', []);
    const goOn = body.input('go_on', 'bool', []);
    const state = body.input('state', 'float32', [1]);
    body.output('go_on_out', goOn, 'bool', []);
    body.output('state_out', state, 'float32', [1]);
    const always = graph.constant({ type: 'bool', data: Uint8Array.of(1), dims: [] });
    const start = graph.constant({ type: 'float32', data: new Float32Array(1), dims: [1] });
    return graph.node('Loop', ['', always, start], { body });
  });

  it.each([
    ['a loop without end', endless, /repeats a part of itself \(Loop\)/],
    [
      'a tensor of a trillion numbers',
      modelOf((graph) => graph.node('ConstantOfShape', [shapeOf(graph, 2 ** 20, 2 ** 20)])),
      /makes a tensor of 1099511627776 numbers \(ConstantOfShape\)/,
    ],
    [
      'a row repeated a billion times',
      modelOf((graph, inputs) => graph.node('Tile', [inputs, shapeOf(graph, 2 ** 30, 1)])),
      /\(Tile\)/,
    ],
    [
      'random numbers by the billion',
      modelOf((graph) => graph.node('RandomNormal', [], { shape: [2n ** 30n, 1n] })),
      /\(RandomNormal\)/,
    ],
  ])('is refused, and never run: %s', async (_, model, message) => {
    await expectRefused(() => serve(model), message);
    const importing = () =>
      importModel(model, {
        ending: 'onnx',
        features: JSON.stringify(features),
        preparation: null,
        answer: null,
        activations: null,
        activationAfter: null,
        epsilon: null,
      });
    await expectRefused(importing, message);
  });

  const plain = () =>
    fromBinary(
      ModelProtoSchema,
      modelOf((graph, inputs) => graph.node('Neg', [graph.node('Mul', [inputs, shapeless(graph)])])),
    );
  const shapeless = (graph: GraphBuilder) =>
    graph.constant({ type: 'float32', data: new Float32Array(6), dims: [1, 6] });

  it('is refused where a function within it loops', async () => {
    const model = plain();
    const node = [create(NodeProtoSchema, { opType: 'Loop' })];
    model.functions = [create(FunctionProtoSchema, { name: 'f', domain: 'own', node })];
    await expectRefused(() => serve(toBinary(ModelProtoSchema, model)), /\(Loop\)/);
  });

  it('is refused where numbers are fewer than their dimensions say', async () => {
    const model = plain();
    const [weights] = model.graph?.initializer ?? [];
    weights.dims = [2n ** 33n, 6n];
    await expectRefused(() => serve(toBinary(ModelProtoSchema, model)), /ONNX Runtime refuses the model/);
  });
});
