// The preparation of a network's inputs (models/preparation) as ONNX nodes, so that an exported model takes raw features.
//
// Computed in float64 and rounded at the end, as our own preparation does: an interpolation between two near knots would
// lose digits in float32.

import { type GraphBuilder, int64, type ValueName } from '../../models/onnx/graph-builder.ts';
import type { ColumnPlan, PreparationPlan } from '../../models/preparation/preparation.ts';
import { createPreparation } from '../../models/preparation/preparation.ts';
import { DOUBLE, doubles, toDouble, toFloat } from './exact-values.ts';
import { interpolate } from './tables.ts';

/** @param inputs rows × columns, float32, NaN for missing @returns rows × prepared columns, float32 */
export function prepareInGraph(graph: GraphBuilder, plan: PreparationPlan, inputs: ValueName): ValueName {
  // Checks the plan.
  createPreparation(plan);
  const exact = toDouble(graph, inputs);
  const columnOf = (column: number) => graph.node('Gather', [exact, graph.constant(int64([column]))], { axis: 1n });
  const outputs = plan.columns.map((column, index) => prepareColumn(graph, column, columnOf(index)));
  const indicators = plan.indicators.map((column) =>
    graph.node('Cast', [graph.node('IsNaN', [columnOf(column)])], { to: DOUBLE }),
  );
  const joined = graph.node('Concat', [...outputs, ...indicators], { axis: 1n });
  return toFloat(graph, joined);
}

function prepareColumn(graph: GraphBuilder, plan: ColumnPlan, value: ValueName): ValueName {
  const constant = (values: readonly number[], dims: readonly number[] = [1, values.length]) =>
    graph.constant(doubles(values, dims));
  const one = (number: number) => constant([number]);
  const known = (median: number) => graph.node('Where', [graph.node('IsNaN', [value]), one(median), value]);
  switch (plan.kind) {
    case 'constant':
      return graph.node('Where', [graph.node('IsNaN', [value]), one(0), one(0)]);
    case 'scale': {
      const present = known(plan.median);
      const shaped = plan.log ? signedLog(graph, present, one) : present;
      const scaled = graph.node('Div', [graph.node('Sub', [shaped, one(plan.mean)]), one(plan.deviation)]);
      return graph.node('Max', [graph.node('Min', [scaled, one(plan.clip)]), one(-plan.clip)]);
    }
    case 'quantile':
      return interpolate(graph, known(plan.median), plan.knots, plan.scores);
    case 'bins': {
      const [below, above] = [plan.edges.slice(0, -1), plan.edges.slice(1)];
      const present = graph.node('Max', [
        graph.node('Min', [known(plan.median), one(above[above.length - 1])]),
        one(below[0]),
      ]);
      const widths = constant(above.map((edge, i) => edge - below[i]));
      const share = graph.node('Div', [graph.node('Sub', [present, constant(below)]), widths]);
      return graph.node('Max', [graph.node('Min', [share, one(1)]), one(0)]);
    }
    case 'category': {
      // The code of the value that is equal, and 0 where none is.
      const equal = graph.node('Cast', [graph.node('Equal', [value, constant(plan.values)])], { to: DOUBLE });
      return graph.node('MatMul', [
        equal,
        constant(
          plan.values.map((_, i) => i + 1),
          [plan.values.length, 1],
        ),
      ]);
    }
  }
}

/** sign(v) · ln(1 + |v|) */
function signedLog(graph: GraphBuilder, value: ValueName, one: (number: number) => ValueName): ValueName {
  const logarithm = graph.node('Log', [graph.node('Add', [graph.node('Abs', [value]), one(1)])]);
  return graph.node('Mul', [graph.node('Sign', [value]), logarithm]);
}
