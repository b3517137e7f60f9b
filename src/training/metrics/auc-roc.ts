// How well scores rank frauds above genuine transactions, whatever the threshold.
import { rankSteps, type Scores } from './order.ts';

/**
 * Area under the ROC curve: the chance that a random fraud scores above a random genuine row, ties counting half
 * (Mann–Whitney). In [0, 1]; NaN where one of the classes is missing.
 */
export function aucRoc(labels: Uint8Array, scores: Scores): number {
  const { flagged, frauds, totalFrauds } = rankSteps(labels, scores);
  const totalGenuine = labels.length - totalFrauds;
  if (totalFrauds === 0 || totalGenuine === 0) return Number.NaN;
  let pairs = 0;
  let fraudsBefore = 0;
  let flaggedBefore = 0;
  for (let step = 0; step < flagged.length; step++) {
    const genuineHere = flagged[step] - flaggedBefore - (frauds[step] - fraudsBefore);
    pairs += genuineHere * (fraudsBefore + frauds[step]);
    fraudsBefore = frauds[step];
    flaggedBefore = flagged[step];
  }
  return pairs / (2 * totalFrauds * totalGenuine);
}
