// Options of the commands that go through labelled history.
import type { DecisionThresholds } from '../decisions/decision.ts';
import type { DecisionCosts } from '../decisions/money-policy.ts';
import type { VerdictPolicy } from '../decisions/verdict.ts';
import { dayNumberOf, isoDate, startOfLimaDayMs } from '../domain/calendar.ts';
import type { HistoryRange } from '../jobs/replay/history.ts';
import { type StoredModel, thresholdsOf } from '../registry/model-store.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

export const RANGE_OPTIONS = {
  from: {
    type: 'text',
    value: 'YYYY-MM-DD',
    help: 'first day that is counted, Lima time; features are computed from the beginning of the file',
  },
  to: { type: 'text', value: 'YYYY-MM-DD', help: 'last day that is counted' },
} as const satisfies Record<string, OptionSpec>;

/** @throws UsageError for a day that there is not, or a range that is empty */
export function rangeOf(options: OptionValues): HistoryRange {
  const from = dayOf(options, 'from');
  const to = dayOf(options, 'to');
  if (from !== null && to !== null && from > to) throw new UsageError('--from is after --to: give them in order');
  return {
    fromMs: from === null ? Number.NEGATIVE_INFINITY : startOfLimaDayMs(from),
    untilMs: to === null ? Number.POSITIVE_INFINITY : startOfLimaDayMs(to + 1),
  };
}

function dayOf(options: OptionValues, name: 'from' | 'to'): number | null {
  const given = options[name];
  if (given === undefined) return null;
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(String(given));
  const day = match === null ? null : dayNumberOf(Number(match[1]), Number(match[2]), Number(match[3]));
  if (day === null || isoDate(day) !== given) throw new UsageError(`--${name} '${given}' is no day: write YYYY-MM-DD`);
  return day;
}

/** No rules of thumb without a model: nothing is flagged by a risk that is not there. */
const WITHOUT_MODEL: DecisionThresholds = { reviewAtRisk: 1, holdAtRisk: 1 };

/** Nobody is let through for the sake of labels in a replay, and no governor steps in: it is shown beside. */
export function policyOf(model: StoredModel | null, thresholds: DecisionThresholds | null): VerdictPolicy {
  const own = model === null ? WITHOUT_MODEL : thresholdsOf(model.description);
  return { thresholds: thresholds ?? own, control: null, severest: null };
}

/** `review=0.2,hold=0.9` (one of them is enough), or `cost`. @throws UsageError for anything else */
export function parseThresholds(text: string, model: StoredModel | null, costs: DecisionCosts): DecisionThresholds {
  if (model === null) throw new UsageError('thresholds are for the risk of a model: give one with --model ID');
  const own = thresholdsOf(model.description);
  if (text === 'cost') return { ...own, costs };
  let { reviewAtRisk, holdAtRisk } = own;
  for (const part of text.split(',')) {
    const match = /^(review|hold)=(\d*\.?\d+)$/.exec(part.trim());
    const risk = Number(match?.[2]);
    if (match === null || !(risk >= 0 && risk <= 1)) {
      throw new UsageError(`'${part}' is no threshold: write review=0.2,hold=0.9 with risks from 0 to 1, or cost`);
    }
    if (match[1] === 'review') reviewAtRisk = risk;
    else holdAtRisk = risk;
  }
  return { reviewAtRisk, holdAtRisk };
}
