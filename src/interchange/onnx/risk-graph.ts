// A risk model as nodes: every detector over its features, their combination, one risk (decisions/risk-model.ts).
import { LARGEST_LOG_ODDS, type RiskModel, type RiskModelPart } from '../../decisions/risk-model.ts';
import type { GraphBuilder, ValueName } from '../../models/onnx/graph-builder.ts';
import type { Stacking } from '../../models/stacking.ts';
import { calibratedIn } from './calibration-graph.ts';
import { scoreInGraph } from './detector-graph.ts';
import { filled, logistic, logOddsOf, takeColumns, toDouble, toFloat, weightedSum } from './exact-values.ts';
import { conformalRisk } from './tables.ts';

/** rows × 1, float32 each. */
export interface RiskGraph {
  readonly risk: ValueName;
  readonly ranking: ValueName;
}

/** @param inputs rows × the model's features, in the order of its definitions */
export function riskInGraph(graph: GraphBuilder, model: RiskModel, inputs: ValueName): RiskGraph {
  const { parts, stacking, calibration } = model;
  if (stacking !== null) {
    const logOdds = stackedIn(graph, parts, stacking, inputs);
    const risk = calibratedIn(graph, calibration, logistic(graph, logOdds));
    return { risk, ranking: toFloat(graph, logOdds) };
  }
  const [first] = parts;
  const score = partScore(graph, first, inputs);
  const risk = conformalRisk(graph, first.tail, toDouble(graph, score));
  return { risk: toFloat(graph, risk), ranking: score };
}

/** The log-odds, rows × 1, float64. */
function stackedIn(
  graph: GraphBuilder,
  parts: readonly RiskModelPart[],
  { bias, weights }: Stacking,
  inputs: ValueName,
): ValueName {
  // A part without weight would only make the file longer.
  const used = parts.map((part, index) => ({ part, weight: weights[index] })).filter(({ weight }) => weight !== 0);
  const terms = used.map(({ part }) => {
    const score = partScore(graph, part, inputs);
    return part.supervised ? logOddsOf(graph, score, LARGEST_LOG_ODDS) : toDouble(graph, score);
  });
  const partWeights = used.map(({ weight }) => weight);
  return used.length === 0 ? filled(graph, inputs, bias) : weightedSum(graph, terms, partWeights, bias);
}

function partScore(graph: GraphBuilder, { detector, columns }: RiskModelPart, inputs: ValueName): ValueName {
  return scoreInGraph(graph, detector.name, detector.save(), takeColumns(graph, inputs, columns));
}
