// The detectors of this version, with the model runtime of this machine.
import { createGraphRuntime } from '../adapters/onnx-runtime/graph-runtime.ts';
import { type KnownDetector, knownDetectors } from '../models/detectors.ts';

/** Costs next to nothing: the runtime is loaded when a graph is first run. */
export function detectorsHere(): readonly KnownDetector[] {
  return knownDetectors(createGraphRuntime());
}
