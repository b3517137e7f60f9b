// Builds ONNX models: nodes are added one by one, each gives the names of its values, and `modelBytes` writes the file.
//
// ONNX (https://onnx.ai/onnx/repo-docs/IR.html) is the one language in which networks are trained, scored and exchanged
// here. A builder checks what would otherwise surface as an unreadable message of the runtime: names used twice, values
// that nothing produces, tensors whose length is not the product of their dimensions.
//
//   const graph = createGraphBuilder('affine');
//   const x = graph.input('x', 'float32', ['rows', 3]);
//   const w = graph.constant(float32([1, 2, 3], [3, 1]));
//   graph.output('y', graph.node('MatMul', [x, w]), 'float32', ['rows', 1]);
//   const bytes = modelBytes(graph, { opset: 17 });
import { create, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { assert } from '../../lib/assert.ts';

export type OnnxType = 'float32' | 'float64' | 'int32' | 'int64' | 'uint8' | 'bool' | 'string';

/** A dense row-major tensor; `bool` data are bytes 0 and 1. A scalar has no dimensions. */
export type OnnxTensor =
  | { readonly type: 'float32'; readonly data: Float32Array; readonly dims: readonly number[] }
  | { readonly type: 'float64'; readonly data: Float64Array; readonly dims: readonly number[] }
  | { readonly type: 'int32'; readonly data: Int32Array; readonly dims: readonly number[] }
  | { readonly type: 'int64'; readonly data: BigInt64Array; readonly dims: readonly number[] }
  | { readonly type: 'uint8' | 'bool'; readonly data: Uint8Array; readonly dims: readonly number[] }
  | { readonly type: 'string'; readonly data: readonly string[]; readonly dims: readonly number[] };

/** A `number` is written as a float and a `bigint` as an integer: ONNX tells them apart, and so must the caller. */
export type Attribute =
  | number
  | bigint
  | string
  | readonly number[]
  | readonly bigint[]
  | readonly string[]
  | OnnxTensor
  | GraphBuilder;

/** The name of a value in a graph; '' leaves an optional input out. */
export type ValueName = string;

/** Length of one axis, or the name of an axis whose length is only known when the graph runs. */
export type Dimension = number | string;

export interface GraphBuilder {
  readonly name: string;
  /** Declares an input of the graph (of a subgraph: in the order in which its operator feeds them). */
  input(name: string, type: OnnxType, dims: readonly Dimension[]): ValueName;
  /** Stores a tensor in the graph. */
  constant(tensor: OnnxTensor, name?: string): ValueName;
  /** Adds a node with one output and gives its name. @param domain '' is ONNX itself */
  node(
    operator: string,
    inputs: readonly ValueName[],
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ): ValueName;
  /** Adds a node with several outputs and gives their names in order. */
  nodes(
    operator: string,
    inputs: readonly ValueName[],
    outputs: number,
    attributes?: Readonly<Record<string, Attribute>>,
    domain?: string,
  ): ValueName[];
  /** Declares `value` an output under `name`; type and dimensions are the caller's promise. */
  output(name: string, value: ValueName, type: OnnxType, dims: readonly Dimension[]): void;
  /** A graph inside this one, for Loop, Scan and If: it sees this graph's values and may not reuse their names. */
  subgraph(name: string): GraphBuilder;
}

export interface ModelOptions {
  /** Version of ONNX's own operators. */
  readonly opset: number;
  /** Further operator sets: domain → version, as `{ 'ai.onnx.ml': 3 }`. */
  readonly domains?: Readonly<Record<string, number>>;
  readonly producer?: string;
  /** Readable facts stored beside the graph. */
  readonly metadata?: Readonly<Record<string, string>>;
}

const DATA_TYPES: Readonly<Record<OnnxType, DataType>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int32: DataType.INT32,
  int64: DataType.INT64,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
  string: DataType.STRING,
};

/** Of the file format: 8 came with opset 15 and is read by every runtime in use; later ones add nothing needed here. */
const IR_VERSION = 8n;
const MAX_NODES = 1_000_000;

export const float32 = (data: ArrayLike<number>, dims: readonly number[] = [data.length]): OnnxTensor => ({
  type: 'float32',
  data: Float32Array.from(data),
  dims,
});

export const int64 = (data: readonly number[], dims: readonly number[] = [data.length]): OnnxTensor => ({
  type: 'int64',
  data: BigInt64Array.from(data, BigInt),
  dims,
});

export const scalar = (value: number): OnnxTensor => float32([value], []);

/** What the writer needs of a builder and no caller does. */
const protoOf = new WeakMap<GraphBuilder, () => GraphProto>();

export function createGraphBuilder(name: string): GraphBuilder {
  return builderWithin(name, new Set(), { next: 0 });
}

/** @returns the bytes of an ONNX file. */
export function modelBytes(graph: GraphBuilder, options: ModelOptions): Uint8Array {
  const domains = Object.entries(options.domains ?? {}).map(([domain, version]) => ({
    domain,
    version: BigInt(version),
  }));
  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: options.producer ?? 'centinela',
    opsetImport: [{ domain: '', version: BigInt(options.opset) }, ...domains],
    graph: graphProto(graph),
    metadataProps: Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value })),
  });
  return toBinary(ModelProtoSchema, model);
}

