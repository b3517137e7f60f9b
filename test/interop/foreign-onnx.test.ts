// ONNX models of scikit-learn, XGBoost, LightGBM and PyTorch score here as they predicted where they were made.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../src/adapters/onnx-runtime/graph-runtime.ts';
import { exportDetector } from '../../src/interchange/export-detector.ts';
import { InputError } from '../../src/lib/errors.ts';
import { gbdt } from '../../src/models/gbdt/gbdt.ts';
import { writeForest } from '../../src/models/isolation-forest/artefact.ts';
import { createForest, type Forest } from '../../src/models/isolation-forest/forest.ts';
import { scoreRows } from '../../src/models/isolation-forest/score-rows.ts';
import { rowOf, sliceRows, takeColumns } from '../../src/models/matrix.ts';
import { createGraphBuilder, float32, int64, modelBytes } from '../../src/models/onnx/graph-builder.ts';
import { readFacts } from '../../src/models/onnx-model/model-facts.ts';
import { findPorts } from '../../src/models/onnx-model/model-ports.ts';
import { createModelRunner } from '../../src/models/onnx-model/model-runner.ts';
import { createOnnxModelDetector } from '../../src/models/onnx-model/onnx-model.ts';
import { readSignature } from '../../src/models/onnx-model/signature.ts';
import { makeTrainingData } from '../model-checks/dataset.ts';
import { type ForeignModel, type ForeignTrees, foreignModels, largestDifference } from './fixtures.ts';
import { outputInOnnx } from './onnx-rows.ts';

const runtime = createGraphRuntime();
const detector = createOnnxModelDetector(runtime);
const models = foreignModels().filter(({ format }) => format === 'onnx');
const usable = models.filter(({ options }) => options.refused === undefined);

/** Fitted on the model's own rows, with the columns of the training matrix in another order and one that it does not read. */
function fitOn({ bytes, inputs, rows, columns, options }: ForeignModel, changes: object = {}) {
  const modelFeatures = options.features ?? [];
  const order = [...modelFeatures.keys()].reverse();
  const matrix = takeColumns({ rows, columns, values: inputs }, [...order, 0]);
  const features = [...order.map((column) => modelFeatures[column]), 'unread'];
  const answer = options.logits === true ? 'logit' : options.negate === true ? 'negated-score' : 'probability';
  const chosen = { model: bytes, modelFeatures, output: options.output ?? null, answer, ...changes } as const;
  const data = { matrix, features, labels: null, validation: null };
  return { matrix, fitted: detector.fit(data, chosen, 1) };
}

/** scikit-learn's trees in our arrays. */
function forestOf({ columns, options }: ForeignModel): Forest {
  const { treeStarts, leftChildren, thresholds, samples, splitColumns, sampleSize } = options.trees as ForeignTrees;
  return createForest({
    columns,
    sampleSize,
    terms: 1,
    medians: new Float32Array(columns),
    treeStarts: Uint32Array.from(treeStarts),
    leftChildren: Uint32Array.from(leftChildren),
    thresholds: Float32Array.from(thresholds, (threshold) => threshold ?? Number.POSITIVE_INFINITY),
    samples: Uint32Array.from(samples),
    splitColumns: Uint16Array.from(splitColumns),
    splitWeights: new Float32Array(),
  });
}

