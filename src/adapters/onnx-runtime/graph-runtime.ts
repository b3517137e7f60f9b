// Runs ONNX graphs by ONNX Runtime, synchronously.
//
// The package's public `run` only wraps the native call, which is synchronous, in a promise of the next turn of the event
// loop. Detectors are pure functions, so the native session is called directly (docs/decisions/0008). One intra-op thread:
// with two, the tail latency grew two- to eightfold and no throughput was gained.
import { createRequire } from 'node:module';
import { InputError } from '../../lib/errors.ts';
import type { GraphRuntime, GraphSession, GraphTensor } from '../../ports.ts';

interface NativeSession {
  readonly inputMetadata: readonly { readonly name: string }[];
  readonly outputMetadata: readonly { readonly name: string }[];
  loadModel(bytes: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: object, fetches: object, options: object): Record<string, NativeTensor>;
  dispose(): void;
}

interface NativeTensor {
  readonly data: GraphTensor['data'];
  readonly dims: readonly number[];
}

interface Native {
  readonly binding: { readonly InferenceSession: new () => NativeSession };
  initOrt(): void;
}

interface Common {
  readonly Tensor: new (type: string, data: GraphTensor['data'], dims: readonly number[]) => NativeTensor;
}

const SESSION_OPTIONS = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  logSeverityLevel: 4,
} as const;

export function createGraphRuntime(): GraphRuntime {
  // Loaded on first use: it takes some tenths of a second, and most commands run no graph.
  let loaded: { native: Native; common: Common } | null = null;
  const load = () => {
    if (loaded === null) {
      const require = createRequire(import.meta.url);
      const common = require('onnxruntime-common') as Common;
      const native = require('onnxruntime-node/dist/binding.js') as Native;
      native.initOrt();
      loaded = { native, common };
    }
    return loaded;
  };
  return {
    open(model) {
      const { native, common } = load();
      const session = new native.binding.InferenceSession();
      try {
        session.loadModel(model.buffer, model.byteOffset, model.byteLength, SESSION_OPTIONS);
      } catch (error) {
        throw new InputError(
          'MODEL_GRAPH_REFUSED',
          `ONNX Runtime refuses the model: ${messageOf(error)}`,
          'Check that the file is a complete ONNX model and export it again with an older opset if an operator is unknown',
        );
      }
      return sessionOf(session, common);
    },
  };
}

function sessionOf(session: NativeSession, { Tensor }: Common): GraphSession {
  const outputNames = session.outputMetadata.map(({ name }) => name);
  return {
    inputNames: session.inputMetadata.map(({ name }) => name),
    outputNames,
    run(inputs, outputs = outputNames) {
      const feeds: Record<string, NativeTensor> = {};
      for (const name in inputs)
        feeds[name] = new Tensor(typeOf(inputs[name].data), inputs[name].data, inputs[name].dims);
      const fetches: Record<string, null> = {};
      for (const name of outputs) fetches[name] = null;
      try {
        return session.run(feeds, fetches, {});
      } catch (error) {
        throw new InputError(
          'MODEL_GRAPH_FAILED',
          `ONNX Runtime could not run the model: ${messageOf(error)}`,
          'Check the names, types and shapes of its inputs',
        );
      }
    },
    close: () => session.dispose(),
  };
}

function typeOf(data: GraphTensor['data']): string {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof BigInt64Array) return 'int64';
  return 'uint8';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
