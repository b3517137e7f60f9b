// What an ONNX file says of itself: which inputs it takes, which outputs it gives, what is written in its metadata.
//
// https://onnx.ai/onnx/repo-docs/IR.html. Weights may lie in other files, whose paths the model gives: such a model is
// refused, for nothing but the bytes at hand may decide what it does.
import { fromBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  TensorProto_DataLocation as Location,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { InputError } from '../../lib/errors.ts';

export type NumberType = 'float32' | 'float64' | 'int64';

export interface ModelValue {
  readonly name: string;
  /** null for texts, maps, sequences and other numbers */
  readonly type: NumberType | null;
  /** null for an axis whose length is only known when the model runs */
  readonly dims: readonly (number | null)[];
  /** A sequence of maps is what scikit-learn's exporter makes of probabilities unless it is told not to. */
  readonly isTensor: boolean;
}

export interface ModelSignature {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

const MAX_BYTES = 2 ** 31;
const MAX_DEPTH = 32;
const MAX_RANK = 64;

/** @throws InputError if the bytes are no ONNX model, or its weights lie elsewhere. */
export function readSignature(bytes: Uint8Array): ModelSignature {
  if (bytes.length === 0 || bytes.length > MAX_BYTES)
    throw refused(`has ${bytes.length} bytes`, 'Give a file of up to 2 GB');
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch {
    throw refused('is no ONNX model', 'Check that the file is complete');
  }
  const { graph } = model;
  if (graph === undefined) throw refused('holds no graph', 'Check that the file is complete');
  checkGraph(graph, 0);
  for (const { node } of model.functions) for (const each of node) checkNode(each, 0, new Map());
  const stored = new Set(graph.initializer.map(({ name }) => name));
  return {
    inputs: graph.input.filter(({ name }) => !stored.has(name)).map(describeValue),
    outputs: graph.output.map(describeValue),
    metadata: Object.fromEntries(model.metadataProps.map(({ key, value }) => [key, value])),
  };
}

/** Of TensorProto.DataType. */
const NUMBER_TYPES: ReadonlyMap<number, NumberType> = new Map([
  [1, 'float32'],
  [11, 'float64'],
  [7, 'int64'],
]);

function describeValue({ name, type }: ValueInfoProto): ModelValue {
  const value = type?.value;
  if (value?.case !== 'tensorType') return { name, type: null, dims: [], isTensor: false };
  const { elemType, shape } = value.value;
  const dims = (shape?.dim ?? []).map((dim) => (dim.value.case === 'dimValue' ? Number(dim.value.value) : null));
  return { name, type: NUMBER_TYPES.get(elemType) ?? null, dims, isTensor: true };
}

function checkGraph(graph: GraphProto, depth: number): void {
  if (depth > MAX_DEPTH) throw refused(`nests graphs more than ${MAX_DEPTH} deep`, 'Export a plainer model');
  graph.initializer.forEach(checkTensor);
  for (const { values, indices } of graph.sparseInitializer) {
    for (const tensor of [values, indices]) if (tensor !== undefined) checkTensor(tensor);
  }
  const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  for (const node of graph.node) checkNode(node, depth, stored);
}

function checkNode(node: NodeProto, depth: number, stored: ReadonlyMap<string, TensorProto>): void {
  if (node.opType === 'Loop')
    throw refused('repeats a part of itself (Loop), maybe without end', 'Export a plainer model');
  if (MAKES_TENSORS.has(node.opType)) {
    const made = node.attribute.filter(({ name }) => name === 'shape').map(({ ints }) => productOf(ints));
    const read = node.input
      .flatMap((name) => stored.get(name) ?? [])
      .map((tensor) => productOf(wholeNumbersOf(tensor)));
    const most = Math.max(0, ...made, ...read);
    if (most > MAX_MADE) throw refused(`makes a tensor of ${most} numbers (${node.opType})`, 'Export a plainer model');
  }
  for (const { t, tensors, g, graphs } of node.attribute) {
    for (const tensor of t === undefined ? tensors : [t, ...tensors]) checkTensor(tensor);
    for (const inner of g === undefined ? graphs : [g, ...graphs]) checkGraph(inner, depth + 1);
  }
}

/** Their results are as large as the numbers that they are given say. */
const MAKES_TENSORS = new Set([
  'ConstantOfShape',
  'Expand',
  'Tile',
  'RandomNormal',
  'RandomUniform',
  'Range',
  'Resize',
]);
const MAX_MADE = 2 ** 26;

function productOf(numbers: readonly bigint[]): number {
  return numbers.reduce((product, number) => product * Math.abs(Number(number)), 1);
}

/** None where a tensor holds others. */
function wholeNumbersOf({ dataType, int64Data, rawData }: TensorProto): readonly bigint[] {
  if (NUMBER_TYPES.get(dataType) !== 'int64') return [];
  if (int64Data.length > 0) return int64Data;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: Math.min(MAX_RANK, rawData.length >> 3) }, (_, i) => view.getBigInt64(8 * i, true));
}

function checkTensor({ name, dataLocation, externalData }: TensorProto): void {
  if (dataLocation !== Location.EXTERNAL && externalData.length === 0) return;
  throw refused(
    `keeps the numbers of '${name}' in another file`,
    'Save the model as one file (save_as_external_data=False)',
  );
}

function refused(problem: string, hint: string): InputError {
  return new InputError('ONNX_MODEL_REFUSED', `The file ${problem}`, hint);
}
