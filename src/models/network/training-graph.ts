// A network's training as one ONNX graph: a run is an epoch, the loop over mini-batches inside it.
//
// Per step the body gathers its rows by the shuffled order, runs forward and backward, and applies the optimizer to one
// flat vector of all learned numbers, which the loop carries with the optimizer's moments and the running statistics.
//
// All batches have the same rows, so shapes are fixed: the last one is filled up with rows whose scale is 0. Dropout
// masks are windows, at offsets drawn per step, of a vector of masks drawn anew for each epoch: drawing 100 million
// numbers in the graph would take as long as the training.
import {
  createGraphBuilder,
  type GraphBuilder,
  int64,
  modelBytes,
  scalar,
  type ValueName,
} from '../onnx/graph-builder.ts';
import type { NetworkDescription } from './description.ts';
import { type ForwardPass, forwardTraining } from './layer-graphs.ts';
import { type Loss, lossGraph, takesLogits } from './losses.ts';
import { momentCount, type Optimizer, optimizerGraph, stepNumbers } from './optimizer.ts';
import { layoutParameters, type ParameterSlot, penaltyVector } from './parameters.ts';
import { layerWidths } from './sequential.ts';

export interface TrainingPlan {
  readonly description: NetworkDescription;
  readonly loss: Loss;
  readonly optimizer: Optimizer;
  /** Longest gradient of a batch, all learned numbers together; null for any. */
  readonly clipNorm: number | null;
  readonly batchRows: number;
}

/** For Gemm, Softplus and ReduceMean with an attribute of axes. */
const OPSET = 17;

/** Layers that drop, with the length of their mask for one batch. */
export function dropoutMasks({
  description,
  batchRows,
}: TrainingPlan): { layer: number; rate: number; length: number }[] {
  const widths = layerWidths(description);
  return description.layers.flatMap((layer, index) =>
    layer.kind === 'dropout' && layer.rate > 0
      ? [{ layer: index, rate: layer.rate, length: batchRows * widths[index] }]
      : [],
  );
}

/**
 * Inputs: `rows` × inputs, `targets` (rows × outputs), `order` (steps × batch rows, int32), `scale` (steps × batch rows × 1),
 * `steps`, `learned`, `tracked`, `moment0` …, the optimizer's numbers per step, and per dropout layer `masks3`, `offset3`.
 * Outputs: `learned_out`, `tracked_out`, `moment0_out` …, `losses` (one per step).
 */
export function trainingModel(plan: TrainingPlan): Uint8Array {
  const { description, batchRows, optimizer } = plan;
  const layout = layoutParameters(description);
  const graph = createGraphBuilder('epoch');
  const widths = layerWidths(description);
  const rows = graph.input('rows', 'float32', ['rows', description.inputs]);
  const targets = graph.input('targets', 'float32', ['rows', widths[widths.length - 1]]);
  const order = graph.input('order', 'int32', ['steps', batchRows]);
  const scale = graph.input('scale', 'float32', ['steps', batchRows, 1]);
  const steps = graph.input('steps', 'int64', []);
  const carried = [
    { name: 'learned', length: layout.learnedLength },
    ...(layout.trackedLength > 0 ? [{ name: 'tracked', length: layout.trackedLength }] : []),
    ...Array.from({ length: momentCount(optimizer) }, (_, i) => ({ name: `moment${i}`, length: layout.learnedLength })),
  ];
  const initial = carried.map(({ name, length }) => graph.input(name, 'float32', [length]));
  const numbers = Object.keys(stepNumbers(optimizer, { initial: 1 }, 0, 1)).map((name) => ({
    name,
    all: graph.input(name, 'float32', ['steps']),
  }));
  const masks = dropoutMasks(plan).map((mask) => ({
    ...mask,
    all: graph.input(`masks${mask.layer}`, 'float32', ['numbers']),
    offsets: graph.input(`offset${mask.layer}`, 'int64', ['steps', 1]),
  }));

  const body = graph.subgraph('step');
  const step = body.input('step', 'int64', []);
  const goOn = body.input('go_on', 'bool', []);
  const before = Object.fromEntries(
    carried.map(({ name, length }) => [name, body.input(`${name}_in`, 'float32', [length])]),
  );
  const at = (values: ValueName) => body.node('Gather', [values, step], { axis: 0n });
  const batch = at(order);
  const maskOf = new Map(
    masks.map((mask) => [mask.layer, maskWindow(body, mask, at, [batchRows, widths[mask.layer]])]),
  );
  const passed = passNetwork(body, plan, {
    input: body.node('Gather', [rows, batch], { axis: 0n }),
    target: body.node('Gather', [targets, batch], { axis: 0n }),
    scale: at(scale),
    learned: before.learned,
    tracked: before.tracked,
    maskOf,
  });
  const stepped = optimizerGraph(
    body,
    optimizer,
    before.learned,
    plan.clipNorm === null ? passed.gradient : shorten(body, passed.gradient, plan.clipNorm),
    carried.filter(({ name }) => name.startsWith('moment')).map(({ name }) => before[name]),
    Object.fromEntries(numbers.map(({ name, all }) => [name, at(all)])),
  );
  const after = [stepped.learned, ...(layout.trackedLength > 0 ? [passed.tracked] : []), ...stepped.moments];
  body.output('go_on_out', goOn, 'bool', []);
  carried.forEach(({ name, length }, i) => {
    body.output(`${name}_next`, after[i], 'float32', [length]);
  });
  body.output('loss', passed.loss, 'float32', []);

  const always = graph.constant({ type: 'bool', data: Uint8Array.of(1), dims: [] });
  const results = graph.nodes('Loop', [steps, always, ...initial], carried.length + 1, { body });
  carried.forEach(({ name, length }, i) => {
    graph.output(`${name}_out`, results[i], 'float32', [length]);
  });
  graph.output('losses', results[carried.length], 'float32', ['steps']);
  return modelBytes(graph, { opset: OPSET });
}

