// The detectors of this version, with the model runtime of this machine, and models of someone else by their files.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createGraphRuntime } from '../adapters/onnx-runtime/graph-runtime.ts';
import { type DetectorSettings, type KnownDetector, knownDetectors } from '../models/detectors.ts';
import { readFacts } from '../models/onnx-model/model-facts.ts';
import { createOnnxModelDetector } from '../models/onnx-model/onnx-model.ts';
import { UsageError } from './command.ts';

/** `onnx:FILE`, or `onnx:NAME` for what `models import` took in. */
export const MODEL_PREFIX = 'onnx:';
const IMPORTED_FOLDER = 'imported';
/** Added to a model's path: the list of its features. */
export const FACTS_SUFFIX = '.features.json';

/** Costs next to nothing: the runtime is loaded when a graph is first run. */
export function detectorsHere(settings: Partial<DetectorSettings> = {}): readonly KnownDetector[] {
  return knownDetectors(createGraphRuntime(), settings);
}

/** Plain data: another thread can be told it. */
export interface AskedDetectors {
  /** Separated by commas. */
  readonly names: string;
  readonly registry: string;
  readonly network: DetectorSettings['network'];
}

/** Those of this version and the models among the names. @throws UsageError, InputError for a model that can't be used */
export function detectorsAsked(
  { names, registry, network }: AskedDetectors,
  observe: DetectorSettings['observe'] = null,
): readonly KnownDetector[] {
  const foreign = names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name.startsWith(MODEL_PREFIX));
  return [...detectorsHere({ network, observe }), ...foreign.map((name) => foreignModel(name, registry))];
}

export function importedPath(registry: string, name: string): string {
  return join(registry, IMPORTED_FOLDER, `${name}.onnx`);
}

function foreignModel(name: string, registry: string): KnownDetector {
  const given = name.slice(MODEL_PREFIX.length);
  const path = [given, importedPath(registry, given)].find((each) => existsSync(each));
  if (path === undefined) {
    throw new UsageError(`--detectors: there is no file '${given}', and no model of that name was imported`);
  }
  const model = new Uint8Array(readFileSync(path));
  const beside = existsSync(path + FACTS_SUFFIX) ? readFileSync(path + FACTS_SUFFIX, 'utf8') : null;
  const facts = readFacts(model, beside);
  const detector = createOnnxModelDetector(createGraphRuntime());
  return {
    name,
    // Log odds are combined with those of other detectors; a score in a unit of its own as it is.
    needsLabels: facts.answer === 'probability' || facts.answer === 'logit',
    fit: (data, seed) => detector.fit(data, { ...facts, model }, seed),
    load: (artefact) => detector.load(artefact),
  };
}
