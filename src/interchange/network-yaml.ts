// A network's options as a YAML file that a person writes: layers, loss, optimizer, and how long to train.
//
//   preset: complex            # what is not given below is the preset's
//   layers:
//     - { dense: 128, activation: relu, l2: 0.0001 }
//     - batch-norm
//     - dropout: 0.5
//     - { dense: 1, activation: sigmoid }
//   loss: { focal: 2 }
//   optimizer: { adamw: { weightDecay: 0.01 } }
//   learningRate: { initial: 0.002, decay: { cosine: { steps: 4000 } } }
//
// All mistakes are told at once, each with its line and column.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { InputError } from '../lib/errors.ts';
import { ACTIVATIONS } from '../models/network/activations.ts';
import type { ActivationName, Layer } from '../models/network/description.ts';
import type { Loss } from '../models/network/losses.ts';
import type { LearningRate, Optimizer } from '../models/network/optimizer.ts';
import { type NetworkOptions, OPTION_RANGES, PRESETS } from '../models/network/options.ts';
import { batchNorm, dense, dropout } from '../models/network/sequential.ts';

const OPTION_KEYS = [
  ...['preset', 'layers', 'loss', 'optimizer', 'learningRate', 'clipNorm', 'preparation'],
  ...OPTION_RANGES.map(({ key }) => key),
];
const MOST_PROBLEMS = 20;
const METHODS = ['standardise', 'signed-log', 'quantile-normal', 'piecewise-linear'] as const;

/**
 * @param name how errors call the file
 * @throws InputError that lists what is wrong, each with its line and column
 */
export function parseNetworkYaml(text: string, name: string): Partial<NetworkOptions> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: string[] = [];
  const report = (offset: number, problem: string) => {
    const { line, col } = lines.linePos(offset);
    problems.push(`${name}:${line}:${col}: ${problem}`);
  };
  for (const error of document.errors) report(error.pos[0], error.message.split('\n')[0]);
  const options = problems.length === 0 ? readOptions(document.contents, report) : {};
  if (problems.length === 0) return options;
  const left = problems.length - MOST_PROBLEMS;
  throw new InputError(
    'NETWORK_INVALID',
    [...problems.slice(0, MOST_PROBLEMS), ...(left > 0 ? [`and ${left} more`] : [])].join('\n'),
    'docs/networks.md describes the file',
  );
}

type Report = (offset: number, problem: string) => void;

function readOptions(root: Node | null, report: Report): Partial<NetworkOptions> {
  const fields = fieldsOf(root, 'a network file', OPTION_KEYS, report);
  const read: Record<string, unknown> = {};
  const take = (key: string, reader: (node: Node | null) => unknown) => {
    if (fields.has(key)) read[key] = reader(fields.get(key)!);
  };
  take('preset', (node) => choiceIn(node, 'preset', Object.keys(PRESETS), report));
  take('layers', (node) => readLayers(node, report));
  take('loss', (node) => readLoss(node, report));
  take('optimizer', (node) => readOptimizer(node, report));
  take('learningRate', (node) => readLearningRate(node, report));
  take('clipNorm', (node) => numberIn(node, { name: 'clipNorm', from: 1e-9, to: 1e9 }, report));
  take('preparation', (node) => readPreparation(node, report));
  for (const { key, ...range } of OPTION_RANGES) take(key, (node) => numberIn(node, { name: key, ...range }, report));
  return read as Partial<NetworkOptions>;
}

function readLayers(node: Node | null, report: Report): Layer[] {
  if (!isSeq(node) || node.items.length === 0) {
    report(
      offsetOf(node),
      'layers must be a list such as [{ dense: 64, activation: relu }, { dense: 1, activation: sigmoid }]',
    );
    return [];
  }
  const layers = node.items.map((item) => readLayer(item as Node, report));
  const last = layers[layers.length - 1];
  if (last !== null && !(last.kind === 'dense' && last.units === 1 && last.activation === 'sigmoid')) {
    report(
      offsetOf(node.items.at(-1)),
      'the last layer must be { dense: 1, activation: sigmoid }, the probability of fraud',
    );
  }
  return layers.filter((layer) => layer !== null);
}