function maskWindow(
  body: GraphBuilder,
  mask: { readonly length: number; readonly all: ValueName; readonly offsets: ValueName },
  at: (values: ValueName) => ValueName,
  dims: readonly number[],
): ValueName {
  const start = at(mask.offsets);
  const end = body.node('Add', [start, body.constant(int64([mask.length]))]);
  return body.node('Reshape', [body.node('Slice', [mask.all, start, end]), body.constant(int64(dims))]);
}

interface Batch {
  readonly input: ValueName;
  readonly target: ValueName;
  readonly scale: ValueName;
  readonly learned: ValueName;
  readonly tracked: ValueName;
  readonly maskOf: ReadonlyMap<number, ValueName>;
}

/** Forward, loss, backward: the flat gradient, the flat new statistics and the loss. */
function passNetwork(body: GraphBuilder, { description, loss }: TrainingPlan, batch: Batch) {
  const layout = layoutParameters(description);
  const widths = layerWidths(description);
  const learned = unpack(body, batch.learned, layout.learned);
  const tracked = unpack(body, batch.tracked, layout.tracked);
  const passes: ForwardPass[] = [];
  let input = batch.input;
  description.layers.forEach((layer, i) => {
    const isHead = i === description.layers.length - 1;
    // The loss takes the logit: the last layer's activation is part of it.
    const computed =
      isHead && layer.kind === 'dense' && takesLogits(loss) ? { ...layer, activation: 'linear' as const } : layer;
    const values = { layer: computed, input, inputs: widths[i], learned: learned[i], tracked: tracked[i] };
    const pass = forwardTraining(body, values, batch.maskOf.get(i) ?? null);
    passes.push(pass);
    input = pass.output;
  });
  const result = lossGraph(body, loss, widths[description.layers.length], input, batch.target, batch.scale);
  const gradients: ValueName[] = [];
  let gradient = result.gradient;
  const firstLearner = layout.learned.findIndex((slots) => slots.length > 0);
  for (let i = passes.length - 1; i >= firstLearner; i--) {
    const back = passes[i].backward(gradient, i > firstLearner);
    gradients.unshift(...back.learned);
    gradient = back.input;
  }
  const flat = pack(body, gradients, layout.learned);
  return {
    ...penalise(body, batch.learned, flat, result.loss, penaltyVector(layout, 'l1'), penaltyVector(layout, 'l2')),
    tracked:
      layout.trackedLength === 0
        ? ''
        : pack(
            body,
            passes.flatMap((pass) => pass.tracked),
            layout.tracked,
          ),
  };
}

function penalise(
  body: GraphBuilder,
  learned: ValueName,
  gradient: ValueName,
  loss: ValueName,
  l1: Float32Array | null,
  l2: Float32Array | null,
): { readonly gradient: ValueName; readonly loss: ValueName } {
  let all = { gradient, loss };
  const add = (penalty: ValueName, slope: ValueName) => {
    const sum = body.node('ReduceSum', [penalty], { keepdims: 0n });
    all = { gradient: body.node('Add', [all.gradient, slope]), loss: body.node('Add', [all.loss, sum]) };
  };
  const vector = (data: Float32Array) => body.constant({ type: 'float32', data, dims: [data.length] });
  if (l1 !== null) {
    const slope = body.node('Mul', [vector(l1), body.node('Sign', [learned])]);
    add(body.node('Mul', [slope, learned]), slope);
  }
  if (l2 !== null) {
    const half = body.node('Mul', [vector(l2), learned]);
    add(body.node('Mul', [half, learned]), body.node('Add', [half, half]));
  }
  return all;
}

/** A gradient of 0 divides to infinity, of which the least with 1 is 1. */
function shorten(body: GraphBuilder, gradient: ValueName, longest: number): ValueName {
  const length = body.node('ReduceL2', [gradient], { keepdims: 0n });
  const share = body.node('Div', [body.constant(scalar(longest)), length]);
  return body.node('Mul', [gradient, body.node('Min', [share, body.constant(scalar(1))])]);
}

/** The flat vector as the layers' own arrays. */
function unpack(body: GraphBuilder, flat: ValueName, slots: readonly (readonly ParameterSlot[])[]): ValueName[][] {
  const all = slots.flat();
  if (all.length === 0) return slots.map(() => []);
  const lengths = body.constant(int64(all.map(({ length }) => length)));
  const parts = body.nodes('Split', [flat, lengths], all.length, { axis: 0n });
  let next = 0;
  return slots.map((own) =>
    own.map(({ dims }) => {
      const part = parts[next++];
      return dims.length === 1 ? part : body.node('Reshape', [part, body.constant(int64(dims))]);
    }),
  );
}

function pack(
  body: GraphBuilder,
  values: readonly ValueName[],
  slots: readonly (readonly ParameterSlot[])[],
): ValueName {
  const flat = body.constant(int64([-1]));
  const all = slots.flat();
  const parts = values.map((value, i) => (all[i].dims.length === 1 ? value : body.node('Reshape', [value, flat])));
  return parts.length === 1 ? parts[0] : body.node('Concat', parts, { axis: 0n });
}
