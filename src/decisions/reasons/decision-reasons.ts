// The reasons of a decision: what the model saw and what the rules say, the decisive first.
//
// Risk is doubt taken away, and doubts multiply (combined-risk.ts); so their logarithms add up, and the share of each in
// the sum is its share in the risk. What decided alone, though its share is small (a rule whose action is severer than the
// risk asks for), comes first. Model and rules that say the same become one reason, in the model's words where it has
// some: they tell the values.
import { reasonText } from '../reason-codes.ts';
import type { RuleHit, Verdict } from '../verdict.ts';
import type { Reason } from './reason.ts';

const DEFAULT_LIMIT = 3;
/** A model that is certain leaves no doubt at all. */
const LEAST_DOUBT = 2 ** -25;

export type ReasonedVerdict = Pick<Verdict, 'modelRisk' | 'hits' | 'by' | 'intended'>;

/**
 * At most `limit` reasons with different codes.
 *
 * @param modelReasons of `reasonsFor`; their weights are shares of the model's part
 */
export function decisionReasons(
  modelReasons: readonly Reason[],
  { modelRisk, hits, by, intended }: ReasonedVerdict,
  limit: number = DEFAULT_LIMIT,
): Reason[] {
  const speaking = hits.filter(({ action }) => action !== 'approve');
  if (speaking.length === 0) return modelReasons.slice(0, limit);
  const ofModel = Number.isNaN(modelRisk) ? 0 : -Math.log(Math.max(LEAST_DOUBT, 1 - modelRisk));
  const parts = speaking.map(({ doubt }) => -Math.log(doubt));
  const total = parts.reduce((sum, part) => sum + part, ofModel);
  const shareOf = (part: number) => (total > 0 ? part / total : 0);
  const byCode = new Map<string, Reason>();
  const add = (reason: Reason) => {
    const other = byCode.get(reason.code);
    byCode.set(
      reason.code,
      other === undefined ? reason : { ...other, weight: Math.min(1, other.weight + reason.weight) },
    );
  };
  for (const reason of modelReasons) add({ ...reason, weight: reason.weight * shareOf(ofModel) });
  for (const [index, hit] of speaking.entries()) add(ruleReason(hit, shareOf(parts[index])));
  const decisive = new Set(
    by === 'rules' ? speaking.filter(({ action }) => action === intended).map(({ reason }) => reason) : [],
  );
  return [...byCode.values()]
    .sort((a, b) => Number(decisive.has(b.code)) - Number(decisive.has(a.code)) || b.weight - a.weight)
    .slice(0, limit);
}

function ruleReason({ reason: code }: RuleHit, weight: number): Reason {
  const text = reasonText(code);
  return { code, features: [], weight, es: text?.es ?? code, en: text?.en ?? code };
}
