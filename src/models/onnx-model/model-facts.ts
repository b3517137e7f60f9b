// What has to be known of a foreign model besides its file: its features, and what its answer is.
//
// As JSON, either beside the file (model.onnx.features.json) or in the ONNX metadata under `centinela.model`:
//   ["amount", "count"]  or  { "features": ["amount", "count"], "output": "logits", "answer": "logit" }
import { InputError } from '../../lib/errors.ts';
import { ANSWER_KINDS, type AnswerKind, type OnnxModelOptions } from './onnx-model.ts';
import { readSignature } from './signature.ts';

export const FACTS_KEY = 'centinela.model';

export type ModelFacts = Pick<OnnxModelOptions, 'modelFeatures' | 'output' | 'answer'>;

const MAX_FEATURES = 65_536;
const KEYS = ['features', 'output', 'answer'];

/**
 * @param beside the JSON text beside the model, null where there is none
 * @throws InputError if nothing tells the features, or what does is malformed
 */
export function readFacts(model: Uint8Array, beside: string | null): ModelFacts {
  const text = beside ?? readSignature(model).metadata[FACTS_KEY];
  if (text === undefined) {
    throw refused('nothing lists its features', 'Write them in its order to FILE.features.json: ["amount", …]');
  }
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    throw refused('its list of features is not JSON', 'Write ["amount", …]');
  }
  const facts = Array.isArray(stored) ? { features: stored } : stored;
  if (typeof facts !== 'object' || facts === null) throw refused('its features are no list', 'Write ["amount", …]');
  const unknown = Object.keys(facts).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw refused(`'${unknown}' is not known`, `Known are ${KEYS.join(', ')}`);
  const { features, output = null, answer = 'probability' } = facts as Record<string, unknown>;
  return { modelFeatures: checkFeatures(features), output: checkOutput(output), answer: checkAnswer(answer) };
}

function checkFeatures(features: unknown): string[] {
  const sound =
    Array.isArray(features) &&
    features.length > 0 &&
    features.length <= MAX_FEATURES &&
    features.every((name) => typeof name === 'string' && name !== '') &&
    new Set(features).size === features.length;
  if (!sound) throw refused('its features are no list of different names', 'Write ["amount", …]');
  return features as string[];
}

function checkOutput(output: unknown): string | null {
  if (output === null || typeof output === 'string') return output;
  throw refused("'output' is no name", 'Write the name of one of its outputs');
}

function checkAnswer(answer: unknown): AnswerKind {
  const known = ANSWER_KINDS.find((kind) => kind === answer);
  if (known !== undefined) return known;
  throw refused(`'${String(answer)}' is no kind of answer`, `Known are ${ANSWER_KINDS.join(', ')}`);
}

function refused(problem: string, hint: string): InputError {
  return new InputError('ONNX_MODEL_FACTS', `The ONNX model can't be used: ${problem}`, hint);
}
