// Which kinds of fraud are found when the analysts can look at a given number of rows, and which stay hidden.
import { checkSameLength, descendingOrder, type Scores } from './order.ts';

export interface TypologyRecall {
  /** Code of the typology; null for labelled rows without one. */
  readonly typology: string | null;
  readonly frauds: number;
  readonly caught: number;
  readonly recall: number;
}

/**
 * Recall of each typology among the `budget` rows with the greatest scores, the most frequent typology first.
 *
 * @param typologies one per row; only rows with label 1 count.
 */
export function recallByTypology(
  labels: Uint8Array,
  scores: Scores,
  typologies: readonly (string | null)[],
  budget: number,
): TypologyRecall[] {
  checkSameLength(scores.length, labels.length, 'labels');
  checkSameLength(scores.length, typologies.length, 'typologies');
  const counts = new Map<string | null, { frauds: number; caught: number }>();
  descendingOrder(scores).forEach((row, rank) => {
    if (labels[row] !== 1) return;
    const count = counts.get(typologies[row]) ?? { frauds: 0, caught: 0 };
    count.frauds++;
    if (rank < budget) count.caught++;
    counts.set(typologies[row], count);
  });
  return [...counts]
    .map(([typology, { frauds, caught }]) => ({ typology, frauds, caught, recall: caught / frauds }))
    .sort((a, b) => b.frauds - a.frauds || compareText(a.typology ?? '', b.typology ?? ''));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