/** @param visible names of this graph and of those around it @param counter makes names, shared with the graphs around */
function builderWithin(name: string, outer: ReadonlySet<ValueName>, counter: { next: number }): GraphBuilder {
  const visible = new Set(outer);
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const outputs: ValueInfoProto[] = [];

  const define = (value: ValueName): ValueName => {
    assert(value !== '' && !visible.has(value), `the graph ${name} already has a value called "${value}"`);
    visible.add(value);
    return value;
  };
  const fresh = (operator: string): ValueName => define(`${operator}_${counter.next++}`);

  const append = (
    operator: string,
    from: readonly ValueName[],
    to: ValueName[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): void => {
    assert(nodes.length < MAX_NODES, `the graph ${name} has more than ${MAX_NODES} nodes`);
    for (const value of from)
      assert(value === '' || visible.has(value), `${operator} uses the unknown value "${value}"`);
    nodes.push(
      create(NodeProtoSchema, {
        opType: operator,
        name: to[0],
        input: [...from],
        output: to,
        attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
        domain,
      }),
    );
  };

  const builder: GraphBuilder = {
    name,
    input(value, type, dims) {
      inputs.push(valueInfo(define(value), type, dims));
      return value;
    },
    constant(tensor, value) {
      const defined = value === undefined ? fresh('constant') : define(value);
      initializers.push(tensorProto(tensor, defined));
      return defined;
    },
    node: (operator, from, attributes, domain) => {
      const to = fresh(operator);
      append(operator, from, [to], attributes, domain);
      return to;
    },
    nodes: (operator, from, count, attributes, domain) => {
      const to = Array.from({ length: count }, () => fresh(operator));
      append(operator, from, to, attributes, domain);
      return [...to];
    },
    output(value, from, type, dims) {
      // An output carries its own name, so that renaming a value inside never changes what callers ask for.
      append('Identity', [from], [define(value)]);
      outputs.push(valueInfo(value, type, dims));
    },
    subgraph: (inner) => builderWithin(inner, visible, counter),
  };
  protoOf.set(builder, () =>
    create(GraphProtoSchema, { name, node: nodes, initializer: initializers, input: inputs, output: outputs }),
  );
  return builder;
}

function graphProto(graph: GraphBuilder): GraphProto {
  const build = protoOf.get(graph);
  assert(build !== undefined, 'the graph was not made by createGraphBuilder');
  return build();
}

function valueInfo(name: string, type: OnnxType, dims: readonly Dimension[]): ValueInfoProto {
  const dim = dims.map((length) => ({
    value:
      typeof length === 'number'
        ? ({ case: 'dimValue', value: BigInt(length) } as const)
        : ({ case: 'dimParam', value: length } as const),
  }));
  const value = { case: 'tensorType', value: { elemType: DATA_TYPES[type], shape: { dim } } } as const;
  return create(ValueInfoProtoSchema, { name, type: { value } });
}

function tensorProto(tensor: OnnxTensor, name: string): TensorProto {
  const { type, data, dims } = tensor;
  const length = dims.reduce((product, axis) => product * axis, 1);
  assert(data.length === length, `tensor "${name}" holds ${data.length} values for dimensions [${dims.join(', ')}]`);
  const header = { name, dataType: DATA_TYPES[type], dims: dims.map(BigInt) };
  if (type === 'string') {
    const encoder = new TextEncoder();
    return create(TensorProtoSchema, { ...header, stringData: data.map((text) => encoder.encode(text)) });
  }
  // ONNX stores numbers little-endian, as do all processors that Node runs on.
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  return create(TensorProtoSchema, { ...header, rawData });
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  return create(AttributeProtoSchema, { name, ...attributeContents(value) });
}

function attributeContents(value: Attribute): object {
  const encoder = new TextEncoder();
  if (typeof value === 'number') return { type: AttributeType.FLOAT, f: value };
  if (typeof value === 'bigint') return { type: AttributeType.INT, i: value };
  if (typeof value === 'string') return { type: AttributeType.STRING, s: encoder.encode(value) };
  if (isTensor(value)) return { type: AttributeType.TENSOR, t: tensorProto(value, '') };
  if (!isList(value)) return { type: AttributeType.GRAPH, g: graphProto(value) };
  if (isBigints(value)) return { type: AttributeType.INTS, ints: [...value] };
  if (isTexts(value)) return { type: AttributeType.STRINGS, strings: value.map((text) => encoder.encode(text)) };
  return { type: AttributeType.FLOATS, floats: [...value] };
}

type List = readonly number[] | readonly bigint[] | readonly string[];

const isTensor = (value: List | OnnxTensor | GraphBuilder): value is OnnxTensor => 'dims' in value;
const isList = (value: List | GraphBuilder): value is List => Array.isArray(value);
const isBigints = (value: List): value is readonly bigint[] => typeof value[0] === 'bigint';
const isTexts = (value: List): value is readonly string[] => typeof value[0] === 'string';