describe('a model of someone else', () => {
  it.each(usable)('scores as it predicted where it was made: $file', (model) => {
    const { matrix, fitted } = fitOn(model);
    const scores = fitted.score(matrix);
    expect(new Set(scores).size).toBeGreaterThan(3);
    if (model.options.negate !== true) {
      expect(largestDifference(scores, model.outputs)).toBeLessThan(1e-5);
      return;
    }
    // A score has another unit here; its order is the same.
    const orderOf = (values: ArrayLike<number>) =>
      Array.from(values)
        .map((_, i) => i)
        .sort((a, b) => values[a] - values[b]);
    expect(orderOf(scores)).toEqual(orderOf(model.outputs));
    const { features = [], output = null } = model.options;
    const runner = createModelRunner(runtime, model.bytes, findPorts(readSignature(model.bytes), features, output));
    const answers = runner.run({ rows: model.rows, columns: model.columns, values: model.inputs });
    expect(
      largestDifference(
        answers.map((answer) => -answer),
        model.outputs,
      ),
    ).toBeLessThan(1e-6);
  });

  it('that is an isolation forest of scikit-learn scores the same as a forest of ours, and as that one exported', async () => {
    const model = models.find(({ options }) => options.trees != null) as ForeignModel;
    const forest = forestOf(model);
    const rows = { rows: model.rows, columns: model.columns, values: model.inputs };
    expect(largestDifference(scoreRows(forest, rows), model.outputs)).toBeLessThan(1e-6);
    const artefact = writeForest(forest, model.options.features ?? [], {});
    const [{ bytes }] = await exportDetector('isolation-forest', artefact, 'onnx', null);
    const { data: exported } = outputInOnnx(bytes, rows, 'scores');
    expect(largestDifference(exported as Float32Array, model.outputs)).toBeLessThan(1e-6);
  });

  it.each(usable)('gives one row alone the bits it has in a batch: $file', (model) => {
    const { matrix, fitted } = fitOn(model);
    const batch = fitted.score(matrix);
    for (let row = 0; row < matrix.rows; row++) {
      expect(fitted.score(sliceRows(matrix, row, row + 1))[0]).toBe(batch[row]);
    }
  });

  it.each(usable)('has reasons that add up, and none for a column that it does not read: $file', (model) => {
    const { matrix, fitted } = fitOn(model);
    const base = fitted.explain(rowOf(matrix, 0)).base;
    const reasons = Array.from({ length: matrix.rows }, (_, row) => fitted.explain(rowOf(matrix, row)).contributions);
    expect(reasons.every((contributions) => contributions[matrix.columns - 1] === 0)).toBe(true);
    const strongest = reasons.map((contributions) => contributions.indexOf(Math.max(...contributions)));
    expect(new Set(strongest).size).toBeGreaterThan(1);
    if (model.options.negate === true) return;
    reasons.forEach((contributions, row) => {
      const raw = contributions.reduce((sum, contribution) => sum + contribution, base);
      expect(1 / (1 + Math.exp(-raw))).toBeCloseTo(model.outputs[row], 5);
    });
  });

  it('was made by each of the four', () => {
    const makers = new Set(usable.map(({ file }) => file.split('-')[0].replace('.onnx', '')));
    expect([...makers]).toEqual(expect.arrayContaining(['sklearn', 'xgboost', 'lightgbm', 'torch']));
  });

  it('that answers with maps is refused with advice', () => {
    const zipped = models.find(({ options }) => options.refused === 'zipmap') as ForeignModel;
    expect(() => fitOn(zipped)).toThrow(/sequence of maps \(ZipMap\)\. Export it with zipmap=False/);
  });

  it('whose answer is no probability is refused unless it is said to be a logit', () => {
    const logits = models.find(({ options }) => options.logits === true) as ForeignModel;
    expect(() => fitOn(logits, { answer: 'probability' })).toThrow(/no probability.*'logit'/);
  });

  it('is refused for features that are not there, an output that it lacks, another width, and bytes that are no model', () => {
    const [model] = usable;
    expect(() => fitOn(model, { modelFeatures: ['amount', 'colour'] })).toThrow(/not computed: colour/);
    expect(() => fitOn(model, { output: 'odds' })).toThrow(/has no output 'odds'/);
    expect(() => fitOn(model, { modelFeatures: ['amount'] })).toThrow(/takes 6 columns, but 1 features/);
    for (const bytes of [new Uint8Array(), Uint8Array.of(1, 2, 3), model.bytes.slice(0, 200)]) {
      expect(() => fitOn(model, { model: bytes })).toThrow(InputError);
    }
    expect(() => fitOn(model, { model: null })).toThrow(/onnx:FILE/);
  });

  it('whose weights lie in other files is refused', () => {
    const proto = fromBinary(
      ModelProtoSchema,
      (models.find(({ file }) => file === 'torch-logits.onnx') as ForeignModel).bytes,
    );
    const [weights] = proto.graph?.initializer ?? [];
    weights.dataLocation = TensorProto_DataLocation.EXTERNAL;
    weights.externalData = [create(StringStringEntryProtoSchema, { key: 'location', value: '/etc/passwd' })];
    expect(() => fitOn(usable[0], { model: toBinary(ModelProtoSchema, proto) })).toThrow(
      /keeps the numbers of .* in another file/,
    );
  });
});

