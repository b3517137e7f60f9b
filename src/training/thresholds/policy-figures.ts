// What a model's decisions would have meant on later rows: alerts a day, and soles a day beside letting everything through.
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import type { RuleAction } from '../../rules/rule.ts';
import { costOfActions } from '../metrics/cost.ts';
import type { LaterRows } from './choose-thresholds.ts';

const DAY_MS = 86_400_000;
const MINOR_PER_SOL = 100;

export interface PolicyFigures {
  readonly days: number;
  /** Not approved. */
  readonly flaggedPerDay: number;
  /** Held or declined. */
  readonly heldPerDay: number;
  /** null without labels or without probabilities. */
  readonly costPerDay: CostPerDay | null;
}

/** Soles a day. */
export interface CostPerDay {
  /** Rows with a known label and worth, which the costs are counted on. */
  readonly rows: number;
  readonly approveAllSoles: number;
  readonly policySoles: number;
  readonly savedSoles: number;
  readonly costs: DecisionCosts;
}

/**
 * @param actionOf what is done with a row
 * @param worthsMinor of each row, céntimos of soles; NaN where not known
 * @returns null where the rows span no time
 */
export function policyFigures(
  later: LaterRows,
  worthsMinor: Float64Array,
  actionOf: (row: number) => RuleAction,
  costs: DecisionCosts,
): PolicyFigures | null {
  const { risk, calibrated, labels } = later;
  const days = (later.endMs - later.startMs) / DAY_MS;
  if (!(days > 0)) return null;
  const counts: Record<RuleAction, number> = { approve: 0, review: 0, challenge: 0, hold: 0, decline: 0 };
  for (let row = 0; row < risk.length; row++) counts[actionOf(row)]++;
  const costed = Uint32Array.from(risk.keys()).filter((row) => labels[row] >= 0 && !Number.isNaN(worthsMinor[row]));
  return {
    days,
    flaggedPerDay: (risk.length - counts.approve) / days,
    heldPerDay: (counts.hold + counts.decline) / days,
    costPerDay: calibrated && costed.length > 0 ? costPerDay() : null,
  };

  function costPerDay(): CostPerDay {
    const rows = {
      labels: Uint8Array.from(costed, (row) => labels[row]),
      worthsMinor: Float64Array.from(costed, (row) => worthsMinor[row]),
    };
    const perDay = (action: (index: number) => RuleAction) =>
      costOfActions(rows, action, costs).totalMinor / MINOR_PER_SOL / days;
    const approveAllSoles = perDay(() => 'approve');
    const policySoles = perDay((index) => actionOf(costed[index]));
    return {
      rows: costed.length,
      approveAllSoles,
      policySoles,
      savedSoles: approveAllSoles - policySoles,
      costs,
    };
  }
}
