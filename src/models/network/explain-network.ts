// Splits a network's logit among its inputs: DeepLIFT's multipliers against several ordinary rows, averaged.
//
// Each unit passes the difference from an ordinary row on in proportion to how its activation changed (the rescale rule of
// Shrikumar, Greenside, Kundaje, "Learning important features through propagating activation differences", ICML 2017);
// the mean over a sample of ordinary rows is DeepSHAP, an approximation of the Shapley values against that sample
// (Lundberg and Lee, NeurIPS 2017; Chen, Lundberg, Lee, "Explaining a series of models by propagating Shapley values",
// Nature Communications 13, 2022). One pass forwards, and one backwards for each ordinary row, in float64: the
// contributions add up, and nothing is drawn. What else was tried: docs/decisions/0010.
import { assert } from '../../lib/assert.ts';
import { type Matrix, rowOf } from '../matrix.ts';
import { ACTIVATIONS } from './activations.ts';
import type { Network } from './description.ts';
import { planScorer, type ScorerPlan } from './scorer/scorer-plan.ts';

export interface NetworkExplainer {
  /** The mean logit of the ordinary rows. */
  readonly base: number;
  /** Adds what each input moves the logit by; their sum is the logit less the base. */
  addContributions(inputs: Float32Array, into: Float64Array): void;
}

/** What a row becomes on its way through the network. */
interface Trace {
  /** What the first layer is given: embeddings in place of category codes. */
  readonly first: Float64Array;
  /** By layer, before and after its activation; the last layer's are the logit. */
  readonly sums: readonly Float64Array[];
  readonly outputs: readonly Float64Array[];
}

/** A layer as the explainer reads it. */
interface TracedLayer {
  readonly inputs: number;
  readonly units: number;
  readonly activate: (x: number) => number;
  /** units × inputs */
  readonly kernel: Float64Array;
  readonly bias: Float32Array;
  /** How much of a difference in each input arrives at the logit: written anew for each ordinary row. */
  readonly onInputs: Float64Array;
}

/** @param ordinary prepared rows, at least one @param network of one output */
export function createNetworkExplainer(network: Network, ordinary: Matrix): NetworkExplainer {
  const plan = planScorer(network);
  const layers = layersOf(plan);
  assert(layers[layers.length - 1].units === 1, 'a network with one output can be explained');
  assert(
    ordinary.rows > 0 && ordinary.columns === plan.inputs,
    'ordinary rows have the columns that the network reads',
  );
  const first = firstReader(plan);
  const traces = Array.from({ length: ordinary.rows }, (_, row) => traceOf(layers, first.read(rowOf(ordinary, row))));
  const logitOf = ({ outputs }: Trace): number => outputs[layers.length - 1][0];
  return {
    base: traces.reduce((sum, trace) => sum + logitOf(trace), 0) / traces.length,
    addContributions(inputs, into) {
      const own = traceOf(layers, first.read(inputs));
      const { sources } = first;
      for (const other of traces) {
        const multipliers = multipliersBetween(layers, own, other);
        for (let i = 0; i < sources.length; i++) {
          into[sources[i]] += (multipliers[i] * (own.first[i] - other.first[i])) / traces.length;
        }
      }
    },
  };
}

function layersOf({ steps }: ScorerPlan): TracedLayer[] {
  return steps.map(({ inputs, units, activation, kernel, bias }, index) => ({
    inputs,
    units,
    activate: ACTIVATIONS[index === steps.length - 1 ? 'linear' : activation],
    kernel: Float64Array.from(kernel, (_, at) => kernel[(at % inputs) * units + Math.floor(at / inputs)]),
    bias,
    onInputs: new Float64Array(inputs),
  }));
}

interface FirstReader {
  /** For each number that the first layer is given, the input it is made of. */
  readonly sources: Uint32Array;
  read(row: Float32Array): Float64Array;
}

/** As the scorer's: the plain columns in their order, then each embedding. */
function firstReader({ inputs, embed }: ScorerPlan): FirstReader {
  const embeddings = (embed?.layer.columns ?? []).map((column, index) => ({ ...column, table: embed!.tables[index] }));
  const embedded = new Set(embeddings.map(({ column }) => column));
  const plain = Array.from({ length: inputs }, (_, column) => column).filter((column) => !embedded.has(column));
  const vectors = embeddings.flatMap(({ column, units }) => new Array<number>(units).fill(column));
  const sources = Uint32Array.from([...plain, ...vectors]);
  return {
    sources,
    read(row) {
      const first = new Float64Array(sources.length);
      plain.forEach((column, i) => {
        first[i] = row[column];
      });
      let at = plain.length;
      for (const { column, categories, units, table } of embeddings) {
        const value = row[column];
        const code = Number.isInteger(value) && value >= 0 && value < categories ? value : 0;
        first.set(table.subarray(code * units, (code + 1) * units), at);
        at += units;
      }
      return first;
    },
  };
}

function traceOf(layers: readonly TracedLayer[], first: Float64Array): Trace {
  const sums: Float64Array[] = [];
  const outputs: Float64Array[] = [];
  let given = first;
  for (const { inputs, units, kernel, bias, activate } of layers) {
    const own = new Float64Array(units);
    const activated = new Float64Array(units);
    for (let unit = 0; unit < units; unit++) {
      const from = unit * inputs;
      let sum = bias[unit];
      for (let i = 0; i < inputs; i++) sum += kernel[from + i] * given[i];
      own[unit] = sum;
      activated[unit] = activate(sum);
    }
    sums.push(own);
    outputs.push(activated);
    given = activated;
  }
  return { first, sums, outputs };
}

/** @returns one number per first input; the next call overwrites them */
function multipliersBetween(layers: readonly TracedLayer[], own: Trace, other: Trace): Float64Array {
  let onOutputs: Float64Array = Float64Array.of(1);
  for (let index = layers.length - 1; index >= 0; index--) {
    const { inputs, units, kernel, onInputs } = layers[index];
    onInputs.fill(0);
    for (let unit = 0; unit < units; unit++) {
      // Units that are off for both rows pass nothing on; they are many.
      const change = own.outputs[index][unit] - other.outputs[index][unit];
      if (change === 0) continue;
      const onSum = (onOutputs[unit] * change) / (own.sums[index][unit] - other.sums[index][unit]);
      const from = unit * inputs;
      for (let i = 0; i < inputs; i++) onInputs[i] += onSum * kernel[from + i];
    }
    onOutputs = onInputs;
  }
  return onOutputs;
}
