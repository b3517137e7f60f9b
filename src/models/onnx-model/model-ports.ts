// Which of a model's inputs take the features, and which of its outputs is the answer.
import { InputError } from '../../lib/errors.ts';
import type { ModelSignature, ModelValue, NumberType } from './signature.ts';

export interface ModelPorts {
  readonly inputs: readonly { readonly name: string; readonly type: NumberType; readonly columns: readonly number[] }[];
  readonly output: string;
  /** Rows that the model takes at a time; null for any number. */
  readonly rows: number | null;
}

/**
 * @param features the model's, in its order
 * @param output chosen by name; null to find it
 * @throws InputError where the model takes or gives something else than rows of numbers; the message says what to do
 */
export function findPorts(signature: ModelSignature, features: readonly string[], output: string | null): ModelPorts {
  const inputs = findInputs(signature.inputs, features);
  return { inputs, output: findOutput(signature.outputs, output).name, rows: rowsOf(signature.inputs) };
}

function findInputs(given: readonly ModelValue[], features: readonly string[]): ModelPorts['inputs'] {
  const all = features.map((_, column) => column);
  if (given.length === 1) {
    const [{ name, dims }] = given;
    const width = dims[1] ?? null;
    if (dims.length === 2 && width !== null && width !== features.length) {
      throw refused(
        `takes ${width} columns, but ${features.length} features are listed`,
        'List its features in its order',
      );
    }
    if (dims.length !== 2)
      throw refused(`takes '${name}' of ${dims.length} dimensions`, 'It must take rows × features');
    return [{ name, type: numberType(given[0]), columns: all }];
  }
  if (given.length !== features.length) {
    throw refused(
      `has ${given.length} inputs for ${features.length} features`,
      'It must have one input, or one per feature',
    );
  }
  const byName = given.every(({ name }) => features.includes(name));
  return given.map((value, index) => {
    if (value.dims.length > 2 || (value.dims[1] ?? 1) !== 1) {
      throw refused(`takes '${value.name}' with more than one column`, 'With several inputs, each takes one feature');
    }
    return { name: value.name, type: numberType(value), columns: [byName ? features.indexOf(value.name) : index] };
  });
}

function numberType({ name, type }: ModelValue): NumberType {
  if (type !== null) return type;
  throw refused(`takes '${name}', which is not of float32, float64 or int64`, 'Export it with numbers as inputs');
}

function rowsOf(inputs: readonly ModelValue[]): number | null {
  const rows = inputs[0]?.dims[0] ?? null;
  return rows === null || rows < 1 ? null : rows;
}

/** Probabilities before other numbers; labels are whole numbers and no answer. */
function findOutput(outputs: readonly ModelValue[], chosen: string | null): ModelValue {
  const names = outputs.map(({ name }) => name).join(', ');
  if (chosen !== null && !outputs.some(({ name }) => name === chosen)) {
    throw refused(`has no output '${chosen}'; it has ${names}`, 'Choose one of them');
  }
  const asked = chosen === null ? outputs : outputs.filter(({ name }) => name === chosen);
  const numbers = asked.filter(({ type }) => type === 'float32' || type === 'float64');
  if (numbers.length === 0 && asked.some(({ isTensor }) => !isTensor)) {
    throw refused('gives its probabilities as a sequence of maps (ZipMap)', 'Export it with zipmap=False');
  }
  const likely = numbers.filter(({ name }) => /prob/i.test(name));
  const candidates = likely.length > 0 ? likely : numbers;
  if (candidates.length !== 1) {
    throw refused(`has ${candidates.length} outputs that may be the answer (of ${names})`, "Name it as 'output'");
  }
  return candidates[0];
}

function refused(problem: string, hint: string): InputError {
  return new InputError('ONNX_MODEL_REFUSED', `The ONNX model ${problem}`, hint);
}
