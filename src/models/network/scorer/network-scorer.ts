// The scorer that serves: a network as a small WebAssembly program made for its shape, called synchronously.
//
// ONNX Runtime trains networks and would score them too, but its kernels differ from processor to processor and with the
// size of the batch. Here a row has the same bits alone, in any batch and on any machine, a call costs no more than its
// arithmetic, and a server needs no native library (docs/decisions/0008 has the figures).
import { assert } from '../../../lib/assert.ts';
import { runWasm } from '../../wasm-module.ts';
import { ACTIVATIONS } from '../activations.ts';
import type { ActivationName, Network } from '../description.ts';
import { AFTER_RELU_PANEL_VECTORS, afterReluFunction, listNumbers, suitsAfterRelu } from './after-relu-kernel.ts';
import { denseFunction, type FusedActivation, packKernel, paddedUnits, TILE_ROWS } from './dense-kernel.ts';
import { planScorer, type ScorerPlan } from './scorer-plan.ts';

export interface NetworkScorer {
  /** Columns of a row. */
  readonly inputs: number;
  /** Numbers per row of the result. */
  readonly outputs: number;
  /** @param values rows × inputs, finite @returns rows × outputs */
  score(values: Float32Array, rows: number): Float32Array;
  /** The same, written to the start of `into`. */
  scoreInto(values: Float32Array, rows: number, into: Float32Array): void;
}

export interface ScorerOptions {
  /** `logit` leaves out the activation of the last layer: a float32 probability near 1 would hide all differences. */
  readonly head: 'activation' | 'logit';
}

/** Rows that are worked on at a time, so that what is between two layers stays in the processor's nearest caches. */
const BLOCK_ROWS = 64;

interface Step {
  readonly run: (rows: number) => void;
  /** What is left to do on the outputs; null where the kernel has done it. */
  readonly activate: ((x: number) => number) | null;
  readonly units: number;
  readonly outputs: Float32Array;
  readonly stride: number;
}

export function createNetworkScorer(network: Network, options: ScorerOptions = { head: 'activation' }): NetworkScorer {
  const plan = planScorer(network);
  const width = plan.steps[0].inputs;
  const { input, steps } = compile(plan, options);
  const last = steps[steps.length - 1];
  const load = plan.embed === null ? copyRows : embedRowsOf(plan.embed);
  return {
    inputs: plan.inputs,
    outputs: last.units,
    score(values, rows) {
      const result = new Float32Array(rows * last.units);
      scoreInto(values, rows, result);
      return result;
    },
    scoreInto,
  };

  function scoreInto(values: Float32Array, rows: number, into: Float32Array): void {
    assert(values.length === rows * plan.inputs, `${values.length} values are not ${rows} rows of ${plan.inputs}`);
    for (let first = 0; first < rows; first += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - first);
      load(values, first, count);
      for (let i = 0; i < steps.length; i++) {
        steps[i].run(count);
        activate(steps[i], count);
      }
      for (let row = 0; row < count; row++) {
        const from = row * last.stride;
        into.set(last.outputs.subarray(from, from + last.units), (first + row) * last.units);
      }
    }
  }

  function copyRows(values: Float32Array, first: number, count: number): void {
    input.set(values.subarray(first * width, (first + count) * width));
  }

  /** The plain columns in their order, and behind them each embedded one's row of its table. */
  function embedRowsOf({ layer: { columns }, tables }: NonNullable<ScorerPlan['embed']>) {
    const embedded = new Set(columns.map(({ column }) => column));
    const plain = Int32Array.from({ length: plan.inputs }, (_, column) => column).filter((c) => !embedded.has(c));
    return (values: Float32Array, first: number, count: number): void => {
      for (let row = 0; row < count; row++) {
        let to = row * width;
        const from = (first + row) * plan.inputs;
        for (let i = 0; i < plain.length; i++) input[to++] = values[from + plain[i]];
        for (let index = 0; index < columns.length; index++) {
          const { column, categories, units } = columns[index];
          const table = tables[index];
          const value = values[from + column];
          const code = Number.isInteger(value) && value >= 0 && value < categories ? value : 0;
          for (let unit = 0; unit < units; unit++) input[to++] = table[code * units + unit];
        }
      }
    };
  }
}

function activate({ activate: apply, outputs, stride, units }: Step, rows: number): void {
  if (apply === null) return;
  for (let row = 0; row < rows; row++) {
    const from = row * stride;
    for (let unit = 0; unit < units; unit++) outputs[from + unit] = apply(outputs[from + unit]);
  }
}

const FUSED: readonly ActivationName[] = ['linear', 'relu', 'leaky-relu'];

function compile({ steps }: ScorerPlan, { head }: ScorerOptions): { input: Float32Array; steps: readonly Step[] } {
  let bytes = 0;
  const reserve = (numbers: number) => {
    const address = bytes;
    bytes += Math.ceil(numbers / 4) * 16;
    return address;
  };
  const input = reserve(BLOCK_ROWS * steps[0].inputs);
  let from = { address: input, stride: steps[0].inputs };
  const placed = steps.map((step, index) => {
    const stride = paddedUnits(step.units);
    const to = { address: reserve(BLOCK_ROWS * stride), stride };
    const isHead = index === steps.length - 1;
    const activation = isHead && head === 'logit' ? 'linear' : step.activation;
    const kernel = reserve(step.inputs * stride);
    const bias = reserve(stride);
    const list =
      index > 0 && steps[index - 1].activation === 'relu' && suitsAfterRelu(step)
        ? reserve(listNumbers(step.inputs))
        : null;
    const one = { step, activation, from, to, kernel, bias, list };
    from = to;
    return one;
  });
  const { buffer, exports } = runWasm(
    placed.map((one, index) => {
      const shape = {
        inputs: one.step.inputs,
        units: one.step.units,
        activation: isFused(one.activation) ? one.activation : 'linear',
        input: one.from.address,
        inputStride: one.from.stride,
        output: one.to.address,
        outputStride: one.to.stride,
        kernel: one.kernel,
        bias: one.bias,
      } as const;
      const name = `layer${index}`;
      return one.list === null ? denseFunction(name, shape) : afterReluFunction(name, { ...shape, list: one.list });
    }),
    bytes,
  );
  return {
    input: new Float32Array(buffer, input, BLOCK_ROWS * steps[0].inputs),
    steps: placed.map(({ step, activation, to, kernel, bias, list }, index) => {
      const panelVectors = list === null ? undefined : AFTER_RELU_PANEL_VECTORS;
      new Float32Array(buffer, kernel).set(packKernel(step.kernel, step.inputs, step.units, panelVectors));
      // −0 + 0 is 0.
      new Float32Array(buffer, bias).set(step.bias.map((x) => x + 0));
      const compiled = exports[`layer${index}`] as (count: number) => void;
      return {
        run: list === null ? (rows) => compiled(Math.ceil(rows / TILE_ROWS)) : compiled,
        activate: isFused(activation) ? null : ACTIVATIONS[activation],
        units: step.units,
        outputs: new Float32Array(buffer, to.address, BLOCK_ROWS * to.stride),
        stride: to.stride,
      };
    }),
  };
}

function isFused(activation: ActivationName): activation is FusedActivation {
  return FUSED.includes(activation);
}
