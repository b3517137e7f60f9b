// The risk of a model of which not every detector was asked.
//
// Nobody knows what the missing one would have said. To take it for silent would be to say that it saw nothing: where most
// of the risk is its own, every fraud would pass. So it is taken to find the transaction as unusual as the others do: their
// p-values on ordinary rows (conformal.ts), in the mean of their logarithms, give one, and the missing detector's score is
// the one that so many of its ordinary rows reach. The risk then means what it means to thresholds and rules, it rises with
// every score there is, and an ordinary transaction keeps an ordinary risk. What only the missing detector would have seen
// is missed; that the decision says so, and who was missing, is the point of `degraded` in it.
import { calibrate } from '../models/calibration.ts';
import { type ConformalReference, conformalPValue } from '../models/conformal.ts';
import { probabilityOf, stackedLogOdds } from '../models/stacking.ts';
import { type RiskModel, type RiskScores, stackingInput } from './risk-model.ts';

/**
 * @param asked each part's scores, null where it was left out
 * @returns NaN where no part is left whose score says anything: the risk is not known
 */
export function riskWithout(model: RiskModel, asked: readonly (Float32Array | null)[], rows: number): RiskScores {
  const parts = asked.map((scores) => scores ?? new Float32Array(rows).fill(Number.NaN));
  const ranking = new Float32Array(rows);
  const probabilities = new Float64Array(rows);
  const risk = new Float32Array(rows);
  const inputs = new Float64Array(parts.length);
  for (let row = 0; row < rows; row++) {
    const scores = parts.map((each) => each[row]);
    const rarity = commonRarity(model, scores);
    if (model.stacking === null) {
      ranking[row] = 1 - rarity;
      risk[row] = 1 - rarity;
      continue;
    }
    model.parts.forEach((part, i) => {
      inputs[i] = stackingInput(part, asked[i] === null ? scoreOfRarity(part.tail, rarity) : scores[i]);
    });
    ranking[row] = stackedLogOdds(model.stacking, inputs);
    probabilities[row] = probabilityOf(ranking[row]);
  }
  return { ranking, risk: model.stacking === null ? risk : calibrate(model.calibration, probabilities), parts };
}

/** How rare the parts that were asked find the row, as a p-value; NaN where none says. */
function commonRarity({ parts }: RiskModel, scores: readonly number[]): number {
  let sum = 0;
  let count = 0;
  parts.forEach(({ tail }, index) => {
    const rarity = conformalPValue(tail, scores[index]);
    if (Number.isNaN(rarity)) return;
    sum += Math.log(rarity);
    count++;
  });
  return count === 0 ? Number.NaN : Math.exp(sum / count);
}

/** The greatest score that a share of ordinary rows reaches. */
function scoreOfRarity({ scores, weightFrom }: ConformalReference, rarity: number): number {
  if (Number.isNaN(rarity)) return Number.NaN;
  const wanted = rarity * weightFrom[0];
  let low = 0;
  let high = scores.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (weightFrom[middle] >= wanted) low = middle;
    else high = middle - 1;
  }
  return scores[low];
}