function readLayer(node: Node, report: Report): Layer | null {
  if (isScalar(node) && node.value === 'batch-norm') return batchNorm();
  const kind = isMap(node) ? ['dense', 'dropout', 'batch-norm'].find((key) => node.has(key)) : undefined;
  switch (kind) {
    case 'dense': {
      const fields = fieldsOf(node, 'a dense layer', ['dense', 'activation', 'l1', 'l2'], report);
      const number = (key: string, range: Omit<NumberRange, 'name'>, fallback: number) =>
        fields.has(key) ? numberIn(fields.get(key)!, { name: key, ...range }, report) : fallback;
      const activation = fields.has('activation')
        ? choiceIn(fields.get('activation')!, 'activation', Object.keys(ACTIVATIONS), report)
        : 'linear';
      return dense(number('dense', { from: 1, to: 65_536, whole: true }, 1), activation as ActivationName, {
        l1: number('l1', { from: 0, to: 1e6 }, 0),
        l2: number('l2', { from: 0, to: 1e6 }, 0),
      });
    }
    case 'dropout': {
      const fields = fieldsOf(node, 'a dropout layer', ['dropout'], report);
      return dropout(numberIn(fields.get('dropout')!, { name: 'dropout', from: 0, to: 0.99 }, report));
    }
    case 'batch-norm': {
      const fields = fieldsOf(node, 'a batch-norm layer', ['batch-norm'], report);
      const inner = fieldsOf(fields.get('batch-norm')!, 'batch-norm', ['momentum', 'epsilon'], report);
      const number = (name: string, from: number, to: number) =>
        inner.has(name) ? numberIn(inner.get(name)!, { name, from, to }, report) : undefined;
      return batchNorm(number('momentum', 0, 0.999999), number('epsilon', 1e-12, 1));
    }
    default:
      report(offsetOf(node), 'a layer is { dense: UNITS, activation: NAME }, { dropout: RATE } or batch-norm');
      return null;
  }
}

function readLoss(node: Node | null, report: Report): Loss {
  const { kind, value } = namedIn(node, 'loss', ['binary-cross-entropy', 'focal'], report);
  if (kind !== 'focal') return { kind: 'binary-cross-entropy' };
  return {
    kind: 'focal',
    gamma: value === null ? 2 : numberIn(value, { name: 'focal', from: 0, to: 100 }, report),
  };
}

const SHARE: Omit<NumberRange, 'name'> = { from: 0, to: 0.999999 };
const OPTIMIZERS: Readonly<Record<Optimizer['kind'], Readonly<Record<string, Omit<NumberRange, 'name'>>>>> = {
  adam: { beta1: SHARE, beta2: SHARE, epsilon: { from: 1e-12, to: 1 } },
  adamw: { weightDecay: { from: 0, to: 100 }, beta1: SHARE, beta2: SHARE, epsilon: { from: 1e-12, to: 1 } },
  sgd: { momentum: SHARE },
};
/** Keras's. */
const USUAL_WEIGHT_DECAY = 0.004;

function readOptimizer(node: Node | null, report: Report): Optimizer {
  const { kind, value } = namedIn(node, 'optimizer', Object.keys(OPTIMIZERS), report);
  const name = kind as Optimizer['kind'];
  const usual = name === 'adamw' ? { weightDecay: USUAL_WEIGHT_DECAY } : {};
  if (value === null) return { kind: name, ...usual } as Optimizer;
  const ranges = OPTIMIZERS[name];
  const fields = fieldsOf(value, name, [...Object.keys(ranges), ...(name === 'sgd' ? ['nesterov'] : [])], report);
  const numbers = [...fields].map(([key, each]) => [
    key,
    key === 'nesterov'
      ? choiceIn(each, key, ['true', 'false'], report) === 'true'
      : numberIn(each, { name: key, ...ranges[key] }, report),
  ]);
  return { kind: name, ...usual, ...Object.fromEntries(numbers) } as Optimizer;
}

const STEPS: Omit<NumberRange, 'name'> = { from: 1, to: 1e9, whole: true };
const RATE: Omit<NumberRange, 'name'> = { from: 1e-9, to: 100 };
const DECAYS: Readonly<Record<string, Readonly<Record<string, Omit<NumberRange, 'name'>>>>> = {
  step: { everySteps: STEPS, factor: { from: 1e-9, to: 1 } },
  exponential: { everySteps: STEPS, factor: { from: 1e-9, to: 1 } },
  cosine: { steps: STEPS, finalShare: { from: 0, to: 1 } },
};
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  step: ['everySteps', 'factor'],
  exponential: ['everySteps', 'factor'],
  cosine: ['steps'],
};

