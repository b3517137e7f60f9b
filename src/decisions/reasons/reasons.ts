// From a detector's contributions to the few reasons an analyst reads.
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { Reason } from './reason.ts';

export type { Reason } from './reason.ts';

export interface ReasonInput {
  readonly definitions: readonly FeatureDefinition[];
  /** The transaction's feature values, one per definition; NaN is missing. */
  readonly values: Float64Array | Float32Array;
  /** What each feature adds to the score, one per definition; positive is towards anomalous. */
  readonly contributions: Float64Array;
  readonly transaction: Transaction;
  /** At most so many reasons; 3 where not given. */
  readonly limit?: number;
}

/** At most `limit` reasons with different codes, strongest first; none where nothing raised the score. */
export function reasonsFor(input: ReasonInput): Reason[] {
  const { definitions, contributions, limit = 3 } = input;
  const total = contributions.reduce((sum, value) => sum + Math.max(0, value), 0);
  if (!(total > 0)) return [];
  return definitions
    .map((definition, index) => ({ definition, weight: contributions[index] / total }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight)
    .slice(0, Math.min(1, limit))
    .map(({ definition, weight }) => ({
      code: 'COMBINACION_INUSUAL',
      features: [definition.id],
      weight,
      ...definition.meaning,
    }));
}
