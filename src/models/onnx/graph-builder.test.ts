import { describe, expect, it } from 'vitest';
import { createGraphRuntime } from '../../adapters/onnx-runtime/graph-runtime.ts';
import { createGraphBuilder, float32, int64, modelBytes, scalar } from './graph-builder.ts';

const runtime = createGraphRuntime();

describe('ONNX graphs', () => {
  it('run in ONNX Runtime as they were built', () => {
    const graph = createGraphBuilder('affine');
    const x = graph.input('x', 'float32', ['rows', 2]);
    const w = graph.constant(float32([3, 4], [1, 2]), 'w');
    graph.output('y', graph.node('Gemm', [x, w], { transB: 1n, alpha: 0.5 }), 'float32', ['rows', 1]);
    const session = runtime.open(modelBytes(graph, { opset: 17 }));
    const { y } = session.run({ x: { data: Float32Array.of(1, 2, 10, 20), dims: [2, 2] } });
    expect([...y.data]).toEqual([5.5, 55]);
    expect(y.dims).toEqual([2, 1]);
  });

  it('carry state through a loop whose body sees the values around it', () => {
    const graph = createGraphBuilder('powers');
    const base = graph.input('base', 'float32', []);
    const body = graph.subgraph('multiply');
    body.input('step', 'int64', []);
    const goOn = body.input('go_on', 'bool', []);
    const state = body.input('state', 'float32', []);
    body.output('go_on_out', goOn, 'bool', []);
    const next = body.node('Mul', [state, base]);
    body.output('state_out', next, 'float32', []);
    body.output('scan', next, 'float32', []);
    const steps = graph.constant(int64([4], []));
    const always = graph.constant({ type: 'bool', data: Uint8Array.of(1), dims: [] });
    const [last, all] = graph.nodes('Loop', [steps, always, graph.constant(scalar(1))], 2, { body });
    graph.output('last', last, 'float32', []);
    graph.output('all', all, 'float32', ['steps']);
    const { last: power, all: powers } = runtime.open(modelBytes(graph, { opset: 17 })).run({
      base: { data: Float32Array.of(3), dims: [] },
    });
    expect([...power.data]).toEqual([81]);
    expect([...powers.data]).toEqual([3, 9, 27, 81]);
  });

  it('take attributes of every kind and further operator sets', () => {
    const graph = createGraphBuilder('attributes');
    const x = graph.input('x', 'float32', [2, 2]);
    const scaled = graph.node('Scaler', [x], { offset: [1, 1], scale: [2, 10] }, 'ai.onnx.ml');
    const shape = graph.node('Constant', [], { value: int64([1, 4]) });
    const reduced = graph.node('ReduceMax', [graph.node('Reshape', [scaled, shape])], { axes: [1n], keepdims: 0n });
    graph.output('y', reduced, 'float32', [1]);
    const bytes = modelBytes(graph, { opset: 17, domains: { 'ai.onnx.ml': 3 }, metadata: { made: 'by a test' } });
    const { y } = runtime.open(bytes).run({ x: { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] } });
    expect([...y.data]).toEqual([30]);
  });

  it('refuse names used twice, values that nothing makes and tensors of another length than their shape', () => {
    const graph = createGraphBuilder('wrong');
    graph.input('x', 'float32', [1]);
    expect(() => graph.constant(scalar(1), 'x')).toThrow(/already has a value called "x"/);
    expect(() => graph.node('Neg', ['z'])).toThrow(/unknown value "z"/);
    expect(() => graph.constant(float32([1, 2], [3]))).toThrow(/holds 2 values/);
    expect(() => graph.subgraph('inner').input('x', 'float32', [1])).toThrow(/already/);
  });
});