function readLearningRate(node: Node | null, report: Report): LearningRate {
  if (isScalar(node)) return { initial: numberIn(node, { name: 'learningRate', ...RATE }, report) };
  const fields = fieldsOf(node, 'learningRate', ['initial', 'warmupSteps', 'decay'], report);
  if (!fields.has('initial')) report(offsetOf(node), "learningRate lacks 'initial'");
  const number = (key: string, range: Omit<NumberRange, 'name'>) =>
    fields.has(key) ? { [key]: numberIn(fields.get(key)!, { name: key, ...range }, report) } : {};
  const rate = { ...number('initial', RATE), ...number('warmupSteps', { ...STEPS, from: 0 }) };
  return { ...rate, ...(fields.has('decay') && { decay: readDecay(fields.get('decay')!, report) }) } as LearningRate;
}

function readDecay(node: Node | null, report: Report): LearningRate['decay'] {
  const { kind, value } = namedIn(node, 'decay', Object.keys(DECAYS), report);
  const fields = fieldsOf(value, kind, Object.keys(DECAYS[kind]), report);
  for (const key of NEEDED[kind]) if (!fields.has(key)) report(offsetOf(value ?? node), `${kind} lacks '${key}'`);
  const numbers = [...fields].map(([key, each]) => [key, numberIn(each, { name: key, ...DECAYS[kind][key] }, report)]);
  return { kind, ...Object.fromEntries(numbers) } as LearningRate['decay'];
}

function readPreparation(node: Node | null, report: Report): NetworkOptions['preparation'] {
  const ranges: Readonly<Record<string, Omit<NumberRange, 'name'>>> = {
    clip: { from: 0.1, to: 1000 },
    bins: { from: 2, to: 256, whole: true },
    quantiles: { from: 2, to: 1024, whole: true },
    maxCategories: { from: 1, to: 10_000, whole: true },
  };
  const fields = fieldsOf(node, 'preparation', ['method', 'missingIndicators', ...Object.keys(ranges)], report);
  const values = [...fields].map(([key, each]) => {
    if (key === 'method') return [key, choiceIn(each, key, METHODS, report)];
    if (key === 'missingIndicators') return [key, choiceIn(each, key, ['true', 'false'], report) === 'true'];
    return [key, numberIn(each, { name: key, ...ranges[key] }, report)];
  });
  return Object.fromEntries(values);
}

/** `NAME`, or `NAME: VALUE` as the one entry of a map. The first allowed name where it is neither, which is reported. */
function namedIn(
  node: Node | null,
  what: string,
  allowed: readonly string[],
  report: Report,
): { readonly kind: string; readonly value: Node | null } {
  if (!isMap(node)) return { kind: choiceIn(node, what, allowed, report), value: null };
  const fields = fieldsOf(node, what, allowed, report);
  const [kind] = fields.keys();
  if (fields.size !== 1) report(offsetOf(node), `${what} must be one of ${allowed.join(', ')}`);
  return { kind: kind ?? allowed[0], value: fields.get(kind) ?? null };
}

/** A map's entries by key; those whose keys are not allowed are reported and left out. */
function fieldsOf(
  node: Node | null,
  what: string,
  allowed: readonly string[],
  report: Report,
): ReadonlyMap<string, Node | null> {
  if (!isMap(node)) {
    report(offsetOf(node), `${what} must be a map with keys among ${allowed.join(', ')}`);
    return new Map();
  }
  const fields = new Map<string, Node | null>();
  for (const { key, value } of (node as YAMLMap<Node, Node | null>).items) {
    const name = isScalar(key) ? String(key.value) : String(key);
    if (allowed.includes(name)) fields.set(name, value);
    else report(offsetOf(key), `'${name}' is not a key of ${what}; there are ${allowed.join(', ')}`);
  }
  return fields;
}

function choiceIn(node: Node | null, name: string, allowed: readonly string[], report: Report): string {
  const text = isScalar(node) ? String(node.value) : '';
  if (allowed.includes(text)) return text;
  report(
    offsetOf(node),
    `${name} is ${isScalar(node) ? `'${text}'` : 'no text'}; it must be one of ${allowed.join(', ')}`,
  );
  return allowed[0];
}

interface NumberRange {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly whole?: boolean;
}

function numberIn(node: Node | null, { name, from, to, whole = false }: NumberRange, report: Report): number {
  const value = isScalar(node) ? node.value : null;
  if (typeof value === 'number' && value >= from && value <= to && (!whole || Number.isInteger(value))) return value;
  report(
    offsetOf(node),
    `${name} is ${isScalar(node) ? `'${String(value)}'` : 'no number'}; it must be a ${whole ? 'whole ' : ''}number from ${from} to ${to}`,
  );
  return from;
}

function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