describe('models of other shapes', () => {
  const data = makeTrainingData(50, 1);
  const fitWith = (model: Uint8Array, modelFeatures: readonly string[]) =>
    detector.fit({ ...data, labels: null }, { model, modelFeatures }, 1);

  it('may have an input for each feature, by name, whole numbers and doubles among them', () => {
    const graph = createGraphBuilder('several');
    const flag = graph.node('Cast', [graph.input('flag', 'int64', ['rows', 1])], { to: 1n });
    const ratio = graph.node('Cast', [graph.input('ratio', 'float64', ['rows', 1])], { to: 1n });
    const sum = graph.node('Add', [ratio, graph.node('Mul', [flag, graph.constant(float32([2]))])]);
    graph.output('probability', graph.node('Sigmoid', [sum]), 'float32', ['rows', 1]);
    const fitted = fitWith(modelBytes(graph, { opset: 17 }), ['ratio', 'flag']);
    const scores = fitted.score(data.matrix);
    scores.forEach((score, row) => {
      const values = rowOf(data.matrix, row);
      expect(score).toBeCloseTo(1 / (1 + Math.exp(-(values[2] + 2 * values[5]))), 6);
    });
  });

  it('may take a fixed number of rows at a time', () => {
    const graph = createGraphBuilder('fixed');
    const flat = graph.node('Reshape', [graph.input('x', 'float32', [1, 2]), graph.constant(int64([2]))]);
    const first = graph.node('Gather', [flat, graph.constant(int64([0]))]);
    graph.output('probability', graph.node('Sigmoid', [first]), 'float32', [1]);
    const scores = fitWith(modelBytes(graph, { opset: 17 }), ['ratio', 'flag']).score(data.matrix);
    expect(scores[7]).toBeCloseTo(1 / (1 + Math.exp(-rowOf(data.matrix, 7)[2])), 6);
  });

  it('that can not take missing values is given the medians', () => {
    const graph = createGraphBuilder('age');
    const x = graph.input('x', 'float32', ['rows', 1]);
    graph.output(
      'probability',
      graph.node('Sigmoid', [graph.node('Mul', [x, graph.constant(float32([0.001]))])]),
      'float32',
      ['rows', 1],
    );
    const fitted = fitWith(modelBytes(graph, { opset: 17 }), ['age']);
    const ages = Array.from({ length: 50 }, (_, row) => rowOf(data.matrix, row)[4]);
    const known = ages.filter((age) => !Number.isNaN(age)).sort((a, b) => a - b);
    const score = fitted.score(data.matrix)[ages.findIndex((age) => Number.isNaN(age))];
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-0.001 * known[known.length >> 1])), 6);
  });
});

describe('what is written beside a model', () => {
  const [{ bytes }] = usable;

  it('is a list of features, or an object, or in the file itself', async () => {
    const other = { output: null, answer: 'probability' };
    expect(readFacts(bytes, '["a", "b"]')).toEqual({ modelFeatures: ['a', 'b'], ...other });
    expect(readFacts(bytes, '{"features": ["a"], "output": "y", "answer": "logit"}')).toEqual({
      modelFeatures: ['a'],
      output: 'y',
      answer: 'logit',
    });
    const data = makeTrainingData(200, 1);
    const [own] = await exportDetector('gbdt', gbdt.fit(data, { rounds: 2 }, 1).save(), 'onnx', null);
    expect(readFacts(own.bytes, null)).toEqual({ modelFeatures: data.features, ...other });
  });

  it.each([null, '{', '3', '[]', '["a", "a"]', '[1]', '{"features": ["a"], "answer": "odds"}', '{"feature": ["a"]}'])(
    'is refused where it is malformed: %s',
    (text) => {
      expect(() => readFacts(bytes, text)).toThrow(InputError);
    },
  );
});
