// A calibration curve as nodes (models/calibration.ts).
import type { Calibration } from '../../models/calibration.ts';
import { LEAST_SCORE } from '../../models/calibration-beta.ts';
import type { GraphBuilder, ValueName } from '../../models/onnx/graph-builder.ts';
import { clamp, filled, number, probability, toFloat, weightedSum } from './exact-values.ts';
import { interpolate } from './tables.ts';

/** @param score rows × 1, float64 @returns rows × 1, float32 */
export function calibratedIn(graph: GraphBuilder, calibration: Calibration, score: ValueName): ValueName {
  switch (calibration.kind) {
    case 'as-is':
      return toFloat(graph, score);
    case 'platt':
      return probability(graph, weightedSum(graph, [score], [calibration.slope], calibration.intercept));
    case 'beta': {
      const { a, b, c } = calibration;
      const kept = clamp(graph, score, LEAST_SCORE, 1 - LEAST_SCORE);
      const against = graph.node('Sub', [number(graph, 1), kept]);
      const logarithms = [kept, against].map((share) => graph.node('Log', [share]));
      return probability(graph, weightedSum(graph, logarithms, [a, -b], c));
    }
    case 'isotonic': {
      const { scores, probabilities } = calibration;
      const risk =
        scores.length === 1 ? filled(graph, score, probabilities[0]) : interpolate(graph, score, scores, probabilities);
      return toFloat(graph, risk);
    }
  }
}
